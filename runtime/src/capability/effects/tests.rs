use serde_json::{Value, json};

use super::*;
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::capability::{ConfigValues, Grants};
use crate::config::Secret;
use crate::outbound::AllowList;
use crate::state::{Change, Entry, Owner, Reply, State, StorageError};

fn secrets() -> SecretValues {
    [("crm-key".to_owned(), Some(Secret::new("sk_live_0815".to_owned())))].into_iter().collect()
}

fn post(path: &str) -> Request {
    Request::new(Import::Http, "POST", format!("https://crm.example.com{path}"))
}

#[test]
fn a_tape_keeps_the_order_of_questions_whatever_the_order_of_answers() {
    let tape = Tape::new(secrets());
    let (slow, quick) = (tape.ask(post("/slow")), tape.ask(post("/quick?key=sk_live_0815")));
    let refused = tape.ask(post("/refused"));
    let forgotten = tape.ask(post("/unanswered"));
    tape.answer(quick, &Ok::<_, ()>(json!({ "status": 200 })));
    tape.more(quick, b"sk_live");
    tape.more(quick, b"_0815!");
    tape.withdraw(refused);
    tape.answer(slow, &Err::<(), _>("connection-refused"));
    let Noted { effects, torn, .. } = tape.take();
    let expected = [
        (post("/slow"), json!({ "Err": "connection-refused" })),
        (
            post("/quick?key=[secret crm-key]"),
            json!({ "Ok": { "status": 200, "body": "[secret crm-key]!" } }),
        ),
        (post("/unanswered"), Value::Null),
    ];
    assert_eq!(effects, expected.map(|(request, answer)| Effect { request, answer }));
    assert!(!torn);
    tape.more(forgotten, b"late");
    tape.ask(post("/late"));
    assert_eq!(tape.take().effects, [], "what comes after the end is lost");
}

#[test]
fn a_tape_is_bounded_in_number_and_in_bytes() {
    let tape = Tape::new(SecretValues::default());
    for number in 0..100 {
        tape.ask(post(&format!("/{number}")));
    }
    let noted = tape.take();
    assert_eq!((noted.effects.len(), noted.torn), (64, true));

    let tape = Tape::new(SecretValues::default());
    let (small, large) = (tape.ask(post("/small")), tape.ask(post("/large")));
    for place in [small, large] {
        tape.answer(place, &Ok::<_, ()>(json!({ "status": 200 })));
    }
    tape.more(small, b"fits");
    for _ in 0..300 {
        tape.more(large, &[b'x'; 1024]);
    }
    let noted = tape.take();
    assert_eq!((noted.effects.len(), noted.torn), (1, true), "half an answer is none");
    assert_eq!(noted.effects[0].answer, json!({ "Ok": { "status": 200, "body": "fits" } }));
    assert!(noted.bytes <= 256 * 1024, "{}", noted.bytes);
}

#[test]
fn a_script_answers_each_question_once_with_the_first_answer_that_fits() {
    let effect = |request: Request, answer: &str| Effect { request, answer: json!(answer) };
    let record = vec![effect(post("/a"), "first"), effect(post("/b"), "other"), effect(post("/a"), "second")];
    let script = Script::new(record, secrets(), |request| {
        request.target = request.target.replace("2025550123", "2025550999");
    });
    let ask = |path: &str| script.ask::<String>(post(path));
    assert_eq!(ask("/b").as_deref(), Some("other"));
    assert_eq!(ask("/a").as_deref(), Some("first"));
    assert_eq!(ask("/a").as_deref(), Some("second"));
    assert_eq!(ask("/a"), None, "used up");
    assert_eq!(ask("/of/2025550123/sk_live_0815"), None);
    let asked: Vec<_> = script.asked().iter().map(ToString::to_string).collect();
    assert_eq!(
        asked[4], "POST https://crm.example.com/of/2025550999/[secret crm-key]",
        "as it would be kept"
    );
    assert_eq!(asked.len(), 5);
}

fn owner() -> Owner {
    Owner::of(&Arc::new(Grants {
        tenant: TenantId::new("acme").unwrap(),
        handler: HandlerName::new("ivr").unwrap(),
        revision: RevisionId(1),
        pin: "1".into(),
        config: ConfigValues::default(),
        outbound: AllowList::default(),
        secrets: SecretValues::default(),
    }))
}

/// What a handler does to its store, one operation after the other.
struct Handler {
    state: Arc<State>,
    effects: Effects,
}

impl Handler {
    fn new(effects: Effects) -> Self {
        Self { state: State::in_memory().unwrap(), effects }
    }

    async fn get(&self, key: &str) -> Option<String> {
        let found = self.effects.get(&self.state, owner(), key.to_owned()).await.unwrap();
        found.map(|value| String::from_utf8(value.to_vec()).unwrap())
    }

    async fn change(&self, key: &str, change: Change) -> Result<Reply, StorageError> {
        self.effects.change(&self.state, owner(), key.to_owned(), change).await
    }

    async fn add(&self, key: &str, by: i64) -> Reply {
        self.change(key, Change::Add { by, expires_at: None }).await.unwrap()
    }

    async fn keys(&self, prefix: &str) -> Vec<String> {
        let page = self.effects.keys(&self.state, owner(), prefix.to_owned(), None, 10).await;
        page.unwrap().keys
    }
}

fn set(value: &str) -> Change {
    Change::Set(Entry { value: value.as_bytes().into(), expires_at: None })
}

fn swap(expected: &str, new: &str) -> Change {
    let new = Entry { value: new.as_bytes().into(), expires_at: None };
    Change::Swap { expected: Some(expected.as_bytes().into()), new: Some(new) }
}

#[tokio::test]
async fn what_a_store_answered_is_answered_again_by_an_empty_one() {
    let tape = Arc::new(Tape::new(SecretValues::default()));
    let then = Handler::new(Effects::Noted(Arc::clone(&tape)));
    // What was there before the recording.
    then.state.change(owner(), "visits".into(), set("41")).await.unwrap();
    then.state.change(owner(), "name".into(), set("Jane")).await.unwrap();
    async fn run(handler: &Handler) -> (Option<String>, Reply, Vec<String>, Vec<Reply>, String) {
        let name = handler.get("name").await;
        let visits = handler.add("visits", 1).await;
        let keys = handler.keys("").await;
        let mut replies = Vec::new();
        for change in [swap("Jane", "June"), swap("Jane", "Joan"), Change::Delete] {
            replies.push(handler.change("name", change).await.unwrap());
        }
        let wrong = handler.change("keys", Change::Add { by: 1, expires_at: None }).await;
        let wrong = wrong.and(handler.change("visits", set(&"x".repeat(9))).await);
        let wrong = wrong.and(handler.change("visits", Change::Add { by: 1, expires_at: None }).await);
        (name, visits, keys, replies, wrong.unwrap_err().to_string())
    }
    let said = run(&then).await;
    assert_eq!((said.0.as_deref(), said.1), (Some("Jane"), Reply::Sum(42)), "{said:?}");
    assert!(said.4.contains("xxxxxxxxx"), "{said:?}");
    let record = tape.take().effects;
    assert_eq!(record.len(), 9);

    let script = Arc::new(Script::new(record.clone(), SecretValues::default(), |_| {}));
    let again = Handler::new(Effects::Answered(Arc::clone(&script)));
    assert_eq!(run(&again).await, said);
    let asked: Vec<_> = record.into_iter().map(|effect| effect.request).collect();
    assert_eq!(script.asked(), asked);
}

#[tokio::test]
async fn a_key_that_is_changed_otherwise_than_then_follows_the_store() {
    let tape = Arc::new(Tape::new(SecretValues::default()));
    let then = Handler::new(Effects::Noted(Arc::clone(&tape)));
    then.state.change(owner(), "visits".into(), set("41")).await.unwrap();
    then.get("visits").await;
    then.change("visits", set("42")).await.unwrap();
    then.change("topic", set("sales")).await.unwrap();
    assert_eq!(then.get("visits").await.as_deref(), Some("42"));
    assert_eq!(then.get("topic").await.as_deref(), Some("sales"));

    let script = Script::new(tape.take().effects, SecretValues::default(), |_| {});
    let again = Handler::new(Effects::Answered(Arc::new(script)));
    assert_eq!(again.get("visits").await.as_deref(), Some("41"), "from the record");
    assert_eq!(again.get("visits").await.as_deref(), Some("42"), "the next one there");
    assert_eq!(again.get("visits").await.as_deref(), Some("42"), "no more of them: what was read last");
    assert_eq!(again.add("visits", 10).await, Reply::Sum(52), "it was set then, and not added to");
    assert_eq!(again.get("visits").await.as_deref(), Some("52"));
    again.change("topic", set("support")).await.unwrap();
    assert_eq!(again.get("topic").await.as_deref(), Some("support"), "and not what the record says");
    assert_eq!(again.get("other").await, None);
}

#[test]
fn a_request_says_what_it_is_and_where_it_goes() {
    for (request, shown, place, noticed) in [
        (post("/a/b?c=d"), "POST https://crm.example.com/a/b?c=d", "POST https://crm.example.com", true),
        (Request::new(Import::Carrier, "message", "+12025550100"), "message: +12025550100", "message", true),
        (
            Request::new(Import::Carrier, "list of short codes", ""),
            "list of short codes",
            "list of short codes",
            true,
        ),
        (Request::new(Import::Store, "set", "visits"), "store set: visits", "store set", true),
        (Request::new(Import::Store, "get", "visits"), "store get: visits", "store get", false),
    ] {
        assert_eq!((request.to_string().as_str(), request.place().as_str()), (shown, place));
        assert_eq!(request.is_noticed(), noticed, "{shown}");
    }
}
