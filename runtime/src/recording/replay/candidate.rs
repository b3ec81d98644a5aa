//! A revision that takes recorded webhooks, as it would take calls of its handler.
//!
//! It reaches nobody: sessions and stores are its own, in memory, and whatever it does outward is answered from the record of the
//! webhook that it is given.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use crate::call::Webhook;
use crate::capability::effects::{Request, Script};
use crate::capability::{self, Context, Effects, Grants, Reach};
use crate::carrier::Cause;
use crate::handler_toml::{OnFailure, RevisionSettings};
use crate::host::Host;
use crate::outbound::AllowList;
use crate::recording::record::KeptWebhook;
use crate::recording::redact::Again;
use crate::revision::RevisionName;
use crate::sandbox::{Answer, Limits, Prepared};
use crate::secrets::SecretValues;
use crate::state::State;
use crate::twiml::{self, DocumentKind, Links};
use crate::webhook::errors::Failure;
use crate::webhook::fallback::{Fallback, FallbackError};

/// How long a replay waits where callers wait for a place.
const GIVE_WAY: Duration = Duration::from_millis(20);
/// How often a webhook is run again where the host had no room for it.
const TRIES_MAX: u32 = 5;

/// A revision to be tried: in force, kept, or not there yet.
pub struct Candidate {
    code: Arc<Prepared>,
    limits: Limits,
    grants: Arc<Grants>,
    /// Sessions and stores of its own, which are empty at first, and nothing behind imports that reach outward: nobody is
    /// called or written to for a replay.
    reach: Arc<Reach>,
    fallback: Fallback,
    on_failure: OnFailure,
    strict: bool,
    pub(super) prefix: String,
}

/// The pin of links in documents that nobody follows.
const PIN: &str = "0.replay";
/// Where links that are given to a carrier lead: to nobody.
const ORIGIN: &str = "https://replay.invalid";

impl Candidate {
    /// With `code`, `settings` and the secrets that these grant, as it would take calls of its handler.
    ///
    /// # Errors
    /// [`FallbackError`], as at a deploy.
    pub fn new(
        name: RevisionName,
        settings: &RevisionSettings,
        secrets: SecretValues,
        code: Arc<Prepared>,
    ) -> Result<Self, FallbackError> {
        let RevisionName { tenant, handler, id } = name;
        let prefix = format!("/{tenant}/{handler}");
        Ok(Self {
            code,
            limits: crate::revision::limits(settings),
            grants: Arc::new(Grants {
                tenant,
                handler,
                revision: id,
                pin: PIN.into(),
                config: settings.config.iter().collect(),
                outbound: AllowList::of_checked(&settings.outbound_allow),
                secrets,
            }),
            reach: Arc::new(Reach { state: State::in_memory().ok(), ..Reach::default() }),
            fallback: match &settings.fallback {
                Some(own) => Fallback::new(own, &prefix, PIN)?,
                None => Fallback::built_in(&prefix, PIN)?,
            },
            on_failure: settings.on_failure,
            strict: settings.strict.unwrap_or(false),
            prefix,
        })
    }

    /// What it answers to a webhook that was kept, at the time of day at which that came; what it makes of it is redacted by
    /// `again`. None where only the host is to blame that it does not answer.
    pub(super) async fn answer(
        &self,
        host: &Host,
        kept: &KeptWebhook,
        webhook: &Webhook,
        again: &Arc<Again>,
    ) -> Option<Played> {
        let at = kept.at;
        let cause = self.code.acts_at_carrier().then(|| Arc::new(self.cause(webhook)));
        for _ in 0..TRIES_MAX {
            while host.places.waiting() > 0 {
                tokio::time::sleep(GIVE_WAY).await;
            }
            // No place is taken: the sandbox has a quarter more of them than callers may take.
            let until = Instant::now() + self.limits.deadline;
            let redact = Arc::clone(again);
            let script = Script::new(kept.effects.clone(), self.grants.secrets.clone(), move |request| {
                redact.request(request);
            });
            let script = Arc::new(script);
            let effects = Effects::Answered(Arc::clone(&script));
            let context = Context {
                grants: &self.grants,
                reach: &self.reach,
                cause: cause.as_ref(),
                effects: Some(&effects),
                until,
            };
            let run = host.sandbox.run(&self.code, &self.limits, context, webhook);
            let outcome = capability::at_time(at, run).await;
            let answer = match outcome.result {
                Ok(Answer::Document(text)) => self.document(webhook, &text),
                // No web request is kept.
                Ok(Answer::Noted | Answer::Web(_)) => Ok(String::new()),
                Err(error) => Err(Failure::Run(error)),
            };
            if let (Ok(_), Some(session), Some(state)) = (&answer, outcome.session, &self.reach.state)
                && session.is_to_be_kept(at)
                && let Err(why) = state.keep(*session, until).await
            {
                debug!("a replay goes on without its session: {why}");
            }
            let failure = match answer {
                Ok(document) => return Some(Played { document, failure: None, asked: script.asked() }),
                Err(failure) => failure,
            };
            if is_of_the_host(failure.verdict().code) {
                tokio::time::sleep(GIVE_WAY).await;
                continue;
            }
            let document = match (self.on_failure, webhook) {
                (OnFailure::Error, _) | (_, Webhook::Event(_) | Webhook::Web(_)) => String::new(),
                (OnFailure::Fallback, Webhook::Voice(_)) => text(&self.fallback.voice),
                (OnFailure::Fallback, Webhook::Message(_)) => text(&self.fallback.messaging),
            };
            return Some(Played { document, failure: Some(failure), asked: script.asked() });
        }
        None
    }

    fn cause(&self, webhook: &Webhook) -> Cause {
        let Grants { tenant, handler, .. } = &*self.grants;
        Cause::new(tenant, handler, &["replay"], webhook.subject(), ORIGIN)
    }

    fn document(&self, webhook: &Webhook, text: &str) -> Result<String, Failure> {
        let kind = match webhook {
            Webhook::Message(_) => DocumentKind::Messaging,
            Webhook::Voice(_) | Webhook::Event(_) | Webhook::Web(_) => DocumentKind::Voice,
        };
        let links = Links { handler: &self.prefix, pin: PIN, step: webhook.step() };
        let prepared = twiml::prepare(text, kind, &links)?;
        match prepared.outside_grammar() {
            Some(problem) if self.strict => Err(Failure::OutsideGrammar(Box::new(problem.clone()))),
            _ => Ok(prepared.text.into_owned()),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a revision answered in a replay.
pub(super) struct Played {
    pub(super) document: String,
    pub(super) failure: Option<Failure>,
    /// What it asked of others, as it would be kept.
    pub(super) asked: Vec<Request>,
}

/// Whether a code says that the host could not do better, whatever the handler is.
pub(super) fn is_of_the_host(code: &str) -> bool {
    matches!(code, "HS211" | "HS212" | "HS215" | "HS216")
}
