//! Plays canaries with known failure rates, and measures how the judge treats them: its operating characteristics.
//!
//! The judge looks again and again, and each look is a chance to be wrong, so what its numbers promise for one look says
//! little. Here whole canaries are played, with a look a second, seeded so that every run of the tests plays the same ones.

use super::judge::{Counts, Judgement};
use super::plan::ReleaseRules;
use super::watch::{Counters, Watch};
use super::{Canary, ReleaseRisk, Share, Step, StepEnd};
use crate::call::RevisionId;

/// Marsaglia's xorshift*, 64 bits: enough for coins.
struct Coins(u64);

impl Coins {
    fn is_below(&mut self, chance: f64) -> bool {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        (bits as f64) / ((1_u64 << 53) as f64) < chance
    }
}

/// One kind of canary.
#[derive(Clone, Copy)]
struct Play {
    /// Its part of all webhooks.
    share: f64,
    /// How often its webhooks fail.
    canary: f64,
    /// How often the stable revision's do.
    stable: f64,
    /// Webhooks that the stable revision answered before it.
    before: u64,
    /// Webhooks of both in a second.
    pace: u64,
    /// Ends after so many webhooks of the canary.
    webhooks: u64,
}

/// What became of one canary.
#[derive(Default)]
struct Fate {
    /// The canary's webhook after which it was taken back.
    taken_back_at: Option<u64>,
    /// The canary's webhook after which it was first raised.
    raised_at: Option<u64>,
    /// How often it became raised.
    raises: u32,
    /// Whether it was raised at the end.
    raised_at_end: bool,
}

fn play(play: Play, seed: u64) -> Fate {
    let canary = Canary {
        revision: RevisionId(2),
        risk: ReleaseRisk::Code,
        reason: String::new(),
        steps: vec![Step { share: Share(1_000), ends: StepEnd::Promote }],
        step: 0,
        started_at: 0,
        step_started_at: 0,
    };
    let rules = ReleaseRules::default();
    let mut coins = Coins(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let before =
        Counts { calls: 0, webhooks: play.before, failed: (play.stable * play.before as f64).round() as u64 };
    let mut counters = Counters { canary: Counts::default(), stable: before };
    let mut watch = Watch::begin(&canary, counters, 0);
    let mut fate = Fate::default();
    for second in 1.. {
        for _ in 0..play.pace {
            let is_canary = coins.is_below(play.share);
            let (side, rate) = if is_canary {
                (&mut counters.canary, play.canary)
            } else {
                (&mut counters.stable, play.stable)
            };
            side.webhooks += 1;
            side.failed += u64::from(coins.is_below(rate));
        }
        let webhooks = counters.canary.webhooks;
        let look = watch.look(&canary, counters, second * 1_000, &rules);
        let is_raised = matches!(look.judgement, Judgement::Raised(_));
        fate.raises += u32::from(is_raised && !fate.raised_at_end);
        fate.raised_at_end = is_raised;
        if is_raised {
            fate.raised_at.get_or_insert(webhooks);
        }
        if matches!(look.judgement, Judgement::Bad(_)) {
            fate.taken_back_at = Some(webhooks);
            break;
        }
        if webhooks >= play.webhooks {
            break;
        }
    }
    fate
}

/// What became of many canaries of one kind.
struct Fates {
    /// Of all canaries, how many in 100 were taken back, were ever raised, and were raised when the play ended.
    taken_back_percent: f64,
    raised_percent: f64,
    raised_at_end_percent: f64,
    /// The canary's webhooks at half of the take-backs, at 95 % of them and at the last one.
    taken_back_at: [u64; 3],
    /// How often an average canary became raised.
    raises: f64,
}

fn fates(kind: Play, runs: u64) -> Fates {
    let all: Vec<Fate> = (1..=runs).map(|seed| play(kind, seed)).collect();
    let percent =
        |is: fn(&Fate) -> bool| 100.0 * all.iter().filter(|fate| is(fate)).count() as f64 / runs as f64;
    let mut at: Vec<u64> = all.iter().filter_map(|fate| fate.taken_back_at).collect();
    at.sort_unstable();
    Fates {
        taken_back_percent: percent(|fate| fate.taken_back_at.is_some()),
        raised_percent: percent(|fate| fate.raised_at.is_some()),
        raised_at_end_percent: percent(|fate| fate.raised_at_end),
        taken_back_at: [50, 95, 100]
            .map(|percent| at.get((at.len() * percent / 100).min(at.len().max(1) - 1)).copied().unwrap_or(0)),
        raises: all.iter().map(|fate| f64::from(fate.raises)).sum::<f64>() / runs as f64,
    }
}

/// Plays and prints one line of the table in `judge`.
fn line(name: &str, kind: Play, runs: u64) -> Fates {
    let fates = fates(kind, runs);
    println!(
        "{name:30} {:>4} % of webhooks: taken back {:6.2} % (after {:?}), ever raised {:6.2} %, at the end {:6.2} %, {:.2} times",
        100.0 * kind.share,
        fates.taken_back_percent,
        fates.taken_back_at,
        fates.raised_percent,
        fates.raised_at_end_percent,
        fates.raises,
    );
    fates
}

const SHARES: [f64; 3] = [0.01, 0.1, 0.5];

#[test]
fn a_canary_that_fails_as_often_as_the_stable_revision_stays() {
    for share in [0.01, 0.1, 0.5, 0.95] {
        for rate in [0.0, 0.01, 0.05, 0.2] {
            for (before, after) in [(0, "a restart"), (5_000, "a quiet day")] {
                // Of both revisions 10 000.
                let webhooks = (10_000.0 * share) as u64;
                let kind = Play { share, canary: rate, stable: rate, before, pace: 20, webhooks };
                let fates = line(&format!("{} % alike, after {after}", 100.0 * rate), kind, 200);
                assert!(fates.taken_back_percent < 1.0);
                // Beside one that fails in 20 % and has hardly a webhook to show for it, an alarm is no wonder; it ends.
                let is_unknown = before == 0 && share > 0.9 && rate > 0.1;
                assert!(fates.raised_percent < if is_unknown { 50.0 } else { 8.0 });
                assert!(fates.raised_at_end_percent < 3.0);
            }
        }
    }
}

#[test]
fn a_canary_that_always_fails_is_taken_back_within_ten_of_its_webhooks() {
    for share in [0.01, 0.1, 0.5, 0.95] {
        for before in [0, 5_000] {
            let kind = Play { share, canary: 1.0, stable: 0.0, before, pace: 1, webhooks: 1_000 };
            let fates = line("always, beside never", kind, 200);
            assert_eq!(fates.taken_back_percent, 100.0);
            assert!(fates.taken_back_at[2] <= 10);
        }
        let kind = Play { share, canary: 1.0, stable: 0.05, before: 5_000, pace: 1, webhooks: 1_000 };
        let fates = line("always, beside 5 %", kind, 200);
        assert!(fates.taken_back_percent == 100.0 && fates.taken_back_at[2] <= 10);
    }
}

#[test]
fn a_canary_that_fails_three_in_a_hundred_stays_and_is_raised() {
    for share in SHARES {
        let kind = Play { share, canary: 0.03, stable: 0.0, before: 0, pace: 20, webhooks: 2_000 };
        let fates = line("3 %, beside never", kind, 200);
        assert!(fates.taken_back_percent < 1.0);
        assert!(fates.raised_at_end_percent > 99.0);
        assert!(fates.raises < 1.1, "it flaps");
    }
}

#[test]
fn a_canary_that_fails_ten_in_a_hundred_is_taken_back() {
    for (share, half_by) in SHARES.into_iter().zip([170, 190, 400]) {
        let kind = Play { share, canary: 0.1, stable: 0.0, before: 0, pace: 20, webhooks: 2_000 };
        let fates = line("10 %, beside never", kind, 200);
        assert_eq!(fates.taken_back_percent, 100.0);
        assert!(fates.taken_back_at[0] <= half_by);
        let kind = Play { canary: 0.3, ..kind };
        assert_eq!(line("30 %, beside never", kind, 200).taken_back_percent, 100.0);
    }
}
