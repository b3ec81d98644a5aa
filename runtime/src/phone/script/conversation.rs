//! A conversation without a call: somebody writes, asks for a page, or lets time pass until a schedule is due.
//!
//! Nothing goes on by itself here, so the script's steps are taken one after the other: one that acts makes all that follows
//! from it happen, those behind it say what that has to have been.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue, SET_COOKIE};
use jiff::Timestamp;
use url::Url;

use super::expect::{Failure, lines, quoted};
use super::moment::Moment;
use super::read::{Placed, Script};
use super::steps::{Answered, Author, Step, TextMatch, WebAsked};
use crate::phone::cookies::Jar;
use crate::phone::line::{Fired, Line, Outgoing, Reply};
use crate::phone::messages::Texting;
use crate::phone::{Event, Exchange, What};

/// How long anybody waits for a page; the handler's own limit is shorter.
const PAGE_WITHIN: Duration = Duration::from_secs(600);

/// A script that is being played.
pub(super) struct Conversation<'s, L> {
    line: &'s L,
    base: &'s Url,
    script: &'s Script,
    texting: Texting<&'s L>,
    /// Of what came back, the first that no step has spoken of yet.
    from: usize,
    /// What the handler did outward since something was done, as far as no step has spoken of it yet.
    outward: Vec<Event>,
    /// What failed since then, as far as no step has.
    errors: Vec<String>,
    /// The answer to the last web request.
    page: Option<Reply>,
    cookies: Jar,
    /// The minute of the last run of each schedule.
    fired_min: BTreeMap<&'s str, u64>,
}

impl<'s, L: Line> Conversation<'s, L> {
    pub(super) fn new(line: &'s L, base: &'s Url, script: &'s Script, texting: Texting<&'s L>) -> Self {
        Self {
            line,
            base,
            script,
            texting,
            from: 0,
            outward: Vec::new(),
            errors: Vec::new(),
            page: None,
            cookies: Jar::default(),
            fired_min: BTreeMap::new(),
        }
    }

    /// Plays all steps; what did not come true, and what happened.
    pub(super) async fn play(mut self) -> (Option<Failure>, Vec<Event>) {
        let mut failure = None;
        for placed in &self.script.steps {
            let taken = self.take(&placed.step).await.and_then(|()| self.nothing_else_failed(placed));
            if let Err((expected, found)) = taken {
                failure = Some(Failure { line: placed.line, expected, found, hint: None });
                break;
            }
        }
        self.texting.finish().await;
        (failure, self.texting.events)
    }

    async fn take(&mut self, step: &'s Step) -> Taken {
        match step {
            Step::Write(written) => {
                self.from = self.texting.events.len();
                self.texting.write(written).await;
                self.done();
                self.nothing_forbidden()
            }
            Step::Wait { ms } => {
                self.texting.wait(*ms);
                Ok(())
            }
            Step::Fire { schedule, at } => {
                self.from = self.texting.events.len();
                let fired = self.fire(schedule, *at).await;
                let fired =
                    fired.map_err(|problem| (format!("expected {}: {problem}", step.shown()), Vec::new()))?;
                self.texting.fired(schedule);
                self.done();
                self.errors.extend(fired.code);
                self.nothing_forbidden()
            }
            Step::Web(asked) => {
                self.from = self.texting.events.len();
                self.ask(asked).await?;
                self.done();
                self.nothing_forbidden()
            }
            Step::Answered(wanted) => {
                let page = self.page.as_ref().ok_or_else(|| {
                    ("an answer is expected, and no step asks for a page before".to_owned(), Vec::new())
                })?;
                let fits = wanted.fits(page);
                if fits { Ok(()) } else { Err((format!("expected {}", step.shown()), seen(page))) }
            }
            Step::Error(code) => match self.errors.iter().position(|found| found == code) {
                Some(found) => {
                    self.errors.remove(found);
                    Ok(())
                }
                None => Err(self.missing(format!("expected {}", step.shown()))),
            },
            Step::Reply { matcher, media, by } => match self.reply(matcher, *media, *by) {
                Some(found) => {
                    self.from += found + 1;
                    Ok(())
                }
                None => Err(self.missing(format!("expected {}", step.shown()))),
            },
            Step::Placed { .. } | Step::Sent { .. } | Step::Requested(_) => self.outward(step),
            Step::Stored(stored) => stored
                .look(self.line, self.base.path())
                .await
                .map_err(|instead| (format!("expected to {}", step.shown()), vec![instead])),
            Step::NoReply => {
                let is_reply = |event: &Event| matches!(&event.what, What::Message { to, by_carrier: false, .. } if *to == self.script.from);
                if self.fresh().iter().any(is_reply) {
                    return Err(self.missing("expected no reply, and there is one".into()));
                }
                Ok(())
            }
            // The reader of scripts lets no other step into such a conversation.
            other => {
                Err((format!("not a step of {}: {}", self.script.kind.written(), other.shown()), vec![]))
            }
        }
    }

    /// What happened since something was done, and no step has spoken of.
    fn fresh(&self) -> &[Event] {
        self.texting.events.get(self.from..).unwrap_or_default()
    }

    fn missing(&self, expected: String) -> (String, Vec<String>) {
        (expected, lines(self.fresh()))
    }

    /// Something was done: only what followed from it counts.
    fn done(&mut self) {
        let failed = |event: &Event| match &event.what {
            What::Webhook(exchange) => exchange.error.clone(),
            _ => None,
        };
        let fresh = self.texting.events.get(self.from..).unwrap_or_default();
        self.errors = fresh.iter().filter_map(failed).collect();
        let to_others =
            |event: &Event| matches!(&event.what, What::Message { to, .. } if *to != self.script.from);
        let outward = |event: &&Event| event.what.is_outward() || to_others(event);
        self.outward = fresh.iter().filter(outward).cloned().collect();
    }

    /// What holds for everything that a handler answers: what nobody may read is not in it, and it comes in time.
    fn nothing_forbidden(&self) -> Taken {
        let never = self.fresh().iter().find_map(|event| Some((self.script.forbidden_in(event)?, event)));
        if let Some((text, event)) = never {
            let said = format!("never to read \u{201c}{text}\u{201d}, and it came");
            return Err((said, lines([event])));
        }
        let Some(most) = self.script.answered_within_ms else { return Ok(()) };
        let slow = self.fresh().iter().find_map(|event| match &event.what {
            What::Webhook(exchange) => exchange.slower_than(most),
            _ => None,
        });
        slow.map_or(Ok(()), Err)
    }

    /// What failed has to be expected by a step before the next one that acts.
    fn nothing_else_failed(&self, placed: &Placed) -> Taken {
        let expected = |code: &String| {
            let rest = self.script.steps.iter().filter(|step| step.line >= placed.line);
            rest.map(|step| &step.step).any(|step| matches!(step, Step::Error(wanted) if wanted == code))
        };
        match self.errors.iter().find(|code| !expected(code)) {
            Some(code) => Err(self.missing(format!("a webhook failed: {code}"))),
            None => Ok(()),
        }
    }

    fn reply(&self, matcher: &TextMatch, media: Option<usize>, by: Author) -> Option<usize> {
        self.fresh().iter().position(|event| match &event.what {
            // One to somebody else is no reply to whoever writes: `sent` expects it.
            What::Message { to, body, media: found, by_carrier, .. } => {
                *to == self.script.from
                    && *by_carrier == (by == Author::Carrier)
                    && matcher.fits(body)
                    && media.is_none_or(|count| count == found.len())
            }
            _ => false,
        })
    }

    fn outward(&mut self, step: &Step) -> Taken {
        for _ in 0..step.wanted() {
            match self.outward.iter().position(|event| step.is_done_by(event)) {
                Some(found) => drop(self.outward.remove(found)),
                None => return Err(self.missing(format!("expected to {}", step.shown()))),
            }
        }
        Ok(())
    }

    /// Runs a schedule at this moment, or now.
    async fn fire(&mut self, name: &'s str, at: Option<Moment>) -> Result<Fired, String> {
        let schedule = self.line.schedule(self.base.path(), name)?;
        let now_unix_ms = self.texting.now_unix_ms();
        let (now_min, last_min) = (now_unix_ms / 60_000, self.fired_min.get(name).copied());
        let minute = match at {
            // One moment is run once.
            None => last_min.map_or(now_min, |last_min| now_min.max(last_min + 1)),
            Some(at) => at.due_min(&schedule)?,
        };
        if last_min == Some(minute) {
            return Err("it was run for this moment already, and a moment is run once".to_owned());
        }
        if minute < now_min {
            return Err(format!(
                "that moment is over, it is {} by now; time only goes on. `at` of the script says when it begins",
                crate::clock::moment(now_unix_ms)
            ));
        }
        self.texting.wait_until(minute.saturating_mul(60_000));
        self.fired_min.insert(name, minute);
        let moment = i64::try_from(minute.saturating_mul(60)).unwrap_or(i64::MAX);
        let moment = Timestamp::from_second(moment).unwrap_or(Timestamp::MAX);
        self.line.fire(self.base.path(), &schedule, moment).await
    }

    /// Asks for a page.
    async fn ask(&mut self, asked: &WebAsked) -> Taken {
        let problem = |problem: String| (format!("{} {}: {problem}", asked.method, asked.path), Vec::new());
        let place = self.base.join("web").map_err(|error| problem(error.to_string()))?;
        let path = asked.path.strip_prefix('/').filter(|rest| rest.is_empty() || rest.starts_with('?'));
        let url = self.base.join(&format!("web{}", path.unwrap_or(&asked.path)));
        let url = url.map_err(|error| problem(error.to_string()))?;
        if url.path() != place.path() && !url.path().starts_with(&format!("{}/", place.path())) {
            return Err(problem("the path leads out of the handler's pages".to_owned()));
        }
        let mut headers = asked.headers.clone();
        if let Some(cookies) = self.cookies.header(&url).and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.entry(COOKIE).or_insert(cookies);
        }
        let request = Outgoing {
            method: asked.method.clone(),
            url: url.clone(),
            headers,
            body: asked.body.clone(),
            answer_within: PAGE_WITHIN,
        };
        let reply = self.line.send(request).await.map_err(|error| problem(error.to_string()))?;
        for cookie in reply.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            self.cookies.set(&url, cookie);
        }
        self.texting.exchanged(Exchange {
            purpose: "web request".to_owned(),
            steers: false,
            method: asked.method.to_string(),
            url: url.to_string(),
            params: asked.form.clone(),
            status: Some(reply.status),
            body: text(&reply),
            revision: header(&reply.headers, "x-hookswitch-revision"),
            error: header(&reply.headers, "x-hookswitch-error"),
            failure: None,
            took_us: u64::try_from(reply.took.as_micros()).unwrap_or(u64::MAX),
        });
        self.page = Some(reply);
        Ok(())
    }
}

/// Whether a step came true: else what was expected, and what came instead.
type Taken = Result<(), (String, Vec<String>)>;

impl Answered {
    fn fits(&self, page: &Reply) -> bool {
        self.status == page.status
            && self.body.fits(&text(page))
            && self.header.iter().all(|(name, wanted)| {
                header(&page.headers, name).is_some_and(|found| found.contains(wanted.as_str()))
            })
    }
}

/// An answer as a report shows it.
fn seen(page: &Reply) -> Vec<String> {
    let fields = page.headers.iter().filter(|(name, _)| !name.as_str().starts_with("x-hookswitch-"));
    let mut seen = vec![format!("answered {}", page.status)];
    seen.extend(fields.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))));
    seen.push(quoted(&text(page)));
    seen
}

fn text(page: &Reply) -> String {
    String::from_utf8_lossy(&page.body).into_owned()
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
