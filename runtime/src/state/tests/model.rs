//! Operations by the hundred against the simplest thing that could be right.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// The operations as simply as they can be written.
#[derive(Default)]
struct Model(BTreeMap<String, (Vec<u8>, Option<u64>)>);

impl Model {
    fn change(&mut self, key: &str, change: &Change, now: u64) -> Option<Reply> {
        self.0.retain(|_, (_, at)| at.is_none_or(|at| at > now));
        let put = |model: &mut Self, entry: &Entry| {
            model.0.insert(key.into(), (entry.value.to_vec(), entry.expires_at));
        };
        Some(match change {
            Change::Set(entry) => {
                put(self, entry);
                Reply::Set
            }
            Change::Delete => Reply::Deleted(self.0.remove(key).is_some()),
            Change::Add { by, expires_at } => {
                let (value, at) = self.0.get(key).cloned().unwrap_or((b"0".to_vec(), *expires_at));
                let sum = String::from_utf8(value).ok()?.parse::<i64>().ok()?.checked_add(*by)?;
                self.0.insert(key.into(), (sum.to_string().into_bytes(), at));
                Reply::Sum(sum)
            }
            Change::Swap { expected, new } => {
                let holds = self.0.get(key).map(|(value, _)| value.as_slice()) == expected.as_deref();
                match new {
                    Some(entry) if holds => put(self, entry),
                    None if holds => drop(self.0.remove(key)),
                    _ => {}
                }
                Reply::Swapped(holds)
            }
        })
    }
}

fn any_change() -> impl Strategy<Value = Change> {
    let value = prop_oneof![Just("1"), Just("-7"), Just("x"), Just(""), Just("9223372036854775807")];
    let expires_at = prop::option::of(NOW..NOW + 60);
    let entry = (value.clone(), expires_at.clone())
        .prop_map(|(value, expires_at)| Entry { value: value.as_bytes().into(), expires_at });
    let expected = prop::option::of(value.prop_map(|value| Arc::from(value.as_bytes())));
    prop_oneof![
        entry.clone().prop_map(Change::Set),
        Just(Change::Delete),
        (-3_i64..3, expires_at).prop_map(|(by, expires_at)| Change::Add { by, expires_at }),
        (expected, prop::option::of(entry)).prop_map(|(expected, new)| Change::Swap { expected, new }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// The model, a session in memory, the same session kept, and a store agree on every reply and on what is there.
    #[test]
    fn a_session_and_a_store_do_what_the_model_does(
        changes in prop::collection::vec((0_usize..4, any_change(), 0_u64..5), 1..60),
    ) {
        on_database(|connection| {
            let (owner, mut model, mut now) = (owner("acme", "ivr"), Model::default(), NOW);
            let mut session = records::session(connection, ringing(), now).unwrap();
            for (number, (key, change, later)) in changes.iter().enumerate() {
                now += later;
                let key = ["a", "b", "bb", "é"][*key];
                let modelled = model.change(key, change, now);
                let in_session = session.change(key, change.clone(), now);
                let keyed = [KeyedChange { key: key.into(), change: change.clone() }];
                let area = AreaName::store(&owner);
                let stored = records::change(connection, area, &keyed, Swaps::MayFail, &STORE_QUOTA, |_| None, now);
                let stored = stored.unwrap();
                assert_eq!(in_session.as_ref().ok(), modelled.as_ref(), "session, change {number}: {change:?}");
                assert_eq!(stored.ok().map(|replies| replies[0]), modelled, "store, change {number}: {change:?}");
                assert!(!matches!(in_session, Err(ref why) if !matches!(why, StorageError::NotANumber(_))));
                for key in ["a", "b", "bb", "é"] {
                    let expected = model.0.get(key).filter(|(_, at)| at.is_none_or(|at| at > now));
                    let expected = expected.map(|(value, _)| Arc::from(value.as_slice()));
                    assert_eq!(session.get(key, now).unwrap(), expected, "session, {key} after change {number}");
                    assert_eq!(records::get(connection, area, key, now).unwrap(), expected, "store, {key}");
                }
                let prefixed = records::keys(connection, area, "b", None, 10, now).unwrap().keys;
                assert_eq!(prefixed, session.keys("b", now));
            }
            records::sweep(connection, 1_000, now).unwrap();
            model.0.retain(|_, (_, at)| at.is_none_or(|at| at > now));
            assert_eq!(everything(connection), model.0);
            records::forget_tenant(connection, "acme").unwrap();
            assert!(everything(connection).is_empty());
        });
    }

    /// Keeping a session makes of it what the invocation saw.
    #[test]
    fn what_was_changed_in_a_session_is_what_is_kept(
        changes in prop::collection::vec((0_usize..4, any_change()), 1..60),
    ) {
        on_database(|connection| {
            let mut session = records::session(connection, ringing(), NOW).unwrap();
            for (key, change) in changes {
                let _refused = session.change(["a", "b", "bb", "é"][key], change, NOW);
            }
            let area = AreaName::session(&session.name);
            let until = |before| Some(session.name.lifetime.expires_at(NOW, before));
            records::change(connection, area, &session.changes, Swaps::Hold, &SESSION_QUOTA, until, NOW)
                .unwrap()
                .unwrap();
            let again = records::session(connection, ringing(), NOW).unwrap();
            let live = session.entries.iter().filter(|(_, entry)| entry.lives(NOW));
            assert!(again.entries.iter().eq(live), "{:?} {:?}", again.entries, session.entries);
            everything(connection);
        });
    }
}
