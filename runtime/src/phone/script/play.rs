//! Plays scripts: all of a handler, several at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use url::Url;

use super::conversation::Conversation;
use super::expect::{self, Failure};
use super::party::Reader;
use super::read::{Kind, Script, Scripts};
#[cfg(test)]
use super::read::{ScriptError, read_text};
use super::steps::Step;
use crate::call::TenantId;
use crate::clock::TimeOfDay;
use crate::host::Host;
use crate::outbound::world::World;
use crate::phone::call::{CallSettings, call};
use crate::phone::carrier::OfflineCarrier;
use crate::phone::line::{HostLine, Line, NoHost, Own, Said};
use crate::phone::messages::{MessageSettings, Texting};
use crate::phone::{Account, Event, Ids, Target, What};

/// Where scripts are played: one handler on a host in this process.
pub struct Stage {
    /// Has it. Each script is played on a host of its own beside this one.
    pub host: Arc<Host>,
    /// Whose handler it is.
    pub tenant: TenantId,
    /// Whose numbers are called.
    pub account: Account,
    /// The handler's folder of URLs: `http://localhost/tenant/handler/`, with the slash at its end.
    pub base: Url,
    /// The moment at which those begin that do not say it, in milliseconds of Unix time.
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

    /// A line to the handler on a host of its own, with empty stores and a carrier that makes `ids`; `own` is what it has in
    /// the place of the rest.
    ///
    /// # Errors
    /// [`NoHost`].
    pub fn line(&self, ids: Ids, own: Own) -> Result<HostLine, NoHost> {
        let carrier = OfflineCarrier::new(self.account.clone(), ids);
        HostLine::beside(&self.host, &self.tenant, &self.base, carrier, own)
    }

    async fn one(&self, script: &Script, index: usize) -> Played {
        let began = Instant::now();
        // Own ids for each script: two that play at once are two calls.
        let lot = u64::try_from(index).unwrap_or_default() + 1;
        let (file, line, name) = (script.file.clone(), script.line, script.name.clone());
        let mut played = Played {
            file,
            line,
            name,
            failure: None,
            events: Vec::new(),
            log: Vec::new(),
            remarks: Vec::new(),
            took: Duration::ZERO,
        };
        let own = Own {
            world: World::new(script.http.iter().cloned()),
            time: TimeOfDay::played(self.began_unix_ms),
            // Also where it gives none: whatever this machine knows of real ones stays out of what is played.
            secrets: Some(script.secrets.clone()),
        };
        match self.line(Ids::new(lot), own) {
            Ok(line) => self.on(&line, script, Ids::new(lot), &mut played).await,
            Err(problem) => played.failure = Some(Failure::of(script, problem.to_string())),
        }
        Played { took: began.elapsed(), ..played }
    }

    /// Plays `script` on `line`.
    async fn on(&self, line: &HostLine, script: &Script, ids: Ids, played: &mut Played) {
        let (account, base) = (&self.account, &self.base);
        let on = On { line, account, base, began_unix_ms: self.began_unix_ms };
        (played.failure, played.events) = on.play(script, ids).await;
        let (Said { lines, remarks }, missing) = line.take_log();
        (played.log, played.remarks) = (lines, remarks);
        if let Some(asked) = line.take_unreached() {
            // Whatever else did not come true may follow from it.
            played.failure = Some(Failure::unreached(script, &asked, played.failure.take()));
            return;
        }
        if let Some(failure) = &mut played.failure {
            failure.hint = failure.hint.take().or_else(|| without_value(line, base));
            return;
        }
        if missing > 0 && !script.log.is_empty() {
            let expected = format!("{missing} lines of the log were lost: too much was logged at once");
            played.failure = Some(Failure::of(script, expected));
            return;
        }
        let missing = script.log.iter().find(|text| !played.log.iter().any(|line| line.contains(*text)));
        played.failure = missing.map(|text| Failure {
            found: played.log.clone(),
            ..Failure::of(script, format!("expected in the handler's log: \u{201c}{text}\u{201d}"))
        });
    }
}

/// What is said of secrets that a script gives no value: it may be why it failed.
fn without_value(line: &HostLine, base: &Url) -> Option<String> {
    let names = line.secrets_without_value(base.path());
    let first = names.first()?;
    Some(format!(
        "no value for {} here: `secrets = {{ {first} = \"\u{2026}\" }}` at the top of the file gives one to its scripts",
        names.join(", ")
    ))
}

/// What a script of a file that has one came to on a line of whatever kind.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Tried {
    /// What did not come true.
    pub(crate) failure: Option<Failure>,
    /// Everything that happened.
    pub(crate) events: Vec<Event>,
    /// The webhook whose signature was to be wrong.
    pub(crate) bad_signature_at: Option<usize>,
}

/// Plays the first script of `text` against a host of whatever kind, whose log nobody sees.
///
/// # Errors
/// [`ScriptError`], where it is no script.
#[cfg(test)]
pub(crate) async fn try_script<L: Line>(
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
    let (failure, events) = on.play(script, Ids::new(1)).await;
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
            Kind::Messages | Kind::Web => self.conversation(script, ids).await,
        };
        let (failure, events) =
            played.unwrap_or_else(|problem| (Some(Failure::of(script, problem)), Vec::new()));
        let failure = expect::requests(script, &events, failure);
        (failure.or_else(|| expect::faults(script, &events)), events)
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
            began_unix_ms: script.at_unix_ms.unwrap_or(self.began_unix_ms),
        };
        let mut reader = Reader::new(script, self.line, self.base.path());
        let account = self.account.clone();
        let record = call(self.line, account, ids, script.faults.clone(), &settings, &mut reader).await;
        Ok((reader.failure, record.events))
    }

    /// When a conversation begins that may run schedules: at the first moment that is named, where that does not say it, or it
    /// would be over on another day.
    fn begins_unix_ms(&self, script: &Script) -> u64 {
        let named = || {
            script.steps.iter().find_map(|placed| match &placed.step {
                Step::Fire { schedule, at: Some(at) } => Some((schedule, *at)),
                _ => None,
            })
        };
        // What can't be is told at its step.
        let first = || {
            let (name, at) = named()?;
            let schedule = self.line.schedule(self.base.path(), name).ok()?;
            at.due_min(&schedule).ok().map(|minute| minute.saturating_mul(60_000))
        };
        script.at_unix_ms.or_else(first).unwrap_or(self.began_unix_ms)
    }

    async fn conversation(&self, script: &Script, ids: Ids) -> Result<Ending, String> {
        let settings = MessageSettings {
            from: script.from.clone(),
            to: script.to.clone(),
            sms: self.target(&script.url)?,
            fallback: script.fallback_url.as_deref().map(|link| self.target(link)).transpose()?,
            service: script.service.clone(),
            params: script.params.clone(),
            began_unix_ms: self.begins_unix_ms(script),
        };
        let texting = Texting::new(self.line, self.account.clone(), ids, script.faults.clone(), settings);
        Ok(Conversation::new(self.line, self.base, script, texting).play().await)
    }
}

/// What did not come true, and what happened.
type Ending = (Option<Failure>, Vec<Event>);
