//! The checks behind [`HandlerSettings`](super::HandlerSettings), one function a key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::place::Place;
use super::{BuildMethod, FALLBACK_BYTES_MAX, Fallback, Limits, RawLimits, SettingsError, read_text};
use crate::call::HandlerName;
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
    })
}

/// An entry of the allow-list as `scheme://host[:port]`.
pub(super) fn origin(origin: &Spanned<String>, place: &Place) -> Result<String, SettingsError> {
    let found = origin.get_ref();
    let refuse = |why: &str| {
        place.invalid(
            origin,
            format!("[outbound] allow: {found:?} {why}; write `https://host` or `https://host:port`, one entry a host"),
        )
    };
    let url = url::Url::parse(found).map_err(|error| refuse(&format!("is not a URL ({error})")))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(refuse("has a scheme that handlers cannot call"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("carries a user name or password, which belong into the request"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has more than scheme, host and port"));
    }
    if url.port() == Some(0) {
        return Err(refuse("has port 0, where nothing can listen"));
    }
    if url.host_str().is_some_and(|host| host.contains('*')) {
        return Err(refuse("has a wildcard, which are not supported"));
    }
    Ok(url.origin().ascii_serialization())
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
