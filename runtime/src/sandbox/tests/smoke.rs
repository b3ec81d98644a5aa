//! What works: answers, failures, the log, settings, usage.

use super::guest::{Guest, component};
use super::{HELLO, House, call, code, ms};
use crate::call::{Event, EventKind, Message, Webhook};
use crate::capability::{ConfigValues, LogBudget, LogLevel, LogSource, Nobody};
use crate::sandbox::{Answer, Limits, RunError};

const LOG: &str = r#"(import "hookswitch:handler/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;

#[tokio::test]
async fn a_call_is_answered_and_its_use_is_told() {
    let house = House::new();
    let outcome = house.try_out(&Guest::default().build()).await;
    assert_eq!(outcome.result, Ok(Answer::Document(HELLO.into())));
    assert_eq!(outcome.used.memory_bytes, 65_536);
    assert!(outcome.used.wall >= outcome.used.busy && outcome.used.wall < ms(1_000));
    assert!(outcome.log.is_empty());
}

#[tokio::test]
async fn a_handler_sees_the_call_as_the_contract_has_it() {
    let house = House::new();
    // form is the last field of the record: answer with it.
    let echo = "(call $text (i32.load offset=72 (local.get $call)) (i32.load offset=76 (local.get $call)))";
    let outcome = house.try_out(&Guest::answering(echo)).await;
    let Webhook::Voice(call) = call() else { panic!() };
    assert_eq!(outcome.result, Ok(Answer::Document(call.form)));
}

#[tokio::test]
async fn messages_and_events_are_answered_by_those_who_export_them() {
    let house = House::new();
    let module = |export: &str, parameters: &str| {
        let module = Guest::default().module();
        module.replace("voice@0.1.0#answer", export).replace("(param $call i32)", parameters)
    };
    let receive = module("messaging@0.1.0#receive", "(param $call i32)");
    let messaging = house.load(&component(&receive, "export hookswitch:handler/messaging@0.1.0;"));
    // An event has so few fields that they come one by one.
    let notify = module("events@0.1.0#notify", &format!("(param {})", "i32 ".repeat(14)));
    let events = house.load(&component(&notify, "export hookswitch:handler/events@0.1.0;"));
    assert!(messaging.exports().messaging && !messaging.exports().voice);

    let message = Webhook::Message(Message {
        id: "SM00000000000000000000000000000001".into(),
        account: String::new(),
        from: "+12025550123".into(),
        to: "12345".into(),
        body: "STOP".into(),
        media_count: 0,
        segments: 1,
        step: String::new(),
        form: String::new(),
    });
    let event = Webhook::Event(Event {
        kind: EventKind::Call,
        subject: String::new(),
        account: String::new(),
        status: "completed".into(),
        sequence: Some(3),
        ends_call: false,
        parties: None,
        step: String::new(),
        form: String::new(),
    });
    let nobody = Nobody::new(ConfigValues::default());
    let run = async |prepared, webhook| {
        house.sandbox.run(prepared, &Limits::default(), nobody.context(), webhook).await.result
    };
    assert_eq!(run(&messaging, &message).await, Ok(Answer::Document(HELLO.into())));
    assert_eq!(run(&events, &event).await, Ok(Answer::Noted));
    let missing = run(&events, &message).await.unwrap_err();
    assert_eq!(missing.code(), "HS210");
    assert!(missing.to_string().contains("hookswitch:handler/messaging@0.1.0"), "{missing}");
}

#[tokio::test]
async fn a_failure_keeps_its_causes() {
    let house = House::new();
    let fields = r#"(data (i32.const 100) "no backenddown")"#;
    let answer = "
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1028) (i32.const 100)) (i32.store (i32.const 1032) (i32.const 10))
        (i32.store (i32.const 1036) (i32.const 2048)) (i32.store (i32.const 1040) (i32.const 1))
        (i32.store (i32.const 2048) (i32.const 110)) (i32.store (i32.const 2052) (i32.const 4))
        (i32.const 1024)";
    let outcome = house.try_out(&Guest { fields, answer, ..Guest::default() }.build()).await;
    let expected = RunError::Failed { message: "no backend".into(), causes: vec!["down".into()] };
    assert_eq!(outcome.result, Err(expected));
    assert_eq!(outcome.result.unwrap_err().to_string(), "the handler failed: no backend: down");
}

#[tokio::test]
async fn a_log_flood_loses_lines_and_not_the_call() {
    let house = House::new();
    let answer = "(local $n i32)
        (loop $again
          (call $log (i32.const 2) (i32.const 0) (i32.const 37))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))
        (call $document)";
    let guest = Guest { imports: LOG, answer, ..Guest::default() };
    let outcome = house.try_out(&guest.build()).await;
    assert_eq!(code(&outcome), "ok");
    assert_eq!(outcome.log.len(), 257);
    assert_eq!((outcome.log[0].level, outcome.log[0].source), (LogLevel::Warn, LogSource::Handler));
    assert_eq!(outcome.log[256].source, LogSource::Host);
    assert_eq!(outcome.log_dropped_entries, 744);
    assert_eq!(outcome.log_dropped_bytes, 744 * 37);

    let log = LogBudget { bytes: 50, entries: 10 };
    let outcome = house.try_out_under(&guest.build(), &Limits { log, ..Limits::default() }).await;
    assert_eq!(outcome.log.len(), 3, "one whole, one cut, and the remark");
    assert_eq!(outcome.used.log_bytes, 50);
}

#[tokio::test]
async fn a_panic_is_told_by_its_message() {
    let house = House::new();
    let guest = Guest {
        imports: LOG,
        fields: r#"(data (i32.const 100) "panicked at src/lib.rs:7:9: no such menu")"#,
        answer: "(call $log (i32.const 3) (i32.const 100) (i32.const 40)) unreachable",
        ..Guest::default()
    };
    let error = house.try_out(&guest.build()).await.result.unwrap_err();
    assert_eq!(error.code(), "HS213");
    assert_eq!(error.to_string(), "the handler panicked at src/lib.rs:7:9: no such menu");
    assert_eq!(
        error.trap().unwrap().frames,
        ["guest!answer", "guest!hookswitch:handler/voice@0.1.0#answer"][..1]
    );
}

#[tokio::test]
async fn settings_are_read_by_key() {
    let house = House::new();
    let guest = Guest {
        imports: r#"(import "hookswitch:handler/config@0.1.0" "get" (func $get (param i32 i32 i32)))"#,
        fields: r#"(data (i32.const 100) "greeting")"#,
        // option<string> at 2048
        answer: "(call $get (i32.const 100) (i32.const 8) (i32.const 2048))
            (if (result i32) (i32.load8_u (i32.const 2048))
              (then (call $text (i32.load (i32.const 2052)) (i32.load (i32.const 2056))))
              (else (call $document)))",
        ..Guest::default()
    };
    let prepared = house.load(&guest.build());
    for (config, expected) in [
        (ConfigValues::from_iter([("greeting", "Welcome to Acme")]), "Welcome to Acme"),
        (ConfigValues::from_iter([("other", "x")]), HELLO),
    ] {
        let outcome =
            house.sandbox.run(&prepared, &Limits::default(), Nobody::new(config).context(), &call()).await;
        assert_eq!(outcome.result, Ok(Answer::Document(expected.into())));
    }
}

#[tokio::test]
async fn nothing_survives_in_an_instance() {
    let house = House::new();
    // Answers with the text only if the byte it writes is still zero.
    let answer = "(if (i32.load8_u (i32.const 3000)) (then unreachable))
        (i32.store8 (i32.const 3000) (i32.const 1)) (call $document)";
    let prepared = house.load(&Guest::answering(answer));
    for _ in 0..100 {
        assert_eq!(code(&house.run(&prepared, &Limits::default()).await), "ok");
    }
}
