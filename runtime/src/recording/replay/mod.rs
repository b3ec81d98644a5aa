//! Plays kept calls against another revision, beside the calls that are going on.
//!
//! Each recorded webhook is given to the revision's code in its order, at the time of day at which it came, and what it answers
//! is compared with what was answered then. Nothing of it is counted, told to anybody, or remembered for repeated deliveries;
//! one webhook runs at a time, so that callers do not feel it.
//!
//! A call is followed for as long as it would have gone on like this: once the new document does not lead to the step that was
//! asked for next, the rest of the recording says nothing about the new revision. And a difference counts only if the
//! revision that was recorded, run anew on what was kept, does not show it too: what redaction, chance or the world has
//! changed is no fault of the new one.
//!
//! Whatever a handler does outward is answered from the record of that webhook, and nothing is sent: see
//! [`capability::effects`](crate::capability::effects).
//!
//! Which calls and which revisions is decided in `deploy`.

mod candidate;
mod differences;
mod effects;
mod links;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;

pub use self::candidate::Candidate;
use self::candidate::{Played, is_of_the_host};
pub use self::differences::{Difference, DifferenceKind, differences};
use self::links::{Place, places};
use self::report::Groups;
pub use self::report::{DifferenceGroup, ReplayReport};
use super::record::{KeptCall, KeptWebhook};
use super::redact::Redactor;
use crate::call::{Entry, RevisionId, Webhook};
use crate::capability::effects::Request;
use crate::host::Host;

/// What a call has come to at one webhook: what was answered, what it is compared with, what would be answered now.
#[derive(Clone)]
struct Heard {
    document: String,
    /// The code of a failure, and what it says.
    failure: Option<(String, String)>,
    /// What was asked of others; none where not all of it is known.
    asked: Option<Vec<Request>>,
}

impl Heard {
    fn recorded(webhook: &KeptWebhook) -> Self {
        let failure = webhook.code.as_ref().map(|code| (code.clone(), code.clone()));
        let asked = webhook.effects.iter().map(|effect| effect.request.clone()).collect();
        Self { document: webhook.document.clone(), failure, asked: (!webhook.effects_torn).then_some(asked) }
    }

    fn code(&self) -> Option<&str> {
        self.failure.as_ref().map(|(code, _)| code.as_str())
    }
}

/// Where a document led, for each webhook of a call so far.
struct Led {
    recorded: HashSet<Place>,
    reference: HashSet<Place>,
    fresh: HashSet<Place>,
}

/// Whether a recorded webhook would have come, and if not, why.
#[derive(Debug, PartialEq, Eq)]
enum Followed {
    Yes,
    /// The new document does not lead there; which webhook it answers.
    No {
        from: usize,
    },
    /// Neither does the one that it is compared with: the recording can't be followed for reasons of its own.
    Lost,
}

/// A replay of calls against one candidate.
pub struct Replay<'a, F> {
    /// Where it runs.
    pub host: &'a Host,
    /// By which documents and effects are compared as they are kept.
    pub redactor: &'a Redactor,
    /// The revision to be tried.
    pub candidate: &'a Candidate,
    /// Finds the revision that was recorded; none where it is not kept any more.
    pub find: F,
}

impl<F, Found> Replay<'_, F>
where
    F: Fn(RevisionId) -> Found,
    Found: Future<Output = Option<Candidate>>,
{
    /// Plays all of `calls`, one after the other.
    pub async fn play(&self, calls: &[KeptCall]) -> ReplayReport {
        let mut playing = Playing {
            replay: self,
            known: HashMap::new(),
            groups: Groups::default(),
            report: ReplayReport::default(),
        };
        for (number, call) in calls.iter().enumerate() {
            playing.call(number, call).await;
            tokio::task::yield_now().await;
        }
        let Playing { groups, mut report, .. } = playing;
        (report.groups, report.more) = groups.finish();
        report
    }
}

struct Playing<'a, F> {
    replay: &'a Replay<'a, F>,
    /// Revisions that were recorded, as far as they are still there.
    known: HashMap<RevisionId, Option<Candidate>>,
    groups: Groups,
    report: ReplayReport,
}

impl<F, Found> Playing<'_, F>
where
    F: Fn(RevisionId) -> Found,
    Found: Future<Output = Option<Candidate>>,
{
    async fn call(&mut self, number: usize, call: &KeptCall) {
        let prefix = self.replay.candidate.prefix.clone();
        let (id, mut led, mut differs, mut whole) = (call.id(), Vec::<Led>::new(), false, true);
        for kept in &call.webhooks {
            let (Some(entry), Some(webhook)) = (kept.entry(), kept.webhook()) else {
                whole = false;
                break;
            };
            let recorded = places(&kept.document, &prefix);
            let mut nowhere = Led { recorded, reference: HashSet::new(), fresh: HashSet::new() };
            match reach(&led, entry, &kept.step) {
                Followed::Yes => {}
                // A callback that is not asked for changes nothing of what the caller hears.
                _ if entry == Entry::Status => {
                    whole = false;
                    led.push(nowhere);
                    continue;
                }
                Followed::No { from } => {
                    let difference = unreached(&call.webhooks, from, entry, &kept.step);
                    let place = call.webhooks.get(from).map(place_of).unwrap_or_default();
                    self.groups.add(number, &id, &place, difference);
                    (differs, whole) = (true, false);
                    break;
                }
                Followed::Lost => {
                    whole = false;
                    break;
                }
            }
            self.report.webhooks += 1;
            let heard = self.heard(self.replay.candidate, kept, &webhook).await;
            let Some(heard) = heard.filter(|_| !kept.code.as_deref().is_some_and(is_of_the_host)) else {
                self.report.not_compared += 1;
                led.push(nowhere);
                continue;
            };
            let (found, reference) = self.compare(kept, &webhook, &heard).await;
            let fails = found.iter().any(|difference| difference.kind == DifferenceKind::Fails);
            for difference in found {
                differs = true;
                self.groups.add(number, &id, &place_of(kept), difference);
            }
            // From here on the caller would hear something that nobody has recorded.
            if fails && entry != Entry::Status {
                whole = false;
                break;
            }
            nowhere.reference = places(&reference.document, &prefix);
            nowhere.fresh = places(&heard.document, &prefix);
            led.push(nowhere);
        }
        self.report.calls += 1;
        self.report.different_calls += u64::from(differs);
        self.report.same_calls += u64::from(!differs && whole);
        self.report.followed_in_part += u64::from(!whole);
    }

    /// What `candidate` answers, as it would be kept.
    async fn heard(&self, candidate: &Candidate, kept: &KeptWebhook, webhook: &Webhook) -> Option<Heard> {
        let again = Arc::new(self.replay.redactor.again(webhook, &kept.effects));
        let played = candidate.answer(self.replay.host, kept, webhook, &again).await?;
        let Played { document, failure, asked } = played;
        let document = again.document(&document);
        let failure = failure.map(|failure| {
            let code = failure.verdict().code;
            (code.to_owned(), format!("{code}: {failure}"))
        });
        Some(Heard { document, failure, asked: (!kept.effects_torn).then_some(asked) })
    }

    /// Where `heard` differs from what was recorded and from what the recorded revision answers today; and the one of these
    /// that it was compared with.
    async fn compare(
        &mut self,
        kept: &KeptWebhook,
        webhook: &Webhook,
        heard: &Heard,
    ) -> (Vec<Difference>, Heard) {
        let recorded = Heard::recorded(kept);
        let found = between(&recorded, heard);
        if found.is_empty() {
            return (found, recorded);
        }
        if !self.known.contains_key(&kept.revision) {
            let candidate = (self.replay.find)(kept.revision).await;
            self.known.insert(kept.revision, candidate);
        }
        let again = match self.known.get(&kept.revision) {
            Some(Some(old)) => self.heard(old, kept, webhook).await,
            _ => None,
        };
        // Whether the old revision repeats itself decides with what the new one is compared.
        match again {
            Some(again) if !between(&recorded, &again).is_empty() => {
                self.report.unstable += 1;
                (between(&again, heard), again)
            }
            _ => (found, recorded),
        }
    }
}

/// The differences between two answers to one webhook.
fn between(old: &Heard, new: &Heard) -> Vec<Difference> {
    let at = String::new();
    let said = |heard: &Heard| match &heard.failure {
        Some((_, text)) => text.clone(),
        None => heard.document.clone(),
    };
    match (old.code(), new.code()) {
        (before, Some(after)) if before != Some(after) => {
            vec![Difference { kind: DifferenceKind::Fails, at, old: said(old), new: said(new) }]
        }
        (Some(_), None) => {
            vec![Difference { kind: DifferenceKind::Works, at, old: said(old), new: said(new) }]
        }
        _ => {
            let mut found = differences(&old.document, &new.document);
            if let (Some(old), Some(new)) = (&old.asked, &new.asked) {
                found.extend(effects::differences(old, new));
            }
            found
        }
    }
}

/// Whether the webhook to `entry` and `step` would have come after the documents so far.
///
/// The last recorded document that led there is what made it come; so the new one in its place has to lead there, too. Where
/// none did, the step was asked for by something outside, such as the number's own URL, and still would be.
fn reach(led: &[Led], entry: Entry, step: &str) -> Followed {
    let place = (entry, step.to_owned());
    match led.iter().rposition(|led| led.recorded.contains(&place)) {
        None => Followed::Yes,
        Some(from) => match led.get(from) {
            Some(led) if led.fresh.contains(&place) => Followed::Yes,
            Some(led) if led.reference.contains(&place) => Followed::No { from },
            _ => Followed::Lost,
        },
    }
}

fn unreached(webhooks: &[KeptWebhook], from: usize, entry: Entry, step: &str) -> Difference {
    let slash = if step.is_empty() { "" } else { "/" };
    let went_on = format!("{}{slash}{step}", entry.as_str());
    let old = webhooks.get(from).map(|webhook| format!("{} leads to {went_on}", place_of(webhook)));
    let new = format!("does not lead to {went_on}; the call is not followed further");
    Difference { kind: DifferenceKind::Unreached, at: went_on, old: old.unwrap_or_default(), new }
}

/// `voice/menu`.
fn place_of(webhook: &KeptWebhook) -> String {
    let slash = if webhook.step.is_empty() { "" } else { "/" };
    format!("{}{slash}{}", webhook.entry, webhook.step)
}
