//! What a replay found: differences in groups, each with its count and one example.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::differences::{Difference, DifferenceKind};

/// Most groups of a report; of more, only the differences are counted.
const GROUPS_MAX: usize = 100;

/// What came of playing kept calls against a revision.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ReplayReport {
    /// Whose.
    pub tenant: String,
    /// Which handler.
    pub handler: String,
    /// Against which revision; none for one that is about to be deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// Calls and conversations that were played.
    pub calls: u64,
    /// Webhooks of them that the revision was run for.
    pub webhooks: u64,
    /// Calls that sound the same to their end.
    pub same_calls: u64,
    /// Calls in which something differs.
    pub different_calls: u64,
    /// Calls that were followed only in part: from the first webhook on that would not have come like this, what was kept
    /// says nothing.
    pub followed_in_part: u64,
    /// Webhooks that were not compared: their recorded answer was a fault of the host and not the handler's.
    pub not_compared: u64,
    /// Differences that the revision that was recorded shows as well when it is run again: made by redaction, by chance or by
    /// what the handler has been told since. They are not among the groups.
    pub unstable: u64,
    /// The differences, by kind and place, the gravest first.
    pub groups: Vec<DifferenceGroup>,
    /// Differences beyond those groups.
    pub more: u64,
}

/// Differences of one kind at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DifferenceGroup {
    /// What kind.
    pub kind: DifferenceKind,
    /// The webhook that was answered: its entry and step, such as `voice/menu`.
    pub webhook: String,
    /// Where in the document, such as `Gather/Say` or `Gather@timeout`.
    pub at: String,
    /// How often.
    pub count: u64,
    /// In how many calls.
    pub calls: u64,
    /// The carrier's id of one of them.
    pub example: String,
    /// What was heard in that call.
    pub old: String,
    /// What would be heard now.
    pub new: String,
}

impl ReplayReport {
    /// The kinds that were found.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<DifferenceKind> {
        self.groups.iter().map(|group| group.kind).collect()
    }

    /// Whether nothing but `allowed` was found.
    #[must_use]
    pub fn passes(&self, allowed: &[DifferenceKind]) -> bool {
        self.more == 0 && self.kinds().iter().all(|kind| allowed.contains(kind))
    }

    /// In a sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        if self.calls == 0 {
            return "no call is kept yet".to_owned();
        }
        if self.different_calls == 0 {
            return format!("nothing differs in {} kept calls", self.calls);
        }
        let mut text = format!("{} of {} kept calls differ", self.different_calls, self.calls);
        for kind in DifferenceKind::ALL {
            let of_kind = self.groups.iter().filter(|group| group.kind == kind);
            let count: u64 = of_kind.map(|group| group.count).sum();
            if count > 0 {
                text.push_str(&format!(", {count} × {kind}"));
            }
        }
        text
    }
}

/// Puts differences into groups while calls are played.
#[derive(Default)]
pub struct Groups {
    groups: Vec<(DifferenceGroup, Option<usize>)>,
    places: HashMap<(DifferenceKind, String, String), usize>,
    more: u64,
}

impl Groups {
    /// Adds a difference in the answer to `webhook` of call number `call`, whose id is `example`.
    pub fn add(&mut self, call: usize, example: &str, webhook: &str, difference: Difference) {
        let Difference { kind, at, old, new } = difference;
        let key = (kind, webhook.to_owned(), at.clone());
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None if self.groups.len() >= GROUPS_MAX => {
                self.more += 1;
                return;
            }
            None => {
                let group = DifferenceGroup {
                    kind,
                    webhook: webhook.to_owned(),
                    at,
                    count: 0,
                    calls: 0,
                    example: example.to_owned(),
                    old,
                    new,
                };
                self.groups.push((group, None));
                self.places.insert(key, self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        if let Some((group, last)) = self.groups.get_mut(place) {
            group.count += 1;
            if *last != Some(call) {
                *last = Some(call);
                group.calls += 1;
            }
        }
    }

    /// All groups, the gravest kind first and of each the most frequent; and how many differences are in none.
    #[must_use]
    pub fn finish(self) -> (Vec<DifferenceGroup>, u64) {
        let mut groups: Vec<_> = self.groups.into_iter().map(|(group, _)| group).collect();
        let rank = |kind| DifferenceKind::ALL.iter().position(|known| *known == kind);
        groups.sort_by_key(|group| (rank(group.kind), std::cmp::Reverse(group.count)));
        (groups, self.more)
    }
}
