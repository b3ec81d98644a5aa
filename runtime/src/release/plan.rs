//! Says in which steps a revision is released: the operator's numbers, and the way they make for one deploy.
//!
//! A way is a list of steps; none of them means that the revision takes all new calls at once. A step ends by itself after
//! so many calls or so much time, or with a person; the last one that ends by itself makes the canary the stable revision.
//! Risk chooses the way, whoever deploys may choose where it begins.

use serde::{Deserialize, Serialize};

use super::judge::JudgeRules;
use super::{ReleaseRisk, Share, Step, StepEnd};

/// Most steps of a way: more are no longer watched by anybody.
const STEPS_MAX: usize = 20;

/// How revisions are released: `[release]` of the operator's file. Every number has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "RawRules")]
pub struct ReleaseRules {
    /// Where code changed. What is left out: 10 % until 100 calls or 10 minutes, then promoted.
    pub code: Way,
    /// Where the contract changed. What is left out: 1 %, 10 %, each until 100 calls or 10 minutes, and 50 % until promoted.
    pub contract: Way,
    /// When a canary stands out.
    pub judge: JudgeRules,
}

/// The steps of one risk.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Way {
    /// The share of new calls that each step takes, in percent, rising; 0.01 to 99.99. None takes all at once.
    pub percent: Vec<f64>,
    /// A step ends after so many new calls on the canary. More find rarer failures and take longer.
    pub calls: u64,
    /// Or after so much time, in milliseconds, so that a handler that is seldom called is released as well.
    pub bake_ms: u64,
    /// Who ends the last step.
    pub last: LastStep,
}

/// Who ends the last step of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LastStep {
    /// Its calls or its time, as with the others.
    Itself,
    /// A person, with `promote`.
    Person,
}

/// [`ReleaseRules`] as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawRules {
    code: RawWay,
    contract: RawWay,
    judge: JudgeRules,
}

/// A [`Way`] as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawWay {
    percent: Option<Vec<f64>>,
    calls: Option<u64>,
    bake_ms: Option<u64>,
    last: Option<LastStep>,
}

impl RawWay {
    fn or(self, percent: &[f64], last: LastStep) -> Way {
        Way {
            percent: self.percent.unwrap_or_else(|| percent.to_vec()),
            calls: self.calls.unwrap_or(100),
            bake_ms: self.bake_ms.unwrap_or(600_000),
            last: self.last.unwrap_or(last),
        }
    }
}

impl From<RawRules> for ReleaseRules {
    fn from(raw: RawRules) -> Self {
        Self {
            code: raw.code.or(&[10.0], LastStep::Itself),
            contract: raw.contract.or(&[1.0, 10.0, 50.0], LastStep::Person),
            judge: raw.judge,
        }
    }
}

impl Default for ReleaseRules {
    fn default() -> Self {
        RawRules::default().into()
    }
}

/// A number of `[release]` that makes no sense.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("[release] {key} = {found}: expected {expected}")]
pub struct RulesError {
    pub(super) key: String,
    pub(super) found: String,
    pub(super) expected: &'static str,
}

impl ReleaseRules {
    /// Holds the numbers against what they can mean.
    ///
    /// # Errors
    /// [`RulesError`] for the first that makes no sense.
    pub fn check(&self) -> Result<(), RulesError> {
        self.code.check("code")?;
        self.contract.check("contract")?;
        self.judge.check()
    }

    fn way(&self, risk: ReleaseRisk) -> Option<&Way> {
        match risk {
            ReleaseRisk::Content => None,
            ReleaseRisk::Code => Some(&self.code),
            ReleaseRisk::Contract => Some(&self.contract),
        }
    }
}

impl Way {
    fn check(&self, risk: &str) -> Result<(), RulesError> {
        let wrong =
            |key: &str, found: String, expected| RulesError { key: format!("{risk}.{key}"), found, expected };
        let shares: Option<Vec<Share>> =
            self.percent.iter().map(|percent| Share::from_percent(*percent).ok()).collect();
        match shares {
            Some(shares) if shares.is_sorted_by(|a, b| a < b) && shares.len() <= STEPS_MAX => {}
            _ => {
                let expected = "at most 20 shares from 0.01 to 99.99, each above the one before";
                return Err(wrong("percent", format!("{:?}", self.percent), expected));
            }
        }
        if self.calls == 0 {
            return Err(wrong("calls", "0".into(), "1 call or more"));
        }
        // A day: a call lives no longer, and a step that nobody remembers is no trial.
        if !(1_000..=86_400_000).contains(&self.bake_ms) {
            return Err(wrong("bake_ms", self.bake_ms.to_string(), "1000 (a second) to 86400000 (a day)"));
        }
        Ok(())
    }

    fn ends(&self) -> StepEnd {
        StepEnd::After { calls: self.calls, bake_ms: self.bake_ms }
    }

    /// A step of this share that may be the last one.
    fn step(&self, share: Share, is_last: bool) -> Step {
        let ends = if is_last && self.last == LastStep::Person { StepEnd::Promote } else { self.ends() };
        Step { share, ends }
    }
}

/// Where whoever deploys wants a release to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// As the risk says.
    ByRisk,
    /// With this share (`--percent`).
    Share(Share),
    /// With all new calls at once (`--no-canary`).
    All,
}

/// A start that can't be.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum StartError {
    /// Outside of what a canary can take.
    #[error(
        "percent is {0}; expected 0.01 to 99.99. Without a canary a revision takes all new calls: `--no-canary`"
    )]
    Percent(f64),
    /// Two that exclude each other.
    #[error(
        "percent and no_canary exclude each other: the one begins a canary, the other has none. Leave one out"
    )]
    Both,
}

impl Start {
    /// From what a deploy asks for.
    ///
    /// # Errors
    /// [`StartError`] where it can't be done.
    pub fn asked(percent: Option<f64>, no_canary: bool) -> Result<Self, StartError> {
        match (percent, no_canary) {
            (Some(_), true) => Err(StartError::Both),
            (Some(percent), false) => Share::from_percent(percent).map(Self::Share),
            (None, true) => Ok(Self::All),
            (None, false) => Ok(Self::ByRisk),
        }
    }
}

impl Share {
    /// Of a canary, from percent, to the next hundredth.
    ///
    /// # Errors
    /// [`StartError::Percent`] for what is not within 0.01 to 99.99.
    pub fn from_percent(percent: f64) -> Result<Self, StartError> {
        let hundredths = (percent * 100.0).round();
        if !(1.0..=9_999.0).contains(&hundredths) {
            return Err(StartError::Percent(percent));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to 9 999, just proven
        Ok(Self(hundredths as u16))
    }
}

/// The steps by which a revision of this risk is released; none: it takes all new calls at once.
///
/// With [`Start::Share`] the way begins there and goes on with those steps of the risk that take more: `--percent 5` on a
/// changed contract is 5 %, 10 %, 50 %. Where none takes more, the one step ends as the risk's last one does. Content
/// has no steps of its own and takes the ends of code.
#[must_use]
pub fn plan(risk: ReleaseRisk, rules: &ReleaseRules, start: Start) -> Vec<Step> {
    let first = match start {
        Start::All => return Vec::new(),
        Start::ByRisk => None,
        Start::Share(share) => Some(share),
    };
    let own = rules.way(risk);
    // `check` has refused shares that are none.
    let shares =
        own.into_iter().flat_map(|way| &way.percent).filter_map(|percent| Share::from_percent(*percent).ok());
    let shares: Vec<Share> = first.into_iter().chain(shares.filter(|share| Some(*share) > first)).collect();
    let way = own.unwrap_or(&rules.code);
    let last = shares.len().saturating_sub(1);
    shares.iter().enumerate().map(|(at, share)| way.step(*share, at == last)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: StepEnd = StepEnd::After { calls: 100, bake_ms: 600_000 };

    fn steps(way: &[(f64, StepEnd)]) -> Vec<Step> {
        way.iter()
            .map(|(percent, ends)| Step { share: Share::from_percent(*percent).unwrap(), ends: *ends })
            .collect()
    }

    #[test]
    fn each_risk_has_its_way_and_whoever_deploys_says_where_it_begins() {
        use ReleaseRisk::{Code, Content, Contract};
        let p = |percent| Start::asked(Some(percent), false).unwrap();
        type Steps<'a> = &'a [(f64, StepEnd)];
        let cases: &[(&str, ReleaseRisk, Start, Steps)] = &[
            ("content", Content, Start::ByRisk, &[]),
            ("code", Code, Start::ByRisk, &[(10.0, AFTER)]),
            ("contract", Contract, Start::ByRisk, &[(1.0, AFTER), (10.0, AFTER), (50.0, StepEnd::Promote)]),
            ("contract, no canary", Contract, Start::All, &[]),
            ("content, from 5", Content, p(5.0), &[(5.0, AFTER)]),
            ("code, from 5", Code, p(5.0), &[(5.0, AFTER), (10.0, AFTER)]),
            ("code, from 10", Code, p(10.0), &[(10.0, AFTER)]),
            ("code, from 25", Code, p(25.0), &[(25.0, AFTER)]),
            ("contract, from 5", Contract, p(5.0), &[(5.0, AFTER), (10.0, AFTER), (50.0, StepEnd::Promote)]),
            ("contract, from 99.99", Contract, p(99.99), &[(99.99, StepEnd::Promote)]),
            (
                "contract, from 0.01",
                Contract,
                p(0.01),
                &[(0.01, AFTER), (1.0, AFTER), (10.0, AFTER), (50.0, StepEnd::Promote)],
            ),
        ];
        for (name, risk, start, expected) in cases {
            assert_eq!(plan(*risk, &ReleaseRules::default(), *start), steps(expected), "{name}");
        }
    }

    #[test]
    fn a_start_that_cannot_be_is_refused() {
        for percent in [0.0, 0.004, -1.0, 99.996, 100.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = Start::asked(Some(percent), false).unwrap_err().to_string();
            assert!(error.contains("expected 0.01 to 99.99"), "{error}");
        }
        assert_eq!(Start::asked(Some(10.0), true), Err(StartError::Both));
        assert_eq!(Start::asked(None, true), Ok(Start::All));
        assert_eq!(Start::asked(None, false), Ok(Start::ByRisk));
    }

    #[test]
    fn an_empty_table_is_the_default_and_one_key_changes_one_number() {
        assert_eq!(toml::from_str::<ReleaseRules>("").unwrap(), ReleaseRules::default());
        ReleaseRules::default().check().unwrap();
        let rules: ReleaseRules =
            toml::from_str("[code]\npercent = [10]\ncalls = 5\n[contract]\nlast = \"itself\"").unwrap();
        rules.check().unwrap();
        let few = StepEnd::After { calls: 5, bake_ms: 600_000 };
        assert_eq!(plan(ReleaseRisk::Code, &rules, Start::ByRisk), steps(&[(10.0, few)]));
        let own = steps(&[(1.0, AFTER), (10.0, AFTER), (50.0, AFTER)]);
        assert_eq!(plan(ReleaseRisk::Contract, &rules, Start::ByRisk), own);
        let none: ReleaseRules = toml::from_str("[code]\npercent = []").unwrap();
        none.check().unwrap();
        assert!(plan(ReleaseRisk::Code, &none, Start::ByRisk).is_empty(), "an operator may do without");
        // What is written out is read back.
        let written = toml::to_string(&rules).unwrap();
        assert_eq!(toml::from_str::<ReleaseRules>(&written).unwrap(), rules);
    }

    #[test]
    fn numbers_that_make_no_sense_are_named() {
        for (text, expected) in [
            ("[code]\npercent = [0.0]", "code.percent = [0.0]: expected at most 20 shares"),
            ("[code]\npercent = [10.0, 10.0]", "code.percent = [10.0, 10.0]"),
            ("[contract]\npercent = [50.0, 10.0]", "contract.percent = [50.0, 10.0]"),
            ("[contract]\npercent = [nan]", "contract.percent = [NaN]"),
            ("[code]\ncalls = 0", "code.calls = 0: expected 1 call or more"),
            ("[contract]\nbake_ms = 10", "contract.bake_ms = 10: expected 1000"),
            ("[judge]\ntaken_back_p = 0.0", "judge.taken_back_p = 0: expected"),
            ("[judge]\nraised_p = 1.5", "judge.raised_p = 1.5: expected"),
            ("[judge]\npoints = 101.0", "judge.points = 101: expected"),
        ] {
            let error = toml::from_str::<ReleaseRules>(text).unwrap().check().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(
            toml::from_str::<ReleaseRules>("[code]\npercents = [1.0]").is_err(),
            "a key that nobody knows"
        );
    }
}
