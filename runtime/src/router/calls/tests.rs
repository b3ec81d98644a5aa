use proptest::prelude::*;

use super::*;

const NOW: u32 = 29_700_000; // minutes since 1970, in 2026: more than 24 bits

fn names() -> (TenantId, HandlerName) {
    (TenantId::new("acme").unwrap(), HandlerName::new("ivr").unwrap())
}

fn small(slots: usize) -> Calls {
    Calls::new(slots, [7; 16])
}

/// A key that falls into the first bucket.
fn same_bucket(number: u64) -> CallKey {
    CallKey(number << 32)
}

#[test]
fn a_call_is_found_by_its_own_tenant_and_handler_only() {
    let calls = Calls::random().unwrap();
    let (acme, ivr) = names();
    let [other, sms] = ["other", "sms"];
    let key = calls.key(&acme, &ivr, "CA1");
    calls.note(key, 5, NOW);
    assert_eq!(calls.get(calls.key(&acme, &ivr, "CA1"), NOW), Some(5));
    let strangers = [
        calls.key(&TenantId::new(other).unwrap(), &ivr, "CA1"),
        calls.key(&acme, &HandlerName::new(sms).unwrap(), "CA1"),
        calls.key(&acme, &ivr, "CA2"),
        calls.key(&acme, &HandlerName::new("i").unwrap(), "vr/CA1"),
    ];
    for stranger in strangers {
        assert_eq!(calls.get(stranger, NOW), None);
    }
    assert_ne!(Calls::random().unwrap().key(&acme, &ivr, "CA1"), key, "each host has a secret of its own");
}

#[test]
fn a_call_counts_until_it_ends_or_is_quiet_for_four_hours_and_is_found_for_a_day() {
    let calls = small(1 << 10);
    let [ended, quiet, talking] = [1, 2, 3].map(CallKey);
    for key in [ended, quiet, talking] {
        calls.note(key, 9, NOW);
    }
    assert_eq!(calls.count(9, NOW), 3);
    calls.end(ended);
    calls.note(ended, 9, NOW + 1); // a recording's callback
    assert_eq!((calls.count(9, NOW + 1), calls.get(ended, NOW + 1)), (2, Some(9)));
    calls.note(talking, 9, NOW + 240);
    assert_eq!(calls.count(9, NOW + 241), 1);
    assert_eq!(calls.counts(NOW + 241), HashMap::from([(9, 1)]));
    assert_eq!((calls.count(8, NOW), calls.count(9, NOW + 999)), (0, 0));
    for (age, found) in [(1_440, Some(9)), (1_441, None)] {
        assert_eq!(calls.get(quiet, NOW + age), found, "{age} minutes");
    }
    assert_eq!(calls.get(quiet, NOW - 1), Some(9), "a neighbour's clock that is a little behind");
}

#[test]
fn a_call_that_changes_revision_is_found_on_the_new_one() {
    let calls = small(64);
    calls.note(CallKey(3), 1, NOW);
    calls.note(CallKey(3), 2, NOW);
    assert_eq!((calls.get(CallKey(3), NOW), calls.counts(NOW)), (Some(2), HashMap::from([(2, 1)])));
}

#[test]
fn a_full_bucket_forgets_what_is_over_first_then_what_is_oldest() {
    let calls = small(4);
    let [a, b, c, d, e, f, g] = [1, 2, 3, 4, 5, 6, 7].map(same_bucket);
    for (key, age) in [(a, 30), (b, 20), (c, 10), (d, 0)] {
        calls.note(key, 1, NOW - age);
    }
    calls.end(c);
    let known = || [a, b, c, d, e, f, g].map(|key| calls.get(key, NOW).is_some());
    calls.note(e, 1, NOW);
    assert_eq!(known(), [true, true, false, true, true, false, false], "over");
    calls.note(f, 1, NOW);
    assert_eq!(known(), [false, true, false, true, true, true, false], "oldest");
    calls.end(d);
    calls.note(b, 1, NOW - 2_000); // as if it had not been heard of for more than a day
    calls.note(g, 1, NOW);
    assert_eq!(known(), [false, false, false, true, true, true, true], "forgotten anyway");
}

#[test]
fn a_full_table_remembers_nearly_as_many_calls_as_it_has_slots() {
    let calls = small(1 << 12);
    let (acme, ivr) = names();
    for n in 0..1 << 12 {
        calls.note(calls.key(&acme, &ivr, &format!("CA{n}")), n, NOW);
    }
    let found =
        (0..1 << 12).filter(|n| calls.get(calls.key(&acme, &ivr, &format!("CA{n}")), NOW) == Some(*n));
    let found = found.count();
    assert!(found > (1 << 12) * 3 / 4, "{found} of 4096");
    assert_eq!(calls.counts(NOW).values().sum::<u64>(), found as u64);
}

#[test]
fn a_snapshot_gives_the_next_process_the_same_calls_under_its_own_numbers() {
    let calls = small(1 << 10);
    let (acme, ivr) = names();
    let key = |calls: &Calls, n: u32| calls.key(&acme, &ivr, &format!("CA{n}"));
    for n in 0..100 {
        calls.note(key(&calls, n), n % 3, NOW - n);
    }
    calls.end(key(&calls, 1));
    calls.note(key(&calls, 200), 1, NOW - 1_441);
    let bytes = calls.snapshot(NOW);
    assert_eq!(bytes.len(), 24 + 100 * 16);

    let restored = Calls::restore(1 << 10, &bytes, |uid| (uid != 2).then_some(uid + 70)).unwrap();
    for n in 0..100 {
        let expected = (n % 3 != 2).then_some(n % 3 + 70);
        assert_eq!(restored.get(key(&restored, n), NOW), expected, "{n}");
    }
    assert_eq!(restored.counts(NOW), HashMap::from([(70, 34), (71, 32)]), "one of 71 is over");
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let whole = small(64).snapshot(NOW);
    let none = |_| None;
    assert!(Calls::restore(64, &whole, none).is_ok());
    for bytes in [&b""[..], b"HSCALLS", b"HSCALLS2aaaaaaaaaaaaaaaa"] {
        assert!(matches!(Calls::restore(64, bytes, none), Err(SnapshotError::Foreign { .. })), "{bytes:?}");
    }
    for bytes in
        [whole[..23].to_vec(), [whole.clone(), vec![0; 15]].concat(), [whole, vec![1; 65 * 16]].concat()]
    {
        let length = bytes.len();
        let refused = Calls::restore(64, &bytes, none);
        assert!(matches!(refused, Err(SnapshotError::Length { bytes, .. }) if bytes == length), "{length}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_snapshot_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let bytes = [MAGIC.as_slice(), &bytes].concat();
        if let Ok(calls) = Calls::restore(64, &bytes, Some) {
            prop_assert!(calls.counts(NOW).values().sum::<u64>() <= 64);
            prop_assert!(Calls::restore(64, &calls.snapshot(NOW), Some).is_ok());
        }
    }

    #[test]
    fn a_value_is_read_as_it_was_written(uid: u32, minute in 0..=MINUTE_MASK, over: bool) {
        let value = Value { uid, minute, over };
        prop_assert_eq!(Value::unpack(value.pack()), Some(value));
    }
}

/// Threads that write and read the same few slots: what is found is always what was noted for that very call.
#[test]
fn whatever_is_written_meanwhile_nobody_finds_anothers_revision() {
    let calls = small(8);
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let calls = &calls;
            scope.spawn(move || {
                for n in 0..300_000_u32 {
                    let call = (n.wrapping_mul(2_654_435_761) >> 7) % 64;
                    let key = CallKey(u64::from(call).wrapping_mul(0x9E37_79B9_7F4A_7C15));
                    calls.note(key, call, NOW + n % 2 + thread);
                    if n.is_multiple_of(5) {
                        calls.end(key);
                    }
                    if let Some(uid) = calls.get(key, NOW) {
                        assert_eq!(uid, call);
                    }
                }
            });
        }
    });
}
