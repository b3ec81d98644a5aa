/* Tests of what knows no host: `make test`, with any C compiler. */
#include <stdio.h>
#include <string.h>

#include "hours.h"
#include "text.h"

static int passed, failed;

static void check(bool came_true, const char *promise) {
    if (came_true) {
        passed++;
    } else {
        failed++;
        printf("not so: %s\n", promise);
    }
}

/* 2026-11-23, a Monday, at midnight UTC. */
#define MONDAY 1795392000
#define DAY 86400
#define HOUR 3600

static void the_line_is_open_from_the_first_hour_to_the_last_on_working_days(void) {
    const struct hours office = {.open = 9, .close = 17};
    const struct hours ahead = {.open = 8, .close = 17, .utc_offset_hours = 9};
    const struct hours behind = {.open = 9, .close = 22, .utc_offset_hours = -5};
    const struct hours always = {.open = 0, .close = 24, .weekends = true};
    const struct {
        const char *when;
        const struct hours *hours;
        uint64_t unix_s;
        bool open;
    } cases[] = {
        {"a second before nine", &office, MONDAY + 9 * HOUR - 1, false},
        {"at nine", &office, MONDAY + 9 * HOUR, true},
        {"a second before five", &office, MONDAY + 17 * HOUR - 1, true},
        {"at five", &office, MONDAY + 17 * HOUR, false},
        {"Friday noon", &office, MONDAY + 4 * DAY + 12 * HOUR, true},
        {"Saturday noon", &office, MONDAY + 5 * DAY + 12 * HOUR, false},
        {"Sunday noon", &office, MONDAY + 6 * DAY + 12 * HOUR, false},
        {"Monday at eight there, Sunday in UTC", &ahead, MONDAY - 1 * HOUR, true},
        {"a second before that", &ahead, MONDAY - 1 * HOUR - 1, false},
        {"Friday evening there, Saturday in UTC", &behind, MONDAY + 5 * DAY + 2 * HOUR, true},
        {"Friday at ten in the evening there", &behind, MONDAY + 5 * DAY + 3 * HOUR, false},
        {"around the clock, Sunday night", &always, MONDAY + 7 * DAY - 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(hours_open_at(cases[i].hours, cases[i].unix_s) == cases[i].open, cases[i].when);
    }
}

static void text_of_others_stays_text(void) {
    struct text text = {0};
    const char words[] = "Miller & Sons <Hangup/> \"now\" \xc3\xbc";
    put_escaped(&text, words, sizeof words - 1);
    const char expected[] = "Miller &amp; Sons &lt;Hangup/&gt; &quot;now&quot; \xc3\xbc";
    check(text.len == sizeof expected - 1 && memcmp(text.at, expected, text.len) == 0, "what XML means is escaped");
}

static void text_grows(void) {
    struct text text = {0};
    for (int i = 0; i < 10000; i++) put(&text, "0123456789");
    check(text.len == 100000 && memcmp(text.at + 99990, "0123456789", 10) == 0, "all is there in the end");
}

int main(void) {
    the_line_is_open_from_the_first_hour_to_the_last_on_working_days();
    text_of_others_stays_text();
    text_grows();
    printf("test result: %s. %d passed; %d failed\n", failed ? "FAILED" : "ok", passed, failed);
    return failed != 0;
}
