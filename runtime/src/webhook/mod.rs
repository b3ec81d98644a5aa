//! The hot path: one webhook in, one answer out.
//!
//! [`handle`] reads top to bottom and is the only place that knows the order of steps. Before a handler is chosen
//! and the sender is known to be the carrier, anything wrong is a [`Refusal`]. From then on somebody is on the
//! line, and anything wrong is a [`Failure`] that ends in the fallback document.
//!
//! Reading requests off the wire is `ingress`'s business, running code `sandbox`'s.

pub mod duplicates;
pub mod errors;
pub mod fallback;
pub mod ingress;
pub mod route;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use tracing::{debug, error, info, warn};

use self::errors::{Failure, Refusal};
use self::ingress::Incoming;
use self::route::Route;
use crate::call::{RevisionId, Webhook};
use crate::capability::{LogEntry, LogLevel};
use crate::carrier::{DeliveryKey, twilio};
use crate::handler_toml::OnFailure;
use crate::host::Host;
use crate::revision::Revision;
use crate::router::Tenant;
use crate::sandbox::{Answer as Answered, Outcome, Used};
use crate::twiml::{self, DocumentKind, Links};

static REVISION: HeaderName = HeaderName::from_static("x-hookswitch-revision");
static ERROR: HeaderName = HeaderName::from_static("x-hookswitch-error");
static XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
static PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What a handler's webhook is answered, before it becomes HTTP. Cheap to clone: a stored one is sent again.
#[derive(Debug, Clone)]
pub struct Answer {
    /// `200`, `204`, or `502` where the handler asked for errors.
    pub status: StatusCode,
    /// The document; empty for a status callback.
    pub body: Bytes,
    /// Which revision answered.
    pub revision: RevisionId,
    /// What failed, as a code of the error table.
    pub code: Option<&'static str>,
}

/// Answers one request: the outer function that owns clock, log line and the error's way to the sender.
pub async fn respond(host: Arc<Host>, incoming: Incoming) -> Response<Full<Bytes>> {
    match handle(&host, &incoming).await {
        Ok(answer) => answer.into_response(),
        Err(refusal) => refuse(&incoming, &refusal),
    }
}

/// One webhook in, one answer out.
pub async fn handle(host: &Arc<Host>, incoming: &Incoming) -> Result<Answer, Refusal> {
    let uri = &incoming.uri;
    let route = Route::parse(uri.path(), uri.query()).ok_or(Refusal::NotFound)?;

    let tenant = host.router.tenant(route.tenant).ok_or(Refusal::NotFound)?; // whom is it for?
    let handler = tenant.handlers.get(route.handler).ok_or(Refusal::NotFound)?;
    let url = requested_url(host, &tenant, incoming); // what did the carrier call?
    let request = twilio::Request::read(&incoming.method, &url, &incoming.headers, &incoming.body)?;
    request.verify(&tenant.keys).map_err(|why| Refusal::unverified(&tenant, &url, why))?; // is it the carrier?
    let revision = handler.pick(&tenant.id, route.pin, &host.pin_key)?; // whose code takes this call?
    let webhook = request.webhook(route.entry, &route.step)?; // what is it about?
    match request.delivery(&webhook) {
        // In a box, because futures are moved several times before they first run, and this one has kilobytes.
        None => Ok(Box::pin(invoke(host, revision, &webhook)).await), // run it under its limits
        Some(delivery) => Ok(once(host, revision, webhook, delivery).await), // unless it has been
    }
}

/// The answer to a delivery that may come again.
///
/// In a task of its own: a connection that breaks takes its future with it, and a handler that was stopped halfway would
/// run a second time for the carrier's next try.
async fn once(host: &Arc<Host>, revision: &Arc<Revision>, webhook: Webhook, delivery: DeliveryKey) -> Answer {
    let (host, revision) = (Arc::clone(host), Arc::clone(revision));
    let task = tokio::spawn(async move {
        let run = Box::pin(invoke(&host, &revision, &webhook));
        host.duplicates.answer(&revision, delivery, run).await
    });
    match task.await {
        Ok(answer) => answer,
        // Ingress answers a panic of ours; a task is cancelled only with the runtime, and nobody waits then.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Runs the handler; whatever fails, the answer is what the caller shall hear.
async fn invoke(host: &Host, revision: &Revision, webhook: &Webhook) -> Answer {
    let started = Instant::now();
    let (result, used) = run(host, revision, webhook).await;
    let answer = match result {
        Ok(body) => answered(revision, webhook, body),
        Err(failure) => failed(revision, webhook, &failure),
    };
    // Not louder: a line for each webhook is a tenth of what the webhook costs. Metrics count all of them.
    debug!(
        target: "webhook", tenant = %revision.tenant, handler = %revision.handler, revision = %revision.id,
        subject = webhook.subject(), step = webhook.step(), outcome = answer.code.unwrap_or("ok"),
        wall_us = started.elapsed().as_micros(), cpu_us = used.busy.as_micros(),
        memory_kib = used.memory_bytes >> 10, log_bytes = used.log_bytes,
        "{}", webhook.entry().as_str()
    );
    answer
}

/// The handler's document, checked and with its links pinned.
async fn run(host: &Host, revision: &Revision, webhook: &Webhook) -> (Result<Bytes, Failure>, Used) {
    let _places = match revision.enter(&host.places).await {
        Ok(places) => places,
        Err(failure) => return (Err(failure), Used::default()),
    };
    let outcome = host.sandbox.run(&revision.prepared, &revision.limits, &revision.config, webhook).await;
    log_of_handler(revision, webhook, &outcome);
    let body = match outcome.result {
        Ok(Answered::Document(text)) => document(revision, webhook, &text),
        Ok(Answered::Noted) => Ok(Bytes::new()),
        Err(error) => Err(Failure::Run(error)),
    };
    (body, outcome.used)
}

/// Checks a document against the carrier's grammar and pins its links, in one pass.
fn document(revision: &Revision, webhook: &Webhook, text: &str) -> Result<Bytes, Failure> {
    let kind = match webhook {
        Webhook::Message(_) => DocumentKind::Messaging,
        Webhook::Voice(_) | Webhook::Event(_) => DocumentKind::Voice,
    };
    let links = Links { handler: &revision.prefix, pin: &revision.pin, step: webhook.step() };
    let prepared = twiml::prepare(text, kind, &links)?;
    for problem in &prepared.warnings {
        warn!(
            target: "handler", tenant = %revision.tenant, handler = %revision.handler, subject = webhook.subject(),
            "the document, line {}, <{}>: {}", problem.line, problem.element, problem.message
        );
    }
    revision.counters.warnings.increment(prepared.warnings.len() as u64);
    match prepared.outside_grammar() {
        Some(problem) if revision.strict => Err(Failure::OutsideGrammar(Box::new(problem.clone()))),
        _ => Ok(Bytes::from(prepared.text.into_owned())),
    }
}

fn answered(revision: &Revision, webhook: &Webhook, body: Bytes) -> Answer {
    revision.counters.ok.increment(1);
    let status = if matches!(webhook, Webhook::Event(_)) { StatusCode::NO_CONTENT } else { StatusCode::OK };
    Answer { status, body, revision: revision.id, code: None }
}

/// The fallback document, or the error that the handler asked for; the cause goes to the log.
fn failed(revision: &Revision, webhook: &Webhook, failure: &Failure) -> Answer {
    let verdict = failure.verdict();
    revision.counters.failed(verdict.code);
    let trap = match failure {
        Failure::Run(error) => error.trap(),
        Failure::Unusable(_) | Failure::OutsideGrammar(_) | Failure::Overloaded { .. } => None,
    };
    let (tenant, handler, subject) = (&revision.tenant, &revision.handler, webhook.subject());
    error!(target: "handler", %tenant, %handler, revision = %revision.id, subject, code = verdict.code, fault = ?verdict.fault, "{}", one_line(&failure.to_string()));
    for frame in trap.map(|trap| trap.frames.as_slice()).unwrap_or_default() {
        error!(target: "handler", %tenant, %handler, subject, "    at {frame}");
    }
    let (status, body) = match (revision.on_failure, webhook) {
        (OnFailure::Error, _) => (StatusCode::BAD_GATEWAY, Bytes::new()),
        (OnFailure::Fallback, Webhook::Event(_)) => (StatusCode::NO_CONTENT, Bytes::new()),
        (OnFailure::Fallback, Webhook::Voice(_)) => (StatusCode::OK, revision.fallback.voice.clone()),
        (OnFailure::Fallback, Webhook::Message(_)) => (StatusCode::OK, revision.fallback.messaging.clone()),
    };
    Answer { status, body, revision: revision.id, code: Some(verdict.code) }
}

/// Passes on what the handler wrote to its log.
fn log_of_handler(revision: &Revision, webhook: &Webhook, outcome: &Outcome) {
    let (tenant, handler, subject) = (&revision.tenant, &revision.handler, webhook.subject());
    for LogEntry { level, source, text } in &outcome.log {
        let text = one_line(text);
        match level {
            LogLevel::Debug => debug!(target: "handler", %tenant, %handler, subject, ?source, "{text}"),
            LogLevel::Info => info!(target: "handler", %tenant, %handler, subject, ?source, "{text}"),
            LogLevel::Warn => warn!(target: "handler", %tenant, %handler, subject, ?source, "{text}"),
            LogLevel::Error => error!(target: "handler", %tenant, %handler, subject, ?source, "{text}"),
        }
    }
}

/// What a guest wrote, with line breaks and other controls escaped: it shall not write log lines of its own.
fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// The URL that the carrier signed: the public one, not the one that a proxy made of it.
///
/// Without a configured one it is what the request says of itself. A sender can lie there, but then he signed a
/// lie: without the token no URL makes a signature match.
fn requested_url(host: &Host, tenant: &Tenant, incoming: &Incoming) -> String {
    let path_and_query = incoming.uri.as_str();
    if let Some(public_url) = tenant.public_url.as_ref().or(host.public_url.as_ref()) {
        return [public_url, path_and_query].concat();
    }
    let forwarded = incoming.forwarded.as_ref();
    let scheme =
        forwarded.and_then(|forwarded| forwarded.proto.as_ref()).map_or("http", |scheme| scheme.as_str());
    let authority = forwarded.and_then(|forwarded| forwarded.host.as_ref()).or(incoming.host.as_ref());
    [scheme, "://", authority.map_or("", |host| host.as_str()), path_and_query].concat()
}

impl Answer {
    fn into_response(self) -> Response<Full<Bytes>> {
        let empty = self.body.is_empty();
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if !empty {
            headers.insert(CONTENT_TYPE, XML.clone());
        }
        headers.insert(REVISION.clone(), HeaderValue::from(self.revision.0));
        if let Some(code) = self.code {
            headers.insert(ERROR.clone(), HeaderValue::from_static(code));
        }
        response
    }
}

/// Answers a request that reached no handler.
fn refuse(incoming: &Incoming, refusal: &Refusal) -> Response<Full<Bytes>> {
    let (verdict, status) = refusal.verdict();
    metrics::counter!("hookswitch_refused_total", "code" => verdict.code).increment(1);
    warn!(
        target: "webhook", code = verdict.code, fault = ?verdict.fault, peer = %incoming.peer,
        "{} {}: {refusal}", incoming.method, incoming.uri.path()
    );
    let mut response =
        Response::new(Full::new(Bytes::from(format!("{}: {}\n", verdict.code, refusal.for_sender()))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, PLAIN.clone());
    response.headers_mut().insert(ERROR.clone(), HeaderValue::from_static(verdict.code));
    response
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_guest_writes_no_log_lines_of_its_own() {
        assert_eq!(super::one_line("a\n2026 ERROR other: \u{1b}[31m"), "a\\n2026 ERROR other: \\u{1b}[31m");
        assert_eq!(super::one_line("Grüße 👋"), "Grüße 👋");
    }
}
