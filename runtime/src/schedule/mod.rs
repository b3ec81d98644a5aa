//! Runs of handlers that no carrier asks for: the `[[schedule]]` tables of `handler.toml`.
//!
//! A run is an event like any other, so it has the same limits, walls, log and counters. It goes to the stable revision: a
//! canary shares the calls of real people, and there is only one run to have. The one idea: **a moment is claimed in the
//! store before it is run**, so that no two processes, no restart and no clock make one moment two runs. A run whose failure
//! is known is tried again within its minute, also by the process that took over meanwhile. One that was cut off, by a crash or
//! by the end of a process that had been replaced, is not: nobody knows how far it got, and half of it twice may be worse
//! than half of it. It is noted as failed, with a line in the log.
//!
//! Of the moments that came and went while no host ran, the last one is made up if it is not long ago. All others are left out,
//! and the log says once how many and which; where none is made up, the state of the last run is `missed`.
//!
//! Every attempt at one moment has the same subject (`schedule:remind:2026-11-23T09:00Z`), by which a handler, and whatever
//! the host does for it outward, can tell that it has been there before.

mod cron;
mod due;
mod keeper;
mod last;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::cron::Cron;
pub use self::keeper::Keeper;
pub use self::last::{LastRun, LastRuns};
use crate::call::{Event, EventKind, HandlerName};

/// Most schedules of one handler. Each costs a look a second.
pub const SCHEDULES_MAX: usize = 20;

/// `status` of an event that a schedule made.
pub const STATUS: &str = "schedule";

/// What is said of a handler with schedules whose component has nothing for them.
pub const NOTHING_TO_RUN: &str = "handler.toml has a [[schedule]], and the component does not export `events`, which its \
     runs call; in Rust that is a function with #[events]";

/// One `[[schedule]]` as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSettings {
    /// What the handler hears as the event's step: 1 to 63 of `a`–`z`, `0`–`9`, `-`.
    pub name: String,
    /// Five fields (minute, hour, day of the month, month, day of the week), or `@hourly` and the like.
    pub cron: String,
    /// Whose clocks: a name of the IANA database.
    #[serde(default = "utc")]
    pub timezone: String,
}

/// Whose clocks count where nothing is said.
pub(crate) fn utc() -> String {
    "UTC".to_owned()
}

/// What is wrong with a schedule: which key, and the rest of the sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[[schedule]] {key}: {problem}")]
pub struct ScheduleError {
    /// `name`, `cron` or `timezone`.
    pub key: &'static str,
    /// What was found, what was expected, what to try.
    pub problem: String,
}

/// A schedule, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Unique within its handler.
    pub name: Arc<str>,
    /// When.
    pub cron: Cron,
    /// By whose clocks.
    pub zone: TimeZone,
    /// The zone's name, as it was written.
    pub timezone: Box<str>,
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({} {} {})", self.name, self.cron, self.timezone)
    }
}

impl Schedule {
    /// Checks one schedule.
    ///
    /// # Errors
    /// [`ScheduleError`] for the first key that is wrong.
    pub fn new(written: &ScheduleSettings) -> Result<Self, ScheduleError> {
        let ScheduleSettings { name, cron, timezone } = written;
        let wrong = |key, problem| ScheduleError { key, problem };
        // The rules of handlers' names, because it stands in the same places; not their words.
        if HandlerName::new(name).is_err() {
            let found: String = name.chars().take(80).collect();
            return Err(wrong(
                "name",
                format!(
                    "{found:?} is no name of a schedule: expected 1 to 63 of `a`–`z`, `0`–`9` and `-`, beginning with a letter or digit"
                ),
            ));
        }
        let cron = Cron::parse(cron).map_err(|problem| wrong("cron", problem))?;
        // The database gives other things for other texts, such as a fixed offset, or the host's own zone.
        let zone = TimeZone::get(timezone).ok().filter(|zone| zone.iana_name().is_some());
        let zone = zone.ok_or_else(|| {
            let found: String = timezone.chars().take(80).collect();
            wrong(
                "timezone",
                format!(
                    "{found:?} is not in the time zone database; expected a name like Europe/Berlin or UTC"
                ),
            )
        })?;
        Ok(Self { name: name.as_str().into(), cron, zone, timezone: timezone.as_str().into() })
    }

    /// The next moment after `after`.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.cron.next_after(after, &self.zone)
    }

    /// What has to stay as it is for what was missed to be made up.
    fn expression(&self) -> String {
        format!("{} {}", self.cron, self.timezone)
    }

    /// The event of the run for `moment`; `attempt` counts from 1.
    #[must_use]
    pub fn event(&self, moment: Timestamp, attempt: u32) -> Event {
        let local = moment.to_zoned(self.zone.clone());
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Schedule", &self.name)
            .append_pair("ScheduledTime", &moment.to_string())
            .append_pair("LocalTime", &local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
            .append_pair("Timezone", &self.timezone)
            .append_pair("Attempt", &attempt.to_string())
            .finish();
        Event {
            kind: EventKind::Schedule,
            subject: subject(&self.name, moment),
            account: String::new(),
            status: STATUS.to_owned(),
            sequence: None,
            ends_call: false,
            parties: None,
            step: self.name.to_string(),
            form,
        }
    }
}

/// What all attempts at one moment are called: `schedule:remind:2026-11-23T09:00Z`.
fn subject(name: &str, moment: Timestamp) -> String {
    format!("schedule:{name}:{}", moment.strftime("%Y-%m-%dT%H:%MZ"))
}

/// Checks all schedules of one handler.
///
/// # Errors
/// The place of the first that is wrong, and [`ScheduleError`].
pub fn check(all: &[ScheduleSettings]) -> Result<Vec<Schedule>, (usize, ScheduleError)> {
    let mut checked: Vec<Schedule> = Vec::with_capacity(all.len().min(SCHEDULES_MAX));
    for (place, written) in all.iter().enumerate() {
        let wrong = |problem| Err((place, ScheduleError { key: "name", problem }));
        if place >= SCHEDULES_MAX {
            return wrong(format!(
                "there are {} schedules; a handler may have {SCHEDULES_MAX}. One that runs often can do the work of several",
                all.len()
            ));
        }
        let schedule = Schedule::new(written).map_err(|error| (place, error))?;
        if checked.iter().any(|other| other.name == schedule.name) {
            return wrong(format!(
                "{:?} is there twice; each schedule needs a name of its own",
                schedule.name
            ));
        }
        checked.push(schedule);
    }
    Ok(checked)
}

/// Those of a revision's schedules that can be run. What is kept was checked when it was deployed; a time zone may have left
/// the database since, and then the rest of the handler shall go on.
#[must_use]
pub fn usable(all: &[ScheduleSettings], whose: &str) -> Arc<[Schedule]> {
    let usable = all.iter().filter_map(|written| match Schedule::new(written) {
        Ok(schedule) => Some(schedule),
        Err(error) => {
            tracing::error!("schedule {:?} of {whose} is not run: {error}", written.name);
            None
        }
    });
    usable.collect()
}
