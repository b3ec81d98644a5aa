//! A conversation by text message between two numbers.
//!
//! Each message that somebody writes is one webhook; what comes back is delivered to him, unless he has opted out. There
//! is no document to wait in, so whoever writes simply calls [`Texting::write`] again.

use std::time::Duration;

use super::answer::Answer;
use super::event::{Event, Exchange, Leg, What};
use super::line::Line;
use super::opt_out::{OPTED_OUT, OptOuts, OptWord, is_short_code, opted_out};
use super::own_number::OwnNumber;
use super::params::{API_VERSION, Params, add, is_reachable, params, places};
use super::sender::{Account, Sender, Sent, Target};
use super::{Clock, Faults, Ids};
use crate::twiml::{DocumentKind, Element};

/// Most replies to one message.
/// Source: Twilio, error 14109.
const REPLIES_MAX: usize = 10;
/// Most documents for one message.
/// Source: Twilio, error 14106.
const DOCUMENTS_MAX: u32 = 50;
/// Most characters of a message.
const BODY_MAX: usize = 1_600;
/// Most media of a message.
const MEDIA_MAX: usize = 10;
/// Cookies of two numbers are kept for four hours without a message.
const COOKIES_MS: u64 = 4 * 3_600_000;

/// Who writes to whom.
#[derive(Debug, Clone)]
pub struct MessageSettings {
    /// Who writes.
    pub from: String,
    /// Whose number it is.
    pub to: String,
    /// Answers.
    pub sms: Target,
    /// Answers when that fails.
    pub fallback: Option<Target>,
    /// The messaging service with advanced opt-out that the number belongs to: `MG` and 32 hex digits.
    pub service: Option<String>,
    /// Parameters that come with each webhook.
    pub params: Vec<(String, String)>,
    /// When it begins, in milliseconds of Unix time.
    pub began_unix_ms: u64,
}

/// What becomes of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// They arrive.
    Delivered,
    /// The network gives up, with this code.
    Undelivered(u16),
    /// They can't be sent, with this code.
    Failed(u16),
}

/// What somebody writes.
#[derive(Debug, Clone)]
pub struct Written {
    /// The text; may be empty.
    pub body: String,
    /// Content types of what comes with it.
    pub media: Vec<String>,
    /// What becomes of the replies to it.
    pub delivery: Delivery,
}

/// The content type of something that comes with a message.
///
/// # Errors
/// What was expected, for people.
pub fn media_type(text: &str) -> Result<String, String> {
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let parts = text.split(';').next().unwrap_or_default().trim().split_once('/');
    if parts.is_some_and(|(kind, subtype)| token(kind) && token(subtype)) {
        Ok(text.to_owned())
    } else {
        Err("expected a content type such as image/jpeg".to_owned())
    }
}

/// A conversation of two numbers.
pub struct Texting<L> {
    sender: Sender<L>,
    settings: MessageSettings,
    clock: Clock,
    opt_outs: OptOuts,
    last_ms: u64,
    number: OwnNumber,
    /// Everything that happened.
    pub events: Vec<Event>,
}

impl<L: Line> Texting<L> {
    /// A conversation that has not begun.
    pub fn new(line: L, account: Account, ids: Ids, faults: Faults, settings: MessageSettings) -> Self {
        let clock = Clock::new(settings.began_unix_ms, line.time());
        let opt_outs = line.opt_outs();
        Self {
            sender: Sender::new(line, account, ids, faults),
            clock,
            opt_outs,
            number: OwnNumber::new(&settings.to),
            settings,
            last_ms: 0,
            events: Vec::new(),
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: u64) {
        self.clock.pass(ms);
    }

    /// Lets time pass until it is `unix_ms`, unless it is later already.
    pub fn wait_until(&mut self, unix_ms: u64) {
        self.clock.pass(unix_ms.saturating_sub(self.now_unix_ms()));
    }

    /// What time it is in the conversation, in milliseconds of Unix time.
    #[must_use]
    pub fn now_unix_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    /// A schedule of the handler was run.
    pub fn fired(&mut self, schedule: &str) {
        self.tell(Leg::Called, What::Did { text: format!("ran its schedule {schedule}") });
        self.outward();
    }

    /// A webhook was answered, or a web request.
    pub fn exchanged(&mut self, exchange: Exchange) {
        let took = Duration::from_micros(exchange.took_us);
        self.answered(exchange, took);
    }

    fn answered(&mut self, exchange: Exchange, waited: Duration) {
        self.clock.pass(u64::try_from(waited.as_millis()).unwrap_or(u64::MAX));
        self.tell(Leg::Caller, What::Webhook(exchange));
        self.outward();
    }

    /// Tells what the handler did outward for it.
    fn outward(&mut self) {
        for what in self.sender.line.outward() {
            let remark = self.number.remark(&what);
            self.tell(Leg::Caller, what);
            if let Some(text) = remark {
                self.tell(Leg::Caller, What::Note { code: None, text });
            }
        }
    }

    /// Somebody writes; everything that follows from it happens.
    pub async fn write(&mut self, written: &Written) {
        if self.sender.line.time().set_to().is_none() {
            // Nobody plays the time here: it goes by, from one message to the next, too.
            self.clock.waits();
        }
        if self.clock.now_ms().saturating_sub(self.last_ms) > COOKIES_MS {
            self.sender.jar.clear();
        }
        self.last_ms = self.clock.now_ms();
        let said = match written.media.len() {
            0 => format!("wrote \u{201c}{}\u{201d}", written.body),
            many => format!("wrote \u{201c}{}\u{201d} with {many} media", written.body),
        };
        self.tell(Leg::Caller, What::Did { text: said });
        let word = OptWord::of(&written.body, &self.settings.to);
        let incoming = self.incoming(written, word);
        // The platform acts on its words first; the message reaches the webhook all the same.
        self.heed(word);
        self.documents(&incoming, written.delivery).await;
    }

    /// What was kept back by the faults of this conversation arrives now.
    pub async fn finish(&mut self) {
        for kept in self.sender.take_kept() {
            let sent = self.sender.tell_now(&kept.purpose, &kept.target, &kept.params).await;
            self.sent(sent);
        }
    }

    fn incoming(&mut self, written: &Written, word: Option<OptWord>) -> Params {
        let prefix = if written.media.is_empty() { "SM" } else { "MM" };
        let sid = self.sender.ids.next(prefix);
        let body: String = written.body.chars().take(BODY_MAX).collect();
        let settings = &self.settings;
        let mut all = params(&[
            ("MessageSid", &sid),
            ("SmsSid", &sid),
            ("SmsMessageSid", &sid),
            ("AccountSid", &self.sender.account.sid),
            ("From", &settings.from),
            ("To", &settings.to),
            ("Body", &body),
            ("NumMedia", &written.media.len().to_string()),
            ("NumSegments", &segments(&body, &settings.from).to_string()),
            ("SmsStatus", "received"),
            ("ApiVersion", API_VERSION),
        ]);
        for (n, media) in written.media.iter().enumerate() {
            let account = &self.sender.account.sid;
            let id = self.sender.ids.next("ME");
            let url =
                format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Messages/{sid}/Media/{id}");
            all.extend(params(&[(&format!("MediaContentType{n}"), media), (&format!("MediaUrl{n}"), &url)]));
        }
        all.extend(places(&settings.from, &settings.to));
        if let Some(service) = &settings.service {
            all.push(("MessagingServiceSid".into(), service.clone()));
            if let Some(word) = word {
                all.push(("OptOutType".into(), word.name().into()));
            }
        }
        add(&mut all, settings.params.iter().cloned());
        all
    }

    /// What the platform does by itself. Owners of short codes do it themselves.
    fn heed(&mut self, word: Option<OptWord>) {
        let Some(word) = word.filter(|_| !is_short_code(&self.settings.to)) else { return };
        let settings = &self.settings;
        if word != OptWord::Help {
            // With a service the block holds for all of it.
            for sender in [Some(&settings.to), settings.service.as_ref()].into_iter().flatten() {
                self.opt_outs.put(sender, &settings.from, word == OptWord::Stop);
            }
        }
        let what = What::Message {
            from: self.settings.to.clone(),
            to: self.settings.from.clone(),
            body: word.reply().to_owned(),
            media: Vec::new(),
            by_carrier: true,
        };
        self.tell(Leg::Caller, what);
    }

    /// Asks for a document and those that it redirects to, and sends what they say.
    async fn documents(&mut self, incoming: &Params, delivery: Delivery) {
        let mut next = Some(("incoming message", self.settings.sms.clone(), incoming.clone()));
        let mut replies = 0;
        let mut asked = 0;
        let mut fell_back = false;
        while let Some((purpose, target, all)) = next.take() {
            asked += 1;
            if asked > DOCUMENTS_MAX {
                self.note(Some(14106), format!("more than {DOCUMENTS_MAX} documents for one message"));
                return;
            }
            let (sent, answer) = self.sender.ask(purpose, &target, &all, DocumentKind::Messaging).await;
            let page = sent.from.clone();
            self.sent(sent);
            match answer {
                Ok(Answer::Document(root, problems)) => {
                    for problem in problems {
                        self.note(problem.code, format!("line {}: {}", problem.line, problem.message));
                    }
                    for verb in root.elements() {
                        match verb.name.as_str() {
                            // The check of the document has said so.
                            "Message" | "Sms" if replies == REPLIES_MAX => break,
                            "Message" | "Sms" => {
                                replies += 1;
                                self.reply(&page, verb, delivery).await;
                            }
                            "Redirect" => {
                                match page.follow(&verb.text(), verb.attribute("method")) {
                                    Ok(target) => next = Some(("redirect", target, incoming.clone())),
                                    Err(why) => self.note(Some(11100), why),
                                }
                                break;
                            }
                            // As above.
                            _ => {}
                        }
                    }
                }
                Ok(Answer::Text(text)) => {
                    self.deliver(&page, None, &text, Vec::new(), delivery).await;
                }
                Ok(Answer::Audio) => self.note(Some(12300), "a sound answers no message".to_owned()),
                Err((code, why)) => {
                    self.note(Some(code), why);
                    if let Some(fallback) = self.settings.fallback.clone().filter(|_| !fell_back) {
                        fell_back = true;
                        let mut all = incoming.clone();
                        let mut failed = target.url.clone();
                        failed.set_fragment(None);
                        add(
                            &mut all,
                            params(&[("ErrorCode", &code.to_string()), ("ErrorUrl", failed.as_str())]),
                        );
                        next = Some(("fallback", fallback, all));
                    }
                }
            }
        }
    }

    async fn reply(&mut self, page: &Target, verb: &Element, delivery: Delivery) {
        let body = verb.elements().find(|inner| inner.name == "Body").map_or(verb.text(), Element::text);
        let media: Vec<_> =
            verb.elements().filter(|inner| inner.name == "Media").map(Element::text).collect();
        if let Some(to) = verb.attribute("to").filter(|to| !to.is_empty() && !is_reachable(to)) {
            self.note(Some(14101), format!("the reply is not sent: {to:?} is no number"));
            return;
        }
        if media.len() > MEDIA_MAX {
            // The check of the document has said so, with its code.
            let count = media.len();
            self.note(None, format!("the reply is not sent: it has {count} media, at most are {MEDIA_MAX}"));
            return;
        }
        if body.chars().count() > BODY_MAX {
            self.note(Some(14103), format!("the reply has more than {BODY_MAX} characters and is not sent"));
            return;
        }
        self.deliver(page, Some(verb), &body, media, delivery).await;
    }

    /// Sends one reply and tells of it what its status callback asks for.
    async fn deliver(
        &mut self,
        page: &Target,
        verb: Option<&Element>,
        body: &str,
        media: Vec<String>,
        delivery: Delivery,
    ) {
        let attribute =
            |name: &str| verb.and_then(|verb| verb.attribute(name)).filter(|value| !value.is_empty());
        let to = attribute("to").unwrap_or(&self.settings.from).to_owned();
        let from = attribute("from").unwrap_or(&self.settings.to).to_owned();
        let sid = self.sender.ids.next(if media.is_empty() { "SM" } else { "MM" });
        let service = self.settings.service.as_deref().unwrap_or(&from);
        let blocked = self.opt_outs.holds(&from, &to) || self.opt_outs.holds(service, &to);
        if body.trim().is_empty() && media.is_empty() {
            self.note(Some(14103), "a reply without text and media is not sent".to_owned());
            return;
        }
        if blocked {
            let said = format!("{}: the reply is not delivered", opted_out(&to, &from));
            self.note(Some(OPTED_OUT), said);
        } else if delivery == Delivery::Delivered {
            let (from, to) = (from.clone(), to.clone());
            let what = What::Message { from, to, body: body.to_owned(), media, by_carrier: false };
            self.tell(Leg::Caller, what);
        } else {
            self.note(None, format!("the reply to {to} does not arrive (as asked for)"));
        }
        // Official texts disagree which of the two counts; a host is told by the one that is there.
        let Some(link) = attribute("statusCallback").or(attribute("action")) else { return };
        let target = match page.follow(link, attribute("method")) {
            Ok(target) => target,
            Err(why) => return self.note(Some(14105), why),
        };
        let (statuses, code): (&[&str], _) = match delivery {
            _ if blocked => (&["failed"], Some(OPTED_OUT)),
            Delivery::Delivered => (&["sent", "delivered"], None),
            Delivery::Undelivered(code) => (&["sent", "undelivered"], Some(code)),
            Delivery::Failed(code) => (&["failed"], Some(code)),
        };
        for &status in statuses {
            self.clock.pass(800);
            let mut told = params(&[
                ("MessageSid", &sid),
                ("MessageStatus", status),
                ("SmsSid", &sid),
                ("SmsStatus", status),
                ("AccountSid", &self.sender.account.sid),
                ("From", &from),
                ("To", &to),
                ("ApiVersion", API_VERSION),
            ]);
            if let Some(service) = &self.settings.service {
                told.push(("MessagingServiceSid".into(), service.clone()));
            }
            if let Some(code) = code.filter(|_| status != "sent") {
                told.push(("ErrorCode".into(), code.to_string()));
            }
            if let Some(sent) = self.sender.tell(&format!("message: {status}"), target.clone(), told).await {
                self.sent(sent);
            }
        }
    }

    fn sent(&mut self, sent: Sent) {
        self.answered(sent.exchange, sent.waited);
        for (code, text) in sent.notes {
            self.note(code, text);
        }
    }

    fn note(&mut self, code: Option<u16>, text: String) {
        self.tell(Leg::Caller, What::Note { code, text });
    }

    fn tell(&mut self, leg: Leg, what: What) {
        self.events.push(Event { at_ms: self.clock.now_ms(), leg, what });
    }
}

/// Parts that a text is sent in; one where the channel is not the telephone network.
fn segments(body: &str, from: &str) -> usize {
    /// The default alphabet of the telephone network, and those of its extension, which take two places.
    const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION: &str = "^{}\\[~]|€";
    if from.contains(':') {
        return 1;
    }
    let place = |c: char| match (GSM.contains(c), EXTENSION.contains(c)) {
        (true, _) => Some(1),
        (false, true) => Some(2),
        (false, false) => None,
    };
    let (places, alone, joined) = match body.chars().map(place).sum::<Option<usize>>() {
        Some(places) => (places, 160, 153),
        None => (body.encode_utf16().count(), 70, 67),
    };
    if places <= alone { 1 } else { places.div_ceil(joined) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn segments_are_counted_as_networks_count_them() {
        for (text, from, expected) in [
            ("", "+1", 1),
            (&"a".repeat(160), "+1", 1),
            (&"a".repeat(161), "+1", 2),
            (&"€".repeat(80), "+1", 1),
            (&"€".repeat(81), "+1", 2),
            (&"ж".repeat(70), "+1", 1),
            (&"ж".repeat(71), "+1", 2),
            (&"😀".repeat(36), "+1", 2),
            (&"a".repeat(400), "whatsapp:+1", 1),
        ] {
            assert_eq!(super::segments(text, from), expected, "{} {from}", text.chars().count());
        }
    }
}
