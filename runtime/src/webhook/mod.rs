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
mod log;
pub mod route;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use tracing::warn;

use self::errors::{Failure, Fault, Refusal};
use self::ingress::{Incoming, LogPace};
use self::route::Route;
use crate::admission::breaker::{Admission, Ended};
use crate::admission::places;
use crate::call::{RevisionId, Webhook};
use crate::capability::Context;
use crate::carrier::{DeliveryKey, twilio};
use crate::handler_toml::OnFailure;
use crate::host::{Host, minute};
use crate::revision::Revision;
use crate::router::{Handler, Picked, Tenant};
use crate::sandbox::{Answer as Answered, Used};
use crate::telemetry::RequestId;
use crate::telemetry::feed::FeedOutcome;
use crate::twiml::{self, DocumentKind, Links};

static REVISION: HeaderName = HeaderName::from_static("x-hookswitch-revision");
static ERROR: HeaderName = HeaderName::from_static("x-hookswitch-error");
static XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
static PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// How often a refusal is logged.
static REFUSALS: LogPace = LogPace::new();

/// The least time that is worth a second try: with less the fallback document is the better answer.
const SECOND_TRY_MIN: Duration = Duration::from_millis(20);

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

    let (tenant, handler) = find(host, incoming, route.target)?; // whom is it for?
    let url = requested_url(host, &tenant, incoming); // what did the carrier call?
    let request = twilio::Request::read(&incoming.method, &url, &incoming.headers, &incoming.body)?;
    request.verify(&tenant.keys).map_err(|why| Refusal::unverified(&tenant, &url, why))?; // is it the carrier?
    let webhook = request.webhook(route.entry, &route.step)?; // what is it about?
    let picked =
        handler.pick(&tenant.id, route.pin, &webhook, &host.pin_key, &host.calls.load(), minute())?; // whose code takes this call?
    let request_id = RequestId::next();
    let target = Target { tenant: &tenant, handler: &handler, picked, request: &request_id };
    match request.delivery(&webhook) {
        // In a box, because futures are moved several times before they first run, and this one has kilobytes.
        None => Ok(Box::pin(invoke(host, &target, &webhook)).await), // run it under its limits
        Some(delivery) => Ok(once(host, &target, webhook, delivery).await), // unless it has been
    }
}

/// Who takes a webhook.
struct Target<'a> {
    tenant: &'a Arc<Tenant>,
    handler: &'a Arc<Handler>,
    picked: Picked<'a>,
    /// Names the request in the log.
    request: &'a RequestId,
}

/// The tenant and handler that a URL names, or those of the number that was called.
fn find(
    host: &Host,
    incoming: &Incoming,
    target: route::Target<'_>,
) -> Result<(Arc<Tenant>, Arc<Handler>), Refusal> {
    let (tenant, handler) = match target {
        route::Target::Named { tenant, handler } => {
            let tenant = host.router.tenant(tenant).ok_or(Refusal::NotFound)?;
            let handler = tenant.handlers.get(handler).cloned();
            (tenant, handler)
        }
        route::Target::ByNumber => {
            let Incoming { method, uri, headers, body, .. } = incoming;
            let numbers = twilio::Request::read(method, uri.as_str(), headers, body)?.numbers();
            let (tenant, handler) =
                numbers.iter().find_map(|number| host.router.number(number)).ok_or(Refusal::NotFound)?;
            let handler = tenant.handlers.get(&handler).cloned();
            (tenant, handler)
        }
    };
    Ok((tenant, handler.ok_or(Refusal::NotFound)?))
}

/// The answer to a delivery that may come again.
///
/// In a task of its own: a connection that breaks takes its future with it, and a handler that was stopped halfway would
/// run a second time for the carrier's next try.
async fn once(host: &Arc<Host>, target: &Target<'_>, webhook: Webhook, delivery: DeliveryKey) -> Answer {
    let (host, tenant, handler) = (Arc::clone(host), Arc::clone(target.tenant), Arc::clone(target.handler));
    let (revision, begins) = (Arc::clone(target.picked.revision), target.picked.begins);
    let request = target.request.clone();
    let task = tokio::spawn(async move {
        let picked = Picked { revision: &revision, begins };
        let target = Target { tenant: &tenant, handler: &handler, picked, request: &request };
        let mut ran = false;
        let run = Box::pin(async {
            ran = true;
            invoke(&host, &target, &webhook).await
        });
        let answer = host.duplicates.answer(&revision, delivery, run).await;
        if !ran {
            let told =
                log::Told { outcome: FeedOutcome::Repeated, wall: Duration::ZERO, used: Used::default() };
            log::publish(&host, &request, &revision, &webhook, &answer, &told);
        }
        answer
    });
    match task.await {
        Ok(answer) => answer,
        // Ingress answers a panic of ours; a task is cancelled only with the runtime, and nobody waits then.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Runs the handler; whatever fails, the answer is what the caller shall hear.
///
/// What failed on the canary is answered by the stable revision within the same deadline, unless the canary has acted
/// outward: the caller need not hear of a trial that went wrong, and nothing may happen twice for it.
async fn invoke(host: &Arc<Host>, target: &Target<'_>, webhook: &Webhook) -> Answer {
    let Target { handler, picked, .. } = target;
    let revision = picked.revision;
    let started = Instant::now();
    if picked.begins {
        revision.counters.began_call();
    }
    let ran = run(host, target, revision, webhook, started + revision.limits.deadline).await;
    let elsewhere = !ran.acted
        && ran.body.as_ref().is_err_and(Failure::may_work_elsewhere)
        && handler.is_canary(revision);
    let answer = concluded(host, target, revision, webhook, started, ran);
    let stable = &handler.stable;
    let until = started + stable.limits.deadline;
    if !elsewhere || until.saturating_duration_since(Instant::now()) <= SECOND_TRY_MIN {
        return answer;
    }
    let ran = run(host, target, stable, webhook, until).await;
    // From here on the call is the stable revision's; its links say so, and so shall the host.
    if let (Ok(_), Webhook::Voice(call)) = (&ran.body, webhook) {
        let calls = host.calls.load();
        calls.note(calls.key(&stable.tenant, &stable.handler, &call.id), stable.uid, minute());
    }
    concluded(host, target, stable, webhook, started, ran)
}

/// What one run of a handler came to.
struct Ran {
    /// The document to answer; empty for a status callback.
    body: Result<Bytes, Failure>,
    used: Used,
    /// Whether something was done that a second run would do again.
    acted: bool,
}

impl Ran {
    /// It was not run at all.
    fn not(failure: Failure) -> Self {
        Self { body: Err(failure), used: Used::default(), acted: false }
    }
}

/// The answer that a run of `revision` comes to, counted and logged.
fn concluded(
    host: &Arc<Host>,
    target: &Target<'_>,
    revision: &Arc<Revision>,
    webhook: &Webhook,
    started: Instant,
    ran: Ran,
) -> Answer {
    let answer = match ran.body {
        Ok(body) => answered(revision, webhook, body),
        Err(failure) => failed(host, target.request, revision, webhook, &failure),
    };
    log::answered(host, target.request, revision, webhook, &answer, started, &ran.used);
    answer
}

/// The handler's document, checked and with its links pinned.
async fn run(
    host: &Arc<Host>,
    target: &Target<'_>,
    revision: &Arc<Revision>,
    webhook: &Webhook,
    until: Instant,
) -> Ran {
    let now_ms = host.now_ms();
    let admission = revision.breaker.admit(now_ms);
    if let Admission::Refused { retry_ms } = admission {
        return Ran::not(Failure::Broken { retry_ms });
    }
    revision.used(host.now_s());
    // Before a place is taken: whoever waits for a compile shall not keep others from running.
    let code = match host.code(revision, until).await {
        Ok(code) => code,
        Err(failure) => return Ran::not(failure),
    };
    let walls = [&*target.handler.places, &*target.tenant.places, &host.places];
    let _places = match places::enter(walls, until).await {
        Ok(places) => places,
        Err(full) => return Ran::not(Failure::Overloaded(full)),
    };
    let mut limits = revision.limits;
    limits.deadline = limits.deadline.min(until.saturating_duration_since(Instant::now()));
    let context = Context { grants: &revision.grants, reach: &host.reach, until };
    let outcome = host.sandbox.run(&code, &limits, context, webhook).await;
    log::lines_of_handler(host, target.request, revision, webhook, &outcome);
    let body = match outcome.result {
        Ok(Answered::Document(text)) => document(revision, webhook, &text),
        Ok(Answered::Noted) => Ok(Bytes::new()),
        Err(error) => Err(Failure::Run(error)),
    };
    let ended = match &body {
        Ok(_) => Some(Ended::Worked),
        Err(failure) if failure.verdict().fault == Fault::Author => Some(Ended::Failed),
        // A fault of the host says nothing about the handler.
        Err(_) => None,
    };
    if let Some(ended) = ended
        && let Some(change) = revision.breaker.record(ended, admission, host.now_ms())
    {
        log::breaker(revision, change);
    }
    Ran { body, used: outcome.used, acted: outcome.acted }
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
fn failed(
    host: &Host,
    request: &RequestId,
    revision: &Revision,
    webhook: &Webhook,
    failure: &Failure,
) -> Answer {
    let code = failure.verdict().code;
    revision.counters.failed(code);
    log::failure(host, request, revision, webhook, failure);
    let (status, body) = match (revision.on_failure, webhook) {
        (OnFailure::Error, _) => (StatusCode::BAD_GATEWAY, Bytes::new()),
        (OnFailure::Fallback, Webhook::Event(_)) => (StatusCode::NO_CONTENT, Bytes::new()),
        (OnFailure::Fallback, Webhook::Voice(_)) => (StatusCode::OK, revision.fallback.voice.clone()),
        (OnFailure::Fallback, Webhook::Message(_)) => (StatusCode::OK, revision.fallback.messaging.clone()),
    };
    Answer { status, body, revision: revision.id, code: Some(code) }
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
    // Whoever dials in can be refused as often as he likes; he shall not fill the log.
    if let Some(left_out) = REFUSALS.line() {
        warn!(
            target: "webhook", code = verdict.code, fault = ?verdict.fault, peer = %incoming.peer, left_out,
            "{} {}: {refusal}", incoming.method, incoming.uri.path()
        );
    }
    let mut response =
        Response::new(Full::new(Bytes::from(format!("{}: {}\n", verdict.code, refusal.for_sender()))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, PLAIN.clone());
    response.headers_mut().insert(ERROR.clone(), HeaderValue::from_static(verdict.code));
    response
}
