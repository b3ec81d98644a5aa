//! Says whether a canary fails more often than the stable revision: the stated rule, and nothing but numbers in it.
//!
//! Two questions, one test. The test is Fisher's exact one, one-sided: how likely the canary would have had so many
//! failures, or more, if both revisions failed alike.
//!
//! - **Raised**: at least 3 webhooks of the canary failed, and the chance is at most 0.002. It stays, is not promoted, and
//!   somebody is told.
//! - **Taken back**: at least 5 failed, the canary's rate is at least 5 points above the stable one's, and the chance would be
//!   at most 0.0001 *even if 3 more in 100 of the stable revision's webhooks had failed*. The allowance is what keeps a
//!   canary that fails 3 % of the time from being taken back on an unlucky minute: the rate as it was seen is often 2 points off.
//!
//! A stable revision that answered fewer than 30 webhooks meanwhile lends from what it answered before. Where that is not
//! enough either, the missing ones are taken to fail as those that are there, and the fewer these are, the more as 1 in 100
//! does: so a handler that is seldom called, or whose host was just restarted, is judged as well.
//!
//! Who is raised stays so until the chance is ten times what raised it; otherwise an alarm would go on and off with each call.
//!
//! The test takes webhooks as independent. Those of one call are not; but where the stable revision answers a failed one in
//! the canary's place, its links keep the call there, and so a call rarely brings the canary a second failure.
//!
//! What it does to whole canaries with a look each second (`simulation` plays them again with the tests; the counts are the
//! canary's webhooks, 200 canaries a line, for a canary that takes 1 %, 10 % and 50 %):
//!
//! | the canary fails, the stable revision | taken back | half of them after, all after | raised |
//! | --- | --- | --- | --- |
//! | always, never | 100 % | 5, 5 | 100 %, after 3 |
//! | always, 5 % | 100 % | 5 to 6, 8 | 100 % |
//! | 30 %, never | 100 % | 17, 23, 65; 67, 60, 113 | 98 to 100 %, before that |
//! | 10 %, never | 100 % | 131, 155, 371; 371, 543, 869 | 100 %, before that |
//! | 3 %, never, 2 000 webhooks | 0.5 %, 0, 0 | | 100 %, once, to the end |
//! | as often, 0 to 20 %, 10 000 webhooks of both | none | | 0 to 5 % at some time, at most 1 % at the end |
//!
//! Where little is known the last line is worse: a canary that takes 95 % beside a stable revision that fails in 20 % and
//! was just restarted is raised for a while in 38 % of plays, and still not taken back.
//!
//! Which counts are compared, and what follows, is [`watch`](super::watch)'s.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fisher::chance;
use super::plan::RulesError;

/// Webhooks of the stable revision that a comparison needs; missing ones are lent and assumed.
const STABLE_WEBHOOKS_MIN: u64 = 30;

/// How often webhooks fail of which nothing is known, and how many known ones that belief weighs.
const BELIEVED_RATE: f64 = 0.01;
const BELIEF_WEBHOOKS: f64 = 10.0;

/// How much higher than what raised it a chance must be to end that.
const CALM_FACTOR: f64 = 10.0;

/// Fewer webhooks of a canary than this say nothing about a failure among them, unless they say that it is raised.
const CANARY_WEBHOOKS_MIN: u64 = 10;

/// What one revision did in some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// New calls that it took.
    pub calls: u64,
    /// Webhooks that it ran, of new calls and old.
    pub webhooks: u64,
    /// How many of them failed, those that another revision then answered in its place among them; a fault of the host's
    /// own is nobody's failure.
    pub failed: u64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(more.calls),
            webhooks: self.webhooks.saturating_add(more.webhooks),
            failed: self.failed.saturating_add(more.failed),
        }
    }

    /// What came after `earlier`. Counters that begin anew never go below zero.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(earlier.calls),
            webhooks: self.webhooks.saturating_sub(earlier.webhooks),
            failed: self.failed.saturating_sub(earlier.failed),
        }
    }
}

/// When a canary stands out: `[release.judge]` of the operator's file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JudgeRules {
    /// Raised at this chance or less. Higher finds rarer failures and holds more good canaries back for a while.
    pub raised_p: f64,
    /// Raised only with so many failed webhooks.
    pub raised_failed: u64,
    /// Taken back at this chance or less. Higher is quicker and takes more good canaries back.
    pub taken_back_p: f64,
    /// Taken back only with so many failed webhooks.
    pub taken_back_failed: u64,
    /// Taken back only with a rate so many points (percent of webhooks) above the stable revision's.
    pub points: f64,
    /// The chance of a take-back is that against a stable revision that fails so many points more often than it does.
    pub allowed_points: f64,
}

impl Default for JudgeRules {
    fn default() -> Self {
        Self {
            raised_p: 0.002,
            raised_failed: 3,
            taken_back_p: 0.000_1,
            taken_back_failed: 5,
            points: 5.0,
            allowed_points: 3.0,
        }
    }
}

impl JudgeRules {
    /// # Errors
    /// [`RulesError`] for the first number that makes no sense.
    pub(super) fn check(&self) -> Result<(), RulesError> {
        let wrong =
            |key: &str, found: String, expected| RulesError { key: format!("judge.{key}"), found, expected };
        for (key, p) in [("raised_p", self.raised_p), ("taken_back_p", self.taken_back_p)] {
            if !(p > 0.0 && p <= 0.1) {
                return Err(wrong(key, p.to_string(), "a chance above 0 and at most 0.1"));
            }
        }
        for (key, failed) in
            [("raised_failed", self.raised_failed), ("taken_back_failed", self.taken_back_failed)]
        {
            if failed == 0 {
                return Err(wrong(key, "0".into(), "1 failure or more"));
            }
        }
        for (key, points) in [("points", self.points), ("allowed_points", self.allowed_points)] {
            if !(0.0..=100.0).contains(&points) {
                return Err(wrong(key, points.to_string(), "0 to 100 points"));
            }
        }
        Ok(())
    }
}

/// What the counts say about a canary.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// It does not stand out, or nothing failed at all.
    Fine(Comparison),
    /// Something failed, and too few webhooks were answered to say more.
    TooFew(Comparison),
    /// It fails more often; not so that nobody can wait.
    Raised(Comparison),
    /// It has to go.
    Bad(Comparison),
}

/// The numbers behind a judgement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The canary's webhooks and failures.
    pub canary: Counts,
    /// The stable revision's in the same time.
    pub stable: Counts,
    /// The chance of the canary's failures if both fail alike; for [`Judgement::Bad`] after the allowance.
    pub p: f64,
}

impl Judgement {
    /// The numbers.
    #[must_use]
    pub fn comparison(&self) -> &Comparison {
        let (Self::Fine(comparison)
        | Self::TooFew(comparison)
        | Self::Raised(comparison)
        | Self::Bad(comparison)) = self;
        comparison
    }
}

/// What is known from before the counts that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Past {
    /// What the stable revision had done until then.
    pub stable: Counts,
    /// Whether the last judgement was [`Judgement::Raised`].
    pub is_raised: bool,
}

/// Compares what a canary and the stable revision did in the same time.
#[must_use]
pub fn judge(canary: Counts, stable: Counts, past: Past, rules: &JudgeRules) -> Judgement {
    let (failed, webhooks) = (canary.failed.min(canary.webhooks), canary.webhooks);
    let comparison = |p| Comparison { canary, stable, p };
    if failed == 0 {
        return Judgement::Fine(comparison(1.0));
    }
    let (other_failed, other) = filled(stable, past.stable);
    let p = chance(failed, webhooks, other_failed, other);

    let points = 100.0 * (rate(failed, webhooks) - rate(other_failed, other));
    if failed >= rules.taken_back_failed && points >= rules.points {
        let allowed = (other as f64 * rules.allowed_points / 100.0).ceil() as u64;
        let p = chance(failed, webhooks, other_failed.saturating_add(allowed).min(other), other);
        if p <= rules.taken_back_p {
            return Judgement::Bad(comparison(p));
        }
    }
    let raised_p = if past.is_raised { rules.raised_p * CALM_FACTOR } else { rules.raised_p };
    if failed >= rules.raised_failed && p <= raised_p {
        Judgement::Raised(comparison(p))
    } else if webhooks < CANARY_WEBHOOKS_MIN {
        Judgement::TooFew(comparison(p))
    } else {
        Judgement::Fine(comparison(p))
    }
}

/// Failures and webhooks of the stable revision, filled up to what a comparison needs.
fn filled(stable: Counts, before: Counts) -> (u64, u64) {
    let missing = STABLE_WEBHOOKS_MIN.saturating_sub(stable.webhooks);
    let lent = missing.min(before.webhooks);
    let known_failed = stable.failed.min(stable.webhooks) as f64
        + lent as f64 * rate(before.failed.min(before.webhooks), before.webhooks);
    let known = stable.webhooks + lent;
    let assumed_rate = (known_failed + BELIEVED_RATE * BELIEF_WEBHOOKS) / (known as f64 + BELIEF_WEBHOOKS);
    let failed = known_failed + (missing - lent) as f64 * assumed_rate;
    (failed.round() as u64, stable.webhooks + missing)
}

fn rate(failed: u64, webhooks: u64) -> f64 {
    if webhooks == 0 { 0.0 } else { failed as f64 / webhooks as f64 }
}

impl fmt::Display for Judgement {
    /// One line, for `status`, log and history.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comparison { canary, stable, p } = self.comparison();
        match self {
            Self::Fine(_) if canary.webhooks == 0 => f.write_str("no webhook yet"),
            Self::Fine(_) if canary.failed == 0 => {
                write!(f, "fine: none of {} failed", webhooks(canary.webhooks))
            }
            Self::Fine(_) => write!(f, "fine: {}", Both(canary, stable)),
            Self::TooFew(_) => write!(f, "too few to say: {}", Both(canary, stable)),
            Self::Raised(_) => write!(f, "raised: {}; by chance in {}", Both(canary, stable), OneIn(*p)),
            Self::Bad(_) => {
                write!(f, "stands out: {}; by chance in less than {}", Both(canary, stable), OneIn(*p))
            }
        }
    }
}

/// `7 of 120 webhooks failed (5.8 %), on the stable revision 3 of 1080 (0.3 %)`.
struct Both<'a>(&'a Counts, &'a Counts);

impl fmt::Display for Both<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |counts: &Counts| 100.0 * rate(counts.failed, counts.webhooks);
        write!(f, "{} of {} failed ({:.1} %), ", self.0.failed, webhooks(self.0.webhooks), percent(self.0))?;
        match self.1.webhooks {
            0 => f.write_str("the stable revision had none"),
            all => write!(f, "on the stable revision {} of {all} ({:.1} %)", self.1.failed, percent(self.1)),
        }
    }
}

/// `1 of 2000`.
struct OneIn(f64);

impl fmt::Display for OneIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1e-6 { f.write_str("1 of a million") } else { write!(f, "1 of {:.0}", 1.0 / self.0) }
    }
}

fn webhooks(count: u64) -> String {
    if count == 1 { "1 webhook".to_owned() } else { format!("{count} webhooks") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(failed: u64, webhooks: u64) -> Counts {
        Counts { calls: webhooks, webhooks, failed }
    }

    fn judged(canary: (u64, u64), stable: (u64, u64), before: (u64, u64)) -> Judgement {
        let past = Past { stable: counts(before.0, before.1), is_raised: false };
        judge(counts(canary.0, canary.1), counts(stable.0, stable.1), past, &JudgeRules::default())
    }

    #[test]
    fn the_rule_is_the_stated_one() {
        type Sides = (u64, u64);
        let cases: &[(&str, Sides, Sides, Sides, &str)] = &[
            ("nobody called", (0, 0), (0, 0), (0, 0), "no webhook yet"),
            ("nothing failed", (0, 40), (5, 400), (0, 0), "fine: none of 40 webhooks failed"),
            (
                "one, of one",
                (1, 1),
                (0, 9),
                (0, 0),
                "too few to say: 1 of 1 webhook failed (100.0 %), on the stable revision 0 of 9 (0.0 %)",
            ),
            (
                "one, of nine",
                (1, 9),
                (0, 0),
                (0, 0),
                "too few to say: 1 of 9 webhooks failed (11.1 %), the stable revision had none",
            ),
            (
                "one, of ten",
                (1, 10),
                (0, 90),
                (0, 0),
                "fine: 1 of 10 webhooks failed (10.0 %), on the stable revision 0 of 90 (0.0 %)",
            ),
            (
                "three of three",
                (3, 3),
                (0, 27),
                (0, 0),
                "raised: 3 of 3 webhooks failed (100.0 %), on the stable revision 0 of 27 (0.0 %); by chance in 1 of",
            ),
            ("four of four", (4, 4), (0, 1_000), (0, 0), "raised: 4 of 4"),
            (
                "five of five",
                (5, 5),
                (0, 1_000),
                (0, 0),
                "stands out: 5 of 5 webhooks failed (100.0 %), on the stable revision 0 of 1000 (0.0 %); by chance in less than 1 of a million",
            ),
            (
                "five of five, nothing to compare with",
                (5, 5),
                (0, 0),
                (0, 0),
                "stands out: 5 of 5 webhooks failed (100.0 %), the stable revision had none; by chance in less than 1 of 54105",
            ),
            ("like a stable one that failed before", (5, 25), (0, 0), (200, 1_000), "fine: 5 of 25"),
            ("like a stable one that fails", (20, 100), (180, 900), (0, 0), "fine: 20 of 100"),
            ("better than a stable one that fails", (1, 100), (180, 900), (0, 0), "fine: 1 of 100"),
            (
                "the points are not met",
                (40, 1_000),
                (0, 9_000),
                (0, 0),
                "raised: 40 of 1000 webhooks failed (4.0 %)",
            ),
            (
                "the points are met on an unlucky minute",
                (5, 90),
                (0, 810),
                (0, 0),
                "raised: 5 of 90 webhooks failed (5.6 %)",
            ),
            (
                "both thresholds met",
                (20, 200),
                (0, 1_800),
                (0, 0),
                "stands out: 20 of 200 webhooks failed (10.0 %)",
            ),
            (
                "more failures than webhooks, from counters read one after the other",
                (6, 5),
                (0, 45),
                (0, 0),
                "stands out",
            ),
        ];
        for (name, canary, stable, before, expected) in cases {
            let found = judged(*canary, *stable, *before).to_string();
            assert!(found.starts_with(expected), "{name}: {found}");
        }
    }

    #[test]
    fn who_is_raised_stays_so_until_it_is_clearly_better() {
        let judged = |failed, is_raised| {
            let past = Past { is_raised, ..Past::default() };
            judge(counts(failed, 100), counts(0, 100), past, &JudgeRules::default())
        };
        // Chances of 0.0035 and 0.06, where 0.002 raises and 0.02 keeps raised.
        for (failed, fresh, again) in [(8, false, true), (4, false, false), (10, true, true)] {
            assert_eq!(matches!(judged(failed, false), Judgement::Raised(_)), fresh, "{failed}");
            assert_eq!(matches!(judged(failed, true), Judgement::Raised(_)), again, "{failed}");
        }
    }

    proptest::proptest! {
        #[test]
        fn one_more_failure_never_makes_it_better(
            webhooks in 0..5_000_u64, failed in 0..5_000_u64, stable in 0..50_000_u64, stable_failed in 0..50_000_u64,
            before in 0..1_000_u64,
        ) {
            let severity = |failed| match judged((failed, webhooks), (stable_failed, stable), (before / 3, before)) {
                Judgement::Fine(_) | Judgement::TooFew(_) => 0,
                Judgement::Raised(_) => 1,
                Judgement::Bad(_) => 2,
            };
            proptest::prop_assert!(severity(failed) <= severity(failed + 1));
        }
    }
}
