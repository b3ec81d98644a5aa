//! The commands, run against a host that answers as it was told.

mod commands;
mod failures;
mod following;
mod releases;

use serde_json::{Value, json};

/// The view of a handler with a canary.
fn handler_view() -> Value {
    json!({
        "tenant": "acme", "handler": "front-desk", "generation": 12, "at": "2026-05-04T12:00:00Z", "stable": 7, "previous": 6,
        "canary": {
            "revision": 8, "risk": "code", "reason": "the component changed", "percent": 10.0, "step": 1, "steps": 1,
            "waits_for": "100 calls or 10 min: 34 calls so far", "judgement": "1 of 34 failed, 2 of 310 on revision 7",
            "started_at": "2026-05-04T11:57:00Z"
        },
        "serving": [
            { "revision": 8, "state": "canary", "percent": 10.0, "calls": 3, "webhooks": 120, "failed": 1, "breaker": "closed", "until": null },
            { "revision": 7, "state": "stable", "percent": 90.0, "calls": 40, "webhooks": 10200, "failed": 2, "breaker": "probing", "until": null },
            { "revision": 6, "state": "draining", "percent": 0.0, "calls": 1, "webhooks": 88, "failed": 0, "breaker": "closed", "until": "2026-05-05T11:30:00Z" }
        ],
        "history": [
            { "at": "2026-05-04T11:57:00Z", "change": "canary_started", "revision": 8, "by": "ci", "reason": "code changed" },
            { "at": "2026-05-03T12:00:00Z", "change": "taken_back", "revision": 5, "by": "host", "reason": "20 of 40 failed" }
        ],
        "numbers": ["+12025550123"],
        "urls": { "voice": "https://calls.test/acme/front-desk/voice", "sms": "https://calls.test/acme/front-desk/sms" }
    })
}

/// One of its revisions.
fn revision(number: u32, state: &str) -> Value {
    let until = (state == "draining").then_some("2026-05-05T11:30:00Z");
    json!({
        "revision": number, "digest": format!("{number:064x}"), "bytes": 46_123, "state": state, "risk": "code", "calls": 2, "until": until,
        "reason": "the component changed", "created_at": "2026-05-04T10:00:00Z", "created_by": "ci",
        "settings": { "config": { "greeting": "Hello", "lang": "en" }, "outbound_allow": ["https://api.test"] }
    })
}

/// What became of a deploy.
fn deployed(revision: u32) -> Value {
    json!({
        "tenant": "acme", "handler": "front-desk", "revision": revision, "digest": format!("{revision:064x}"), "risk": "code",
        "reason": "the component changed", "changes": ["component 0000 → 0001", "config: greeting"], "live": true,
        "percent": 10.0, "next": "10 % until 100 calls or 10 min, then promoted", "known": false,
        "urls": { "voice": "https://calls.test/acme/front-desk/voice" }
    })
}

/// What became of a promote or a rollback.
fn changed(revision: u32, what: &str) -> Value {
    let mut changed = deployed(revision);
    changed["what"] = what.into();
    changed
}

fn tenant(id: &str) -> Value {
    json!({
        "id": id, "public_url": null, "twilio_auth_tokens": 1, "shared_keys": ["k1"],
        "quota": { "concurrency": 64, "revisions": 5000, "bytes": 4_294_967_296_u64, "compile_ms_per_hour": 1_800_000 },
        "usage": { "handlers": 2, "revisions": 9, "bytes": 1_500_000, "compile_ms_last_hour": 60_000 },
        "created_at": "2026-05-01T12:00:00Z"
    })
}

fn token(scope: &str, tenant: Option<&str>) -> Value {
    json!({ "id": "t1", "scope": scope, "tenant": tenant, "label": "ci", "created_at": "2026-05-04T11:00:00Z" })
}
