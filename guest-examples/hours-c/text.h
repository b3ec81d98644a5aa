/*
 * Text that grows: the document, or what went wrong.
 *
 * Nothing is freed. Each webhook gets a fresh instance, whose memory goes with it.
 */
#pragma once

#include <stddef.h>

struct text {
    char *at; /* Not ended by a NUL. */
    size_t len;
    size_t room;
};

/* Appends `words` as they are: tags, and whatever needs no escaping. */
void put(struct text *text, const char *words);

/* Appends `len` bytes so that they are read as text in XML, between tags and in double quotes, whatever they are. */
void put_escaped(struct text *text, const char *words, size_t len);
