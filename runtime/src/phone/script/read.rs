//! Reads `calls/*.toml`: what was written, checked into what it means.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::http::RawRule;
use super::moment::RawMoment;
use super::steps::Step;
use super::written::RawStep;
use crate::config::Secret;
use crate::handler_toml::said_of;
use crate::outbound::world::Rule;
use crate::phone::{CallbackOrder, Faults, Outcome, Until, address};
use crate::secrets::problem_of_value;

/// The caller of scripts that do not say who calls.
const FROM: &str = "+12025550177";
/// Whom they call.
const TO: &str = "+12025550199";
/// The longest time by which answers may be late, in milliseconds: nobody waits so long.
const DELAY_MS_MAX: u64 = 60_000;

/// What is wrong with a script file.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It can't be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It is not what a script is.
    #[error("{file}:{line}: {problem}")]
    Invalid {
        /// Which.
        file: String,
        /// From 1.
        line: usize,
        /// What was found, what was expected.
        problem: String,
    },
}

/// All scripts of a handler.
#[derive(Debug, Clone, Default)]
pub struct Scripts(pub(super) Vec<Script>);

impl Scripts {
    /// Those whose name contains `text`.
    #[must_use]
    pub fn named(&self, text: &str) -> Self {
        Self(self.0.iter().filter(|script| script.name.contains(text)).cloned().collect())
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One conversation, checked.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) url: String,
    pub(super) fallback_url: Option<String>,
    pub(super) status_callback: Option<String>,
    pub(super) status_events: Vec<String>,
    pub(super) outbound: Option<Outcome>,
    pub(super) service: Option<String>,
    pub(super) params: Vec<(String, String)>,
    pub(super) faults: Faults,
    pub(super) http: Vec<Rule>,
    /// Values of the handler's secrets.
    pub(super) secrets: BTreeMap<String, Secret>,
    /// When it begins, in milliseconds of Unix time; none: at any time.
    pub(super) at_unix_ms: Option<u64>,
    pub(super) steps: Vec<Placed>,
    pub(super) never: Vec<String>,
    pub(super) log: Vec<String>,
    pub(super) answered_within_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    Messages,
    Web,
}

impl Kind {
    /// As the head of a script has it.
    pub(super) const fn written(self) -> &'static str {
        match self {
            Self::Call => "[[call]]",
            Self::Messages => "[[messages]]",
            Self::Web => "[[web]]",
        }
    }
}

/// A step and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) line: usize,
    pub(super) step: Step,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    secrets: Option<Spanned<RawSecrets>>,
    at: Option<Spanned<RawMoment>>,
    #[serde(default)]
    call: Vec<Spanned<RawScript>>,
    #[serde(default)]
    messages: Vec<Spanned<RawScript>>,
    #[serde(default)]
    web: Vec<Spanned<RawScript>>,
}

/// Names and values.
type RawSecrets = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScript {
    name: String,
    secrets: Option<Spanned<RawSecrets>>,
    at: Option<Spanned<RawMoment>>,
    from: Option<String>,
    to: Option<String>,
    url: Option<String>,
    fallback_url: Option<String>,
    status_callback: Option<String>,
    #[serde(default)]
    status_events: Vec<String>,
    outbound: Option<RawOutbound>,
    service: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, String>,
    faults: Option<RawFaults>,
    #[serde(default)]
    http: Vec<Spanned<RawRule>>,
    steps: Vec<Spanned<RawStep>>,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    log: Vec<String>,
    answered_within_ms: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawFaults {
    duplicate: bool,
    timeout_at: Option<u32>,
    bad_signature_at: Option<u32>,
    delay_ms: u64,
    callbacks: CallbackOrder,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum RawOutbound {
    Answered,
    Machine,
    Busy,
    NoAnswer,
    Failed,
}

/// Reads all `*.toml` in `folder`, in the order of their names. A folder that is not there has none.
///
/// # Errors
/// [`ScriptError`], with file and line.
pub fn read_folder(folder: &Path) -> Result<Scripts, ScriptError> {
    let unreadable = |path: &Path, cause| ScriptError::Unreadable { path: path.to_owned(), cause };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Scripts::default()),
        Err(error) => return Err(unreadable(folder, error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|cause| unreadable(folder, cause))?.path();
        if path.extension().is_some_and(|end| end == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut all = Scripts::default();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|cause| unreadable(&path, cause))?;
        all.0.extend(read_text(&path.display().to_string(), &text)?.0);
    }
    Ok(all)
}

/// Reads the text of one file; `file` is its name in messages.
///
/// # Errors
/// [`ScriptError::Invalid`].
pub fn read_text(file: &str, text: &str) -> Result<Scripts, ScriptError> {
    let line_of = |offset: usize| 1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count();
    let invalid =
        |line: usize, problem: String| ScriptError::Invalid { file: file.to_owned(), line, problem };
    let raw: RawFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        invalid(line, said_of(&error))
    })?;
    let given = |secrets: &Option<Spanned<RawSecrets>>, at: &Option<Spanned<RawMoment>>| {
        let line = |spanned: std::ops::Range<usize>| line_of(spanned.start);
        let secrets = secrets.as_ref().map_or(Ok(BTreeMap::new()), |written| {
            values(written.get_ref()).map_err(|problem| invalid(line(written.span()), problem))
        })?;
        let at = at.as_ref().map(|written| {
            let at = written.get_ref().check().and_then(|at| at.unix_ms());
            at.map_err(|problem| invalid(line(written.span()), problem))
        });
        Ok::<_, ScriptError>((secrets, at.transpose()?))
    };
    let (secrets, at_unix_ms) = given(&raw.secrets, &raw.at)?;
    let calls = raw.call.into_iter().map(|script| (Kind::Call, script));
    let messages = raw.messages.into_iter().map(|script| (Kind::Messages, script));
    let web = raw.web.into_iter().map(|script| (Kind::Web, script));
    let mut scripts: Vec<Script> = Vec::new();
    for (kind, spanned) in calls.chain(messages).chain(web) {
        let line = line_of(spanned.span().start);
        let mut raw = spanned.into_inner();
        // What a script says itself goes before what is said for the whole file.
        let (own_secrets, own_at_unix_ms) = given(&raw.secrets, &raw.at)?;
        let mut secrets = secrets.clone();
        secrets.extend(own_secrets);
        let mut steps = Vec::with_capacity(raw.steps.len());
        for step in std::mem::take(&mut raw.steps) {
            let line = line_of(step.span().start);
            let step = Step::check(step.into_inner(), kind).map_err(|problem| invalid(line, problem))?;
            steps.push(Placed { line, step });
        }
        if steps.is_empty() {
            return Err(invalid(line, format!("{:?} has no steps: what shall happen?", raw.name)));
        }
        let mut http = Vec::with_capacity(raw.http.len());
        for rule in std::mem::take(&mut raw.http) {
            let line = line_of(rule.span().start);
            http.push(rule.into_inner().check().map_err(|problem| invalid(line, problem))?);
        }
        let (both, call, messages) = (
            &[Kind::Call, Kind::Messages] as &[Kind],
            &[Kind::Call] as &[Kind],
            &[Kind::Messages] as &[Kind],
        );
        let keys = [
            ("outbound", raw.outbound.is_some(), call),
            ("status_callback", raw.status_callback.is_some(), call),
            ("status_events", !raw.status_events.is_empty(), call),
            ("service", raw.service.is_some(), messages),
            ("from", raw.from.is_some(), both),
            ("to", raw.to.is_some(), both),
            ("url", raw.url.is_some(), both),
            ("fallback_url", raw.fallback_url.is_some(), both),
            ("params", !raw.params.is_empty(), both),
            ("faults", raw.faults.is_some(), both),
            ("never", !raw.never.is_empty(), both),
            ("answered_within_ms", raw.answered_within_ms.is_some(), both),
        ];
        if let Some((key, _, places)) = keys.iter().find(|(_, given, fits)| *given && !fits.contains(&kind)) {
            let places: Vec<&str> = places.iter().map(|place| place.written()).collect();
            let problem = format!("`{key}` is for {}, and this is {}", places.join(" and "), kind.written());
            return Err(invalid(line, problem));
        }
        if let Some(problem) = odd(&raw) {
            return Err(invalid(line, problem));
        }
        const EVENTS: [&str; 4] = ["initiated", "ringing", "answered", "completed"];
        if let Some(odd) = raw.status_events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
            return Err(invalid(line, format!("status_events has {odd:?}, expected some of {EVENTS:?}")));
        }
        let RawFaults { duplicate, timeout_at, bad_signature_at, delay_ms, callbacks } =
            raw.faults.unwrap_or_default();
        scripts.push(Script {
            file: file.to_owned(),
            line,
            name: raw.name,
            kind,
            from: raw.from.unwrap_or_else(|| FROM.into()),
            to: raw.to.unwrap_or_else(|| TO.into()),
            url: raw.url.unwrap_or_else(|| if kind == Kind::Call { "voice" } else { "sms" }.into()),
            fallback_url: raw.fallback_url,
            status_callback: raw.status_callback,
            status_events: raw.status_events,
            outbound: raw.outbound.map(outbound),
            service: raw.service,
            params: raw.params.into_iter().collect(),
            faults: Faults { duplicate, timeout_at, bad_signature_at, delay_ms, callbacks },
            http,
            secrets,
            at_unix_ms: own_at_unix_ms.or(at_unix_ms),
            steps,
            never: raw.never,
            log: raw.log,
            answered_within_ms: raw.answered_within_ms,
        });
    }
    scripts.sort_by_key(|script| script.line);
    Ok(Scripts(scripts))
}

/// A value that could never come true, or would mean nothing.
fn odd(raw: &RawScript) -> Option<String> {
    if raw.name.trim().is_empty() {
        return Some("`name` is empty; the report tells a script by it".to_owned());
    }
    for (key, number) in [("from", &raw.from), ("to", &raw.to)] {
        if let Some(number) = number
            && let Err(expected) = address(number)
        {
            return Some(format!("`{key}` is {number:?}, {expected}"));
        }
    }
    if !raw.status_events.is_empty() && raw.status_callback.is_none() {
        return Some("`status_events` says what `status_callback` hears of, and there is none".to_owned());
    }
    let faults = raw.faults.as_ref()?;
    for (key, at) in [("timeout_at", faults.timeout_at), ("bad_signature_at", faults.bad_signature_at)] {
        if at == Some(0) {
            return Some(format!("`{key}` is 0, and webhooks are counted from 1"));
        }
    }
    let delay_ms = faults.delay_ms;
    (delay_ms > DELAY_MS_MAX).then(|| format!("`delay_ms` is {delay_ms}, expected at most {DELAY_MS_MAX}"))
}

/// Secrets as a handler may have them. No value is shown, made up or not.
fn values(written: &RawSecrets) -> Result<BTreeMap<String, Secret>, String> {
    let mut values = BTreeMap::new();
    for (name, value) in written {
        if let Some(problem) = problem_of_value(value) {
            return Err(format!("`secrets`: {name}: {problem}"));
        }
        values.insert(name.clone(), Secret::new(value.clone()));
    }
    Ok(values)
}

fn outbound(word: RawOutbound) -> Outcome {
    let answered = |machine| Outcome::Answered { seconds: 0, until: Until::Called, machine };
    match word {
        RawOutbound::Answered => answered(false),
        RawOutbound::Machine => answered(true),
        RawOutbound::Busy => Outcome::Busy,
        RawOutbound::NoAnswer => Outcome::NoAnswer,
        RawOutbound::Failed => Outcome::Failed { sip_code: 404 },
    }
}
