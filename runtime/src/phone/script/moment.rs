//! Moments as a script writes them: with an offset or a zone, or by the clocks of the schedule that they are for.
//!
//! A moment never means something else on another machine or another day: one that leaves open by whose clocks it is counts
//! only where a schedule says that.

use std::fmt;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::Deserialize;

use crate::schedule::Schedule;

/// A moment as it is written: a text, or what TOML itself knows as one.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(super) enum RawMoment {
    Text(String),
    Toml(toml::value::Datetime),
}

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Everywhere the same.
    Known(Timestamp),
    /// By clocks that it does not name.
    Local(DateTime),
}

impl RawMoment {
    pub(super) fn check(&self) -> Result<Moment, String> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Toml(moment) => moment.to_string(),
        };
        let wrong = |why: &str| {
            format!(
                "`at` is {text:?}{why}; expected a date and a time such as 2026-11-23T09:00:00, with an offset (Z, -05:00) or \
                 a zone ([America/New_York])"
            )
        };
        // Only with its zone: without that, an offset that does not fit it would pass.
        let known = if text.contains('[') {
            let zoned: Zoned = text.parse().map_err(|why| wrong(&format!(" ({why})")))?;
            Some(zoned.timestamp())
        } else {
            text.parse::<Timestamp>().ok()
        };
        match known {
            Some(moment) if moment < Timestamp::UNIX_EPOCH => Err(wrong(", which is before 1970")),
            Some(moment) => Ok(Moment::Known(moment)),
            None => text.parse().map(Moment::Local).map_err(|_| wrong("")),
        }
    }
}

impl Moment {
    /// In milliseconds of Unix time.
    pub(super) fn unix_ms(self) -> Result<u64, String> {
        match self {
            Self::Known(moment) => Ok(u64::try_from(moment.as_millisecond()).unwrap_or_default()),
            Self::Local(local) => Err(format!(
                "`at` is {local}, and by whose clocks that is remains open; add an offset (Z, -05:00) or a zone \
                 ([America/New_York])"
            )),
        }
    }

    /// The moment at which `schedule` is due, in minutes of Unix time.
    pub(super) fn due_min(self, schedule: &Schedule) -> Result<u64, String> {
        let Schedule { name, cron, zone, timezone } = schedule;
        let moment = match self {
            Self::Known(moment) => moment,
            Self::Local(local) => zone.to_ambiguous_timestamp(local).unambiguous().map_err(|_| {
                format!(
                    "{local} is not there, or twice, by the clocks of {timezone}; write it with an offset"
                )
            })?,
        };
        let next = moment
            .checked_sub(SignedDuration::from_secs(1))
            .ok()
            .and_then(|before| schedule.next_after(before));
        if next != Some(moment) {
            let local = |moment: Timestamp| moment.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z");
            let next =
                next.map_or(String::new(), |next| format!("; the next time after that is {}", local(next)));
            return Err(format!("{name} (\"{cron}\", {timezone}) is not due at {}{next}", local(moment)));
        }
        Ok(u64::try_from(moment.as_second()).unwrap_or_default() / 60)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(moment) => moment.fmt(f),
            Self::Local(local) => local.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::ScheduleSettings;

    #[derive(Deserialize)]
    struct File {
        at: RawMoment,
    }

    fn moment(written: &str) -> Result<Moment, String> {
        toml::from_str::<File>(&format!("at = {written}")).unwrap().at.check()
    }

    const NINE_IN_NEW_YORK: u64 = 1_795_442_400_000;

    #[test]
    fn a_moment_is_written_with_what_makes_it_one() {
        for written in [
            "\"2026-11-23T14:00:00Z\"",
            "\"2026-11-23T09:00:00-05:00\"",
            "\"2026-11-23T09:00-05:00\"",
            "\"2026-11-23T09:00[America/New_York]\"",
            "2026-11-23T09:00:00-05:00",
        ] {
            assert_eq!(moment(written).unwrap().unix_ms(), Ok(NINE_IN_NEW_YORK), "{written}");
        }
        for (written, expected) in [
            ("\"tomorrow\"", "\"tomorrow\"; expected a date and a time"),
            ("09:00:00", "expected a date and a time"),
            ("\"2026-11-23T09:00:00-03:00[America/New_York]\"", "-03:00"),
            ("\"2026-11-23T09:00:00[America/Nowhere]\"", "America/Nowhere"),
            ("\"1969-12-31T00:00:00Z\"", "before 1970"),
        ] {
            let found = moment(written).unwrap_err();
            assert!(found.contains(expected), "{written}: {found}");
        }
        for written in ["\"2026-11-23T09:00:00\"", "2026-11-23T09:00:00"] {
            assert!(moment(written).unwrap().unix_ms().unwrap_err().contains("by whose clocks"), "{written}");
        }
    }

    #[test]
    fn a_schedule_is_due_by_its_own_clocks_and_at_no_other_moment() {
        let schedule = Schedule::new(&ScheduleSettings {
            name: "remind".into(),
            cron: "*/5 1,9 * * *".into(),
            timezone: "America/New_York".into(),
        })
        .unwrap();
        for written in ["2026-11-23T09:00:00", "2026-11-23T14:00:00Z", "2026-11-23T15:00:00+01:00"] {
            let due = moment(written).unwrap().due_min(&schedule);
            assert_eq!(due, Ok(NINE_IN_NEW_YORK / 60_000), "{written}");
        }
        for (written, expected) in [
            (
                "2026-11-23T09:03:00",
                "not due at 2026-11-23T09:03:00-05:00; the next time after that is 2026-11-23T09:05:00-05:00",
            ),
            ("2026-11-23T09:00:30", "is not due at 2026-11-23T09:00:30-05:00"),
            ("2026-11-23T09:00:00Z", "is not due at 2026-11-23T04:00:00-05:00"),
            ("2026-11-01T01:30:00", "or twice, by the clocks of America/New_York"),
        ] {
            let found = moment(written).unwrap().due_min(&schedule).unwrap_err();
            assert!(found.contains(expected), "{written}: {found}");
        }
        assert!(moment("2026-11-01T01:30:00-04:00").unwrap().due_min(&schedule).is_ok());
    }
}
