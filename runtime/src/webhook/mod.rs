//! The hot path: one webhook in, one answer out.
//!
//! [`handle`] reads top to bottom and is the only place that knows the order of steps. Before a handler is chosen
//! and the sender is known to be the carrier, anything wrong is a [`Refusal`]. From then on somebody is on the
//! line, and anything wrong is a [`Failure`] that ends in the fallback document.
//!
//! Reading requests off the wire is `ingress`'s business, running code `sandbox`'s.

mod cause;
pub mod duplicates;
pub mod errors;
pub mod fallback;
pub mod ingress;
mod log;
pub mod route;
mod run;
mod web;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use tracing::warn;

use self::errors::{Failure, Refusal};
use self::ingress::{Incoming, LogPace};
use self::route::{Route, Wanted};
use self::run::{Body, Ran, run};
use crate::call::{Event, RevisionId, Webhook};
use crate::capability::effects::{Noted, Tape};
use crate::carrier::{DeliveryKey, twilio};
use crate::handler_toml::OnFailure;
use crate::host::{Host, minute};
use crate::recording::{Answered as Kept, Recorder};
use crate::revision::Revision;
use crate::router::{Handler, Picked, Tenant};
use crate::sandbox::Used;
use crate::telemetry::RequestId;
use crate::telemetry::feed::FeedOutcome;

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
    /// The document; empty for a status callback. What the handler likes, for a web request.
    pub body: Bytes,
    /// Of the answer to a web request; all others have none of their own.
    pub headers: Option<Box<HeaderMap>>,
    /// Which revision answered.
    pub revision: RevisionId,
    /// What failed, as a code of the error table.
    pub code: Option<&'static str>,
}

/// Answers one request: the outer function that owns clock, log line and the error's way to the sender.
pub async fn respond(host: Arc<Host>, incoming: Incoming) -> Response<Full<Bytes>> {
    let response = match handle(&host, &incoming).await {
        Ok(answer) => answer.into_response(),
        Err(refusal) => refuse(&incoming, &refusal),
    };
    if incoming.method == Method::HEAD { web::head_only(response) } else { response }
}

/// One webhook in, one answer out.
pub async fn handle(host: &Arc<Host>, incoming: &Incoming) -> Result<Answer, Refusal> {
    let uri = &incoming.uri;
    let route = Route::parse(uri.path(), uri.query()).ok_or(Refusal::NotFound)?;

    let (tenant, handler) = find(host, incoming, route.target)?; // whom is it for?
    let entry = match route.wanted {
        Wanted::Webhook(entry) => entry,
        // Nobody signs these: from here on it is another way.
        Wanted::Web { mount_len } => {
            return Box::pin(web::answer(host, incoming, &tenant, &handler, route.pin, mount_len)).await;
        }
    };
    let url = requested_url(host, &tenant, incoming); // what did the carrier call?
    let request = twilio::Request::read(&incoming.method, &url, &incoming.headers, &incoming.body)?;
    request.verify(&tenant.keys).map_err(|why| Refusal::unverified(&tenant, &url, why))?; // is it the carrier?
    let webhook = request.webhook(entry, &route.step)?; // what is it about?
    let picked =
        handler.pick(&tenant.id, route.pin, &webhook, &host.pin_key, &host.calls.load(), minute())?; // whose code takes this call?
    let request_id = RequestId::next();
    let delivery = request.delivery(&webhook);
    let target = Target {
        tenant: &tenant,
        handler: &handler,
        picked,
        request: &request_id,
        url: &url,
        delivery: delivery.as_ref(),
    };
    match &delivery {
        // In a box, because futures are moved several times before they first run, and this one has kilobytes.
        None => Ok(Box::pin(invoke(host, &target, &webhook)).await), // run it under its limits
        Some(delivery) => Ok(once(host, &target, webhook, delivery.clone()).await), // unless it has been
    }
}

/// Runs the handler for an event that no carrier sent: a run of a schedule. The stable revision takes it.
pub async fn fire(host: &Arc<Host>, tenant: &Arc<Tenant>, handler: &Arc<Handler>, event: Event) -> Answer {
    let request = RequestId::next();
    let picked = Picked { revision: &handler.stable, begins: false };
    let target = Target { tenant, handler, picked, request: &request, url: "", delivery: None };
    Box::pin(invoke(host, &target, &Webhook::Event(event))).await
}

/// Who takes a webhook.
struct Target<'a> {
    tenant: &'a Arc<Tenant>,
    handler: &'a Arc<Handler>,
    picked: Picked<'a>,
    /// Names the request in the log.
    request: &'a RequestId,
    /// As the carrier called it.
    url: &'a str,
    /// What a repeated delivery is known by.
    delivery: Option<&'a DeliveryKey>,
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
    let (request, key) = (target.request.clone(), delivery.clone());
    // Only what it says of the public URL is used, where none is configured.
    let configured = public_url(&host, &tenant).is_some();
    let url = if configured { String::new() } else { target.url.to_owned() };
    let task = tokio::spawn(async move {
        let picked = Picked { revision: &revision, begins };
        let target = Target {
            tenant: &tenant,
            handler: &handler,
            picked,
            request: &request,
            url: &url,
            delivery: Some(&key),
        };
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

/// Runs the handler; whatever fails, the answer is what the caller shall hear. Where the tenant records, it is kept.
async fn invoke(host: &Arc<Host>, target: &Target<'_>, webhook: &Webhook) -> Answer {
    let started = Instant::now();
    let (answer, tape) = attempt(host, target, webhook, started).await;
    if let Some(recorder) = recorder(host, target, webhook) {
        let effects = tape.map_or_else(Noted::default, |tape| tape.take());
        let (begins, took) = (target.picked.begins, started.elapsed());
        let kept = Kept { webhook, answer: &answer, effects, begins, took };
        recorder.keep(&target.tenant.id, &target.handler.stable.handler, kept);
    }
    answer
}

/// Who keeps this webhook; none where its tenant does not record.
fn recorder<'a>(host: &'a Host, target: &Target<'_>, webhook: &Webhook) -> Option<&'a Recorder> {
    let recorder = host.recorder.get()?;
    (webhook.is_the_carriers() && recorder.records(&target.tenant.id)).then_some(recorder)
}

/// Runs the handler of the revision that was picked, and perhaps another's.
///
/// What failed on the canary is answered by the stable revision within the same deadline, unless the canary has acted
/// outward: the caller need not hear of a trial that went wrong, and nothing may happen twice for it. What comes with the
/// answer are the effects of the run that it is of.
async fn attempt(
    host: &Arc<Host>,
    target: &Target<'_>,
    webhook: &Webhook,
    started: Instant,
) -> (Answer, Option<Arc<Tape>>) {
    let Target { handler, picked, .. } = target;
    let revision = picked.revision;
    if picked.begins {
        revision.counters.began_call();
    }
    let mut ran = run(host, target, revision, webhook, started + revision.deadline(webhook)).await;
    let tape = ran.tape.take();
    let elsewhere = !ran.acted
        && ran.body.as_ref().is_err_and(Failure::may_work_elsewhere)
        && handler.is_canary(revision);
    let answer = concluded(host, target, revision, webhook, started, ran);
    let stable = &handler.stable;
    let until = started + stable.deadline(webhook);
    if !elsewhere || until.saturating_duration_since(Instant::now()) <= SECOND_TRY_MIN {
        return (answer, tape);
    }
    let mut ran = run(host, target, stable, webhook, until).await;
    let tape = ran.tape.take();
    // From here on the call is the stable revision's; its links say so, and so shall the host.
    if let (Ok(_), Webhook::Voice(call)) = (&ran.body, webhook) {
        let calls = host.calls.load();
        calls.note(calls.key(&stable.tenant, &stable.handler, &call.id), stable.uid, minute());
    }
    (concluded(host, target, stable, webhook, started, ran), tape)
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
    if revision.is_judged_by(webhook) {
        revision.counters.judged(answer.code);
    }
    log::answered(host, target.request, revision, webhook, &answer, started, &ran.used);
    answer
}

fn answered(revision: &Revision, webhook: &Webhook, body: Body) -> Answer {
    revision.counters.ok.increment(1);
    let revision = revision.id;
    match body {
        Body::Web(response) => web::answered(*response, revision),
        Body::Document(body) => {
            let noted = matches!(webhook, Webhook::Event(_));
            let status = if noted { StatusCode::NO_CONTENT } else { StatusCode::OK };
            Answer { status, body, headers: None, revision, code: None }
        }
    }
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
        (_, Webhook::Web(_)) => return web::failed(failure, revision.id),
        (OnFailure::Error, _) => (StatusCode::BAD_GATEWAY, Bytes::new()),
        (OnFailure::Fallback, Webhook::Event(_)) => (StatusCode::NO_CONTENT, Bytes::new()),
        (OnFailure::Fallback, Webhook::Voice(_)) => (StatusCode::OK, revision.fallback.voice.clone()),
        (OnFailure::Fallback, Webhook::Message(_)) => (StatusCode::OK, revision.fallback.messaging.clone()),
    };
    Answer { status, body, headers: None, revision: revision.id, code: Some(code) }
}

/// Scheme and authority that the carrier was told, where they are configured.
fn public_url<'a>(host: &'a Host, tenant: &'a Tenant) -> Option<&'a str> {
    tenant.public_url.as_deref().or(host.public_url.as_deref())
}

/// The URL that the carrier signed: the public one, not the one that a proxy made of it.
///
/// Without a configured one it is what the request says of itself. A sender can lie there, but then he signed a
/// lie: without the token no URL makes a signature match.
fn requested_url(host: &Host, tenant: &Tenant, incoming: &Incoming) -> String {
    let path_and_query = incoming.uri.as_str();
    if let Some(public_url) = public_url(host, tenant) {
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
        match self.headers {
            Some(own) => *headers = *own,
            None if !empty => drop(headers.insert(CONTENT_TYPE, XML.clone())),
            None => {}
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
