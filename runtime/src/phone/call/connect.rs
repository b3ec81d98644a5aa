//! What leads out of the call: streams and relays, payments, transfers, text messages. Shown, told of, and stepped over.

use super::{Call, Ended, Fetch, Flow, Scope};
use crate::phone::event::Heard;
use crate::phone::line::Line;
use crate::phone::opt_out::{OPTED_OUT, opted_out};
use crate::phone::params::{LegState, add, params};
use crate::phone::party::{Act, Outcome, Party, Presence, Question, Until};
use crate::phone::sender::Target;
use crate::phone::speech::folded;
use crate::twiml::Element;

/// How long a connection that nobody ends is taken to last, in seconds.
const CONNECTED_S: u64 = 30;

/// Something that goes on beside the call until it is stopped, or the call ends.
pub(super) struct Started {
    sid: String,
    noun: Element,
    /// The document that it stands in.
    page: Target,
}

impl<L: Line, P: Party> Call<'_, L, P> {
    /// `<Connect>` holds the call until the other end lets go; `<Start>` goes on at once.
    pub(super) async fn connect(
        &mut self,
        leg: &mut LegState,
        scope: Scope,
        page: &Target,
        verb: &Element,
    ) -> Flow {
        let holds = verb.name == "Connect";
        let noun = verb.elements().next().cloned();
        let shown = noun.as_ref().map_or(String::new(), |noun| {
            let greeting = noun.attribute("welcomeGreeting").unwrap_or_default();
            folded(&format!("{} {} {greeting}", noun.name, noun.attribute("url").unwrap_or_default()))
        });
        if self.heard(scope, Heard::of(verb, shown, 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        let Some(noun) = noun else { return Flow::Next };
        let sid = self.sender.ids.next(if noun.name == "Transcription" { "GT" } else { "MZ" });
        self.stream_event(leg, scope, page, &noun, &sid, "started").await;
        let mut until = Until::Called;
        let mut seconds = 0;
        if holds {
            seconds = CONNECTED_S;
            let asked_at_ms = self.clock.now_ms();
            match self.act(scope.leg(), &Question::Endless { verb: noun.name.clone() }).await {
                Act::Comes(Outcome::Answered { seconds: lasts, until: by, .. }) => {
                    self.waits();
                    (seconds, until) = (lasts, by);
                }
                // Whoever hangs up in real time was connected until then.
                Act::HangUp if self.clock.is_real() => {
                    seconds = (self.clock.now_ms() - asked_at_ms) / 1_000;
                    until = Until::Caller;
                }
                Act::HangUp => until = Until::Caller,
                _ => {}
            }
            self.clock.pass(seconds.saturating_mul(1_000));
            self.stream_event(leg, scope, page, &noun, &sid, "stopped").await;
        }
        let caller_left = until == Until::Caller;
        if caller_left {
            leg.status = "completed";
        }
        if !holds && matches!(noun.name.as_str(), "Stream" | "Siprec" | "Transcription") {
            self.started.push(Started { sid: sid.clone(), noun: noun.clone(), page: page.clone() });
        }
        if !holds || verb.attribute("action").is_none() {
            return if caller_left { Flow::End(Ended::HungUp) } else { Flow::Next };
        }
        let extra = match noun.name.as_str() {
            "ConversationRelay" => params(&[
                ("SessionId", &self.sender.ids.next("VX")),
                ("SessionStatus", "completed"),
                ("SessionDuration", &seconds.to_string()),
                ("HandoffData", ""),
            ]),
            "VirtualAgent" => params(&[("VirtualAgentStatus", "completed")]),
            _ => params(&[("StreamSid", &sid), ("StreamEvent", "stream-stopped")]),
        };
        match self.action(scope, page, verb, extra).await {
            Flow::Go(fetch) if caller_left => {
                self.last_action(leg, scope, fetch).await;
                Flow::End(Ended::HungUp)
            }
            other => other,
        }
    }

    /// `<Stop>` ends what has the name of its noun.
    pub(super) async fn stop(&mut self, leg: &LegState, scope: Scope, verb: &Element) -> Flow {
        let noun = verb.elements().next();
        let name = |noun: &Element| noun.attribute("name").map(str::to_owned);
        let shown =
            noun.map_or(String::new(), |noun| format!("{} {}", noun.name, name(noun).unwrap_or_default()));
        if self.heard(scope, Heard::of(verb, folded(&shown), 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        let Some(noun) = noun else { return Flow::Next };
        let fits = |started: &Started| started.noun.name == noun.name && name(&started.noun) == name(noun);
        match self.started.iter().position(fits) {
            Some(place) => {
                let started = self.started.remove(place);
                self.stopped(leg, scope, started).await;
            }
            None => {
                let said = format!(
                    "line {}: <Stop> finds no {} of this name that was started",
                    verb.line, noun.name
                );
                self.note(scope.leg(), None, said).await;
            }
        }
        Flow::Next
    }

    pub(super) async fn stopped(&mut self, leg: &LegState, scope: Scope, started: Started) {
        let Started { sid, noun, page } = started;
        self.stream_event(leg, scope, &page, &noun, &sid, "stopped").await;
    }

    /// `statusCallback` of a Stream, a Siprec or a Transcription, in the words of each.
    async fn stream_event(
        &mut self,
        leg: &LegState,
        scope: Scope,
        page: &Target,
        noun: &Element,
        sid: &str,
        what: &str,
    ) {
        let (kind, link, method) = match noun.name.as_str() {
            "Stream" => ("Stream", "statusCallback", "statusCallbackMethod"),
            "Siprec" => ("Siprec", "statusCallback", "statusCallbackMethod"),
            "Transcription" => ("Transcription", "statusCallbackUrl", "statusCallbackMethod"),
            _ => return,
        };
        let link = noun.attribute(link).filter(|link| !link.is_empty());
        let target = self.link(scope, page, link, noun.attribute(method)).await;
        let event = format!("{}-{what}", kind.to_lowercase());
        let mut told = params(&[
            ("AccountSid", &self.sender.account.sid),
            ("CallSid", &leg.sid),
            (&format!("{kind}Sid"), sid),
            (&format!("{kind}Event"), &event),
            ("Timestamp", &self.clock.iso_moment()),
        ]);
        match kind {
            "Transcription" => {
                told.push(("SequenceId".into(), if what == "started" { "1" } else { "2" }.into()))
            }
            _ => told.push((format!("{kind}Name"), noun.attribute("name").unwrap_or_default().to_owned())),
        }
        self.callback(scope.leg(), &event, target.as_ref(), told).await;
    }

    pub(super) async fn refer(
        &mut self,
        leg: &LegState,
        scope: Scope,
        page: &Target,
        verb: &Element,
    ) -> Flow {
        let to = verb.elements().next().map(Element::text).unwrap_or_default();
        if self.heard(scope, Heard::of(verb, to.clone(), 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        if !leg.from.starts_with("sip:") && !leg.to.starts_with("sip:") {
            self.note(scope.leg(), Some(13801), "<Refer> works on SIP legs only; this call is none").await;
            return Flow::Next;
        }
        let outcome = self.act(scope.leg(), &Question::Refer { to }).await;
        let extra = match outcome {
            Act::Comes(Outcome::Answered { .. }) => params(&[
                ("ReferCallStatus", "completed"),
                ("ReferSipResponseCode", "202"),
                ("NotifySipResponseCode", "200"),
            ]),
            Act::Comes(Outcome::Busy) => params(&[
                ("ReferCallStatus", "busy"),
                ("ReferSipResponseCode", "202"),
                ("NotifySipResponseCode", "486"),
            ]),
            Act::Comes(Outcome::NoAnswer) => params(&[
                ("ReferCallStatus", "no-answer"),
                ("ReferSipResponseCode", "202"),
                ("NotifySipResponseCode", "487"),
            ]),
            Act::Comes(Outcome::Failed { sip_code }) => {
                params(&[("ReferSipResponseCode", &sip_code.to_string())])
            }
            Act::HangUp => return Flow::End(Ended::HungUp),
            _ => params(&[("ReferSipResponseCode", "405")]),
        };
        if verb.attribute("action").is_none() {
            return Flow::Next;
        }
        self.action(scope, page, verb, extra).await
    }

    /// A payment is never made here: it comes to what the party says, success where it says nothing.
    pub(super) async fn pay(&mut self, leg: &LegState, scope: Scope, page: &Target, verb: &Element) -> Flow {
        let amount = verb.attribute("chargeAmount").unwrap_or("nothing, for a token").to_owned();
        if self.heard(scope, Heard::of(verb, amount, 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        let link = verb.attribute("statusCallback").filter(|link| !link.is_empty());
        let target = self.link(scope, page, link, verb.attribute("statusCallbackMethod")).await;
        for step in ["payment-card-number", "expiration-date", "security-code", "payment-processing"] {
            let told =
                params(&[("AccountSid", &self.sender.account.sid), ("CallSid", &leg.sid), ("For", step)]);
            self.callback(scope.leg(), &format!("pay: {step}"), target.as_ref(), told).await;
        }
        let act = self.act(scope.leg(), &Question::Endless { verb: "Pay".into() }).await;
        let mut extra = match act {
            Act::HangUp => params(&[("Result", "caller-hung-up")]),
            Act::Press { keys, .. } if keys.starts_with('*') => {
                params(&[("Result", "caller-interrupted-with-star")])
            }
            Act::Comes(Outcome::Failed { .. }) => params(&[("Result", "payment-connector-error")]),
            Act::Comes(_) | Act::Press { .. } | Act::Say { .. } | Act::Record { .. } | Act::Nothing => {
                params(&[
                    ("Result", "success"),
                    ("PaymentMethod", "credit-card"),
                    ("PaymentCardNumber", "xxxx-xxxx-xxxx-4242"),
                    ("PaymentCardType", "visa"),
                    ("ExpirationDate", "1230"),
                    ("SecurityCode", "xxx"),
                ])
            }
        };
        if extra.iter().any(|(_, value)| value == "success") {
            let charged = verb.attribute("chargeAmount").is_some();
            let (name, prefix) =
                if charged { ("PaymentConfirmationCode", "ch_") } else { ("PaymentToken", "tok_") };
            let value = self.sender.ids.next(prefix);
            add(&mut extra, [(name.to_owned(), value)]);
        }
        let hung_up = extra.iter().any(|(_, value)| value == "caller-hung-up");
        match self.action(scope, page, verb, extra).await {
            Flow::Go(fetch) if hung_up => {
                let mut gone = leg.clone();
                self.last_action(&mut gone, scope, fetch).await;
                Flow::End(Ended::HungUp)
            }
            Flow::Go(Fetch { target, extra, .. }) => {
                Flow::Go(Fetch { purpose: "pay".into(), target: Target::post(target.url), extra })
            }
            other => other,
        }
    }

    /// `<Sms>` (and `<Message>`, which old handlers write in voice documents).
    pub(super) async fn sms(&mut self, leg: &LegState, scope: Scope, page: &Target, verb: &Element) -> Flow {
        let body = match verb.elements().find(|inner| inner.name == "Body") {
            Some(inner) => inner.text(),
            None => verb.text(),
        };
        if self.heard(scope, Heard::of(verb, folded(&body), 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        if verb.name == "Message" {
            let said = "<Message> is not a voice verb: <Sms> is; it is left out";
            self.note(scope.leg(), Some(12200), said).await;
            return Flow::Next;
        }
        let sid = self.sender.ids.next("SM");
        let to = verb.attribute("to").unwrap_or(&leg.from).to_owned();
        let from = verb.attribute("from").unwrap_or(&leg.to).to_owned();
        let valid = to.starts_with('+') && !body.trim().is_empty();
        let blocked = self.sender.line.opt_outs().holds(&from, &to);
        if blocked {
            let said = format!("{}: the message is not delivered", opted_out(&to, &from));
            self.note(scope.leg(), Some(OPTED_OUT), said).await;
        } else if valid {
            let media = Vec::new();
            let what = crate::phone::What::Message { from, to, body, media, by_carrier: false };
            self.tell(scope.leg(), what).await;
        }
        let link = verb.attribute("statusCallback").filter(|link| !link.is_empty());
        let target = self.link(scope, page, link, None).await;
        let status = if valid && !blocked { "sent" } else { "failed" };
        let told = params(&[("SmsSid", &sid), ("SmsStatus", status)]);
        self.callback(scope.leg(), &format!("message: {status}"), target.as_ref(), told).await;
        if verb.attribute("action").is_none() {
            return Flow::Next;
        }
        let status = if valid { "sending" } else { "invalid" };
        let extra = params(&[("SmsSid", &sid), ("SmsStatus", status)]);
        self.action(scope, page, verb, extra).await
    }
}
