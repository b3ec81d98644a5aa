#include "hours.h"

bool hours_open_at(const struct hours *hours, uint64_t unix_s) {
    int64_t local_h = (int64_t)(unix_s / 3600) + hours->utc_offset_hours;
    int hour = (int)(local_h % 24);
    /* 1970-01-01 was a Thursday; 0 is Monday. */
    int weekday = (int)((local_h / 24 + 3) % 7);
    return (weekday < 5 || hours->weekends) && hours->open <= hour && hour < hours->close;
}
