//! `hookswitch call`: the offline phone in a terminal.
//!
//! It calls a handler's folder (in this process) or the voice URL of any host. With `--digits`, `--say` or without a
//! terminal it plays what it was given and prints the conversation; otherwise whoever sits there presses and speaks.

use std::collections::VecDeque;
use std::error::Error;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;
use url::Url;

use super::test::{ACCOUNT, colour, open, say};
use super::{failed, failed_because};
use crate::carrier::twilio::signature::AuthToken;
use crate::clock;
use crate::host;
use crate::phone::call::{CallRecord, CallSettings, call};
use crate::phone::line::{HttpLine, Line};
use crate::phone::{
    Account, Act, End, Event, Faults, Ids, Leg, Outcome, Party, Presence, Question, Target, Until, What,
    printable,
};
use crate::telemetry::{self, LogFormat};

const MORE: &str = "Examples:
  hookswitch call guest-examples/front-desk
  hookswitch call guest-examples/front-desk --digits 1 --dial no-answer
  hookswitch call https://calls.example.com/acme/front-desk/voice --auth-token T --say 'sales please'

On a terminal: keys such as 1 or 12#, or words, then Enter; Enter alone says nothing; Ctrl-D hangs up.
Exit code: 0 the call went through, 1 a webhook failed, 2 the command line is wrong.";

/// Call a handler, without a carrier
#[derive(Debug, Args)]
#[command(after_help = MORE)]
pub struct CallArgs {
    /// A handler's folder, its component, or the voice URL of any host
    target: String,
    /// Auth token that webhooks are signed with; needed for a URL
    #[arg(long, value_name = "T", env = "HOOKSWITCH_AUTH_TOKEN", hide_env_values = true)]
    auth_token: Option<String>,
    /// Who calls
    #[arg(long, value_name = "NUMBER", default_value = "+12025550177")]
    from: String,
    /// Who is called
    #[arg(long, value_name = "NUMBER", default_value = "+12025550199")]
    to: String,
    /// Keys, one group for each question: 1,2,1234#
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = keys)]
    digits: Vec<String>,
    /// Words to say, once for each question; after the keys
    #[arg(long, value_name = "TEXT")]
    say: Vec<String>,
    /// What becomes of numbers that are dialled
    #[arg(long, value_enum, default_value_t = Dial::Answered)]
    dial: Dial,
    /// The number's fallback URL
    #[arg(long, value_name = "URL")]
    fallback: Option<String>,
    /// Print the whole call as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Dial {
    Answered,
    Machine,
    Busy,
    NoAnswer,
    Failed,
}

impl Dial {
    const fn outcome(self) -> Outcome {
        match self {
            Self::Answered => Outcome::Answered { seconds: 20, until: Until::Called, machine: false },
            Self::Machine => Outcome::Answered { seconds: 20, until: Until::Called, machine: true },
            Self::Busy => Outcome::Busy,
            Self::NoAnswer => Outcome::NoAnswer,
            Self::Failed => Outcome::Failed { sip_code: 404 },
        }
    }
}

fn keys(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.chars().all(is_key) {
        Ok(text.to_owned())
    } else {
        Err("keys are 0-9, *, # and w for half a second".to_owned())
    }
}

fn is_key(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '*' | '#' | 'w')
}

pub(super) fn run(args: &CallArgs) -> ExitCode {
    let _logs = telemetry::log_to_stderr(LogFormat::Text, "error");
    if is_url(&args.target) && args.auth_token.is_none() {
        failed_because("webhooks to a URL are signed: give --auth-token, or HOOKSWITCH_AUTH_TOKEN");
        return ExitCode::from(2);
    }
    match conduct(args) {
        Ok(record) => {
            let wrong = |event: &Event| match &event.what {
                What::Webhook(exchange) => exchange.failure.is_some() || exchange.error.is_some(),
                _ => false,
            };
            ExitCode::from(u8::from(record.events.iter().any(wrong)))
        }
        Err(error) => failed(error.as_ref()),
    }
}

fn is_url(target: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| target.starts_with(scheme))
}

fn conduct(args: &CallArgs) -> Result<CallRecord, Box<dyn Error>> {
    let runtime = host::runtime()?;
    let record = if is_url(&args.target) {
        let url = Url::parse(&args.target).map_err(|error| format!("{}: {error}", args.target))?;
        let line = HttpLine::to(&url)?;
        let token = AuthToken::new(args.auth_token.as_deref().unwrap_or_default())?;
        let account = Account { sid: ACCOUNT.to_owned(), token };
        runtime.block_on(talk(args, &line, account, url))?
    } else {
        let (_, stage) = open(PathBuf::from(&args.target))?;
        let url = stage.base.join("voice")?;
        runtime.block_on(talk(args, &stage.line, stage.account, url))?
    };
    if args.json {
        say(&format!("{}\n", serde_json::to_string_pretty(&json!({ "events": record.events }))?));
    }
    Ok(record)
}

async fn talk<L: Line>(
    args: &CallArgs,
    line: &L,
    account: Account,
    url: Url,
) -> Result<CallRecord, Box<dyn Error>> {
    let fallback = match &args.fallback {
        None => None,
        Some(link) => Some(Target::post(url.join(link).map_err(|error| format!("--fallback: {error}"))?)),
    };
    let settings = CallSettings {
        from: args.from.clone(),
        to: args.to.clone(),
        voice: Target::post(url),
        fallback,
        status_callback: None,
        status_events: Vec::new(),
        outbound: None,
        params: Vec::new(),
        began_unix_ms: clock::unix_ms(),
    };
    let given = !args.digits.is_empty() || !args.say.is_empty() || args.json;
    let mut caller = Caller {
        digits: args.digits.iter().cloned().collect(),
        says: args.say.iter().cloned().collect(),
        dial: args.dial.outcome(),
        asks: !given && std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
        silent: args.json,
        colour: colour(),
    };
    Ok(call(line, account, Ids::random()?, Faults::default(), &settings, &mut caller).await)
}

/// Whoever sits at the terminal, or what the command line says in his place.
struct Caller {
    digits: VecDeque<String>,
    says: VecDeque<String>,
    dial: Outcome,
    asks: bool,
    silent: bool,
    colour: bool,
}

impl Caller {
    fn paint(&self, code: u8, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&self, event: &Event) -> Option<String> {
        let called = if event.leg == Leg::Called { "  (called party) " } else { "" };
        Some(match &event.what {
            What::Webhook(exchange) => {
                let status = exchange.status.map_or("no answer".to_owned(), |status| status.to_string());
                let code = exchange.error.as_ref().map_or(String::new(), |code| format!(" {code}"));
                let revision =
                    exchange.revision.as_ref().map_or(String::new(), |n| format!(", revision {n}"));
                let path =
                    Url::parse(&exchange.url).map_or(exchange.url.clone(), |url| url.path().to_owned());
                let facts = format!(
                    "{} {} {path} \u{2192} {status}{code}{revision}, {:.1} ms",
                    exchange.purpose,
                    exchange.method,
                    exchange.took_us as f64 / 1e3
                );
                let failed = exchange.failure.is_some() || exchange.error.is_some();
                self.paint(if failed { 31 } else { 2 }, &facts)
            }
            What::Heard(heard) => {
                let attributes: String = heard
                    .attributes
                    .iter()
                    .map(|(name, value)| format!(" {name}=\"{}\"", printable(value)))
                    .collect();
                let text = if heard.text.is_empty() {
                    String::new()
                } else {
                    format!(" \u{201c}{}\u{201d}", printable(&heard.text))
                };
                format!("{called}{}{text}{}", self.paint(1, &heard.verb), self.paint(2, &attributes))
            }
            What::Did { text } => format!("{called}{}", self.paint(36, &printable(text))),
            What::Note { code, text } => {
                let code = code.map_or(String::new(), |code| format!("{code}: "));
                self.paint(33, &format!("{code}{}", printable(text)))
            }
            What::Message { to, body, .. } => {
                format!("message to {}: \u{201c}{}\u{201d}", printable(to), printable(body))
            }
            What::Ended { how, status } => format!("{} ({status})", self.paint(1, how)),
        })
    }

    /// A line that somebody types; none at the end of input.
    async fn ask(&self, prompt: &str) -> Option<String> {
        say(&format!("{} ", self.paint(36, prompt)));
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin()
                .read_line(&mut line)
                .ok()
                .filter(|&bytes| bytes > 0)
                .map(|_| line.trim().to_owned())
        });
        read.await.ok().flatten()
    }

    async fn asked(&self, question: &Question) -> Act {
        let act = match question {
            Question::Gather(_) => self.ask("keys or words>").await.map(|line| match line.as_str() {
                "" => Act::Nothing,
                keys if keys.chars().all(is_key) => Act::Press { keys: keys.to_owned(), after_ms: 1_000 },
                words => Act::Say { text: words.to_owned(), confidence: 0.9, after_ms: 1_000 },
            }),
            Question::Record(_) => {
                self.ask("your message (Enter: none)>").await.map(|text| match text.as_str() {
                    "" => Act::Nothing,
                    _ => Act::Record { seconds: 1 + text.len() as u64 / 15, text, end: End::Key('#') },
                })
            }
            Question::Dial { .. } | Question::Refer { .. } | Question::Queue { .. } => {
                self.ask("answered, busy, no-answer or failed? [answered]>").await.map(|line| {
                    Act::Comes(match line.as_str() {
                        "busy" | "b" => Outcome::Busy,
                        "no-answer" | "n" => Outcome::NoAnswer,
                        "failed" | "f" => Outcome::Failed { sip_code: 404 },
                        _ => Dial::Answered.outcome(),
                    })
                })
            }
            Question::Endless { verb } => self
                .ask(&format!("{verb} goes on; Enter ends it>"))
                .await
                .map(|_| Act::Comes(Dial::Answered.outcome())),
        };
        act.unwrap_or(Act::HangUp)
    }

    fn planned(&mut self, question: &Question) -> Act {
        match question {
            Question::Gather(_) => {
                if let Some(keys) = self.digits.pop_front() {
                    return Act::Press { keys, after_ms: 1_000 };
                }
                match self.says.pop_front() {
                    Some(text) => Act::Say { text, confidence: 0.9, after_ms: 1_000 },
                    None => Act::HangUp,
                }
            }
            Question::Record(_) => {
                let text = self.says.pop_front().unwrap_or_else(|| "Please call me back.".to_owned());
                Act::Record { seconds: 5, text, end: End::Key('#') }
            }
            Question::Dial { .. } | Question::Refer { .. } | Question::Queue { .. } => Act::Comes(self.dial),
            Question::Endless { verb } if matches!(verb.as_str(), "Play" | "Say" | "Echo") => Act::HangUp,
            Question::Endless { .. } => Act::Comes(Dial::Answered.outcome()),
        }
    }
}

impl Party for Caller {
    async fn notice(&mut self, event: &Event) -> Presence {
        if !self.silent
            && let Some(line) = self.line(event)
        {
            say(&format!("{:>7.1} s  {line}\n", event.at_ms as f64 / 1e3));
        }
        Presence::Stays
    }

    async fn act(&mut self, _leg: Leg, question: &Question) -> Act {
        if self.asks { self.asked(question).await } else { self.planned(question) }
    }
}
