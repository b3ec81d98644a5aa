//! Watches a canary: what the counters of two revisions mean for it, look by look.
//!
//! A look takes the counters as they stand and says what to do. The canary is judged twice: by all that happened since it
//! began, where rare failures add up, and by the last ten minutes, so that a canary that was fine for a day and breaks at
//! night is taken back at once and not after as many failures as it had good hours. The second view can only take back; it
//! raises nothing, or a canary that waits for a person would raise an alarm every other night.
//!
//! A step ends after its calls or its time where the failure rate is not raised. A canary that nobody called in that time goes
//! on: nothing is known against it. One of whose first webhooks some failed waits until there are enough to judge by.
//!
//! A watch can be kept and taken up by another process, whose counters begin at zero: what it counted goes on. Time counts only
//! while somebody watches: a canary whose host was away, or whose watch was lost, has not baked meanwhile.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::judge::{Counts, Judgement, Past, judge};
use super::plan::ReleaseRules;
use super::{Canary, StepEnd};

/// How far back the second view goes, in milliseconds.
const RECENT_MS: u64 = 600_000;

/// How often the counters are noted for it, in milliseconds.
const NOTED_EVERY_MS: u64 = 60_000;

/// The counters of both revisions at one moment; each only ever grows while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// The canary's.
    pub canary: Counts,
    /// The stable revision's.
    pub stable: Counts,
}

impl Counters {
    fn since(self, earlier: Self) -> Self {
        Self { canary: self.canary.since(earlier.canary), stable: self.stable.since(earlier.stable) }
    }

    fn and(self, more: Self) -> Self {
        Self { canary: self.canary.and(more.canary), stable: self.stable.and(more.stable) }
    }
}

/// What remembers of a canary's counters what is needed to judge it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The process's counters at the last look; zero in a process that takes this watch up.
    #[serde(skip)]
    seen: Counters,
    /// What was counted by then, by all processes.
    counted: Counters,
    began: Counters,
    step: usize,
    step_calls_before: u64,
    /// When it was last looked at, and how much of the step's time nobody looked, in milliseconds.
    looked_at: u64,
    away_ms: u64,
    is_raised: bool,
    /// Counters of the last minutes, oldest first, never empty.
    noted: VecDeque<(u64, Counters)>,
}

/// What to do about a canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// It takes its next share; why, for people.
    Step(String),
    /// It becomes the stable revision; why, for people.
    Promote(String),
    /// It is taken back; why, for people.
    TakeBack(String),
}

/// What one look found.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What is to be done now, if anything.
    pub next: Option<Move>,
    /// What the failures say.
    pub judgement: Judgement,
    /// New calls that the canary took in this step.
    pub step_calls: u64,
    /// What the canary waits for, for people.
    pub waits_for: String,
}

impl Watch {
    /// Begins when a canary does, with the counters as they are before it takes its first call. What the stable revision
    /// counted until then is what a quiet one is compared by.
    #[must_use]
    pub fn begin(canary: &Canary, counters: Counters, now_ms: u64) -> Self {
        Self {
            seen: counters,
            counted: counters,
            began: counters,
            step: canary.step,
            step_calls_before: counters.canary.calls,
            looked_at: now_ms,
            away_ms: now_ms.saturating_sub(canary.step_started_at),
            is_raised: false,
            noted: VecDeque::from([(now_ms, counters)]),
        }
    }

    /// Goes on with a watch that an earlier process kept: since its last look nobody looked.
    #[must_use]
    pub fn taken_up(self, now_ms: u64) -> Self {
        let away_ms = self.away_ms.saturating_add(now_ms.saturating_sub(self.looked_at));
        Self { away_ms, looked_at: now_ms, ..self }
    }

    /// The same without the time of the last look: what it has seen.
    #[must_use]
    pub fn untimed(self) -> Self {
        Self { looked_at: 0, ..self }
    }

    /// Looks at the counters; about once a second. `now_ms` is Unix time, as in the release.
    pub fn look(&mut self, canary: &Canary, counters: Counters, now_ms: u64, rules: &ReleaseRules) -> Look {
        self.counted = self.counted.and(counters.since(self.seen));
        (self.seen, self.looked_at) = (counters, now_ms);
        let counters = self.counted;
        if self.step != canary.step {
            self.step = canary.step;
            self.step_calls_before = counters.canary.calls;
            self.away_ms = 0;
        }
        let step_calls = counters.canary.calls.saturating_sub(self.step_calls_before);
        let judgement = self.judgement(counters, now_ms, rules);
        let baked_ms = now_ms.saturating_sub(canary.step_started_at).saturating_sub(self.away_ms);
        let next = next(canary, step_calls, &judgement, baked_ms);
        let waits_for = waits_for(canary, step_calls, &judgement, baked_ms);
        Look { next, judgement, step_calls, waits_for }
    }

    fn judgement(&mut self, counters: Counters, now_ms: u64, rules: &ReleaseRules) -> Judgement {
        let is_raised = self.is_raised;
        let judged = |from: Counters| {
            let meanwhile = counters.since(from);
            judge(meanwhile.canary, meanwhile.stable, Past { stable: from.stable, is_raised }, &rules.judge)
        };
        let whole = judged(self.began);
        self.is_raised = matches!(whole, Judgement::Raised(_));
        let recent = self.note(counters, now_ms);
        match (&whole, judged(recent)) {
            (Judgement::Bad(_), _) => whole,
            (_, bad @ Judgement::Bad(_)) => bad,
            _ => whole,
        }
    }

    /// Notes the counters once a minute; gives those of ten minutes ago, or the oldest.
    fn note(&mut self, counters: Counters, now_ms: u64) -> Counters {
        // A clock that was set back would otherwise note nothing until it has caught up.
        self.noted.iter_mut().for_each(|(at, _)| *at = (*at).min(now_ms));
        if self.noted.back().is_none_or(|(at, _)| now_ms - at >= NOTED_EVERY_MS) {
            self.noted.push_back((now_ms, counters));
        }
        while self.noted.get(1).is_some_and(|(at, _)| now_ms - at >= RECENT_MS) {
            self.noted.pop_front();
        }
        self.noted.front().map_or(counters, |(_, counters)| *counters)
    }
}

/// What is to be done about a canary that took `step_calls` new calls in the `baked_ms` of its present step.
fn next(canary: &Canary, step_calls: u64, judgement: &Judgement, baked_ms: u64) -> Option<Move> {
    match judgement {
        Judgement::Bad(_) => return Some(Move::TakeBack(judgement.to_string())),
        Judgement::Raised(_) | Judgement::TooFew(_) => return None,
        Judgement::Fine(_) => {}
    }
    let StepEnd::After { calls, bake_ms } = canary.present().ends else { return None };
    let ended = if step_calls >= calls {
        Calls(step_calls).to_string()
    } else if baked_ms >= bake_ms {
        format!("{} in {}", Calls(step_calls), Length(baked_ms))
    } else {
        return None;
    };
    let why = format!("{ended}; {judgement}");
    Some(if canary.following().is_some() { Move::Step(why) } else { Move::Promote(why) })
}

/// What a canary waits for, for people: `58 more calls or 6 min 12 s, then 10 %`.
fn waits_for(canary: &Canary, step_calls: u64, judgement: &Judgement, baked_ms: u64) -> String {
    let then = canary.following().map_or_else(|| "promoted".to_owned(), |step| step.share.to_string());
    let held = match judgement {
        Judgement::Bad(_) => return "nothing: it is taken back".to_owned(),
        Judgement::Raised(_) => "its failure rate is raised: a fixed revision, `promote` or `rollback`",
        Judgement::TooFew(_) => "more webhooks to judge by",
        Judgement::Fine(_) => match canary.present().ends {
            StepEnd::Promote => "`promote`",
            StepEnd::After { calls, bake_ms } => {
                let calls = calls.saturating_sub(step_calls);
                let left_ms = bake_ms.saturating_sub(baked_ms);
                if calls == 0 || left_ms == 0 {
                    return format!("the next look, then {then}");
                }
                let calls = if calls == 1 { "1 more call".to_owned() } else { format!("{calls} more calls") };
                return format!("{calls} or {}, then {then}", Length(left_ms));
            }
        },
    };
    held.to_owned()
}

/// `1 call`, `5 calls`.
struct Calls(u64);

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} call{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

/// Milliseconds as people say them, to the second, rounded up: `6 min 12 s`, `40 s`, `2 h 5 min`.
struct Length(u64);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_ceil(1_000);
        match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
            (0, 0, s) => write!(f, "{s} s"),
            (0, min, 0) => write!(f, "{min} min"),
            (0, min, s) => write!(f, "{min} min {s} s"),
            (h, 0, _) => write!(f, "{h} h"),
            (h, min, _) => write!(f, "{h} h {min} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::RevisionId;
    use crate::release::plan::{Start, plan};
    use crate::release::{ReleaseRisk, Share};

    const BEGAN_AT: u64 = 1_800_000_000_000;

    fn canary(risk: ReleaseRisk, step: usize) -> Canary {
        Canary {
            revision: RevisionId(2),
            risk,
            reason: String::new(),
            steps: plan(risk, &ReleaseRules::default(), Start::ByRisk),
            step,
            started_at: BEGAN_AT,
            step_started_at: BEGAN_AT,
        }
    }

    fn counters(calls: u64, failed: u64, webhooks: u64) -> Counters {
        let stable = Counts { calls: 9 * calls, webhooks: 9 * webhooks, failed: 0 };
        Counters { canary: Counts { calls, webhooks, failed }, stable }
    }

    fn look(canary: &Canary, counters: Counters, after_s: u64) -> Look {
        let began = Counters::default();
        let mut watch = Watch::begin(canary, began, BEGAN_AT);
        watch.look(canary, counters, BEGAN_AT + after_s * 1_000, &ReleaseRules::default())
    }

    #[test]
    fn a_step_ends_after_its_calls_or_its_time_where_nothing_is_raised() {
        use ReleaseRisk::{Code, Contract};
        type Case = (&'static str, ReleaseRisk, usize, (u64, u64, u64), u64, &'static str, &'static str);
        let cases: &[Case] = &[
            ("young", Code, 0, (42, 0, 42), 228, "nothing", "58 more calls or 6 min 12 s, then promoted"),
            ("one call short", Code, 0, (99, 0, 99), 599, "nothing", "1 more call or 1 s, then promoted"),
            (
                "called enough",
                Code,
                0,
                (100, 0, 300),
                20,
                "promote: 100 calls; fine: none of 300 webhooks failed",
                "the next look, then promoted",
            ),
            (
                "time is up",
                Code,
                0,
                (3, 0, 9),
                600,
                "promote: 3 calls in 10 min; fine: none of 9",
                "the next look, then promoted",
            ),
            (
                "nobody called",
                Code,
                0,
                (0, 0, 0),
                600,
                "promote: 0 calls in 10 min; no webhook yet",
                "the next look, then promoted",
            ),
            (
                "first step of three",
                Contract,
                0,
                (100, 0, 100),
                20,
                "step: 100 calls; fine",
                "the next look, then 10 %",
            ),
            ("on the way", Contract, 1, (20, 0, 100), 60, "nothing", "80 more calls or 9 min, then 50 %"),
            ("a person's step", Contract, 2, (5_000, 0, 9_000), 9_000, "nothing", "`promote`"),
            ("one failure among the first", Code, 0, (2, 1, 3), 700, "nothing", "more webhooks to judge by"),
            (
                "raised",
                Code,
                0,
                (100, 3, 100),
                700,
                "nothing",
                "its failure rate is raised: a fixed revision, `promote` or `rollback`",
            ),
            (
                "bad",
                Contract,
                2,
                (5, 5, 5),
                1,
                "take back: stands out: 5 of 5 webhooks failed",
                "nothing: it is taken back",
            ),
        ];
        for (name, risk, step, (calls, failed, webhooks), after_s, next, waits_for) in cases {
            let look = look(&canary(*risk, *step), counters(*calls, *failed, *webhooks), *after_s);
            let found = match look.next {
                None => "nothing".to_owned(),
                Some(Move::Step(why)) => format!("step: {why}"),
                Some(Move::Promote(why)) => format!("promote: {why}"),
                Some(Move::TakeBack(why)) => format!("take back: {why}"),
            };
            assert!(found.starts_with(next), "{name}: {found}");
            assert_eq!(look.waits_for, *waits_for, "{name}");
        }
    }

    #[test]
    fn a_step_counts_its_own_calls_and_failures_add_up_over_steps() {
        let rules = ReleaseRules::default();
        let mut on = canary(ReleaseRisk::Contract, 0);
        let mut watch = Watch::begin(&on, Counters::default(), BEGAN_AT);
        assert!(watch.look(&on, counters(100, 2, 100), BEGAN_AT, &rules).next.is_some());
        on.step = 1;
        let look = watch.look(&on, counters(105, 2, 105), BEGAN_AT + 1_000, &rules);
        assert_eq!((look.step_calls, look.next), (0, None));
        let look = watch.look(&on, counters(140, 4, 150), BEGAN_AT + 2_000, &rules);
        assert_eq!(look.step_calls, 35);
        assert!(matches!(look.judgement, Judgement::Raised(_)), "2 in each step are 4: {}", look.judgement);
    }

    #[test]
    fn a_canary_that_breaks_after_a_good_day_is_taken_back_at_once() {
        let rules = ReleaseRules::default();
        let on = canary(ReleaseRisk::Contract, 2);
        let mut watch = Watch::begin(&on, Counters::default(), BEGAN_AT);
        let mut now_ms = BEGAN_AT;
        let mut good = 0;
        for _ in 0..24 * 60 {
            now_ms += 60_000;
            good += 10;
            assert_eq!(watch.look(&on, counters(good, 0, good), now_ms, &rules).next, None);
        }
        let mut failed = 0;
        let taken_back = loop {
            failed += 1;
            now_ms += 6_000;
            let look = watch.look(&on, counters(good + failed, failed, good + failed), now_ms, &rules);
            match look.next {
                Some(Move::TakeBack(why)) => break why,
                _ => assert!(failed < 30, "{}", look.judgement),
            }
        };
        assert!(failed <= 20 && taken_back.starts_with("stands out"), "after {failed}: {taken_back}");
    }

    #[test]
    fn what_happened_before_a_canary_is_not_held_against_it() {
        let rules = ReleaseRules::default();
        let on = canary(ReleaseRisk::Code, 0);
        // The revision was on trial before and failed then.
        let mut watch = Watch::begin(&on, counters(50, 50, 50), BEGAN_AT);
        let look = watch.look(&on, counters(60, 50, 60), BEGAN_AT + 1_000, &rules);
        assert_eq!((look.next, look.step_calls), (None, 10));
        assert_eq!(look.judgement.to_string(), "fine: none of 10 webhooks failed");
    }

    /// As a process that starts takes it from the one before it.
    fn restarted(watch: &Watch, now_ms: u64) -> Watch {
        let kept = serde_json::to_string(watch).unwrap();
        serde_json::from_str::<Watch>(&kept).unwrap().taken_up(now_ms)
    }

    #[test]
    fn a_restart_loses_neither_calls_nor_failures_and_does_not_count_as_time() {
        let rules = ReleaseRules::default();
        let on = canary(ReleaseRisk::Code, 0);
        // The revision had calls before it was on trial.
        let mut watch = Watch::begin(&on, counters(7, 0, 7), BEGAN_AT);
        let look = watch.look(&on, counters(43, 1, 43), BEGAN_AT + 60_000, &rules);
        assert_eq!((look.step_calls, look.waits_for.as_str()), (36, "64 more calls or 9 min, then promoted"));

        // An hour later, by counters that begin at zero; a second time a moment after that.
        let later = BEGAN_AT + 3_660_000;
        let mut watch = restarted(&watch, later);
        let look = watch.look(&on, counters(0, 0, 0), later, &rules);
        assert_eq!((look.step_calls, look.next), (36, None));
        assert_eq!(look.waits_for, "64 more calls or 9 min, then promoted");
        assert!(
            look.judgement.to_string().starts_with("fine: 1 of 36 webhooks failed"),
            "{}",
            look.judgement
        );
        let look = watch.look(&on, counters(10, 0, 10), later + 30_000, &rules);
        assert_eq!((look.step_calls, look.next), (46, None));
        let mut watch = restarted(&watch, later + 30_000);
        let look = watch.look(&on, counters(54, 0, 54), later + 31_000, &rules);
        assert!(matches!(look.next, Some(Move::Promote(_))), "100 calls of three processes: {look:?}");

        let mut watch = restarted(&watch, later + 31_000);
        let look = watch.look(&on, counters(20, 20, 20), later + 32_000, &rules);
        assert!(matches!(look.next, Some(Move::TakeBack(_))), "what fails then is judged: {look:?}");
    }

    #[test]
    fn a_canary_whose_watch_was_lost_is_not_promoted_by_time_that_nobody_watched() {
        let rules = ReleaseRules::default();
        let on = canary(ReleaseRisk::Code, 0);
        let found_at = BEGAN_AT + 3_600_000;
        let mut watch = Watch::begin(&on, Counters::default(), found_at);
        let look = watch.look(&on, Counters::default(), found_at + 1_000, &rules);
        assert_eq!(
            (look.next, look.waits_for.as_str()),
            (None, "100 more calls or 9 min 59 s, then promoted")
        );
        let look = watch.look(&on, counters(1, 0, 1), found_at + 600_000, &rules);
        assert!(matches!(look.next, Some(Move::Promote(_))), "watched as long as any other: {look:?}");
    }

    #[test]
    fn a_clock_that_is_set_back_ends_nothing_and_forgets_nothing() {
        let rules = ReleaseRules::default();
        let on = canary(ReleaseRisk::Code, 0);
        let mut watch = Watch::begin(&on, Counters::default(), BEGAN_AT);
        assert_eq!(watch.look(&on, counters(1, 0, 1), BEGAN_AT - 9_000_000, &rules).next, None);
        assert_eq!(watch.look(&on, counters(1, 0, 1), 0, &rules).next, None);
        let look = watch.look(&on, counters(6, 5, 6), 1_000, &rules);
        assert!(matches!(look.next, Some(Move::TakeBack(_))), "{}", look.judgement);
    }

    #[test]
    fn a_record_without_steps_takes_no_calls_and_waits() {
        let broken = Canary { steps: Vec::new(), step: 7, ..canary(ReleaseRisk::Code, 0) };
        assert_eq!(broken.present().share, Share::NONE);
        let look = look(&broken, counters(500, 0, 500), 9_999);
        assert_eq!((look.next, look.waits_for.as_str()), (None, "`promote`"));
    }

    #[test]
    fn lengths_of_time_read_as_people_say_them() {
        for (ms, text) in [
            (0, "0 s"),
            (1, "1 s"),
            (40_000, "40 s"),
            (600_000, "10 min"),
            (372_000, "6 min 12 s"),
            (7_500_000, "2 h 5 min"),
            (3_600_000, "1 h"),
        ] {
            assert_eq!(Length(ms).to_string(), text);
        }
    }
}
