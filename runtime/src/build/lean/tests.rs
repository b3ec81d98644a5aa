//! Guests written by hand, made lean and run; and all those which are left alone.

use std::sync::Arc;
use std::time::Duration;

use wasmparser::{Instance, Parser, Payload};

use super::super::componentize::shape;
use super::lean;
use crate::attack::voice::encode;
use crate::call::{Call, CallStatus, Direction, Webhook};
use crate::capability::{ConfigValues, Nobody};
use crate::sandbox::{Answer, Limits, Outcome, Sandbox, SandboxSettings};

/// A guest: what differs from one that can be made lean.
struct Guest<'a> {
    /// Before its functions.
    imports: &'a str,
    /// After its functions.
    fields: &'a str,
    /// What is done when it is asked for memory, beside giving it.
    realloc: &'a str,
    /// What is done before it answers.
    answer: &'a str,
}

impl Default for Guest<'_> {
    fn default() -> Self {
        Self { imports: GET, fields: "", realloc: "", answer: "" }
    }
}

const GET: &str = r#"(import "hookswitch:handler/config@0.1.0" "get" (func $get (param i32 i32 i32)))"#;
const WRITE: &str = r#"(import "hookswitch:handler/log@0.1.0" "write" (func $write (param i32 i32 i32)))"#;

impl Guest<'_> {
    /// The encoder's component. Like a compiled guest it keeps its allocator's state, where the next block begins, in
    /// memory (address 8), and can take back all blocks. It answers with the text at `$text`, `$bytes` long.
    fn encode(&self) -> Vec<u8> {
        let Self { imports, fields, realloc, answer } = self;
        let core = format!(
            r#"(module
  {imports}
  (memory (export "memory") 1)
  (global $stack (mut i32) (i32.const 0))
  (table $callbacks 1 funcref)
  (func $take (param $bytes i32) (result i32)
    (local $at i32)
    (local.set $at (i32.load (i32.const 8)))
    (i32.store (i32.const 8) (i32.add (local.get $at) (i32.and (i32.add (local.get $bytes) (i32.const 7)) (i32.const -8))))
    (if (i32.gt_u (i32.load (i32.const 8)) (i32.const 65536)) (then (call $exhausted) (unreachable)))
    (local.get $at))
  (func $take_back_all (i32.store (i32.const 8) (i32.const 16384)))
  ;; As panics do: more of the guest than an allocator needs.
  (func $exhausted (global.set $stack (i32.const 1)) (call_indirect (i32.const 0)))
  (func $cabi_realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    {realloc}
    (call $take (local.get 3)))
  (func (export "hookswitch:handler/voice@0.1.0#answer") (param $call i32) (result i32)
    (local $text i32) (local $bytes i32) (local $round i32)
    (local.set $text (i32.const 16)) (local.set $bytes (i32.const 11))
    {answer}
    (i32.store (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (local.get $text))
    (i32.store (i32.const 72) (local.get $bytes))
    (i32.const 64))
  (data (i32.const 8) "\00\40\00\00")
  (data (i32.const 16) "<Response/>")
  (data (i32.const 32) "text")
  {fields})"#
        );
        encode(&core, &[], "include hookswitch:handler/voice-handler@0.1.0;")
    }

    fn lean(&self) -> Vec<u8> {
        lean(&self.encode()).unwrap()
    }
}

/// Reads the setting `text` into `$text` and `$bytes`.
const READ: &str = "
    (call $get (i32.const 32) (i32.const 4) (i32.const 40))
    (local.set $text (i32.load (i32.const 44)))
    (local.set $bytes (i32.load (i32.const 48)))";

/// Answers an incoming call with `component`, whose setting `text` is as given.
async fn run(sandbox: &Arc<Sandbox>, component: &[u8], text: &str) -> Outcome {
    let webhook = Webhook::Voice(Call {
        id: "CA00000000000000000000000000000001".into(),
        account: String::new(),
        from: String::new(),
        to: String::new(),
        direction: Direction::Inbound,
        status: CallStatus::Ringing,
        step: String::new(),
        digits: None,
        speech: None,
        form: String::new(),
    });
    let limits =
        Limits { cpu: Duration::from_secs(5), deadline: Duration::from_secs(10), ..Limits::default() };
    let prepared = sandbox.load(component).unwrap();
    sandbox
        .run(&prepared, &limits, Nobody::new(ConfigValues::from_iter([("text", text)])).context(), &webhook)
        .await
}

fn sandbox() -> Arc<Sandbox> {
    Sandbox::new(&SandboxSettings { concurrency_max: 4, ..SandboxSettings::default() }).unwrap()
}

/// The modules in a component, and how many of them are instantiated.
fn modules(component: &[u8]) -> (Vec<&[u8]>, usize) {
    let (mut modules, mut instances) = (Vec::new(), 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ModuleSection { unchecked_range, .. } => modules.push(&component[unchecked_range]),
            Payload::InstanceSection(section) => {
                let all = section.into_iter().map(Result::unwrap);
                instances += all.filter(|instance| matches!(instance, Instance::Instantiate { .. })).count();
            }
            _ => {}
        }
    }
    (modules, instances)
}

/// The bytes of the sections with these numbers.
fn sections(module: &[u8], ids: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let payloads = Parser::new(0).parse_all(module).map(Result::unwrap);
    let sections = payloads.filter_map(|payload| payload.as_section());
    sections.filter(|(id, _)| ids.contains(id)).map(|(id, range)| (id, module[range].to_vec())).collect()
}

#[test]
fn one_instance_less_and_the_same_code() {
    let guest = Guest { imports: &format!("{GET} {WRITE}"), ..Guest::default() };
    let (encoded, lean) = (guest.encode(), guest.lean());
    let ((before, instances_before), (after, instances_after)) = (modules(&encoded), modules(&lean));
    assert_eq!((before.len(), instances_before), (3, 3));
    assert_eq!((after.len(), instances_after), (2, 2));
    // Types, functions, tables, globals, exports, elements, code and custom sections, names among them.
    let same = [1, 3, 4, 6, 7, 9, 10, 0];
    assert_eq!(sections(before[0], &same), sections(after[0], &same));
    assert!(sections(after[0], &[5, 11]).is_empty(), "memory and data are the first module's");
    assert_eq!(sections(before[0], &[5, 11]), sections(after[1], &[5, 11]));
    assert_eq!(shape(&encoded).unwrap(), shape(&lean).unwrap());
}

#[test]
fn without_anything_to_find_room_for_there_is_only_the_memory() {
    let lean = Guest {
        imports: WRITE,
        answer: "(call $write (i32.const 1) (i32.const 16) (i32.const 11))",
        ..Guest::default()
    }
    .lean();
    assert!(sections(modules(&lean).0[1], &[3, 10]).is_empty());
}

#[tokio::test]
async fn guest_and_copy_are_one_allocator() {
    let sandbox = sandbox();
    let text = format!("<Response><Say>{}</Say></Response>", "long ".repeat(800));
    // More than memory holds, were not every block taken back before the next is asked for; at last one is kept, and
    // the guest's own next block, which is filled with zeros, is another.
    let answer = format!(
        "(loop $again {READ}
            (call $take_back_all)
            (br_if $again (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 100000))))
         {READ}
         (memory.fill (call $take (i32.const 8192)) (i32.const 0) (i32.const 8192))"
    );
    let guest = Guest { answer: &answer, ..Guest::default() };
    for component in [guest.encode(), guest.lean()] {
        let outcome = run(&sandbox, &component, &text).await;
        assert_eq!(outcome.result, Ok(Answer::Document(text.clone())));
        assert!(outcome.used.memory_bytes < 2 * 65_536, "no more than it began with");
    }
}

#[tokio::test]
async fn a_realloc_without_room_traps_where_the_guest_would_have_panicked() {
    let sandbox = sandbox();
    let answer = format!("(loop $again {READ} (br $again))");
    let guest = Guest { answer: &answer, ..Guest::default() };
    for component in [guest.encode(), guest.lean()] {
        let error = run(&sandbox, &component, &"x".repeat(4096)).await.result.unwrap_err();
        assert_eq!(error.code(), "HS202", "{error}");
        let frames = error.trap().unwrap().frames.join("\n");
        for function in ["exhausted", "take", "cabi_realloc"] {
            assert!(frames.contains(function), "{function}: {frames}");
        }
    }
}

#[test]
fn what_is_built_otherwise_stays_as_it_is() {
    let guest = Guest::default;
    let cases = [
        ("no import that needs memory", Guest { imports: "", ..guest() }, "not the three modules"),
        (
            "state in a global",
            Guest { realloc: "(global.set $stack (i32.const 1))", ..guest() },
            "not be valid",
        ),
        (
            "a call through a table",
            Guest { realloc: "(call_indirect (i32.const 0))", ..guest() },
            "not be valid",
        ),
        (
            "a realloc that logs",
            Guest {
                imports: &format!("{GET} {WRITE}"),
                realloc: "(call $write (i32.const 1) (i32.const 16) (i32.const 11))",
                ..guest()
            },
            "calls imports",
        ),
        (
            "a runtime below the realloc",
            Guest { realloc: &"(i32.store (i32.const 0) (i32.const 99999999))".repeat(4_000), ..guest() },
            "more than an allocator",
        ),
        (
            "data where a global says",
            Guest { fields: r#"(global $at i32 (i32.const 200)) (data (global.get $at) "x")"#, ..guest() },
            "without a fixed place",
        ),
        (
            "data on command",
            Guest {
                fields: r#"(data $text "x")"#,
                answer: "(memory.init $text (i32.const 200) (i32.const 0) (i32.const 1))",
                ..guest()
            },
            "data",
        ),
    ];
    for (name, guest, expected) in cases {
        let reason = lean(&guest.encode()).expect_err(name).to_string();
        assert!(reason.contains(expected), "{name}: {reason}");
    }
    let other =
        wat::parse_str(r#"(component (import "a" (func)) (core module) (core module) (core module))"#)
            .unwrap();
    assert!(lean(&other).is_err());
}

#[test]
fn bytes_of_any_kind_are_no_panic() {
    let encoded = Guest { imports: &format!("{GET} {WRITE}"), ..Guest::default() }.encode();
    for length in 0..encoded.len() {
        let _ = lean(&encoded[..length]);
        for bit in [0, 3, 7] {
            let mut changed = encoded.clone();
            changed[length] ^= 1 << bit;
            let _ = lean(&changed);
        }
    }
}
