//! One call, from the first webhook to the last.
//!
//! [`call`] is the whole of it. A document is walked verb by verb; each verb lets time pass and decides what is next: the
//! verb behind it, another document, or the end. Documents that are heard while something else goes on (whisper,
//! queue, conference wait) are walked by the same code in a narrower [`Scope`].

mod conference;
mod connect;
mod dial;
mod gather;
mod leg;
mod queue;
mod record;
mod walk;

use std::future::Future;
use std::pin::Pin;

use self::connect::Started;
pub(crate) use self::queue::SILENCE_MS;
use super::answer::Answer;
use super::event::{Event, Heard, Leg, What};
use super::line::Line;
use super::own_number::OwnNumber;
use super::params::{LegState, Params, add, params};
use super::party::{Act, Outcome, Party, Presence, Question};
use super::sender::{Account, Kept, Sender, Sent, Target};
use super::speech::{PLAY_MS, lasts_ms};
use super::{CALL_MS_MAX, Clock, DOCUMENTS_MAX, ENDLESS, Faults, Ids};
use crate::twiml::DocumentKind;

/// How a call begins.
#[derive(Debug, Clone)]
pub struct CallSettings {
    /// Who calls: a number, `client:NAME`, `sip:…`.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// Answers.
    pub voice: Target,
    /// Answers when that fails.
    pub fallback: Option<Target>,
    /// Hears of the call's progress.
    pub status_callback: Option<Target>,
    /// Of which: `initiated`, `ringing`, `answered`, `completed`. A number that is called tells only the last.
    pub status_events: Vec<String>,
    /// None for a call that comes in; for one that the handler's owner began, what becomes of it.
    pub outbound: Option<Outcome>,
    /// Parameters that come with each webhook; they hide standard ones of their name.
    pub params: Vec<(String, String)>,
    /// When it begins, in milliseconds of Unix time.
    pub began_unix_ms: u64,
}

/// A call that is over.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// Everything that happened.
    pub events: Vec<Event>,
}

/// Conducts a call over `line` with `party` at its end.
pub async fn call<L: Line, P: Party>(
    line: L,
    account: Account,
    mut ids: Ids,
    faults: Faults,
    settings: &CallSettings,
    party: &mut P,
) -> CallRecord {
    let mut leg = LegState {
        sid: ids.next("CA"),
        parent: None,
        from: settings.from.clone(),
        to: settings.to.clone(),
        direction: if settings.outbound.is_some() { "outbound-api" } else { "inbound" },
        status: "ringing",
        own: settings.params.clone(),
        answered_at_ms: None,
    };
    let clock = Clock::new(settings.began_unix_ms, line.time());
    let mut call = Call {
        sender: Sender::new(line, account, ids, faults),
        party,
        clock,
        record: CallRecord { events: Vec::new() },
        fallback: settings.fallback.clone(),
        dial_recording: None,
        due: Vec::new(),
        started: Vec::new(),
        number: OwnNumber::new(if settings.outbound.is_some() { &settings.from } else { &settings.to }),
    };
    let mut progress = leg::Progress::new(settings.status_callback.clone(), &settings.status_events);
    let mut first =
        Fetch { purpose: "incoming call".into(), target: settings.voice.clone(), extra: Params::new() };
    let ended = match settings.outbound {
        None => Some(call.conduct(&mut leg, Scope::Call, first).await),
        Some(outcome) => {
            call.begin_outbound(&mut leg, &mut progress, outcome, &mut first).await;
            match leg.answered_at_ms {
                Some(_) => Some(call.conduct(&mut leg, Scope::Call, first).await),
                None => None,
            }
        }
    };
    call.finish(&mut leg, progress, ended, settings.outbound).await
}

/// A call in progress.
struct Call<'p, L, P> {
    sender: Sender<L>,
    party: &'p mut P,
    clock: Clock,
    record: CallRecord,
    fallback: Option<Target>,
    /// Of the last dial that recorded: what the call's own last callback tells too.
    dial_recording: Option<Params>,
    /// Callbacks about what is over, which come after the request that it leads to.
    due: Vec<(Leg, Kept)>,
    /// Streams and transcriptions that go on beside the call.
    started: Vec<Started>,
    number: OwnNumber,
}

/// A document to ask for.
struct Fetch {
    purpose: String,
    target: Target,
    /// Besides the standard parameters.
    extra: Params,
}

/// What is next.
enum Flow {
    Next,
    Go(Fetch),
    End(Ended),
}

/// Why a document leads no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Its last verb is done.
    Document,
    /// It hung up.
    Hangup,
    /// It refused the call, for this reason.
    Rejected { busy: bool },
    /// Whoever listened hung up.
    HungUp,
    /// It left the queue.
    Left,
    /// It could not be had.
    Failed,
    /// The call lasts longer than any may.
    TooLong,
    /// It asks for more documents than any may.
    Endless,
}

impl Ended {
    fn how(self) -> &'static str {
        match self {
            Self::Document => "the document ended",
            Self::Hangup => "the handler hung up",
            Self::Rejected { .. } => "the handler rejected the call",
            Self::HungUp => "the caller hung up",
            Self::Left => "the call left its queue",
            Self::Failed => "the carrier gave up",
            Self::TooLong => "the call became too long",
            Self::Endless => ENDLESS,
        }
    }
}

/// What a document may do where it is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The call itself.
    Call,
    /// A called party, before it is joined.
    Called,
    /// Those who wait in a queue.
    QueueWait,
    /// Who is about to be taken out of one.
    Dequeue,
    /// Those who wait in a conference.
    ConferenceWait,
}

impl Scope {
    const fn leg(self) -> Leg {
        match self {
            Self::Call | Self::QueueWait | Self::ConferenceWait => Leg::Caller,
            Self::Called | Self::Dequeue => Leg::Called,
        }
    }

    /// The verbs it knows; none where all are.
    const fn verbs(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Call => None,
            Self::Called => Some(&["Play", "Say", "Gather", "Pause", "Redirect", "Hangup"]),
            Self::QueueWait => Some(&["Play", "Say", "Pause", "Hangup", "Redirect", "Leave", "Gather"]),
            Self::Dequeue | Self::ConferenceWait => Some(&["Play", "Say", "Pause", "Redirect"]),
        }
    }
}

/// The future of a document: a dial walks documents of its own while one is walked.
type Walking<'s> = Pin<Box<dyn Future<Output = Ended> + Send + 's>>;

impl<L: Line, P: Party> Call<'_, L, P> {
    /// Asks for a document and all that follow it, until they lead no further.
    fn conduct<'s>(&'s mut self, leg: &'s mut LegState, scope: Scope, mut fetch: Fetch) -> Walking<'s> {
        Box::pin(async move {
            loop {
                if self.sender.asked >= DOCUMENTS_MAX {
                    let said =
                        format!("{DOCUMENTS_MAX} documents and no end: does a link lead back to itself?");
                    self.note(scope.leg(), None, said).await;
                    return Ended::Endless;
                }
                let Some((page, answer)) = self.document(leg, scope, &fetch).await else {
                    return Ended::Failed;
                };
                let flow = match answer {
                    Answer::Document(root, problems) => {
                        for problem in problems {
                            let said = format!("line {}: {}", problem.line, problem.message);
                            self.note(scope.leg(), problem.code, said).await;
                        }
                        self.walk(leg, scope, &page, &root).await
                    }
                    Answer::Text(text) => {
                        self.pick_up(leg, scope);
                        let heard = Heard::from_carrier("Say", &text, lasts_ms(&text));
                        self.last_words(scope, heard).await
                    }
                    Answer::Audio => {
                        self.pick_up(leg, scope);
                        let heard = Heard::from_carrier("Play", page.url.as_str(), PLAY_MS);
                        self.last_words(scope, heard).await
                    }
                };
                match flow {
                    Flow::Next => return Ended::Document,
                    Flow::Go(next) => fetch = next,
                    Flow::End(ended) => return ended,
                }
            }
        })
    }

    /// Something that stands for a whole document; the call ends after it, waiting goes on.
    async fn last_words(&mut self, scope: Scope, heard: Heard) -> Flow {
        match self.heard(scope, heard).await {
            Presence::HungUp => Flow::End(Ended::HungUp),
            _ if scope == Scope::Call => Flow::End(Ended::Hangup),
            _ => Flow::Next,
        }
    }

    /// Asks for a document; where that fails, for the one of the fallback URL. Gives it with the place it came from.
    async fn document(&mut self, leg: &LegState, scope: Scope, fetch: &Fetch) -> Option<(Target, Answer)> {
        let mut all = leg.standard(&self.sender.account);
        add(&mut all, fetch.extra.iter().cloned());
        let (sent, answer) = self.sender.ask(&fetch.purpose, &fetch.target, &all, DocumentKind::Voice).await;
        let from = sent.from.clone();
        self.sent(scope.leg(), sent).await;
        self.tell_due().await;
        let (code, why) = match answer {
            Ok(answer) => return Some((from, answer)),
            Err(failure) => failure,
        };
        self.note(scope.leg(), Some(code), why).await;
        if scope != Scope::Call {
            return None;
        }
        if let Some(fallback) = self.fallback.clone() {
            let mut url = fetch.target.url.clone();
            url.set_fragment(None);
            add(&mut all, params(&[("ErrorCode", &code.to_string()), ("ErrorUrl", url.as_str())]));
            let (sent, answer) = self.sender.ask("fallback", &fallback, &all, DocumentKind::Voice).await;
            let from = sent.from.clone();
            self.sent(scope.leg(), sent).await;
            match answer {
                Ok(answer) => return Some((from, answer)),
                Err((code, why)) => self.note(scope.leg(), Some(code), why).await,
            }
        }
        const SORRY: &str = "We are sorry, an application error has occurred. Goodbye.";
        self.heard(scope, Heard::from_carrier("Say", SORRY, lasts_ms(SORRY))).await;
        None
    }

    /// The first verb that is more than waiting or refusing makes the carrier answer.
    fn pick_up(&self, leg: &mut LegState, scope: Scope) {
        if scope == Scope::Call && leg.answered_at_ms.is_none() {
            leg.answered_at_ms = Some(self.clock.now_ms());
            leg.status = "in-progress";
        }
    }

    /// What the party on `leg` does; to one that lives in real time, time passes meanwhile.
    async fn act(&mut self, leg: Leg, question: &Question) -> Act {
        self.waits();
        self.party.act(leg, question).await
    }

    /// Whoever lives in real time listens, is asked or talks from here on: what lasts comes on top of what he has waited.
    fn waits(&mut self) {
        if self.party.is_live() {
            self.clock.waits();
        }
    }

    /// Somebody hears something, for as long as it lasts.
    async fn heard(&mut self, scope: Scope, heard: Heard) -> Presence {
        self.waits();
        let lasts_ms = heard.lasts_ms;
        let stops = heard.prompts.as_ref().is_some_and(|ask| ask.barge_in);
        match self.tell(scope.leg(), What::Heard(heard)).await {
            Presence::Interrupts { after_ms } if stops => {
                self.clock.pass(after_ms.min(lasts_ms));
                Presence::Interrupts { after_ms }
            }
            // Whoever hangs up in real time has heard as much of it as went by meanwhile.
            Presence::HungUp if self.clock.is_real() => Presence::HungUp,
            presence => {
                self.clock.pass(lasts_ms);
                if presence == Presence::HungUp { presence } else { Presence::Stays }
            }
        }
    }

    async fn did(&mut self, leg: Leg, text: impl Into<String>) {
        self.tell(leg, What::Did { text: text.into() }).await;
    }

    async fn note(&mut self, leg: Leg, code: Option<u16>, text: impl Into<String>) {
        self.tell(leg, What::Note { code, text: text.into() }).await;
    }

    async fn sent(&mut self, leg: Leg, sent: Sent) {
        // The answer takes real time; the call waits for it in its own. Nobody waits for a status callback.
        if sent.exchange.steers {
            self.clock.pass(u64::try_from(sent.waited.as_millis()).unwrap_or(u64::MAX));
        }
        let outward = self.sender.line.outward();
        self.tell(leg, What::Webhook(sent.exchange)).await;
        for what in outward {
            let remark = self.number.remark(&what);
            self.tell(leg, what).await;
            if let Some(remark) = remark {
                self.note(leg, None, remark).await;
            }
        }
        for (code, text) in sent.notes {
            self.note(leg, code, text).await;
        }
    }

    async fn tell(&mut self, leg: Leg, what: What) -> Presence {
        let event = Event { at_ms: self.clock.now_ms(), leg, what };
        let presence = self.party.notice(&event).await;
        self.record.events.push(event);
        presence
    }

    /// Tells a status callback, now or when the faults of this conversation let it.
    async fn callback(&mut self, leg: Leg, purpose: &str, target: Option<&Target>, params: Params) {
        let Some(target) = target else { return };
        if let Some(sent) = self.sender.tell(purpose, target.clone(), params).await {
            self.sent(leg, sent).await;
        }
    }

    /// Tells a status callback behind the next document that is asked for, or the next verb.
    fn callback_due(&mut self, leg: Leg, purpose: &str, target: Target, params: Params) {
        self.due.push((leg, Kept { purpose: purpose.to_owned(), target, params }));
    }

    async fn tell_due(&mut self) {
        for (leg, Kept { purpose, target, params }) in std::mem::take(&mut self.due) {
            self.callback(leg, &purpose, Some(&target), params).await;
        }
    }

    /// A link of the document at `page`; one that leads nowhere is noted and not followed.
    async fn link(
        &mut self,
        scope: Scope,
        page: &Target,
        link: Option<&str>,
        method: Option<&str>,
    ) -> Option<Target> {
        match page.follow(link?, method) {
            Ok(target) => Some(target),
            Err(why) => {
                self.note(scope.leg(), Some(11100), why).await;
                None
            }
        }
    }

    /// Whether the call may go on.
    fn too_long(&self) -> bool {
        self.clock.now_ms() >= CALL_MS_MAX
    }
}
