use super::*;

use Ended::{Failed, Worked};

/// Runs one webhook that ends as it began.
fn webhook(breaker: &Breaker, ended: Ended, now_ms: u64) -> (bool, Option<Change>) {
    let admission = breaker.admit(now_ms);
    let ran = !matches!(admission, Admission::Refused { .. });
    (ran, breaker.record(ended, admission, now_ms))
}

/// Opens a breaker at `now_ms`; returns until when.
fn open(breaker: &Breaker, now_ms: u64) -> u64 {
    for _ in 0..WEBHOOKS_MIN {
        if let (_, Some(Change::Opened { for_ms })) = webhook(breaker, Failed, now_ms) {
            return now_ms + for_ms;
        }
    }
    panic!("twenty failures and it is {:?}", breaker.state(now_ms));
}

#[test]
fn it_opens_where_chance_does_not_explain_so_many_failures() {
    // Failed, of so many, spread evenly over so many seconds; whether it is open then.
    let cases = [
        (19, 19, 1, false, "too few to say anything"),
        (20, 20, 1, true, "a handler that fails everywhere"),
        (20, 20, 9, true, "the same, slowly"),
        (18, 20, 1, false, "ten in a hundred work, and twenty are few"),
        (19, 20, 1, true, ""),
        (75, 100, 5, true, ""),
        (50, 100, 5, false, "one broken step of two"),
        (660, 1_000, 5, true, ""),
        (600, 1_000, 5, false, "three in five"),
        (60, 60, 60, false, "a slow trickle"),
        (300, 300, 60, true, "five a second"),
        (0, 100_000, 5, false, ""),
    ];
    for (failed, of, seconds, opens, what) in cases {
        let breaker = Breaker::default();
        let opened = (0..of).any(|n| {
            let now_ms = 1_000_000 + n * seconds * 1_000 / of;
            let fails = (n + 1) * failed / of > n * failed / of;
            let ended = if fails { Failed } else { Worked };
            webhook(&breaker, ended, now_ms).1.is_some()
        });
        assert_eq!(opened, opens, "{failed} of {of} in {seconds} s: {what}");
    }
}

#[test]
fn a_handler_that_fails_in_half_of_its_webhooks_is_never_taken_from_the_other_half() {
    let mut random = 7;
    for per_second in [2_u64, 5, 50, 1_000] {
        let breaker = Breaker::default();
        for n in 0..200_000 {
            random = mix(random);
            let ended = if random & 1 == 0 { Failed } else { Worked };
            let (ran, change) = webhook(&breaker, ended, n * 1_000 / per_second);
            assert!(ran && change.is_none(), "{per_second} a second, after {n}");
        }
    }
}

#[test]
fn it_opens_for_longer_each_time_and_never_for_longer_than_a_minute() {
    let breaker = Breaker::default();
    let mut now_ms = open(&breaker, 5_000);
    for full in [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000] {
        assert_eq!(webhook(&breaker, Failed, now_ms), (true, None), "the first bad probe may be chance");
        let (ran, change) = webhook(&breaker, Failed, now_ms);
        let Some(Change::Opened { for_ms }) = change else { panic!("{ran} {change:?}") };
        assert!((full * 3 / 4..=full).contains(&for_ms), "{for_ms} of {full}");
        assert_eq!(breaker.state(now_ms), State::Open { for_ms });
        let last = now_ms + for_ms - 1;
        assert!(matches!(breaker.admit(last), Admission::Refused { retry_ms: 1 }));
        now_ms += for_ms;
    }
}

#[test]
fn three_good_probes_close_it_and_one_runs_at_a_time() {
    let breaker = Breaker::default();
    let now_ms = open(&breaker, 5_000);
    for good in 0..3 {
        assert_eq!(breaker.state(now_ms), State::Probing, "after {good}");
        let probe = breaker.admit(now_ms);
        assert!(matches!(probe, Admission::Probe(_)), "{probe:?}");
        assert!(matches!(breaker.admit(now_ms), Admission::Refused { retry_ms: 1_000 }), "one at a time");
        let change = breaker.record(Worked, probe, now_ms);
        assert_eq!(change, (good == 2).then_some(Change::Closed));
    }
    assert_eq!(breaker.state(now_ms), State::Closed);
    assert_eq!(webhook(&breaker, Failed, now_ms), (true, None), "what failed before it opened is forgotten");
}

#[test]
fn only_five_minutes_of_peace_make_it_forget_how_often_it_opened() {
    for (peace_ms, full) in [(1_000, 2_000), (FORGIVEN_MS - 1_000, 2_000), (FORGIVEN_MS, 1_000)] {
        let breaker = Breaker::default();
        let mut now_ms = open(&breaker, 5_000);
        (0..3).for_each(|_| assert!(webhook(&breaker, Worked, now_ms).0));
        now_ms += peace_ms;
        let for_ms = open(&breaker, now_ms) - now_ms;
        assert!((full * 3 / 4..=full).contains(&for_ms), "after {peace_ms} ms open for {for_ms}");
    }
}

#[test]
fn a_probe_that_is_dropped_or_never_heard_of_again_blocks_nobody() {
    let breaker = Breaker::default();
    let now_ms = open(&breaker, 5_000);
    drop(breaker.admit(now_ms));
    let lost = breaker.admit(now_ms);
    assert!(matches!(lost, Admission::Probe(_)), "the turn came back with the drop");
    assert!(matches!(breaker.admit(now_ms + PROBE_MS_MAX - 1), Admission::Refused { .. }));
    let later = now_ms + PROBE_MS_MAX;
    let next = breaker.admit(later);
    assert!(matches!(next, Admission::Probe(_)), "given up as lost");
    assert_eq!(breaker.record(Failed, lost, later), None, "the lost one comes back, and has no say any more");
    assert!(
        matches!(breaker.admit(later), Admission::Refused { .. }),
        "nor did it give away the other's turn"
    );
    assert_eq!(breaker.record(Worked, next, later), None);
    assert!(matches!(breaker.admit(later), Admission::Probe(_)));
}

#[test]
fn a_run_that_began_before_it_opened_says_nothing_about_it() {
    let breaker = Breaker::default();
    let early: Vec<_> = (0..50).map(|_| breaker.admit(5_000)).collect();
    let until = open(&breaker, 5_000);
    for run in early {
        assert_eq!(breaker.record(Failed, run, until + 1), None);
    }
    assert_eq!(breaker.state(until), State::Probing);
}

#[test]
fn any_phase_is_read_as_it_was_written() {
    for kind in [Kind::Closed, Kind::Open, Kind::Probing] {
        for (openings, good, bad, at_ms) in [(0, 0, 0, 0), (7, 3, 3, AT_MASK), (5, 2, 1, 1_234_567_890_123)] {
            let phase = Phase { kind, openings, good, bad, at_ms };
            assert_eq!(Phase::unpack(phase.pack()), phase);
        }
    }
    assert_eq!(Phase::NEW.pack(), 0);
}

/// Threads that admit, record and drop as it comes: at most one probe at a time, and in the end it closes.
#[test]
fn threads_never_probe_two_at_a_time_nor_lose_the_turn() {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    let breaker = Breaker::default();
    let clock = AtomicU64::new(1_000);
    let probing = AtomicU32::new(0);
    let opened = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (breaker, clock, probing, opened) = (&breaker, &clock, &probing, &opened);
            scope.spawn(move || {
                for n in 0..100_000_u64 {
                    // Slower than the longest that a probe may take: none is given up as lost here.
                    let now_ms = clock.fetch_add(u64::from(n % 64 == 0), SeqCst);
                    let dice = mix(thread << 32 | n);
                    let ended = if dice % 16 < 15 { Failed } else { Worked };
                    let admission = breaker.admit(now_ms);
                    let is_probe = matches!(admission, Admission::Probe(_));
                    if is_probe {
                        assert_eq!(probing.fetch_add(1, SeqCst), 0, "two probes at a time");
                        std::thread::yield_now();
                        probing.fetch_sub(1, SeqCst);
                    }
                    if dice.is_multiple_of(7) {
                        drop(admission);
                    } else if let Some(Change::Opened { .. }) = breaker.record(ended, admission, now_ms) {
                        opened.fetch_add(1, SeqCst);
                    }
                }
            });
        }
    });
    assert!(opened.load(SeqCst) > 1, "it opened, probed and opened again");
    let later = clock.load(SeqCst) + OPEN_MS_MAX;
    for _ in 0..3 {
        assert!(webhook(&breaker, Worked, later).0);
    }
    assert_eq!(breaker.state(later), State::Closed);
}
