/*
 * Opening hours: pure, so that tests need no clock and no host.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* When somebody is there, on the workshop's clock. */
struct hours {
    int open;  /* The first hour, 0 to 24. */
    int close; /* The hour at which nobody is there any more, 0 to 24. */
    bool weekends;
    int utc_offset_hours; /* How far the clock is ahead of UTC. */
};

/* Whether somebody is there, `unix_s` seconds after 1970-01-01T00:00:00Z. */
bool hours_open_at(const struct hours *hours, uint64_t unix_s);
