//! Who may do what.

use std::collections::BTreeSet;

use super::*;
use crate::call::{HandlerName, RevisionId};
use crate::control::auth::Caller;
use crate::control::model::HandlerView;
use crate::digest::Digest;
use crate::handler_toml::RevisionSettings;
use crate::registry::RegistryError;
use crate::registry::model::{Decision, NewRevision, TokenRecord};
use crate::release::{Release, ReleaseChange, ReleaseEvent, ReleaseRisk};

/// What each of them hears about tenant `acme`: nobody, the operator, `deploy` and `read` of `acme`, `deploy` of another.
struct Case(&'static str, &'static str, Value, [u16; 5]);

const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn cases() -> Vec<Case> {
    let none = Value::Null;
    let handler = "/api/v1/tenants/acme/handlers/ivr";
    // With nothing deployed, `404` is how it is seen that the right was there.
    let mut cases = vec![
        Case("GET", "/api/v1/tenants", none.clone(), [401, 200, 403, 403, 403]),
        Case("POST", "/api/v1/tenants", json!({ "id": "acme" }), [401, 409, 403, 403, 403]),
        Case("GET", "/api/v1/tenants/acme", none.clone(), [401, 200, 200, 200, 403]),
        Case("PATCH", "/api/v1/tenants/acme", json!({}), [401, 200, 403, 403, 403]),
        Case("GET", "/api/v1/tokens", none.clone(), [401, 200, 403, 403, 403]),
        Case(
            "POST",
            "/api/v1/tokens",
            json!({ "scope": "read", "tenant": "ghost" }),
            [401, 404, 403, 403, 403],
        ),
        Case("DELETE", "/api/v1/tokens/ghost", none.clone(), [401, 404, 403, 403, 403]),
        Case("GET", "/api/v1/token", none.clone(), [401, 200, 200, 200, 200]),
        Case("GET", "/api/v1/tenants/acme/numbers", none.clone(), [401, 200, 200, 200, 403]),
        Case("GET", "/api/v1/tenants/acme/outbox", none.clone(), [401, 200, 200, 200, 403]),
        Case("DELETE", "/api/v1/tenants/acme/outbox?handler=ivr", none.clone(), [401, 200, 200, 403, 403]),
        Case("GET", "/api/v1/tenants/acme/outbox/ghost", none.clone(), [401, 404, 404, 404, 403]),
        Case("DELETE", "/api/v1/tenants/acme/outbox/ghost", none.clone(), [401, 404, 404, 403, 403]),
        // A tenant may move its numbers, but not take one.
        Case(
            "PUT",
            "/api/v1/tenants/acme/numbers/+12025550123",
            json!({ "handler": "ivr" }),
            [401, 404, 403, 403, 403],
        ),
        Case("DELETE", "/api/v1/tenants/acme/numbers/+12025550123", none.clone(), [401, 404, 404, 403, 403]),
        Case("GET", "/api/v1/tenants/acme/secrets", none.clone(), [401, 200, 200, 200, 403]),
        Case(
            "PUT",
            "/api/v1/tenants/acme/secrets/crm-key",
            json!({ "value": "x" }),
            [401, 200, 200, 403, 403],
        ),
        Case("DELETE", "/api/v1/tenants/acme/secrets/ghost", none.clone(), [401, 404, 404, 403, 403]),
        Case("PUT", "/api/v1/tenants/acme/components/{digest}", none.clone(), [401, 415, 415, 403, 403]),
        Case("GET", "/api/v1/tenants/acme/components/{digest}", none.clone(), [401, 404, 404, 404, 403]),
        Case("GET", "/api/v1/tenants/acme/handlers", none.clone(), [401, 200, 200, 200, 403]),
        Case("GET", "/api/v1/tenants/acme/logs?handler=", none.clone(), [401, 400, 400, 400, 403]),
        Case("GET", "/api/v1/tenants/acme/recording", none.clone(), [401, 200, 200, 200, 403]),
        Case("PUT", "/api/v1/tenants/acme/recording", json!({ "on": true }), [401, 200, 403, 403, 403]),
        Case("DELETE", "/api/v1/tenants/acme/recording", none.clone(), [401, 204, 204, 403, 403]),
        Case("GET", "/api/v1/tenants/ghost/logs", none.clone(), [401, 404, 403, 403, 403]),
    ];
    let digest = json!({ "digest": DIGEST, "settings": {} });
    for (method, path, body, heard) in [
        ("GET", "", none.clone(), [401, 404, 404, 404, 403]),
        ("DELETE", "", none.clone(), [401, 404, 404, 403, 403]),
        ("GET", "/revisions", none.clone(), [401, 404, 404, 404, 403]),
        ("POST", "/revisions", digest, [401, 404, 404, 403, 403]),
        ("POST", "/replay", json!({ "revision": 1 }), [401, 404, 404, 403, 403]),
        ("POST", "/promote", none.clone(), [401, 404, 404, 403, 403]),
        ("POST", "/rollback", none.clone(), [401, 404, 404, 403, 403]),
    ] {
        cases.push(Case(method, format!("{handler}{path}").leak(), body, heard));
    }
    // The last: nobody is there afterwards.
    cases.push(Case("DELETE", "/api/v1/tenants/acme", none, [401, 204, 401, 401, 403]));
    cases
}

#[tokio::test]
async fn a_token_opens_what_its_scope_says_and_nothing_else() {
    let server = Server::start().await;
    let tokens = [
        None,
        Some(server.token.clone()),
        Some(server.token(Scope::Deploy, "acme")),
        Some(server.token(Scope::Read, "acme")),
        Some(server.token(Scope::Deploy, "other")),
    ];
    let names = ["nobody", "operator", "deploy", "read", "deploy of another"];
    let mut tried = BTreeSet::new();
    for Case(method, path, body, heard) in cases() {
        let path = path.replace("{digest}", DIGEST);
        for ((token, name), expected) in tokens.iter().zip(names).zip(heard) {
            let answer = server.ask(method, &path, token.as_deref(), &body).await;
            let expected = if path.ends_with(DIGEST) && expected == 415 { 415 } else { expected };
            assert_eq!(answer.status, expected, "{method} {path} by {name}: {}", answer.body);
            if expected >= 400 {
                answer.problem();
            }
            if expected == 401 {
                assert!(answer.header("www-authenticate").is_some(), "{}", answer.head);
            }
        }
        tried.insert(format!("{method} {}", template(&path)));
    }
    assert_eq!(tried, documented_operations(), "each endpoint has its row in the table");
}

#[tokio::test]
async fn whoever_may_not_do_a_thing_is_told_so_before_the_rest_of_the_request_is_looked_at() {
    let server = Server::start().await;
    let tokens =
        [("read", server.token(Scope::Read, "acme")), ("other", server.token(Scope::Deploy, "other"))];
    let bodies: [(&str, &[u8]); 4] = [
        ("content-type: application/json\r\n", b"{\"nobody\": \"knows\"}"),
        ("content-type: application/json\r\n", b"["),
        ("content-type: text/plain\r\n", b"words"),
        // Never sent: nobody waits for it.
        ("content-type: application/json\r\ncontent-length: 1048000\r\n", b""),
    ];
    let mut refused = BTreeSet::new();
    for Case(method, path, _, heard) in cases() {
        let path = format!("{}?nobody=knows", path.replace("{digest}", DIGEST).split('?').next().unwrap());
        for ((name, token), expected) in tokens.iter().zip([heard[3], heard[4]]) {
            if expected != 403 {
                continue;
            }
            for (head, body) in bodies {
                let length = if head.contains("length") {
                    String::new()
                } else {
                    format!("content-length: {}\r\n", body.len())
                };
                let head =
                    format!("{method} {path} HTTP/1.1\r\nauthorization: Bearer {token}\r\n{head}{length}");
                let answer = server.raw(&head, body).await;
                assert_eq!(answer.status, 403, "{head} by {name}: {}", answer.body);
            }
            refused.insert((method, template(&path)));
        }
    }
    // All but the caller's own token.
    assert_eq!(refused.len(), documented_operations().len() - 1, "{refused:?}");
    // A tenant that can't be is another one.
    let answer = server.ask("GET", "/api/v1/tenants/A%20b", Some(&tokens[0].1), &Value::Null).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
}

fn template(path: &str) -> String {
    let path = path.split('?').next().unwrap();
    let replaced = [
        ("/tenants/acme", "/tenants/{tenant}"),
        ("/tenants/ghost", "/tenants/{tenant}"),
        ("/tokens/ghost", "/tokens/{id}"),
        ("/numbers/+12025550123", "/numbers/{number}"),
        ("/outbox/ghost", "/outbox/{entry}"),
        ("/secrets/crm-key", "/secrets/{name}"),
        ("/secrets/ghost", "/secrets/{name}"),
        (DIGEST, "{digest}"),
        ("/handlers/ivr", "/handlers/{handler}"),
    ];
    replaced.iter().fold(path.to_owned(), |path, (from, to)| path.replace(from, to))
}

fn documented_operations() -> BTreeSet<String> {
    let document = openapi();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

#[tokio::test]
async fn another_tenant_is_refused_in_the_same_words_whether_it_is_there_or_not() {
    let server = Server::start().await;
    let token = server.token(Scope::Deploy, "acme");
    for path in ["", "/handlers", "/handlers/ivr", "/numbers", "/outbox", "/secrets", "/logs"] {
        let mut answers = Vec::new();
        for tenant in ["other", "ghost"] {
            let path = format!("/api/v1/tenants/{tenant}{path}");
            let answer = server.ask("GET", &path, Some(&token), &Value::Null).await;
            answers.push((answer.status, answer.body));
        }
        assert_eq!(answers[0], answers[1], "{path}");
        assert_eq!(answers[0].0, 403);
    }
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_and_an_operator_can_not_lock_itself_out() {
    let server = Server::start().await;
    let made = server
        .operator("POST", "/api/v1/tokens", &json!({ "scope": "deploy", "tenant": "acme", "label": "ci" }))
        .await;
    let made = made.json();
    let token = made["token"].as_str().unwrap();
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    let own = async || server.ask("GET", "/api/v1/token", Some(token), &Value::Null).await;
    let shown = own().await.json();
    assert_eq!(
        (&shown["label"], &shown["scope"], &shown["tenant"]),
        (&json!("ci"), &json!("deploy"), &json!("acme"))
    );
    let listed = server.operator("GET", "/api/v1/tokens?tenant=acme", &Value::Null).await;
    assert!(listed.body.contains("\"ci\"") && !listed.body.contains(token), "{}", listed.body);

    assert_eq!(server.operator("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(own().await.problem(), "unauthorized");

    let id =
        server.operator("GET", "/api/v1/token", &Value::Null).await.json()["id"].as_str().unwrap().to_owned();
    let answer = server.operator("DELETE", &format!("/api/v1/tokens/{id}"), &Value::Null).await;
    assert_eq!((answer.status, answer.problem().as_str()), (409, "conflict"));
}

#[tokio::test]
async fn the_operators_file_opens_a_host_without_its_registry_until_its_token_is_revoked() {
    let server = Server::start_with_operator_file().await;
    let held = std::fs::read_to_string(server.data.path().join("operator-token")).unwrap();
    let held = held.trim();
    let (file, aside) = (server.data.path().join("registry.db"), server.data.path().join("aside"));
    let without_registry = async || {
        std::fs::rename(&file, &aside).unwrap();
        let answer = server.ask("GET", "/api/v1/token", Some(held), &Value::Null).await;
        std::fs::rename(&aside, &file).unwrap();
        answer.status
    };
    assert_eq!(without_registry().await, 200);
    // Revoking another one changes nothing.
    let made = json!({ "scope": "operator" });
    let other =
        server.operator("POST", "/api/v1/tokens", &made).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(server.operator("DELETE", &format!("/api/v1/tokens/{other}"), &Value::Null).await.status, 204);
    assert_eq!(without_registry().await, 200);

    let own = server.ask("GET", "/api/v1/token", Some(held), &Value::Null).await.json();
    let path = format!("/api/v1/tokens/{}", own["id"].as_str().unwrap());
    assert_eq!(server.operator("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(without_registry().await, 503);
}

#[tokio::test]
async fn a_tenant_moves_its_numbers_and_takes_none() {
    let server = Server::start().await;
    for (tenant, handler) in [("acme", "ivr"), ("acme", "sales"), ("other", "ivr")] {
        add_handler(&server.registry, tenant, handler);
    }
    let token = server.token(Scope::Deploy, "acme");
    let path = "/api/v1/tenants/acme/numbers/%2B12025550123";
    let (ivr, sales) = (json!({ "handler": "ivr" }), json!({ "handler": "sales" }));
    assert_eq!(server.ask("PUT", path, Some(&token), &ivr).await.problem(), "forbidden");
    assert_eq!(server.operator("PUT", path, &ivr).await.status, 200);
    let moved = server.ask("PUT", path, Some(&token), &sales).await.json();
    assert_eq!(moved["before"], "ivr", "{moved}");
    let again = server.ask("PUT", path, Some(&token), &sales).await.json();
    assert_eq!((&again["handler"], &again["before"]), (&json!("sales"), &Value::Null), "{again}");
    let listed = server.ask("GET", "/api/v1/tenants/acme/numbers", Some(&token), &Value::Null).await.json();
    assert_eq!(listed, json!([{ "number": "+12025550123", "tenant": "acme", "handler": "sales" }]));

    let theirs = path.replace("acme", "other");
    assert_eq!(server.operator("PUT", &theirs, &ivr).await.problem(), "conflict");
    let answer = server.operator("DELETE", "/api/v1/tenants/acme", &Value::Null).await;
    assert_eq!(answer.problem(), "conflict", "its handlers have calls");
}

/// As a deploy leaves it in the registry.
pub(super) fn add_handler(registry: &Registry, tenant: &str, handler: &str) {
    let new = NewRevision {
        tenant: TenantId::new(tenant).unwrap(),
        handler: HandlerName::new(handler).unwrap(),
        digest: Digest::of(handler.as_bytes()),
        component_bytes: 1,
        artifact_bytes: 1,
        settings: RevisionSettings::default(),
        imports: Vec::new(),
        exports: Vec::new(),
        by: "test".into(),
        at: 1,
    };
    let revision = RevisionId(1);
    let release = Release { generation: 1, stable: revision, previous: None, canary: None };
    let event = ReleaseEvent {
        at: 1,
        change: ReleaseChange::Released,
        revision,
        by: "test".into(),
        reason: "first".into(),
    };
    let decision =
        Decision { risk: ReleaseRisk::Contract, reason: "first".into(), release: Some((release, event)) };
    registry.deploy::<RegistryError>(&new, |_| Ok(decision)).unwrap();
}

#[test]
fn only_the_operator_hears_where_the_host_keeps_its_files() {
    let record = |scope| TokenRecord { id: "t1".into(), label: String::new(), scope, created_at: 0 };
    let acme = TenantId::new("acme").unwrap();
    let failed = || {
        let path = "/srv/data/registry.db".into();
        crate::deploy::DeployError::from(RegistryError::Locked { path })
    };
    let view = || HandlerView {
        at: String::new(),
        previous: None,
        tenant: "acme".into(),
        handler: "ivr".into(),
        generation: 1,
        stable: 1,
        canary: None,
        serving: Vec::new(),
        history: Vec::new(),
        numbers: Vec::new(),
        urls: model::Urls::default(),
        schedules: Vec::new(),
        registry: Some(failed().to_string()),
    };
    for (scope, knows) in
        [(Scope::Operator, true), (Scope::Deploy(acme.clone()), false), (Scope::Read(acme), false)]
    {
        let caller = Caller(record(scope));
        let told = caller.told(failed());
        assert_eq!(told.word, Word::Unavailable);
        for said in [told.detail, caller.shown(view()).registry.unwrap()] {
            assert_eq!(said.contains("/srv/data"), knows, "{said}");
            assert!(said.contains("registry") && said.contains("locked"), "{said}");
        }
        assert_eq!(caller.shown(HandlerView { registry: None, ..view() }).registry, None);
    }
}

#[tokio::test]
async fn going_back_to_a_revision_that_never_was_is_not_found() {
    let server = Server::start().await;
    add_handler(&server.registry, "acme", "ivr");
    let change = server.registry.change_release::<RegistryError>(
        &TenantId::new("acme").unwrap(),
        &HandlerName::new("ivr").unwrap(),
        |present, _| Ok(present.release.rollback(Some(RevisionId(9)), "ann", 2).unwrap().unwrap()),
    );
    let told =
        Caller(TokenRecord { id: "t1".into(), label: String::new(), scope: Scope::Operator, created_at: 0 })
            .told(change.unwrap_err().into());
    assert_eq!(
        (told.word, told.detail.as_str()),
        (Word::NotFound, "ivr has no revision 9; `hookswitch revisions ivr` lists them")
    );
}
