//! A cron expression: which minutes of which days, and the next of them in a time zone.
//!
//! Five fields, as everywhere: minute, hour, day of the month, month, day of the week. Where both day fields are restricted
//! (neither begins with `*`) either of them is enough, which is what cron has always done. `@hourly`, `@daily`, `@midnight`,
//! `@weekly`, `@monthly`, `@yearly` and `@annually` are short for the obvious. There are no seconds: a minute is the least
//! distance, and what needs less is not a schedule.
//!
//! When clocks change, a time of day that does not exist comes at the first moment after the gap, all that fall into it
//! together as one; a time that comes twice is taken the first time. Where the hour is `*` it is no time of day but a
//! distance, and goes on in both.

use std::fmt;
use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp, ToSpan as _};

/// Farther ahead than any expression's next day: from one 29 February to the next it may be eight years.
const YEARS_AHEAD: i32 = 9;

/// How far a clock may be put back.
const FOLD_HOURS_MAX: i64 = 3;

/// A cron expression, checked. Equal if it was written alike.
#[derive(Clone)]
pub struct Cron {
    text: Box<str>,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day has to be right in both day fields.
    both_days: bool,
    /// Whether the hour is `*` or `*/n`.
    any_hour: bool,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({})", self.text)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One field: what it is called, what it may be, what its values are called.
struct Field {
    name: &'static str,
    range: RangeInclusive<u32>,
    words: &'static [&'static str],
    /// The value of the first word.
    first_word: u32,
}

const MINUTE: Field = Field { name: "minute", range: 0..=59, words: &[], first_word: 0 };
const HOUR: Field = Field { name: "hour", range: 0..=23, words: &[], first_word: 0 };
const DAY: Field = Field { name: "day of the month", range: 1..=31, words: &[], first_word: 0 };
const MONTH: Field = Field {
    name: "month",
    range: 1..=12,
    words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    first_word: 1,
};
/// 7 is Sunday, too.
const WEEKDAY: Field = Field {
    name: "day of the week",
    range: 0..=7,
    words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    first_word: 0,
};

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// What was found, what was expected, what to try; as the rest of a sentence that begins with the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written = text.trim();
        let expression = match written {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other if other.starts_with('@') => {
                return Err(format!(
                    "{written:?} is not known; expected @hourly, @daily, @weekly, @monthly, @yearly or five fields"
                ));
            }
            other => other,
        };
        let fields: Vec<&str> = expression.split_ascii_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            let seconds = match fields.len() {
                6 | 7 => "; seconds are not offered, a minute is the least distance",
                _ => "",
            };
            return Err(format!(
                "{written:?} has {} fields{seconds}; expected five: minute, hour, day of the month, month, day of the week",
                fields.len()
            ));
        };
        let weekdays = WEEKDAY.read(weekday)?;
        let cron = Self {
            text: written.into(),
            minutes: MINUTE.read(minute)?,
            hours: HOUR.read(hour)?,
            days: DAY.read(day)?,
            months: MONTH.read(month)?,
            // 7 is 0.
            weekdays: weekdays | weekdays >> 7,
            both_days: day.starts_with('*') || weekday.starts_with('*'),
            any_hour: hour.starts_with('*'),
        };
        // From a leap year on, so that a 29 February is found whenever this is asked.
        let from = DateTime::constant(2024, 1, 1, 0, 0, 0, 0);
        match cron.next_local(from) {
            Some(_) => Ok(cron),
            None => {
                Err(format!("{written:?} names no day that ever comes; check day of the month and month"))
            }
        }
    }

    /// The next moment after `after`, by the clocks of `zone`. None where the calendar ends.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        // Clocks that were put back show times again that `after` has gone past.
        let span: Span = FOLD_HOURS_MAX.hours();
        let mut local = zone.to_datetime(after).checked_sub(span).ok()?;
        let mut best: Option<Timestamp> = None;
        loop {
            local = self.next_local(local)?;
            let (first, again) = self.moments(local, zone)?;
            // The first moments of later times are later, or the same after a gap.
            if best.is_some_and(|best| first >= best) {
                return best;
            }
            let candidates = [Some(first), again].into_iter().flatten().filter(|moment| *moment > after);
            best = best.into_iter().chain(candidates).min();
            local = local.checked_add(1.minute()).ok()?;
        }
    }

    /// When a local time comes, and when it comes again where that counts.
    fn moments(&self, local: DateTime, zone: &TimeZone) -> Option<(Timestamp, Option<Timestamp>)> {
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(local).ok();
        match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Some((at(offset)?, None)),
            AmbiguousOffset::Fold { before, after } => {
                Some((at(before)?, if self.any_hour { at(after) } else { None }))
            }
            // By the clock before the gap it lies behind the gap's first moment, or is it.
            AmbiguousOffset::Gap { before, .. } => {
                let behind = at(before)?.checked_add(1.second()).ok()?;
                zone.preceding(behind).next().map(|transition| (transition.timestamp(), None))
            }
        }
    }

    /// The first time at `from` or after it, by a clock that nobody changes.
    fn next_local(&self, from: DateTime) -> Option<DateTime> {
        let has = |set: u64, value: i8| u32::try_from(value).is_ok_and(|value| set >> value & 1 == 1);
        let mut date = from.date();
        // Of the first day, what is left of it; a minute that has begun is over.
        let begun = from.second() != 0 || from.subsec_nanosecond() != 0;
        let mut earliest = (from.hour(), from.minute() + i8::from(begun));
        let last_year = i32::from(date.year()) + YEARS_AHEAD;
        while i32::from(date.year()) <= last_year {
            if !has(self.months, date.month()) {
                date = date.last_of_month().tomorrow().ok()?;
                earliest = (0, 0);
                continue;
            }
            if self.takes_day(date) {
                for hour in (earliest.0..24).filter(|hour| has(self.hours, *hour)) {
                    let from_minute = if hour == earliest.0 { earliest.1 } else { 0 };
                    if let Some(minute) = (from_minute..60).find(|minute| has(self.minutes, *minute)) {
                        return Some(date.at(hour, minute, 0, 0));
                    }
                }
            }
            date = date.tomorrow().ok()?;
            earliest = (0, 0);
        }
        None
    }

    fn takes_day(&self, date: Date) -> bool {
        let by_month = self.days >> date.day() & 1 == 1;
        let by_week = self.weekdays >> date.weekday().to_sunday_zero_offset() & 1 == 1;
        if self.both_days { by_month && by_week } else { by_month || by_week }
    }
}

impl Field {
    /// The values that a field names, one bit each.
    fn read(&self, text: &str) -> Result<u64, String> {
        let mut set = 0_u64;
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(step)),
                None => (part, None),
            };
            let step = match step {
                None => 1,
                Some(step) => match step.parse::<u32>() {
                    Ok(step @ 1..) if step <= *self.range.end() => step,
                    _ => {
                        return Err(self.wrong(
                            part,
                            &format!("has a step that is not a number from 1 to {}", self.range.end()),
                        ));
                    }
                },
            };
            let stepped = part.contains('/');
            let (low, high) = match range.split_once('-') {
                _ if range == "*" => (*self.range.start(), self.last()),
                Some((low, high)) => {
                    let (low, high) = (self.value(low, part)?, self.value(high, part)?);
                    // `sat-sun`: a week may be said to end with its Sunday.
                    let high = if self.range == WEEKDAY.range && high == 0 && low > 0 { 7 } else { high };
                    (low, high)
                }
                None => {
                    let low = self.value(range, part)?;
                    (low, if stepped { self.last().max(low) } else { low })
                }
            };
            if low > high {
                return Err(self.wrong(part, "ends before it begins; write it as two, with a comma"));
            }
            for value in (low..=high).step_by(usize::try_from(step).unwrap_or(1)) {
                set |= 1 << value;
            }
        }
        Ok(set)
    }

    /// The last value that `*` names.
    fn last(&self) -> u32 {
        if self.range == WEEKDAY.range { 6 } else { *self.range.end() }
    }

    fn value(&self, text: &str, part: &str) -> Result<u32, String> {
        let word = self.words.iter().position(|word| text.eq_ignore_ascii_case(word));
        if let Some(place) = word.and_then(|place| u32::try_from(place).ok()) {
            return Ok(self.first_word + place);
        }
        // Digits alone: `+5` is a number to the parser and to nobody else.
        let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>());
        match number {
            Some(Ok(value)) if self.range.contains(&value) => Ok(value),
            _ => Err(self.wrong(part, "is not one")),
        }
    }

    fn wrong(&self, part: &str, what: &str) -> String {
        let words = match (self.words.first(), self.words.last()) {
            (Some(first), Some(last)) => format!(" or {first} to {last}"),
            _ => String::new(),
        };
        let part: String = part.chars().take(40).collect();
        format!(
            "the {} {part:?} {what}; expected *, or numbers from {} to {}{words}, ranges (a-b), steps (*/n) and lists (a,b)",
            self.name,
            self.range.start(),
            self.range.end()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    /// The moments of `cron` after `after`, as far as there are `expected` ones, in UTC.
    fn moments(cron: &str, name: &str, after: &str, count: usize) -> Vec<String> {
        let cron = Cron::parse(cron).unwrap();
        let mut at: Timestamp = after.parse().unwrap();
        let mut found = Vec::new();
        for _ in 0..count {
            at = cron.next_after(at, &zone(name)).unwrap();
            found.push(at.to_string());
        }
        found
    }

    #[test]
    fn moments_are_those_of_the_fields() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("* * * * *", "2026-11-23T08:59:30Z", &["2026-11-23T09:00:00Z", "2026-11-23T09:01:00Z"]),
            // After, never at.
            ("0 9 * * *", "2026-11-23T09:00:00Z", &["2026-11-24T09:00:00Z"]),
            (
                "*/20 9-10 * * mon-fri",
                "2026-11-20T10:40:00Z",
                &["2026-11-23T09:00:00Z", "2026-11-23T09:20:00Z"],
            ),
            (
                "5/25 0 * * *",
                "2026-01-01T00:00:00Z",
                &["2026-01-01T00:05:00Z", "2026-01-01T00:30:00Z", "2026-01-01T00:55:00Z"],
            ),
            ("0 0 31 * *", "2026-01-31T00:00:00Z", &["2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"]),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
            // Both days restricted: either of them.
            ("0 0 13 * fri", "2026-11-06T00:00:00Z", &["2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"]),
            ("0 0 1,15 * mon", "2026-11-28T00:00:00Z", &["2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z"]),
            // One of them a star: both.
            ("0 0 */2 * mon", "2026-11-22T00:00:00Z", &["2026-11-23T00:00:00Z", "2026-12-07T00:00:00Z"]),
            (
                "0 12 * JAN,jul sat-sun",
                "2026-07-25T12:00:00Z",
                &["2026-07-26T12:00:00Z", "2027-01-02T12:00:00Z"],
            ),
            ("0 0 * * 7", "2026-11-23T00:00:00Z", &["2026-11-29T00:00:00Z"]),
            ("@hourly", "2026-12-31T23:30:00Z", &["2027-01-01T00:00:00Z"]),
            ("@yearly", "2026-12-31T23:30:00Z", &["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]),
        ];
        for (cron, after, expected) in cases {
            assert_eq!(moments(cron, "UTC", after, expected.len()), *expected, "{cron} after {after}");
        }
    }

    #[test]
    fn clocks_that_change_lose_no_run_and_double_none() {
        let cases: &[(&str, &str, &str, &[&str])] = &[
            // Berlin, 2026-03-29: 02:00 to 03:00 is not there.
            (
                "30 2 * * *",
                "Europe/Berlin",
                "2026-03-28T12:00:00Z",
                &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
            ),
            (
                "0 2 * * *",
                "Europe/Berlin",
                "2026-03-28T12:00:00Z",
                &["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
            ),
            // All that fall into the gap are one run, also with what is due right after it.
            (
                "0,30 2-3 * * *",
                "Europe/Berlin",
                "2026-03-28T12:00:00Z",
                &["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"],
            ),
            (
                "*/15 * * * *",
                "Europe/Berlin",
                "2026-03-29T00:40:00Z",
                &["2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"],
            ),
            // Berlin, 2026-10-25: 02:00 to 03:00 is there twice.
            (
                "30 2 * * *",
                "Europe/Berlin",
                "2026-10-24T12:00:00Z",
                &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
            ),
            (
                "0,30 2 * * *",
                "Europe/Berlin",
                "2026-10-25T00:10:00Z",
                &["2026-10-25T00:30:00Z", "2026-10-26T01:00:00Z"],
            ),
            (
                "0 * * * *",
                "Europe/Berlin",
                "2026-10-24T23:30:00Z",
                &["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"],
            ),
            (
                "*/30 * * * *",
                "Europe/Berlin",
                "2026-10-25T00:30:00Z",
                &["2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"],
            ),
            // New York, 2026-11-01: 01:00 to 02:00 is there twice.
            (
                "15 1 * * *",
                "America/New_York",
                "2026-10-31T12:00:00Z",
                &["2026-11-01T05:15:00Z", "2026-11-02T06:15:00Z"],
            ),
            // Half an hour only.
            (
                "15 2 * * *",
                "Australia/Lord_Howe",
                "2026-10-02T00:00:00Z",
                &["2026-10-02T15:45:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
            ),
            // A day that a country left out.
            (
                "0 9 30 12 *",
                "Pacific/Apia",
                "2011-12-01T00:00:00Z",
                &["2011-12-30T10:00:00Z", "2012-12-29T19:00:00Z"],
            ),
            // Midnight that is not there.
            (
                "@daily",
                "Africa/Cairo",
                "2026-04-23T12:00:00Z",
                &["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"],
            ),
        ];
        for (cron, name, after, expected) in cases {
            assert_eq!(
                moments(cron, name, after, expected.len()),
                *expected,
                "{cron} in {name} after {after}"
            );
        }
    }

    #[test]
    fn what_is_no_expression_is_told_what_it_lacks() {
        let cases = [
            ("* * * * * *", "has 6 fields; seconds are not offered, a minute is the least distance"),
            ("*/1 * * * * * *", "seconds are not offered"),
            ("0 9 * *", "has 4 fields; expected five"),
            ("", "has 0 fields"),
            ("@reboot", "is not known"),
            ("@every 1s", "is not known"),
            ("60 * * * *", "the minute \"60\" is not one; expected *, or numbers from 0 to 59"),
            ("* 24 * * *", "the hour"),
            ("* * 0 * *", "the day of the month"),
            ("* * * 13 *", "or jan to dec"),
            ("* * * * 8", "or sun to sat"),
            ("* * * * monday", "the day of the week \"monday\" is not one"),
            ("*/0 * * * *", "has a step that is not a number from 1 to 59"),
            ("*/x * * * *", "has a step"),
            ("30-10 * * * *", "ends before it begins"),
            ("* * * * fri-mon", "ends before it begins"),
            ("1,,2 * * * *", "the minute \"\" is not one"),
            ("-5 * * * *", "is not one"),
            ("+5 * * * *", "is not one"),
            ("? * * * *", "is not one"),
            ("0 0 L * *", "is not one"),
            ("0 0 30 2 *", "names no day that ever comes"),
            ("0 0 31 4,6,9,11 *", "names no day that ever comes"),
        ];
        for (text, expected) in cases {
            let problem = Cron::parse(text).map(|_| ()).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-*/,0-9a-z@ ]{0,24}") {
            let _ = Cron::parse(&text);
        }

        #[test]
        fn the_next_moment_is_later_and_no_minute_between_is_one(
            minute in 0..60_u32,
            hour in 0..24_u32,
            weekday in 0..7_u32,
            at in 1_600_000_000..2_200_000_000_i64,
        ) {
            let cron = Cron::parse(&format!("{minute} {hour} * * {weekday}")).unwrap();
            let berlin = zone("Europe/Berlin");
            let after = Timestamp::from_second(at).unwrap();
            let next = cron.next_after(after, &berlin).unwrap();
            proptest::prop_assert!(next > after);
            // A week, a day for the change of clocks that moves a run by hours.
            proptest::prop_assert!(next.as_second() - at <= 8 * 86_400);
            let just_before = Timestamp::from_second(next.as_second() - 1).unwrap();
            proptest::prop_assert_eq!(cron.next_after(just_before.max(after), &berlin), Some(next));
        }
    }
}
