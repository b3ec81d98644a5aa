use bytes::Bytes;
use http::StatusCode;

use super::*;
use crate::call::{Entry, RevisionId};
use crate::carrier::webhook_of_form;

struct Kit {
    data: tempfile::TempDir,
    recorder: Recorder,
    tenant: TenantId,
    handler: HandlerName,
}

fn key() -> MasterKey {
    MasterKey::new([3; 32])
}

impl Kit {
    fn new(settings: RecordingSettings) -> Self {
        let data = tempfile::tempdir().unwrap();
        let recorder = Recorder::open(data.path(), &key(), RecordingSettings::default()).unwrap();
        let kit = Self {
            data,
            recorder,
            tenant: TenantId::new("acme").unwrap(),
            handler: HandlerName::new("ivr").unwrap(),
        };
        kit.recorder.set(&kit.tenant, &settings).unwrap();
        kit
    }

    /// One webhook, as the path of a call hands it over.
    fn heard(&self, entry: Entry, form: &str, begins: bool, document: &str) {
        let webhook = webhook_of_form(entry, "", form).unwrap();
        let body = Bytes::from(document.to_owned());
        let answer =
            Answer { status: StatusCode::OK, body, revision: RevisionId(4), code: None, headers: None };
        if self.recorder.records(&self.tenant) {
            let answered = Answered {
                webhook: &webhook,
                answer: &answer,
                effects: Noted::default(),
                begins,
                took: Duration::from_micros(90),
            };
            self.recorder.keep(&self.tenant, &self.handler, answered);
        }
    }

    fn call(&self, id: &str, begins: bool, document: &str) {
        let form = format!(
            "CallSid={id}&From=%2B12025550123&To=%2B12025550199&Direction=inbound&CallStatus=ringing"
        );
        self.heard(Entry::Voice, &form, begins, document);
    }

    fn calls(&self) -> Vec<KeptCall> {
        self.recorder.calls(&self.tenant, &self.handler, 1_000).unwrap()
    }

    fn ids(&self) -> Vec<String> {
        self.calls().iter().map(KeptCall::id).collect()
    }
}

fn on() -> RecordingSettings {
    RecordingSettings { on: true, ..RecordingSettings::default() }
}

#[test]
fn nothing_is_kept_unless_it_is_switched_on() {
    let kit = Kit::new(RecordingSettings::default());
    kit.call("CA1", true, "<Response/>");
    assert_eq!(kit.recorder.kept(&kit.tenant).unwrap(), Kept::default());
    kit.recorder.set(&kit.tenant, &on()).unwrap();
    kit.call("CA1", false, "<Response/>");
    assert!(kit.calls().is_empty(), "it began before");
    kit.call("CA2", true, "<Response/>");
    assert_eq!(kit.ids(), ["CA2"]);
    kit.recorder.set(&kit.tenant, &RecordingSettings::default()).unwrap();
    kit.call("CA3", true, "<Response/>");
    assert_eq!(kit.ids(), ["CA2"], "off again: what is there stays");
}

#[test]
fn a_call_is_kept_whole_in_its_order_with_its_legs_and_callbacks() {
    let kit = Kit::new(on());
    kit.call("CA1", true, "<Response><Say>1</Say></Response>");
    kit.call("CA2", true, "<Response><Say>other</Say></Response>");
    kit.call("CA1", false, "<Response><Say>2</Say></Response>");
    kit.heard(
        Entry::Voice,
        "CallSid=CA9&ParentCallSid=CA1&Direction=outbound-dial",
        true,
        "<Response>leg</Response>",
    );
    kit.heard(Entry::Status, "CallSid=CA1&CallStatus=completed&Direction=inbound", false, "");
    kit.heard(Entry::Status, "Sid=NO1&Level=Error", false, "");
    let calls = kit.calls();
    assert_eq!(calls.len(), 2);
    let first = calls.iter().find(|call| call.id() == "CA1").unwrap();
    let documents: Vec<_> = first.webhooks.iter().map(|webhook| webhook.document.as_str()).collect();
    assert_eq!(
        documents,
        [
            "<Response><Say>1</Say></Response>",
            "<Response><Say>2</Say></Response>",
            "<Response>leg</Response>",
            ""
        ]
    );
    let webhook = &first.webhooks[0];
    assert_eq!((webhook.revision, webhook.status, webhook.took_us), (RevisionId(4), 200, 90));
    assert_eq!(webhook.code, None);
}

#[test]
fn a_conversation_is_what_two_numbers_say_to_each_other() {
    let kit = Kit::new(on());
    let text = |id: &str, from: &str, body: &str| {
        let form = format!("MessageSid={id}&From=%2B{from}&To=%2B12025550199&Body={body}");
        kit.heard(Entry::Messaging, &form, true, "<Response/>");
    };
    text("SM1", "12025550123", "hi");
    text("SM2", "12025550124", "hello");
    text("SM3", "12025550123", "bye");
    kit.heard(
        Entry::Status,
        "MessageSid=SM4&MessageStatus=sent&From=%2B12025550199&To=%2B12025550123",
        false,
        "",
    );
    let calls = kit.calls();
    let lengths: Vec<_> = calls.iter().map(|call| call.webhooks.len()).collect();
    assert_eq!((calls.len(), lengths.iter().sum::<usize>()), (2, 4), "{lengths:?}");
    assert!(lengths.contains(&3), "{lengths:?}");
}

#[test]
fn whole_calls_are_forgotten_the_oldest_first() {
    let kit = Kit::new(RecordingSettings { calls_max: 3, ..on() });
    for number in 1..=5 {
        kit.call(&format!("CA{number}"), true, "<Response/>");
        kit.call(&format!("CA{number}"), false, "<Response/>");
    }
    assert_eq!(kit.ids(), ["CA3", "CA4", "CA5"]);
    assert!(kit.calls().iter().all(|call| call.webhooks.len() == 2), "whole");

    let kit = Kit::new(RecordingSettings { mib_max: 1, ..on() });
    let long = format!("<Response><Say>{}</Say></Response>", "word ".repeat(60_000));
    for number in 1..=6 {
        kit.call(&format!("CA{number}"), true, &long);
    }
    let kept = kit.recorder.kept(&kit.tenant).unwrap();
    assert!((1..=3).contains(&kept.calls) && kept.bytes <= 1 << 20, "{kept:?}");
    assert_eq!(kit.ids().last().map(String::as_str), Some("CA6"), "the newest stays");
    let size = std::fs::metadata(kit.data.path().join(FILE_NAME)).unwrap().len();
    assert!(size < 3 << 20, "{size} bytes: what is forgotten gives its place back");

    assert_eq!(kit.recorder.forget(&kit.tenant, None).unwrap(), kept.calls);
    assert_eq!(kit.recorder.kept(&kit.tenant).unwrap(), Kept::default());
}

#[test]
fn what_is_too_old_is_forgotten() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path(), &key()).unwrap();
    let (tenant, handler) = (TenantId::new("acme").unwrap(), HandlerName::new("ivr").unwrap());
    let hour = 3_600_000;
    let entry = |name: u8, at: u64, begins: Begins| store::Entry {
        tenant: tenant.clone(),
        handler: handler.clone(),
        name: [name; 32],
        begins,
        webhook: KeptWebhook {
            at,
            took_us: 1,
            entry: "sms".into(),
            step: String::new(),
            form: format!("MessageSid=SM{name}"),
            status: 200,
            document: String::new(),
            revision: RevisionId(1),
            code: None,
            effects: Vec::new(),
            effects_torn: false,
        },
    };
    let now = 1_000 * hour;
    let (old, middle) = (now - 10 * hour, now - 5 * hour);
    store
        .add(&[
            entry(1, old, Begins::Call),
            entry(2, middle, Begins::Call),
            entry(1, old + hour, Begins::Nothing),
        ])
        .unwrap();
    // The same two numbers hours later are another conversation; soon after, the same.
    store
        .add(&[
            entry(3, old, Begins::Conversation),
            entry(3, middle, Begins::Conversation),
            entry(3, middle + hour, Begins::Conversation),
        ])
        .unwrap();
    let lengths = |calls: Vec<KeptCall>| calls.iter().map(|call| call.webhooks.len()).collect::<Vec<_>>();
    assert_eq!(lengths(store.calls(&tenant, &handler, 10).unwrap()), [1, 2, 1, 2]);
    let rules = RecordingSettings { hours_max: 6, ..on() };
    assert_eq!(store.bound(&tenant, &rules, now).unwrap(), 2);
    assert_eq!(lengths(store.calls(&tenant, &handler, 10).unwrap()), [1, 2]);
}

#[test]
fn the_file_shows_no_number_no_id_and_no_word() {
    let kit = Kit::new(RecordingSettings { numbers: Numbers::Keep, texts: Redaction::Keep, ..on() });
    kit.call("CAfeed0000", true, "<Response><Say>secret words</Say></Response>");
    assert_eq!(kit.calls().len(), 1);
    kit.recorder.stop();
    let mut bytes = std::fs::read(kit.data.path().join(FILE_NAME)).unwrap();
    bytes.extend(std::fs::read(kit.data.path().join(format!("{FILE_NAME}-wal"))).unwrap_or_default());
    for word in ["2025550123", "5550123", "CAfeed", "secret", "Response", "CallSid"] {
        let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!found, "{word} can be read in the file");
    }
    let opened = Recorder::open(kit.data.path(), &key(), RecordingSettings::default()).unwrap();
    assert!(opened.records(&kit.tenant), "what was set outlives the process");
    assert_eq!(opened.calls(&kit.tenant, &kit.handler, 9).unwrap().len(), 1);
    let other =
        Recorder::open(kit.data.path(), &MasterKey::new([4; 32]), RecordingSettings::default()).unwrap();
    assert!(other.calls(&kit.tenant, &kit.handler, 9).unwrap().is_empty(), "another key opens nothing");
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join(FILE_NAME);
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("PRAGMA user_version = 9; CREATE TABLE x (y)").unwrap();
    drop(foreign);
    let before = std::fs::read(&path).unwrap();
    let error = Recorder::open(data.path(), &key(), RecordingSettings::default()).err().unwrap();
    assert!(error.to_string().contains("version 9"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_call_of_which_a_part_was_lost_is_forgotten_whole() {
    let kit = Kit::new(on());
    kit.call("CA1", true, "<Response/>");
    kit.call("CA2", true, "<Response/>");
    assert_eq!(kit.calls().len(), 2);
    let lost = webhook_of_form(Entry::Voice, "", "CallSid=CA1").unwrap();
    kit.recorder.lose(&kit.tenant, &kit.handler, &lost);
    kit.call("CA1", false, "<Response/>");
    let began = std::time::Instant::now();
    while kit.ids() != ["CA2"] {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", kit.ids());
        std::thread::yield_now();
    }
    assert_eq!(kit.recorder.dropped(), 1);
}

#[test]
fn a_full_queue_drops_calls_and_never_waits() {
    let kit = Kit::new(on());
    let held = rusqlite::Connection::open(kit.data.path().join(FILE_NAME)).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = std::time::Instant::now();
    let document = format!("<Response><Say>{}</Say></Response>", "x".repeat(60_000));
    for number in 0..2_000 {
        kit.call(&format!("CA{number}"), true, &document);
    }
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}: shorter than the writer waits for the lock",
        began.elapsed()
    );
    assert!(kit.recorder.dropped() > 500, "{} dropped: 120 MB do not fit the queue", kit.recorder.dropped());
    held.execute_batch("ROLLBACK").unwrap();
    assert!(kit.recorder.kept(&kit.tenant).unwrap().bytes > 0, "what fitted is kept");
}
