//! From parameters to a webhook.
//!
//! What nearly every handler reads becomes a typed field; everything, known or not, stays in `form`, because new
//! parameters appear without notice. Where a name comes twice the last one counts: the carrier puts its own
//! parameters after those that a handler wrote into a link, be it in the query of a `GET` or in the body of a `POST`.
//!
//! Which kind of event a callback tells is `event`'s business, decoding is `body`'s.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::body::{Body, Form, PARAMETERS_MAX};
use super::event;
use crate::call::Entry;
use crate::call::{Call, CallStatus, Direction, Message, Webhook};

/// The query parameter that holds our pin; a handler never sees it.
const PIN: &str = "hs";

/// Why parameters are no webhook.
#[derive(Debug, thiserror::Error)]
pub enum ParamsError {
    /// More than anybody sends.
    #[error("more than {PARAMETERS_MAX} parameters; a webhook has 20 to 60")]
    TooMany,
    /// Every voice webhook names its call.
    #[error(
        "a voice webhook has `CallSid`, found {0}; …/sms takes messages, …/status takes status callbacks"
    )]
    NoCall(Found),
    /// Every message webhook names its message.
    #[error(
        "a message webhook has `MessageSid` (or `SmsSid`), found {0}; …/voice takes calls, …/status takes status callbacks"
    )]
    NoMessage(Found),
    /// A body that no signature covers.
    #[error(
        "the body is {0:?}, which the signature does not cover; expected `application/x-www-form-urlencoded` or `application/json`"
    )]
    Unsigned(String),
    /// A body that says it is JSON.
    #[error("the body is not JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Names of the parameters that were sent, the first dozen.
#[derive(Debug)]
pub struct Found(Vec<String>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            [] => f.write_str("no parameters at all (is the method the one that the carrier was told?)"),
            names => write!(f, "only `{}`", names.join("`, `")),
        }
    }
}

/// Reads the webhook that came to `entry`, at `step` of the conversation.
///
/// `query` is as sent. A JSON object becomes parameters: texts as they are, numbers and booleans as JSON writes them, `null`
/// as nothing, arrays and objects as JSON text. Any other JSON becomes `PayloadType=application/json` and `Payload` with the text.
///
/// # Errors
/// [`ParamsError`]: what is missing or unreadable.
pub fn read(entry: Entry, step: &str, query: Option<&str>, body: &Body<'_>) -> Result<Webhook, ParamsError> {
    let query = without_pin(query.unwrap_or_default());
    let from_json;
    let from_json = match body {
        Body::Json(bytes) => {
            from_json = json_as_form(bytes)?;
            Some(Form::parse(from_json.as_bytes())?)
        }
        _ => None,
    };
    let params = Params {
        query: if query.is_empty() { None } else { Some(Form::parse(query.as_bytes())?) },
        body: match body {
            Body::Form(form) => Some(form),
            Body::Json(_) => from_json.as_ref(),
            Body::Empty => None,
            Body::Unsigned(content_type) => {
                return Err(ParamsError::Unsigned(content_type.chars().take(80).collect()));
            }
        },
    };
    match entry {
        Entry::Voice => call(&params, step).map(Webhook::Voice),
        Entry::Messaging => message(&params, step).map(Webhook::Message),
        Entry::Status => Ok(Webhook::Event(event::read(&params, step))),
    }
}

/// The called and the calling number; the other way round for what we began, because then ours is the calling one.
pub(super) fn numbers(query: Option<&str>, body: &Body<'_>) -> Vec<String> {
    let query = query.and_then(|query| Form::parse(query.as_bytes()).ok());
    let body = if let Body::Form(form) = body { Some(form) } else { None };
    let params = Params { query, body };
    let ours_calls = params.get("Direction").is_some_and(|direction| direction.starts_with("outbound"));
    let names = if ours_calls { ["From", "To"] } else { ["To", "From"] };
    names.iter().filter_map(|name| params.get(name)).map(str::to_owned).collect()
}

/// All parameters of a request: those of the query, then those of the body.
pub(super) struct Params<'a> {
    query: Option<Form<'a>>,
    body: Option<&'a Form<'a>>,
}

impl<'a> Params<'a> {
    /// The parameters that a webhook's `form` holds.
    pub(super) fn of(form: &'a str) -> Result<Self, ParamsError> {
        Ok(Self { query: Some(Form::parse(form.as_bytes())?), body: None })
    }

    /// The last value of `name`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let in_body = self.body.and_then(|form| form.last(name));
        in_body.or_else(|| self.query.as_ref().and_then(|form| form.last(name)))
    }

    /// The value of the first of `names` that was sent with one.
    pub(super) fn first_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().filter_map(|name| self.get(name)).find(|value| !value.is_empty())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn owned(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let forms = [self.query.as_ref(), self.body].into_iter().flatten();
        forms.flat_map(Form::iter)
    }

    /// All of them as one form. The bytes are those that were sent, not encoded anew.
    pub(super) fn form(&self) -> String {
        let [query, body] =
            [self.query.as_ref(), self.body].map(|form| form.map_or(Cow::Borrowed(""), as_text));
        match (&*query, &*body) {
            (query, "") => query.to_owned(),
            ("", body) => body.to_owned(),
            (query, body) => [query, body].join("&"),
        }
    }

    fn found(&self) -> Found {
        Found(self.iter().take(12).map(|(name, _)| name.chars().take(40).collect()).collect())
    }
}

fn as_text<'f>(form: &'f Form<'_>) -> Cow<'f, str> {
    match std::str::from_utf8(form.raw()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            Cow::Owned(form_urlencoded::Serializer::new(String::new()).extend_pairs(form.iter()).finish())
        }
    }
}

/// The query but for our pin. What handlers and carriers wrote stays as it is.
fn without_pin(query: &str) -> Cow<'_, str> {
    let is_pin =
        |pair: &&str| pair.strip_prefix(PIN).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    if query.is_empty() || is_pin(&query) && !query.contains('&') {
        return Cow::Borrowed("");
    }
    if !query.split('&').any(|pair| is_pin(&pair)) {
        return Cow::Borrowed(query);
    }
    let kept: Vec<_> = query.split('&').filter(|pair| !is_pin(pair)).collect();
    Cow::Owned(kept.join("&"))
}

fn call(params: &Params<'_>, step: &str) -> Result<Call, ParamsError> {
    let id = params.first_of(&["CallSid"]).ok_or_else(|| ParamsError::NoCall(params.found()))?;
    Ok(Call {
        id: id.to_owned(),
        account: params.owned("AccountSid"),
        from: params.owned("From"),
        to: params.owned("To"),
        direction: direction(params.get("Direction").unwrap_or_default()),
        status: call_status(params.get("CallStatus").unwrap_or_default()),
        step: step.to_owned(),
        digits: params.get("Digits").map(str::to_owned),
        speech: params.get("SpeechResult").map(str::to_owned),
        form: params.form(),
    })
}

fn message(params: &Params<'_>, step: &str) -> Result<Message, ParamsError> {
    let id = params
        .first_of(&["MessageSid", "SmsSid", "SmsMessageSid"])
        .ok_or_else(|| ParamsError::NoMessage(params.found()))?;
    Ok(Message {
        id: id.to_owned(),
        account: params.owned("AccountSid"),
        from: params.owned("From"),
        to: params.owned("To"),
        body: params.owned("Body"),
        media_count: params.number("NumMedia").unwrap_or(0),
        segments: params.number("NumSegments").unwrap_or(1).max(1),
        step: step.to_owned(),
        form: params.form(),
    })
}

fn direction(word: &str) -> Direction {
    match word {
        "inbound" => Direction::Inbound,
        "outbound-api" => Direction::OutboundApi,
        "outbound-dial" => Direction::OutboundDial,
        _ => Direction::Other,
    }
}

fn call_status(word: &str) -> CallStatus {
    match word {
        "queued" => CallStatus::Queued,
        "initiated" => CallStatus::Initiated,
        "ringing" => CallStatus::Ringing,
        "in-progress" => CallStatus::InProgress,
        "completed" => CallStatus::Completed,
        "busy" => CallStatus::Busy,
        "failed" => CallStatus::Failed,
        "no-answer" => CallStatus::NoAnswer,
        "canceled" => CallStatus::Canceled,
        _ => CallStatus::Other,
    }
}

fn json_as_form(bytes: &[u8]) -> Result<String, ParamsError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    match serde_json::from_slice(bytes)? {
        Value::Object(members) => {
            for (name, value) in &members {
                match value {
                    Value::Null => form.append_pair(name, ""),
                    Value::String(text) => form.append_pair(name, text),
                    other => form.append_pair(name, &other.to_string()),
                };
            }
        }
        _ => {
            form.append_pair("PayloadType", "application/json");
            form.append_pair("Payload", &String::from_utf8_lossy(bytes));
        }
    }
    Ok(form.finish())
}

#[cfg(test)]
mod tests;
