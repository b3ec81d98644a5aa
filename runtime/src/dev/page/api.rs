//! What the page asks for.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;

use super::desk::{About, Conversation, Desk, Done, Full, Place};
use super::item::ToPage;
use super::person::{Input, Person};
use super::save::SaveError;
use super::{curl as commands, save};
use crate::clock;
use crate::phone::call::{CallSettings, call as conduct};
use crate::phone::messages::{Delivery, MessageSettings, Texting, Written};
use crate::phone::{self, Act, CallbackOrder, Faults, Ids, MEDIA_MAX, Target, What};
use crate::twiml::DocumentKind;

/// Inputs that wait for a call; beyond it somebody leans on a key.
const INPUTS_MAX: usize = 64;
/// Characters of a number or address.
const ADDRESS_MAX: usize = 256;
/// Characters that somebody says or writes at one time.
const TEXT_MAX: usize = 2_000;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal(StatusCode, String);

impl Refusal {
    fn bad(why: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, why.into())
    }

    fn gone(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("there is no such {what} any more"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<Full> for Refusal {
    fn from(full: Full) -> Self {
        let status = match full {
            Full::Gone => StatusCode::NOT_FOUND,
            Full::Pages | Full::Calls => StatusCode::TOO_MANY_REQUESTS,
        };
        Self(status, full.to_string())
    }
}

/// Takes JSON only: no form of another website can send that.
fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Refusal> {
    body.map(|Json(body)| body).map_err(|rejection| Refusal(rejection.status(), rejection.body_text()))
}

/// Opens a page: its life is this stream's.
pub(super) async fn stream(
    State(desk): State<Arc<Desk>>,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Refusal> {
    let place = desk.open(random()?)?;
    let board = desk.page.board.watch();
    let hello = ToPage::Hello { page: place.id.clone(), base: desk.page.base.to_string() };
    let first = ToPage::Board { handlers: board.borrow().to_vec() };
    let stopping = desk.stopping.clone();
    let state = Reading { place, board, stopping, first: VecDeque::from([hello, first]) };
    let events = stream::unfold(state, |mut state| async move {
        let told = state.next().await?;
        // JSON escapes line breaks, so it is one `data` line.
        let text = serde_json::to_string(&told).unwrap_or_default();
        Some((Ok(SseEvent::default().data(text)), state))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

struct Reading {
    place: Place,
    board: tokio::sync::watch::Receiver<Arc<[crate::dev::board::HandlerView]>>,
    stopping: tokio::sync::watch::Receiver<bool>,
    first: VecDeque<ToPage>,
}

impl Reading {
    async fn next(&mut self) -> Option<ToPage> {
        if let Some(told) = self.first.pop_front() {
            return Some(told);
        }
        tokio::select! {
            told = self.place.unread.recv() => told,
            changed = self.board.changed() => {
                changed.ok()?;
                Some(ToPage::Board { handlers: self.board.borrow_and_update().to_vec() })
            }
            // An error means that the sender is gone, and with it the host.
            _ = self.stopping.wait_for(|stopping| *stopping) => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallRequest {
    page: String,
    handler: String,
    from: String,
    to: String,
    /// Whether the browser reads aloud.
    #[serde(default)]
    voice: bool,
    #[serde(default)]
    faults: RawFaults,
    again: Option<Again>,
}

/// The conversation whose acts are done again, up to the item that is not reached any more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    conversation: String,
    before: u32,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawFaults {
    duplicate: bool,
    delay_ms: u64,
    timeout_at: Option<u32>,
    bad_signature_at: Option<u32>,
    callbacks: CallbackOrder,
}

impl RawFaults {
    fn checked(self) -> Result<Faults, Refusal> {
        let Self { duplicate, delay_ms, timeout_at, bad_signature_at, callbacks } = self;
        if delay_ms > 60_000 {
            return Err(Refusal::bad(format!("delay_ms is {delay_ms}, expected at most 60000")));
        }
        for (key, at) in [("timeout_at", timeout_at), ("bad_signature_at", bad_signature_at)] {
            if at == Some(0) {
                return Err(Refusal::bad(format!("`{key}` is 0, and webhooks are counted from 1")));
            }
        }
        Ok(Faults { duplicate, delay_ms, timeout_at, bad_signature_at, callbacks })
    }
}

#[derive(Serialize)]
pub(super) struct Begun {
    conversation: String,
}

pub(super) fn address(name: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().count() > ADDRESS_MAX {
        return Err(Refusal::bad(format!("`{name}` has more than {ADDRESS_MAX} characters")));
    }
    phone::address(text).map_err(|expected| Refusal::bad(format!("`{name}` is {text:?}, {expected}")))
}

/// Begins a call.
pub(super) async fn call(
    State(desk): State<Arc<Desk>>,
    request: Result<Json<CallRequest>, JsonRejection>,
) -> Result<Json<Begun>, Refusal> {
    let request = body(request)?;
    let handler = desk.handler(&request.handler).ok_or_else(|| Refusal::gone("handler"))?;
    if !handler.voice {
        return Err(Refusal::bad(format!("{} does not answer calls", handler.name)));
    }
    let again = match &request.again {
        None => None,
        Some(again) => {
            let earlier = desk.conversation(&again.conversation).ok_or_else(|| Refusal::gone("call"))?;
            let kept = earlier.about.kept();
            let acts = kept.done.iter().take_while(|(seq, _)| *seq < again.before);
            let acts = acts.filter_map(|(_, done)| match done {
                Done::Act(Some(_), act) if *act != Act::HangUp => Some(act.clone()),
                _ => None,
            });
            Some(acts.collect::<VecDeque<_>>())
        }
    };
    let voice = desk.url(&handler.name, "voice").map_err(|error| Refusal::bad(error.to_string()))?;
    let settings = CallSettings {
        from: address("from", &request.from)?,
        to: address("to", &request.to)?,
        voice: Target::post(voice),
        fallback: None,
        status_callback: None,
        status_events: Vec::new(),
        outbound: None,
        params: Vec::new(),
        began_unix_ms: clock::unix_ms(),
    };
    let status = if handler.events { Some(desk.url(&handler.name, "status")) } else { None };
    let settings =
        CallSettings { status_callback: status.and_then(Result::ok).map(Target::post), ..settings };
    let faults = request.faults.checked()?;
    let ends = (settings.from.clone(), settings.to.clone());
    let about =
        About::new(random()?, handler.name, ends, faults.clone(), DocumentKind::Voice, handler.events);
    let (inputs, received) = mpsc::channel(INPUTS_MAX);
    let conversation = Conversation { about: Arc::clone(&about), inputs: Some(inputs), texting: None };
    let teller = desk.begin(&request.page, conversation)?;
    let ids = ids()?;
    let id = about.id.clone();
    // On its own: the request is answered now, and the call lasts as long as somebody talks.
    tokio::spawn(async move {
        let mut person = Person::new(Arc::clone(&desk), teller, received, again, request.voice);
        let account = desk.page.account.clone();
        conduct(desk.line.clone(), account, ids, faults, &settings, &mut person).await;
        about.kept().over = true;
    });
    Ok(Json(Begun { conversation: id }))
}

/// Somebody in a call does something.
pub(super) async fn act(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    request: Result<Json<Input>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let input = body(request)?;
    match &input {
        Input::Press { key } if !key.is_ascii_digit() && !matches!(key, '*' | '#') => {
            return Err(Refusal::bad(format!("{key:?} is no key, expected one of 0-9, * and #")));
        }
        Input::Say { text, confidence } => {
            let sure = confidence.unwrap_or_default();
            if text.trim().is_empty() || text.chars().count() > TEXT_MAX || !(0.0..=1.0).contains(&sure) {
                return Err(Refusal::bad(format!(
                    "expected 1 to {TEXT_MAX} characters, and a confidence from 0 to 1"
                )));
            }
        }
        _ => {}
    }
    let conversation = desk.conversation(&id).ok_or_else(|| Refusal::gone("call"))?;
    let inputs = conversation.inputs.ok_or_else(|| Refusal::bad("nobody is on a line here"))?;
    match inputs.try_send(input) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(mpsc::error::TrySendError::Full(_)) => Err(Refusal(
            StatusCode::TOO_MANY_REQUESTS,
            "slower: the call has not taken what came before".into(),
        )),
        Err(mpsc::error::TrySendError::Closed(_)) => Err(Refusal::gone("call")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageRequest {
    page: String,
    /// Goes on with this one; without it a new one begins.
    conversation: Option<String>,
    handler: String,
    from: String,
    to: String,
    body: String,
    #[serde(default)]
    media: Vec<String>,
    #[serde(default)]
    delivery: RawDelivery,
    #[serde(default)]
    faults: RawFaults,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum RawDelivery {
    #[default]
    Delivered,
    Undelivered,
    Failed,
}

/// Somebody writes a message; answered when everything that follows from it has happened.
pub(super) async fn message(
    State(desk): State<Arc<Desk>>,
    request: Result<Json<MessageRequest>, JsonRejection>,
) -> Result<Json<Begun>, Refusal> {
    let request = body(request)?;
    if request.media.len() > MEDIA_MAX || request.body.chars().count() > TEXT_MAX {
        return Err(Refusal::bad(format!("at most {TEXT_MAX} characters and {MEDIA_MAX} media")));
    }
    let known = request.conversation.as_deref().and_then(|id| desk.conversation(id));
    let (conversation, teller) = match known {
        Some(known) => {
            let teller =
                desk.teller(&request.page, &known.about.id).ok_or_else(|| Refusal::gone("conversation"))?;
            (known, teller)
        }
        None => {
            let handler = desk.handler(&request.handler).ok_or_else(|| Refusal::gone("handler"))?;
            if !handler.messaging {
                return Err(Refusal::bad(format!("{} does not answer messages", handler.name)));
            }
            let sms = desk.url(&handler.name, "sms").map_err(|error| Refusal::bad(error.to_string()))?;
            let settings = MessageSettings {
                from: address("from", &request.from)?,
                to: address("to", &request.to)?,
                sms: Target::post(sms),
                fallback: None,
                service: None,
                params: Vec::new(),
                began_unix_ms: clock::unix_ms(),
            };
            let faults = request.faults.checked()?;
            let ends = (settings.from.clone(), settings.to.clone());
            let about =
                About::new(random()?, handler.name, ends, faults.clone(), DocumentKind::Messaging, false);
            let texting =
                Texting::new(desk.line.clone(), desk.page.account.clone(), ids()?, faults, settings);
            let texting = Some(Arc::new(tokio::sync::Mutex::new(texting)));
            let conversation = Conversation { about, inputs: None, texting };
            let teller = desk.begin(&request.page, conversation.clone())?;
            (conversation, teller)
        }
    };
    let texting =
        conversation.texting.ok_or_else(|| Refusal::bad("that is a call, nobody can write there"))?;
    let delivery = match request.delivery {
        RawDelivery::Delivered => Delivery::Delivered,
        RawDelivery::Undelivered => Delivery::Undelivered(30003),
        RawDelivery::Failed => Delivery::Failed(30008),
    };
    let written = Written { body: request.body, media: request.media, delivery };
    let mut texting = texting.lock().await;
    texting.write(&written).await;
    texting.finish().await;
    let mut done = Some(Done::Wrote(written));
    for event in std::mem::take(&mut texting.events) {
        let wrote = matches!(event.what, What::Did { .. });
        let happened = desk.happened(event, DocumentKind::Messaging);
        let told = teller.tell_done(happened, if wrote { done.take() } else { None }).await;
        told.map_err(|_| Refusal::gone("page, or it has grown too long"))?;
    }
    Ok(Json(Begun { conversation: conversation.about.id.clone() }))
}

/// A webhook as a command that sends it again.
pub(super) async fn curl(
    State(desk): State<Arc<Desk>>,
    Path((id, seq)): Path<(String, u32)>,
) -> Result<String, Refusal> {
    let conversation = desk.conversation(&id).ok_or_else(|| Refusal::gone("conversation"))?;
    let kept = conversation.about.kept();
    let item = kept.items.iter().find(|item| item.seq == seq);
    let exchange = item.and_then(|item| item.what.exchange()).ok_or_else(|| Refusal::gone("webhook"))?;
    let page = &desk.page;
    Ok(commands::command(exchange, &page.base, page.data_plane, &page.account.token))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptRequest {
    /// Of the file, without its ending.
    file: String,
    /// What it shows.
    name: String,
}

/// Saves a conversation as a script that expects what was heard.
pub(super) async fn script(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    request: Result<Json<ScriptRequest>, JsonRejection>,
) -> Result<Json<save::Saved>, Refusal> {
    let request = body(request)?;
    let conversation = desk.conversation(&id).ok_or_else(|| Refusal::gone("conversation"))?;
    let handler = desk.handler(&conversation.about.handler).ok_or_else(|| Refusal::gone("handler"))?;
    let text = save::text(&conversation.about, &request.name);
    let path = std::path::PathBuf::from(handler.path);
    let saved = tokio::task::spawn_blocking(move || save::save(&path, &request.file, &text)).await;
    match saved {
        Ok(Ok(saved)) => Ok(Json(saved)),
        Ok(Err(error @ SaveError::Exists(_))) => Err(Refusal(StatusCode::CONFLICT, error.to_string())),
        Ok(Err(error)) => Err(Refusal::bad(error.to_string())),
        Err(panic) => Err(Refusal(StatusCode::INTERNAL_SERVER_ERROR, panic.to_string())),
    }
}

fn ids() -> Result<Ids, Refusal> {
    Ids::random().map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// A name that nobody guesses.
fn random() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
