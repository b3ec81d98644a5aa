use super::*;

fn names(tenant: &str) -> (TenantId, HandlerName) {
    (TenantId::new(tenant).unwrap(), HandlerName::new("ivr").unwrap())
}

fn shown() -> String {
    let mut text = String::new();
    write(&mut text);
    text
}

/// The lines about one tenant, since tests share the book.
fn shown_of(tenant: &str) -> Vec<String> {
    let label = format!("tenant=\"{tenant}\"");
    shown().lines().filter(|line| line.contains(&label)).map(str::to_owned).collect()
}

#[test]
fn outcomes_are_shown_by_revision_and_times_by_handler() {
    let (tenant, handler) = names("shown");
    let old = RevisionCounters::new(&tenant, &handler, RevisionId(1));
    let new = RevisionCounters::new(&tenant, &handler, RevisionId(2));
    old.ok.increment(2);
    old.repeated.increment(1);
    old.failed("HS201");
    new.failed("HS213");
    new.began_call();
    new.set_share(Some(Share(1_000)));
    new.set_judgement(Some(JudgementGauge::Bad));
    new.set_breaker(BreakerGauge::Open);
    for counters in [&old, &new] {
        counters.took(&Took {
            whole: Duration::from_micros(90),
            guest: Duration::from_micros(30),
            guest_busy: Duration::from_millis(250),
        });
    }
    new.took(&Took { whole: Duration::from_secs(3), ..Took::default() });
    let text = shown();
    for line in [
        r#"hookswitch_webhooks_total{tenant="shown",handler="ivr",revision="1",outcome="ok"} 2"#,
        r#"hookswitch_webhooks_total{tenant="shown",handler="ivr",revision="1",outcome="repeated"} 1"#,
        r#"hookswitch_webhooks_total{tenant="shown",handler="ivr",revision="1",outcome="HS201"} 1"#,
        r#"hookswitch_webhooks_total{tenant="shown",handler="ivr",revision="2",outcome="ok"} 0"#,
        r#"hookswitch_webhooks_total{tenant="shown",handler="ivr",revision="2",outcome="HS213"} 1"#,
        r#"hookswitch_calls_total{tenant="shown",handler="ivr",revision="2"} 1"#,
        r#"hookswitch_release_share{tenant="shown",handler="ivr",revision="2"} 0.1"#,
        r#"hookswitch_canary_judgement{tenant="shown",handler="ivr",revision="2"} 3"#,
        r#"hookswitch_breaker_state{tenant="shown",handler="ivr",revision="2"} 2"#,
        r#"hookswitch_webhook_seconds_bucket{tenant="shown",handler="ivr",le="0.0001"} 2"#,
        r#"hookswitch_webhook_seconds_count{tenant="shown",handler="ivr"} 3"#,
        r#"hookswitch_guest_seconds_count{tenant="shown",handler="ivr"} 2"#,
        r#"hookswitch_guest_cpu_seconds_total{tenant="shown",handler="ivr"} 0.5"#,
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
    }
    assert!(
        !text.contains(r#"hookswitch_release_share{tenant="shown",handler="ivr",revision="1"}"#),
        "{text}"
    );
    new.set_share(None);
    new.set_judgement(None);
    let shown = shown_of("shown").join("\n");
    assert!(!shown.contains("share") && !shown.contains("judgement"), "{shown}");
}

#[test]
fn only_the_faults_of_the_author_count_against_a_revision() {
    let (tenant, handler) = names("judged");
    let counters = RevisionCounters::new(&tenant, &handler, RevisionId(1));
    counters.ok.increment(10);
    counters.repeated.increment(5);
    for (code, failures) in
        [("HS201", 1), ("HS210", 2), ("HS211", 2), ("HS212", 2), ("HS213", 3), ("HS214", 4), ("HS299", 5)]
    {
        counters.failed(code);
        assert_eq!((counters.failures(), counters.webhooks()), (failures, 10 + failures), "{code}");
    }
}

#[test]
fn a_revision_that_is_gone_is_shown_no_more_and_nothing_brings_it_back() {
    let (tenant, handler) = names("gone");
    let old = RevisionCounters::new(&tenant, &handler, RevisionId(1));
    let new = RevisionCounters::new(&tenant, &handler, RevisionId(2));
    old.took(&Took { whole: Duration::from_millis(1), ..Took::default() });
    // A webhook that still runs holds the old revision.
    let running = Arc::clone(&old.0);
    drop(old);
    assert!(shown_of("gone").iter().any(|line| line.contains("revision=\"1\"")), "{:?}", shown_of("gone"));
    running.ok.increment(1);
    drop(running);
    let left = shown_of("gone");
    assert!(!left.iter().any(|line| line.contains("revision=\"1\"")), "{left:?}");
    let count = r#"hookswitch_webhook_seconds_count{tenant="gone",handler="ivr"} 1"#;
    assert!(
        left.iter().any(|line| line == count),
        "the handler's times stay with its next revision: {left:?}"
    );
    drop(new);
    assert_eq!(shown_of("gone"), Vec::<String>::new());
}

#[test]
fn a_revision_that_is_loaded_twice_is_shown_once_and_judged_by_its_own_counts() {
    let (tenant, handler) = names("twice");
    let first = RevisionCounters::new(&tenant, &handler, RevisionId(1));
    let second = RevisionCounters::new(&tenant, &handler, RevisionId(1));
    first.ok.increment(2);
    second.ok.increment(3);
    let line = r#"hookswitch_webhooks_total{tenant="twice",handler="ivr",revision="1",outcome="ok"} "#;
    let lines = shown_of("twice").into_iter().filter(|shown| shown.starts_with(line)).collect::<Vec<_>>();
    assert_eq!(lines, [format!("{line}5")]);
    assert_eq!((first.webhooks(), second.webhooks()), (2, 3));
}

#[test]
fn a_thousand_deploys_leave_a_small_book() {
    let (tenant, handler) = names("deployed");
    let mut current = RevisionCounters::new(&tenant, &handler, RevisionId(0));
    for revision in 1..=1_000 {
        current = RevisionCounters::new(&tenant, &handler, RevisionId(revision));
        current.ok.increment(1);
    }
    let pages = BOOK.lock();
    let of_this = pages.revisions.keys().filter(|((owner, _), _)| *owner == tenant).count();
    drop(pages);
    assert!(of_this <= 200, "{of_this} of 1 000 revisions are in the book");
    let shown = shown_of("deployed");
    assert!(
        shown.iter().filter(|line| line.contains("revision=")).all(|line| line.contains("revision=\"1000\""))
    );
    drop(current);
}
