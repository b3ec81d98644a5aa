//! The time of day, for opening hours and the like.
//!
//! There is no time zone database in a handler: local time is what a fixed offset from UTC makes of
//! it, and where clocks change for summer, the offset is a setting that changes with them.

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    unix_ms: u64,
}

/// The time now, from the host's clock.
#[must_use]
pub fn now() -> Time {
    crate::host::now()
}

/// Day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // they say it all
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Saturday or Sunday.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        matches!(self, Self::Saturday | Self::Sunday)
    }
}

/// What a clock and a calendar on the wall show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// Year, as in 2026.
    pub year: i64,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Day of the week.
    pub weekday: Weekday,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
}

impl Time {
    /// From seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self { unix_ms: seconds.saturating_mul(1000) }
    }

    /// From milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_ms(unix_ms: u64) -> Self {
        Self { unix_ms }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.unix_ms / 1000
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_ms(self) -> u64 {
        self.unix_ms
    }

    /// Date and time of day in UTC.
    #[must_use]
    pub fn utc(self) -> Local {
        self.local(0)
    }

    /// Date and time of day where clocks are `utc_offset_minutes` ahead of UTC (behind, if negative).
    #[must_use]
    pub fn local(self, utc_offset_minutes: i32) -> Local {
        const DAY: i64 = 24 * 60 * 60;
        // Below 2⁶⁴ / 1000, so the cast keeps the value.
        let seconds = self.unix_seconds() as i64 + i64::from(utc_offset_minutes) * 60;
        let (days, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        Local {
            year,
            month,
            day,
            weekday: weekday(days),
            hour: (of_day / 3600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
        }
    }
}

/// The weekday of a day counted from 1970-01-01, which was a Thursday.
fn weekday(days: i64) -> Weekday {
    match (days + 3).rem_euclid(7) {
        0 => Weekday::Monday,
        1 => Weekday::Tuesday,
        2 => Weekday::Wednesday,
        3 => Weekday::Thursday,
        4 => Weekday::Friday,
        5 => Weekday::Saturday,
        _ => Weekday::Sunday,
    }
}

/// Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar.
fn civil(days: i64) -> (i64, u8, u8) {
    // Count from 0000-03-01: then the leap day is the last of its year, and the calendar repeats
    // every 400 years, which are 146 097 days.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds, offset in minutes, and what the wall shows: date, clock, weekday.
    type Case = (u64, i32, (i64, u8, u8), (u8, u8, u8), Weekday);

    /// Checked with `date -u -d @…`.
    const CASES: &[Case] = &[
        (0, 0, (1970, 1, 1), (0, 0, 0), Weekday::Thursday),
        (951_782_400, 0, (2000, 2, 29), (0, 0, 0), Weekday::Tuesday),
        (1_709_251_199, 0, (2024, 2, 29), (23, 59, 59), Weekday::Thursday),
        (1_772_445_600, 0, (2026, 3, 2), (10, 0, 0), Weekday::Monday),
        (1_772_445_600, -300, (2026, 3, 2), (5, 0, 0), Weekday::Monday),
        (1_772_445_600, 330, (2026, 3, 2), (15, 30, 0), Weekday::Monday),
        (1_772_409_600, -60, (2026, 3, 1), (23, 0, 0), Weekday::Sunday),
        (4_107_542_400, 0, (2100, 3, 1), (0, 0, 0), Weekday::Monday),
    ];

    #[test]
    fn the_wall_shows_the_right_time() {
        for &(seconds, offset, date, clock, weekday) in CASES {
            let local = Time::from_unix_seconds(seconds).local(offset);
            assert_eq!((local.year, local.month, local.day), date, "{seconds} {offset}");
            assert_eq!((local.hour, local.minute, local.second), clock, "{seconds} {offset}");
            assert_eq!(local.weekday, weekday, "{seconds} {offset}");
        }
    }

    #[test]
    fn any_time_and_offset_can_be_shown() {
        for ms in [0, 1, u64::MAX / 2, u64::MAX] {
            for offset in [i32::MIN, -1, 0, 1, i32::MAX] {
                let local = Time::from_unix_ms(ms).local(offset);
                assert!((1..=12).contains(&local.month) && (1..=31).contains(&local.day));
            }
        }
    }
}
