//! One run of a handler: through its walls, in its sandbox, its document checked and its session kept.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tracing::warn;

use super::cause::cause;
use super::errors::{Failure, Fault};
use super::{SECOND_TRY_MIN, Target, log, recorder, web};
use crate::admission::breaker::{Admission, Ended};
use crate::admission::places;
use crate::call::{WebResponse, Webhook};
use crate::capability::effects::Tape;
use crate::capability::{Context, Effects};
use crate::host::Host;
use crate::revision::Revision;
use crate::sandbox::{Answer as Answered, Prepared, RunError, Used, Web};
use crate::state::{KeepError, Session};
use crate::twiml::{self, DocumentKind, Links};

/// What a handler answers, checked.
pub(super) enum Body {
    /// A document; empty for a status callback.
    Document(Bytes),
    /// The whole answer to a web request.
    Web(Box<WebResponse>),
}

/// What one run of a handler came to.
pub(super) struct Ran {
    /// The document to answer; empty for a status callback.
    pub(super) body: Result<Body, Failure>,
    pub(super) used: Used,
    /// Whether something was done that a second run would do again.
    pub(super) acted: bool,
    /// What it did beyond itself, where that is kept.
    pub(super) tape: Option<Arc<Tape>>,
}

impl Ran {
    /// It was not run at all.
    fn not(failure: Failure) -> Self {
        Self { body: Err(failure), used: Used::default(), acted: false, tape: None }
    }
}

/// The handler's document, checked and with its links pinned.
pub(super) async fn run(
    host: &Arc<Host>,
    target: &Target<'_>,
    revision: &Arc<Revision>,
    webhook: &Webhook,
    until: Instant,
) -> Ran {
    let now_ms = host.now_ms();
    let breaker = revision.breaker_for(webhook);
    let admission = breaker.admit(now_ms);
    if let Admission::Refused { retry_ms } = admission {
        return Ran::not(Failure::Broken { retry_ms });
    }
    let nothing = || Ran::not(Failure::Run(RunError::NoExport { interface: Web::NAME }));
    // Anybody may ask for pages that were never offered: that says nothing about the revision, and brings no code into memory.
    let is_web = matches!(webhook, Webhook::Web(_));
    if is_web && revision.has_no_pages() {
        return nothing();
    }
    revision.used(host.now_s());
    // Before a place is taken: whoever waits for a compile shall not keep others from running.
    let code = match host.code(revision, until).await {
        Ok(code) => code,
        Err(failure) => return Ran::not(failure),
    };
    if is_web && !code.exports().web {
        return nothing();
    }
    let Target { tenant, handler, .. } = target;
    let walls = [&*handler.places, &*tenant.places, &host.places];
    let entered = match webhook {
        Webhook::Web(_) => web::enter(handler, tenant, walls, until).await,
        Webhook::Voice(_) | Webhook::Message(_) | Webhook::Event(_) => places::enter(walls, until).await,
    };
    let _places = match entered {
        Ok(places) => places,
        Err(full) => return Ran::not(Failure::Overloaded(full)),
    };
    let mut ran = run_once(host, target, revision, &code, webhook, until).await;
    let changed = matches!(ran.body, Err(Failure::NotKept(KeepError::Changed { .. })));
    if changed && !ran.acted && until.saturating_duration_since(Instant::now()) > SECOND_TRY_MIN {
        // It decided by a session that was another by the time it had: it decides anew.
        ran = run_once(host, target, revision, &code, webhook, until).await;
    }
    let ended = match &ran.body {
        Ok(_) => Some(Ended::Worked),
        Err(failure) if failure.verdict().fault == Fault::Author => Some(Ended::Failed),
        // A fault of the host says nothing about the handler.
        Err(_) => None,
    };
    if let Some(ended) = ended
        && let Some(change) = breaker.record(ended, admission, host.now_ms())
    {
        log::breaker(revision, webhook, change);
    }
    ran
}

/// One run in a sandbox, its document checked and its session kept.
async fn run_once(
    host: &Arc<Host>,
    target: &Target<'_>,
    revision: &Arc<Revision>,
    code: &Prepared,
    webhook: &Webhook,
    until: Instant,
) -> Ran {
    let mut limits = revision.limits;
    limits.deadline = until.saturating_duration_since(Instant::now());
    let cause = code.acts_at_carrier().then(|| Arc::new(cause(host, target, revision, webhook)));
    let tape = recorder(host, target, webhook).map(|_| Arc::new(Tape::new(revision.grants.secrets.clone())));
    let effects = tape.clone().map(Effects::Noted);
    let context = Context {
        grants: &revision.grants,
        reach: &host.reach,
        cause: cause.as_ref(),
        effects: effects.as_ref(),
        until,
    };
    let outcome = host.sandbox.run(code, &limits, context, webhook).await;
    log::lines_of_handler(host, target.request, revision, webhook, &outcome);
    let body = match outcome.result {
        Ok(Answered::Document(text)) => document(revision, webhook, &text).map(Body::Document),
        Ok(Answered::Noted) => Ok(Body::Document(Bytes::new())),
        Ok(Answered::Web(response)) => Ok(Body::Web(response)),
        Err(error) => Err(Failure::Run(error)),
    };
    // Only of a handler that succeeded, and before the answer goes out: the next webhook may follow at once.
    let body = match (body, outcome.session) {
        (Ok(body), Some(session)) => keep(host, *session, until).await.map(|()| body),
        (body, _) => body,
    };
    Ran { body, used: outcome.used, acted: outcome.acted, tape }
}

/// Keeps what a handler changed in its session.
async fn keep(host: &Host, session: Session, until: Instant) -> Result<(), Failure> {
    match &host.reach.state {
        Some(state) if session.is_to_be_kept(host.reach.time.unix_ms()) => {
            Ok(state.keep(session, until).await?)
        }
        _ => Ok(()),
    }
}

/// Checks a document against the carrier's grammar and pins its links, in one pass.
fn document(revision: &Revision, webhook: &Webhook, text: &str) -> Result<Bytes, Failure> {
    let kind = match webhook {
        Webhook::Message(_) => DocumentKind::Messaging,
        Webhook::Voice(_) | Webhook::Event(_) | Webhook::Web(_) => DocumentKind::Voice,
    };
    let links = Links { handler: &revision.prefix, pin: &revision.pin, step: webhook.step() };
    let prepared = twiml::prepare(text, kind, &links)?;
    let refused_for = prepared.outside_grammar().filter(|_| revision.strict);
    for problem in &prepared.warnings {
        // That one is told as the failure.
        if refused_for.is_some_and(|refused| std::ptr::eq(refused, problem)) {
            continue;
        }
        warn!(
            target: "handler", tenant = %revision.tenant, handler = %revision.handler, subject = webhook.subject(),
            "the document, line {}, <{}>: {}", problem.line, problem.element, problem.message
        );
    }
    revision.counters.warnings.increment(prepared.warnings.len() as u64);
    match refused_for {
        Some(problem) => Err(Failure::OutsideGrammar(Box::new(problem.clone()))),
        None => Ok(Bytes::from(prepared.text.into_owned())),
    }
}
