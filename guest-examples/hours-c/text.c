#include "text.h"

#include <stdlib.h>
#include <string.h>

static void append(struct text *text, const char *words, size_t len) {
    if (text->room - text->len < len) {
        text->room = 2 * (text->len + len) + 1024;
        text->at = realloc(text->at, text->room);
        /* A trap: the host ends the invocation, and the caller hears the fallback document. */
        if (text->at == NULL) abort();
    }
    memcpy(text->at + text->len, words, len);
    text->len += len;
}

void put(struct text *text, const char *words) {
    append(text, words, strlen(words));
}

void put_escaped(struct text *text, const char *words, size_t len) {
    for (size_t i = 0; i < len; i++) {
        switch (words[i]) {
        case '<': put(text, "&lt;"); break;
        case '>': put(text, "&gt;"); break;
        case '&': put(text, "&amp;"); break;
        case '"': put(text, "&quot;"); break;
        default: append(text, &words[i], 1);
        }
    }
}
