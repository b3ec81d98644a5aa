//! `hookswitch call`: the offline phone in a terminal.
//!
//! It calls a handler's folder (in this process) or the voice URL of any host. With `--digits`, `--say` or without a
//! terminal it plays what it was given and prints the conversation; otherwise whoever sits there presses and speaks. With
//! `--text` it writes messages.

mod caller;
mod screen;
mod texting;

use std::error::Error;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;
use url::Url;

use self::caller::Caller;
use self::screen::Screen;
use super::test::{ACCOUNT, colour, open, say};
use super::{about_secrets, failed, failed_because};
use crate::carrier::twilio::signature::AuthToken;
use crate::clock;
use crate::host;
use crate::phone::call::{CallSettings, call};
use crate::phone::line::{HttpLine, Line, Own};
use crate::phone::messages::media_type;
use crate::phone::{Account, ENDLESS, Event, Faults, Ids, MEDIA_MAX, Outcome, Target, Until, What, address};
use crate::telemetry::{self, LogFormat};

const MORE: &str = "Examples:
  hookswitch call guest-examples/front-desk
  hookswitch call guest-examples/front-desk --digits 1 --dial no-answer
  hookswitch call https://calls.example.com/acme/front-desk/voice --auth-token T --say 'sales please'
  hookswitch call guest-examples/sms-keywords --text HELP --text STOP

On a terminal: keys such as 1 or 12#, or words, then Enter; Enter alone says nothing; Ctrl-D hangs up.
Exit code: 0 the call went through, 1 a webhook failed or the documents led on without end, 2 the command line is wrong.";

/// Call a handler or write to it, without a carrier
#[derive(Debug, Args)]
#[command(after_help = MORE)]
pub struct CallArgs {
    /// A handler's folder, its component, or the URL of any host: the voice URL, with --text the message URL
    target: String,
    /// Auth token that webhooks are signed with; needed for a URL
    #[arg(long, value_name = "T", env = "HOOKSWITCH_AUTH_TOKEN", hide_env_values = true)]
    auth_token: Option<String>,
    /// Who calls
    #[arg(long, value_name = "NUMBER", default_value = "+12025550177", value_parser = address)]
    from: String,
    /// Who is called
    #[arg(long, value_name = "NUMBER", default_value = "+12025550199", value_parser = address)]
    to: String,
    /// Keys, one group for each question: 1,2,1234#
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = keys)]
    digits: Vec<String>,
    /// Words to say, once for each question; after the keys
    #[arg(long, value_name = "TEXT")]
    say: Vec<String>,
    /// Write this message in place of a call; again for the next one. On a terminal, `--text ''` lets you write
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["digits", "say", "dial", "status_callback"])]
    text: Vec<String>,
    /// Content type of something that comes with the first message, such as image/jpeg; again for more, up to 10
    #[arg(long, value_name = "TYPE", requires = "text", value_parser = media_type)]
    media: Vec<String>,
    /// What becomes of numbers that are dialled
    #[arg(long, value_enum, default_value_t = Dial::Answered)]
    dial: Dial,
    /// The number's fallback URL
    #[arg(long, value_name = "URL")]
    fallback: Option<String>,
    /// Hears how the call ended; left out, a folder's own `status` where it takes events
    #[arg(long, value_name = "URL")]
    status_callback: Option<String>,
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
    // What is logged about the handler stands in the conversation.
    let _logs = telemetry::log_to_stderr(LogFormat::Text, "error,handler=off");
    if is_url(&args.target) && args.auth_token.is_none() {
        failed_because("webhooks to a URL are signed: give --auth-token, or HOOKSWITCH_AUTH_TOKEN");
        return ExitCode::from(2);
    }
    if args.media.len() > MEDIA_MAX {
        failed_because(format!(
            "a message comes with at most {MEDIA_MAX} media, and these are {}",
            args.media.len()
        ));
        return ExitCode::from(2);
    }
    match conduct(args) {
        Ok(events) => {
            let wrong = |event: &Event| match &event.what {
                What::Webhook(exchange) => exchange.failure.is_some() || exchange.error.is_some(),
                What::Ended { how, .. } => how == ENDLESS,
                _ => false,
            };
            ExitCode::from(u8::from(events.iter().any(wrong)))
        }
        Err(error) => failed(error.as_ref()),
    }
}

fn is_url(target: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| target.starts_with(scheme))
}

fn conduct(args: &CallArgs) -> Result<Vec<Event>, Box<dyn Error>> {
    let runtime = host::runtime()?;
    let events = if is_url(&args.target) {
        let url = Url::parse(&args.target).map_err(|error| format!("{}: {error}", args.target))?;
        let line = HttpLine::to(&url)?;
        let token = AuthToken::new(args.auth_token.as_deref().unwrap_or_default())?;
        let account = Account { sid: ACCOUNT.to_owned(), token };
        runtime.block_on(talk(args, &line, account, url, None))?
    } else {
        let (_, stage) = open(PathBuf::from(&args.target))?;
        let url = stage.base.join(if args.text.is_empty() { "voice" } else { "sms" })?;
        let line = stage.line(Ids::random()?, Own::default())?.telling_log().asking_others();
        let missing = line.secrets_without_value(stage.base.path());
        for what in about_secrets(missing.iter().map(String::as_str), Path::new(&args.target)) {
            eprintln!("warning: {what}");
        }
        let status =
            if line.takes_events(stage.base.path()) { Some(stage.base.join("status")?) } else { None };
        runtime.block_on(talk(args, &line, stage.account, url, status))?
    };
    if args.json {
        say(&format!("{}\n", serde_json::to_string_pretty(&json!({ "events": events }))?));
    }
    Ok(events)
}

async fn talk<L: Line>(
    args: &CallArgs,
    line: &L,
    account: Account,
    url: Url,
    status: Option<Url>,
) -> Result<Vec<Event>, Box<dyn Error>> {
    let linked = |option: &str, link: &Option<String>| {
        link.as_ref().map(|link| url.join(link).map_err(|error| format!("{option}: {error}"))).transpose()
    };
    let fallback = linked("--fallback", &args.fallback)?.map(Target::post);
    let status_callback = linked("--status-callback", &args.status_callback)?.or(status).map(Target::post);
    let screen = Screen { silent: args.json, colour: colour() };
    if !args.text.is_empty() {
        return texting::talk(args, line, account, Target::post(url), fallback, &screen).await;
    }
    let settings = CallSettings {
        from: args.from.clone(),
        to: args.to.clone(),
        voice: Target::post(url),
        fallback,
        status_callback,
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
        asks: !given && is_terminal(),
        screen,
    };
    Ok(call(line, account, Ids::random()?, Faults::default(), &settings, &mut caller).await.events)
}

/// Whether somebody sits there.
fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}
