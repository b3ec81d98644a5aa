//! What a script says about HTTP: what a service answers to the handler, and what somebody asks of its pages.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;

use super::steps::WebAsked;
use crate::outbound::world::{Given, Pattern, Rule};

/// The longest time that an answer may take, in milliseconds: longer than anybody waits.
const TAKES_MS_MAX: u64 = 600_000;

/// One entry of `http`, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    request: String,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    error: Option<RawError>,
    #[serde(default)]
    takes_ms: u64,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum RawError {
    Timeout,
    Refused,
    Denied,
}

/// A form, as a text or as fields.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RawForm {
    Text(String),
    Fields(BTreeMap<String, String>),
}

impl RawRule {
    pub(super) fn check(self) -> Result<Rule, String> {
        let request: Pattern = self.request.parse().map_err(|why| format!("`request`: {why}"))?;
        if self.takes_ms > TAKES_MS_MAX {
            return Err(format!("`takes_ms` is {}, expected at most {TAKES_MS_MAX}", self.takes_ms));
        }
        let answers = self.status.is_some() || self.body.is_some() || !self.headers.is_empty();
        let given = match self.error {
            Some(_) if answers => {
                return Err("a request has an answer or an `error`, not both; make it two entries".into());
            }
            Some(RawError::Timeout) => Given::Timeout,
            Some(RawError::Refused) => Given::Refused,
            Some(RawError::Denied) => Given::Denied,
            None => Given::Answer {
                status: status(self.status.unwrap_or(200))?,
                headers: headers(&self.headers)?,
                body: self.body.unwrap_or_default().into(),
            },
        };
        Ok(Rule { request, given, takes: Duration::from_millis(self.takes_ms) })
    }
}

fn status(number: u16) -> Result<StatusCode, String> {
    StatusCode::from_u16(number)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()))
        .ok_or_else(|| format!("`status` is {number}, expected 200 to 599"))
}

fn headers(written: &BTreeMap<String, String>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        let (Ok(field), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
            return Err(format!("`headers` has {name:?} = {value:?}, which is no header field"));
        };
        headers.insert(field, value);
    }
    Ok(headers)
}

/// The request of a step `web = "POST /call"`.
pub(super) fn asked(
    web: &str,
    form: Option<RawForm>,
    body: Option<String>,
    written: &BTreeMap<String, String>,
) -> Result<WebAsked, String> {
    let wrong = || format!("`web` is {web:?}, expected a method and a path, such as \"POST /call\"");
    let (method, path) = web.split_once(' ').ok_or_else(wrong)?;
    let method = Method::from_bytes(method.as_bytes())
        .ok()
        .filter(|_| method.bytes().all(|byte| byte.is_ascii_uppercase()))
        .ok_or_else(wrong)?;
    if !path.starts_with('/') || path.contains(['#', ' ']) {
        return Err(wrong());
    }
    if method.is_safe() && (form.is_some() || body.is_some()) {
        return Err(format!(
            "a {method} has no body; write the fields behind the path: \"{method} /list?of=1\""
        ));
    }
    let mut headers = headers(written)?;
    let (form, body) = match (form, body) {
        (Some(_), Some(_)) => return Err("a request has a `form` or a `body`, not both".into()),
        (None, body) => (Vec::new(), Bytes::from(body.unwrap_or_default())),
        (Some(form), None) => {
            let (fields, body) = match form {
                RawForm::Text(text) => {
                    let fields = form_urlencoded::parse(text.as_bytes());
                    (fields.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(), text)
                }
                RawForm::Fields(fields) => {
                    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
                    (fields.into_iter().collect::<Vec<_>>(), text)
                }
            };
            let is_form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.entry(CONTENT_TYPE).or_insert(is_form);
            (fields, Bytes::from(body))
        }
    };
    Ok(WebAsked { method, path: path.to_owned(), headers, form, body })
}
