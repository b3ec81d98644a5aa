//! Plays scripts: all of a handler, several at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use url::Url;

use super::expect::{Failure, lines};
use super::party::Reader;
use super::read::{Kind, Script, Scripts};
#[cfg(test)]
use super::read::{ScriptError, read_text};
use super::steps::{Author, Step};
use crate::phone::call::{CallSettings, call};
use crate::phone::line::{HostLine, Line, Said};
use crate::phone::messages::{MessageSettings, Texting};
use crate::phone::{Account, Event, Ids, Target, What};

/// Where scripts are played: one handler on a host in this process.
pub struct Stage {
    /// Leads to the host.
    pub line: HostLine,
    /// Whose numbers are called.
    pub account: Account,
    /// The handler's folder of URLs: `http://localhost/tenant/handler/`, with the slash at its end.
    pub base: Url,
    /// The moment at which all calls begin, in milliseconds of Unix time.
    pub began_unix_ms: u64,
}

/// A script that was played.
#[derive(Debug, Clone)]
pub struct Played {
    /// Its file.
    pub file: String,
    /// Where it begins there.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What did not come true; nothing where it passed.
    pub failure: Option<Failure>,
    /// Everything that happened.
    pub events: Vec<Event>,
    /// What the handler logged.
    pub log: Vec<String>,
    /// What the host said about it: why a webhook failed.
    pub remarks: Vec<String>,
    /// Of real time.
    pub took: Duration,
}

impl Played {
    /// Webhooks that were sent.
    #[must_use]
    pub fn webhooks(&self) -> usize {
        self.events.iter().filter(|event| matches!(event.what, What::Webhook(_))).count()
    }
}

impl Stage {
    /// Plays all `scripts`, `at_once` at a time, and gives them in their order.
    pub async fn play(self: &Arc<Self>, scripts: &Arc<Scripts>, at_once: usize) -> Vec<Played> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut players = tokio::task::JoinSet::new();
        for _ in 0..at_once.clamp(1, scripts.len().max(1)) {
            let (stage, scripts, next) = (Arc::clone(self), Arc::clone(scripts), Arc::clone(&next));
            players.spawn(async move {
                let mut played = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(script) = scripts.0.get(index) else { return played };
                    played.push((index, stage.one(script, index).await));
                }
            });
        }
        let mut all = Vec::with_capacity(scripts.len());
        while let Some(played) = players.join_next().await {
            match played {
                Ok(played) => all.extend(played),
                // A defect of ours shall not look like scripts that pass.
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        all.sort_by_key(|(index, _)| *index);
        all.into_iter().map(|(_, played)| played).collect()
    }

    async fn one(&self, script: &Script, index: usize) -> Played {
        let began = Instant::now();
        // Own ids for each script: two that play at once are two calls.
        let ids = Ids::new(u64::try_from(index).unwrap_or_default() + 1);
        let on = On {
            line: &self.line,
            account: &self.account,
            base: &self.base,
            began_unix_ms: self.began_unix_ms,
        };
        let (mut failure, events, subjects) = on.play(script, ids).await;
        let (Said { lines: log, remarks }, missing) = self.line.take_log(subjects.iter().map(String::as_str));
        if missing > 0 && !script.log.is_empty() {
            let expected = format!("{missing} lines of the log were lost: too much was logged at once");
            let lost = Failure { line: script.line, expected, found: Vec::new(), hint: None };
            failure.get_or_insert(lost);
        }
        if failure.is_none() {
            failure =
                script.log.iter().find(|text| !log.iter().any(|line| line.contains(*text))).map(|text| {
                    let expected = format!("expected in the handler's log: \u{201c}{text}\u{201d}");
                    Failure { line: script.line, expected, found: log.clone(), hint: None }
                });
        }
        let (file, line, name) = (script.file.clone(), script.line, script.name.clone());
        Played { file, line, name, failure, events, log, remarks, took: began.elapsed() }
    }
}

/// What a script of a file that has one came to on a line of whatever kind.
#[cfg(test)]
#[derive(Debug)]
pub(in crate::phone) struct Tried {
    /// What did not come true.
    pub(in crate::phone) failure: Option<Failure>,
    /// Everything that happened.
    pub(in crate::phone) events: Vec<Event>,
    /// The webhook whose signature was to be wrong.
    pub(in crate::phone) bad_signature_at: Option<usize>,
}

/// Plays the first script of `text` against a host of whatever kind, whose log nobody sees.
///
/// # Errors
/// [`ScriptError`], where it is no script.
#[cfg(test)]
pub(in crate::phone) async fn try_script<L: Line>(
    line: &L,
    account: Account,
    base: &Url,
    text: &str,
) -> Result<Tried, ScriptError> {
    let scripts = read_text("script", text)?;
    let Some(script) = scripts.0.first() else {
        let problem = "there is no script".to_owned();
        return Err(ScriptError::Invalid { file: "script".into(), line: 1, problem });
    };
    let on = On { line, account: &account, base, began_unix_ms: crate::clock::unix_ms() };
    let (failure, events, _) = on.play(script, Ids::new(1)).await;
    let bad_signature_at = script.faults.bad_signature_at.and_then(|n| usize::try_from(n).ok());
    Ok(Tried { failure, events, bad_signature_at })
}

/// Where one script is played.
struct On<'a, L> {
    line: &'a L,
    account: &'a Account,
    base: &'a Url,
    began_unix_ms: u64,
}

impl<L: Line> On<'_, L> {
    async fn play(&self, script: &Script, ids: Ids) -> Ending {
        let played = match script.kind {
            Kind::Call => self.call(script, ids).await,
            Kind::Messages => self.messages(script, ids).await,
        };
        played.unwrap_or_else(|problem| {
            let failure = Failure { line: script.line, expected: problem, found: Vec::new(), hint: None };
            (Some(failure), Vec::new(), Vec::new())
        })
    }

    fn target(&self, link: &str) -> Result<Target, String> {
        let url = self.base.join(link).map_err(|error| format!("{link:?} is no URL: {error}"))?;
        Ok(Target::post(url))
    }

    async fn call(&self, script: &Script, ids: Ids) -> Result<Ending, String> {
        let link = |link: &Option<String>| link.as_deref().map(|link| self.target(link)).transpose();
        let settings = CallSettings {
            from: script.from.clone(),
            to: script.to.clone(),
            voice: self.target(&script.url)?,
            fallback: link(&script.fallback_url)?,
            status_callback: link(&script.status_callback)?,
            status_events: script.status_events.clone(),
            outbound: script.outbound,
            params: script.params.clone(),
            began_unix_ms: self.began_unix_ms,
        };
        let mut reader = Reader::new(script);
        let account = self.account.clone();
        let record = call(self.line, account, ids, script.faults.clone(), &settings, &mut reader).await;
        Ok((reader.failure, record.events, record.subjects))
    }

    async fn messages(&self, script: &Script, ids: Ids) -> Result<Ending, String> {
        let settings = MessageSettings {
            from: script.from.clone(),
            to: script.to.clone(),
            sms: self.target(&script.url)?,
            fallback: script.fallback_url.as_deref().map(|link| self.target(link)).transpose()?,
            service: script.service.clone(),
            params: script.params.clone(),
            began_unix_ms: self.began_unix_ms,
        };
        let account = self.account.clone();
        let mut texting = Texting::new(self.line, account, ids, script.faults.clone(), settings);
        let mut failure: Option<Failure> = None;
        // Of what came back, the first that no step has spoken of yet.
        let mut from = 0;
        let mut errors = Vec::new();
        for placed in &script.steps {
            let fail = |expected: String, events: &[Event]| {
                Some(Failure { line: placed.line, expected, found: lines(events), hint: None })
            };
            match &placed.step {
                Step::Write(written) => {
                    from = texting.events.len();
                    texting.write(written).await;
                    let fresh = texting.events.get(from..).unwrap_or_default();
                    errors = failed_webhooks(fresh);
                    let never = script.never.iter().find(|text| {
                        fresh.iter().any(|event| {
                        matches!(&event.what, What::Message { body, .. } if body.contains(text.as_str()))
                    })
                    });
                    if let Some(text) = never {
                        failure = fail(format!("never to read \u{201c}{text}\u{201d}, and it came"), fresh);
                    } else if let Some(most) = script.answered_within_ms
                        && let Some(slow) = fresh.iter().find_map(|event| match &event.what {
                            What::Webhook(exchange) => Some(exchange.took_us / 1_000).filter(|ms| *ms > most),
                            _ => None,
                        })
                    {
                        failure =
                            fail(format!("a webhook took {slow} ms, expected at most {most} ms"), fresh);
                    }
                }
                Step::Wait { ms } => texting.wait(*ms),
                Step::Error(code) => match errors.iter().position(|found| found == code) {
                    Some(found) => drop(errors.remove(found)),
                    None => {
                        let fresh = texting.events.get(from..).unwrap_or_default();
                        failure = fail(format!("expected {}", placed.step.shown()), fresh);
                    }
                },
                Step::Reply { matcher, media, by } => {
                    let fresh = texting.events.get(from..).unwrap_or_default();
                    let fits = |event: &Event| match &event.what {
                        What::Message { body, media: found, by_carrier, .. } => {
                            *by_carrier == (*by == Author::Carrier)
                                && matcher.fits(body)
                                && media.is_none_or(|count| count == found.len())
                        }
                        _ => false,
                    };
                    match fresh.iter().position(fits) {
                        Some(found) => from += found + 1,
                        None => failure = fail(format!("expected {}", placed.step.shown()), fresh),
                    }
                }
                Step::NoReply => {
                    let fresh = texting.events.get(from..).unwrap_or_default();
                    let is_reply =
                        |event: &Event| matches!(event.what, What::Message { by_carrier: false, .. });
                    if fresh.iter().any(is_reply) {
                        failure = fail("expected no reply, and there is one".into(), fresh);
                    }
                }
                // The reader of scripts lets no other step into a conversation by message.
                other => failure = fail(format!("not a step of messages: {}", other.shown()), &[]),
            }
            // What a write makes fail may be expected by the steps behind it, before the next write.
            let next_expects = |code: &String| {
                let rest = script.steps.iter().filter(|step| step.line >= placed.line);
                rest.map(|step| &step.step).any(|step| matches!(step, Step::Error(wanted) if wanted == code))
            };
            if let Some(code) = errors.iter().find(|code| !next_expects(code)) {
                let fresh = texting.events.get(from..).unwrap_or_default();
                failure = failure.or_else(|| fail(format!("a webhook failed: {code}"), fresh));
            }
            if failure.is_some() {
                break;
            }
        }
        texting.finish().await;
        Ok((failure, texting.events, texting.subjects))
    }
}

/// What did not come true, what happened, and what it was about.
type Ending = (Option<Failure>, Vec<Event>, Vec<String>);

fn failed_webhooks(events: &[Event]) -> Vec<String> {
    let error = |event: &Event| match &event.what {
        What::Webhook(exchange) => exchange.error.clone(),
        _ => None,
    };
    events.iter().filter_map(error).collect()
}
