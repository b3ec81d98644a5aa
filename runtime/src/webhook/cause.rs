//! What an invocation acts outward for: by this it is told whether something was done already.

use crate::call::{Call, Event, EventKind, Message, Webhook};
use crate::carrier::{Cause, DeliveryKey};
use crate::host::Host;
use crate::revision::Revision;

use super::{Target, public_url};

/// What an invocation acts outward for.
///
/// Without a mark of its delivery a webhook is known by all it says: the same words at the same step are taken for the same
/// webhook, because a second call or message is the greater harm. A run of a schedule is known by its moment, a web request by
/// the key that its sender gave it, and without one it is like no other.
pub(super) fn cause(host: &Host, target: &Target<'_>, revision: &Revision, webhook: &Webhook) -> Cause {
    let request = target.request.to_string();
    let parts = known_by(target.delivery, webhook, &request);
    let configured = public_url(host, target.tenant);
    let origin = origin(configured, host.own_url.get().map(String::as_str), target.url, webhook);
    Cause::new(&revision.tenant, &revision.handler, &parts, webhook.subject(), &origin)
}

/// What tells a cause from all others of its handler.
fn known_by<'a>(delivery: Option<&'a DeliveryKey>, webhook: &'a Webhook, request: &'a str) -> [&'a str; 4] {
    match (delivery, webhook) {
        (Some(delivery), _) => ["delivery", delivery, "", ""],
        (None, Webhook::Web(web)) => {
            match web.headers.get("idempotency-key").and_then(|key| key.to_str().ok()) {
                Some(key) => ["web", web.method.as_str(), web.path(), key],
                None => ["web request", request, "", ""],
            }
        }
        // Its form says which attempt it is, and all attempts are tries of one thing.
        (None, Webhook::Event(event)) if event.kind == EventKind::Schedule => {
            ["schedule", &event.step, &event.subject, ""]
        }
        (
            None,
            Webhook::Voice(Call { form, .. })
            | Webhook::Message(Message { form, .. })
            | Webhook::Event(Event { form, .. }),
        ) => [webhook.entry(), webhook.step(), webhook.subject(), form],
    }
}

/// Scheme and authority at which the carrier asks how a call goes on that `webhook` led to.
fn origin(configured: Option<&str>, own: Option<&str>, url: &str, webhook: &Webhook) -> String {
    let said = || url.split('/').take(3).collect::<Vec<_>>().join("/");
    match (configured, own) {
        (Some(configured), _) => configured.to_owned(),
        // Nobody signs a web request: whoever sends one must not say who leads the calls that it begins.
        (None, Some(own)) if url.is_empty() || matches!(webhook, Webhook::Web(_)) => own.to_owned(),
        (None, _) => said(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Schedule, ScheduleSettings};

    fn web(host: &str) -> Webhook {
        Webhook::Web(Box::new(crate::call::WebRequest {
            method: http::Method::POST,
            scheme: http::uri::Scheme::HTTP,
            authority: host.to_owned(),
            uri: http::uri::PathAndQuery::from_static("/acme/desk/web/call"),
            mount_len: "/acme/desk/web".len(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            client: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        }))
    }

    fn attempt(minute: &str, attempt: u32) -> Webhook {
        let written =
            ScheduleSettings { name: "remind".into(), cron: "* * * * *".into(), timezone: "UTC".into() };
        Webhook::Event(Schedule::new(&written).unwrap().event(minute.parse().unwrap(), attempt))
    }

    #[test]
    fn all_attempts_at_one_moment_of_a_schedule_are_one_cause() {
        let (nine, later) = ("2026-11-23T09:00:00Z", "2026-11-23T09:01:00Z");
        let (first, again, next) = (attempt(nine, 1), attempt(nine, 2), attempt(later, 1));
        assert_eq!(known_by(None, &first, "r1"), known_by(None, &again, "r2"));
        assert_ne!(known_by(None, &first, "r1"), known_by(None, &next, "r3"));
    }

    #[test]
    fn who_sends_a_web_request_does_not_say_where_the_carrier_asks() {
        let (request, run) = (web("evil.example"), attempt("2026-11-23T09:00:00Z", 1));
        let lie = "http://evil.example/acme/desk/web/call";
        let own = Some("http://127.0.0.1:8080");
        assert_eq!(origin(Some("https://calls.example"), own, lie, &request), "https://calls.example");
        assert_eq!(origin(None, own, lie, &request), "http://127.0.0.1:8080");
        assert_eq!(origin(None, own, "", &run), "http://127.0.0.1:8080");
        assert_eq!(
            origin(None, own, "https://signed.example/acme/desk/voice", &run),
            "https://signed.example"
        );
        // A phone on the desk has no other host than the one it asks.
        assert_eq!(origin(None, None, "http://127.0.0.1:9/acme/desk/web", &request), "http://127.0.0.1:9");
    }
}
