/*
 * A workshop's line, in C: says whether it is open, rings the workshop by key, and takes messages.
 *
 * Each step of the conversation is a webhook of its own, answered by a fresh instance: where we are is in the link. A
 * function that returns false has put what went wrong in place of the document: the log gets that, and the caller hears
 * fallback.xml.
 */
#include <stdlib.h>
#include <string.h>

#include "bindings/handler.h"
#include "hours.h"
#include "text.h"

typedef hookswitch_handler_types_call_t call_t;
typedef hookswitch_handler_types_failure_t failure_t;

static bool answer(const call_t *call, struct text *out);

/* What the host calls. */
bool exports_hookswitch_handler_voice_answer(call_t *call, handler_string_t *document, failure_t *failure) {
    struct text out = {0};
    bool answered = answer(call, &out);
    handler_string_t *heard = answered ? document : &failure->message;
    *heard = (handler_string_t){(uint8_t *)out.at, out.len};
    failure->causes.len = 0;
    return answered;
}

static bool greeting(struct text *out);
static bool menu(struct text *out, const char *first);
static bool ring(struct text *out);
static bool after_dial(const call_t *call, struct text *out);
static bool take_message(struct text *out, const char *why);
static bool goodbye(struct text *out);
static bool wrong(struct text *out, const char *what, const char *which);
static bool is(handler_string_t text, const char *expected);
static bool form_has(handler_string_t form, const char *pair);
static bool setting(const char *key, handler_string_t *value);
static bool number(struct text *out, const char *key, int otherwise, int *value);

static bool answer(const call_t *call, struct text *out) {
    put(out, "<Response>");
    if (is(call->step, "")) return greeting(out);
    if (is(call->step, "after-dial")) return after_dial(call, out);
    if (is(call->step, "thanks")) return goodbye(out);
    if (!is(call->step, "chosen")) return wrong(out, "no link leads to this step", "");
    if (call->digits.is_some && is(call->digits.val, "1")) return ring(out);
    if (call->digits.is_some && is(call->digits.val, "2")) return take_message(out, "");
    return menu(out, "Sorry, I did not get that.");
}

static bool greeting(struct text *out) {
    struct hours hours;
    if (!number(out, "open", 9, &hours.open)) return false;
    if (!number(out, "close", 17, &hours.close)) return false;
    if (!number(out, "utc_offset_hours", 0, &hours.utc_offset_hours)) return false;
    handler_string_t words;
    hours.weekends = setting("weekends", &words) && is(words, "true");
    if (setting("greeting", &words)) {
        put(out, "<Say>");
        put_escaped(out, (char *)words.ptr, words.len);
        put(out, "</Say>");
    }
    wasi_clocks_wall_clock_datetime_t now;
    wasi_clocks_wall_clock_now(&now);
    if (hours_open_at(&hours, now.seconds)) return menu(out, "We are open.");
    return take_message(out, "You are calling outside our opening hours.");
}

/* Asks where to go; who presses nothing may leave a message. */
static bool menu(struct text *out, const char *first) {
    put(out, "<Gather action=\"chosen\" numDigits=\"1\" timeout=\"6\"><Say>");
    put(out, first);
    put(out, " For the workshop, press 1. To leave a message, press 2.</Say></Gather>");
    return take_message(out, "I did not hear anything.");
}

static bool ring(struct text *out) {
    handler_string_t workshop;
    if (!setting("workshop", &workshop)) return wrong(out, "[config] has no number to ring: ", "workshop");
    put(out, "<Say>One moment, please.</Say><Dial action=\"after-dial\" timeout=\"20\">");
    put_escaped(out, (char *)workshop.ptr, workshop.len);
    put(out, "</Dial></Response>");
    return true;
}

static bool after_dial(const call_t *call, struct text *out) {
    if (form_has(call->form, "DialCallStatus=completed")) return goodbye(out);
    handler_string_t entry;
    handler_string_set(&entry, "nobody came to the phone");
    hookswitch_handler_log_write(HOOKSWITCH_HANDLER_LOG_LEVEL_WARN, &entry);
    return take_message(out, "Nobody can come to the phone right now.");
}

static bool take_message(struct text *out, const char *why) {
    put(out, "<Say>");
    put(out, why);
    put(out, " Please leave a message after the tone.</Say><Record action=\"thanks\" maxLength=\"120\"/>");
    return goodbye(out);
}

static bool goodbye(struct text *out) {
    put(out, "<Say>Goodbye.</Say><Hangup/></Response>");
    return true;
}

static bool wrong(struct text *out, const char *what, const char *which) {
    out->len = 0;
    put(out, what);
    put(out, which);
    return false;
}

static bool is(handler_string_t text, const char *expected) {
    return text.len == strlen(expected) && memcmp(text.ptr, expected, text.len) == 0;
}

/* Whether `pair` is one of the parameters; neither side of it may need percent-encoding. */
static bool form_has(handler_string_t form, const char *pair) {
    size_t begin = 0;
    for (size_t i = 0; i <= form.len; i++) {
        if (i < form.len && form.ptr[i] != '&') continue;
        if (is((handler_string_t){form.ptr + begin, i - begin}, pair)) return true;
        begin = i + 1;
    }
    return false;
}

/* A key of [config] in handler.toml; false where there is none. */
static bool setting(const char *key, handler_string_t *value) {
    handler_string_t name;
    handler_string_set(&name, key);
    return hookswitch_handler_config_get(&name, value);
}

/* A whole number of [config]. */
static bool number(struct text *out, const char *key, int otherwise, int *value) {
    *value = otherwise;
    handler_string_t written;
    if (!setting(key, &written)) return true;
    char digits[8] = "";
    if (written.len < sizeof digits) memcpy(digits, written.ptr, written.len);
    char *end;
    *value = (int)strtol(digits, &end, 10);
    if (end == digits || *end != '\0') return wrong(out, "[config] has something other than a whole number: ", key);
    return true;
}
