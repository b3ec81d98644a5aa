//! The checks behind [`HandlerSettings`](super::HandlerSettings), one function a key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::place::Place;
use super::{
    BuildMethod, FALLBACK_BYTES_MAX, Fallback, Limits, RawLimits, RawSchedule, SettingsError, read_text,
};
use crate::call::HandlerName;
use crate::outbound::allow::{ENTRIES_MAX, Entry};
use crate::schedule::{self, ScheduleSettings};
use crate::secrets;

pub(super) fn name(
    name: Option<Spanned<String>>,
    default: &str,
    place: &Place,
) -> Result<HandlerName, SettingsError> {
    match name {
        Some(name) => {
            HandlerName::new(name.get_ref()).map_err(|error| place.invalid(&name, format!("name: {error}")))
        }
        None => HandlerName::new(default).map_err(|error| SettingsError::Invalid {
            file: place.file.to_owned(),
            line: None,
            problem: format!(
                "{error}; it is the folder's or file's name: choose another one with `name = \"…\"`"
            ),
        }),
    }
}

pub(super) fn build(
    build: Option<Spanned<String>>,
    component: Option<Spanned<PathBuf>>,
    dir: &Path,
    place: &Place,
) -> Result<BuildMethod, SettingsError> {
    let is_cargo = match &build {
        Some(build) => build.get_ref() == "cargo",
        None => component.is_none() && dir.join("Cargo.toml").is_file(),
    };
    match (build, component) {
        (Some(_), Some(component)) if is_cargo => {
            Err(place.invalid(&component, "component: cargo's is found by itself; take this line out".into()))
        }
        _ if is_cargo => Ok(BuildMethod::Cargo),
        (Some(build), _) if build.get_ref().trim().is_empty() => {
            Err(place.invalid(&build, "build: empty; write \"cargo\", a command line, or leave it out".into()))
        }
        (Some(build), None) => Err(place.invalid(
            &build,
            "build: a command line needs `component = \"path/to/the.wasm\"` to say where it leaves its result".into(),
        )),
        (Some(build), Some(component)) => {
            Ok(BuildMethod::Command { line: build.into_inner(), component: dir.join(component.into_inner()) })
        }
        (None, component) => Ok(BuildMethod::Ready { component: component.map(|path| dir.join(path.into_inner())) }),
    }
}

pub(super) fn secrets(names: &[Spanned<String>], place: &Place) -> Result<Vec<String>, SettingsError> {
    if let Some(beyond) = names.get(secrets::SECRETS_MAX) {
        return Err(place.invalid(beyond, format!("secrets: more than {}", secrets::SECRETS_MAX)));
    }
    let mut all = BTreeSet::new();
    for name in names {
        secrets::check_name(name.get_ref())
            .map_err(|error| place.invalid(name, format!("secrets: {error}")))?;
        all.insert(name.get_ref().clone());
    }
    Ok(all.into_iter().collect())
}

pub(super) fn fallback(
    path: &Spanned<PathBuf>,
    dir: &Path,
    place: &Place,
) -> Result<Fallback, SettingsError> {
    let full = dir.join(path.get_ref());
    match read_text(&full, FALLBACK_BYTES_MAX) {
        Ok(text) => Ok(Fallback { path: full, text }),
        Err(SettingsError::Unreadable { cause, .. }) => Err(place.invalid(
            path,
            format!(
                "fallback: {} could not be read ({cause}); the path begins at the folder of this file",
                path.get_ref().display()
            ),
        )),
        Err(other) => Err(other),
    }
}

pub(super) fn limits(raw: &RawLimits, place: &Place) -> Result<Limits, SettingsError> {
    let check = |key: &str, value: &Option<Spanned<u64>>, default: u64| match value {
        None => Ok(default),
        Some(value) if *value.get_ref() == 0 => Err(place.invalid(
            value,
            format!("[limits] {key} is 0; use 1 or more, or leave it out for the default of {default}"),
        )),
        Some(value) => Ok(*value.get_ref()),
    };
    let default = Limits::default();
    Ok(Limits {
        deadline_ms: check("deadline_ms", &raw.deadline_ms, default.deadline_ms)?,
        cpu_ms: check("cpu_ms", &raw.cpu_ms, default.cpu_ms)?,
        memory_mib: check("memory_mib", &raw.memory_mib, default.memory_mib)?,
        concurrency: check("concurrency", &raw.concurrency, default.concurrency)?,
        web_deadline_ms: check("web_deadline_ms", &raw.web_deadline_ms, default.web_deadline_ms)?,
    })
}

/// `[[schedule]]`: what was written, once it is known to mean something.
pub(super) fn schedules(
    raw: Vec<Spanned<RawSchedule>>,
    place: &Place,
) -> Result<Vec<ScheduleSettings>, SettingsError> {
    let written: Vec<ScheduleSettings> = raw
        .iter()
        .map(|raw| {
            let RawSchedule { name, cron, timezone } = raw.get_ref();
            let timezone = timezone.as_ref().map_or_else(schedule::utc, |zone| zone.get_ref().clone());
            ScheduleSettings { name: name.get_ref().clone(), cron: cron.get_ref().clone(), timezone }
        })
        .collect();
    match schedule::check(&written) {
        Ok(_) => Ok(written),
        Err((index, error)) => {
            let at = raw.get(index).map(|raw| {
                let whole = raw.get_ref();
                match error.key {
                    "name" => &whole.name,
                    "cron" => &whole.cron,
                    _ => whole.timezone.as_ref().unwrap_or(&whole.name),
                }
            });
            Err(match at {
                Some(at) => place.invalid(at, error.to_string()),
                None => SettingsError::Invalid {
                    file: place.file.to_owned(),
                    line: None,
                    problem: error.to_string(),
                },
            })
        }
    }
}

/// The entries of the allow-list, each as its one spelling.
pub(super) fn allow(entries: &[Spanned<String>], place: &Place) -> Result<Vec<String>, SettingsError> {
    if let Some(beyond) = entries.get(ENTRIES_MAX) {
        let problem = format!(
            "[outbound] allow: {} entries, at most {ENTRIES_MAX}; `https://*.host` allows every host below one",
            entries.len()
        );
        return Err(place.invalid(beyond, problem));
    }
    let entry = |text: &Spanned<String>| match text.get_ref().parse::<Entry>() {
        Ok(entry) => Ok(entry.to_string()),
        Err(error) => Err(place.invalid(text, format!("[outbound] allow: {error}"))),
    };
    entries.iter().map(entry).collect()
}

/// A value of `[config]` as handlers read it: scalars as in TOML, the rest as JSON.
pub(super) fn config_text(value: toml::Value) -> String {
    match value {
        toml::Value::String(text) => text,
        toml::Value::Array(_) | toml::Value::Table(_) => config_json(value).to_string(),
        scalar => scalar.to_string(),
    }
}

fn config_json(value: toml::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        toml::Value::String(text) => Json::String(text),
        toml::Value::Integer(number) => number.into(),
        // JSON has no infinity and no NaN; their TOML spelling says more than `null` would.
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map_or_else(|| Json::String(number.to_string()), Json::Number),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(moment) => Json::String(moment.to_string()),
        toml::Value::Array(items) => items.into_iter().map(config_json).collect(),
        toml::Value::Table(table) => {
            table.into_iter().map(|(key, value)| (key, config_json(value))).collect()
        }
    }
}
