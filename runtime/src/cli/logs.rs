//! `hookswitch logs`: what a tenant's handlers log and answer, as it happens.
//!
//! A host keeps no past lines, so there is nothing to show but what comes: the command follows until it is stopped. A
//! lost connection is made again, with growing pauses, and what is missing is said: by the host, which counts what a slow
//! reader missed, and by us, who know when we were away.

use std::time::Duration;

use clap::Args;
use futures_util::StreamExt as _;
use reqwest::{Method, Response};
use tokio::time::{sleep, timeout};

use super::deploy::handler_name;
use super::remote::output::{Paint, counted, printable};
use super::remote::sse::{Event, Parser};
use super::remote::{Client, Console, RemoteCommand, RemoteError, Repeat, Session, TenantArgs, jitter};
use super::status::said;
use crate::call::{HandlerName, TenantId};
use crate::telemetry::feed::{FeedEvent, FeedLevel, FeedOutcome, FeedSource};

/// A host gives a sign of life every 15 s; after four missing ones the connection is dead.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// The first pause before a lost connection is made again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Follow what handlers log and answer, until Ctrl-C
///
/// Shows log lines, webhooks with their outcome, and changes of releases as they happen. A host keeps no past lines.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch logs front-desk --tenant acme -f\n  \
    hookswitch logs --tenant acme --for 60 --json > minute.jsonl")]
pub struct LogsArgs {
    /// The handler; left out, all of the tenant
    #[arg(value_parser = handler_name)]
    handler: Option<HandlerName>,
    /// Follow; always so, because past lines are not kept
    #[arg(long, short)]
    follow: bool,
    /// Stop after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: TenantArgs,
}

impl RemoteCommand for LogsArgs {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let (client, console) = (session.connect_for_tenant(&self.remote)?, session.console);
        let tenant = client.tenant().await?;
        let mut tail = Tail {
            client: &client,
            console,
            tenant,
            handler: self.handler.clone(),
            json: self.json,
            dropped: 0,
            opened: false,
        };
        let stop = async {
            match self.seconds {
                Some(seconds) => sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            ended = tail.follow() => ended,
            () = stop => Ok(()),
            () = super::asked_to_stop() => Ok(()),
        };
        if tail.dropped > 0 {
            console.note(format_args!("{} missing in all", counted(tail.dropped, "event")));
        }
        ended
    }
}

/// A stream of events that outlives its connections.
struct Tail<'a> {
    client: &'a Client<'a>,
    console: &'a Console,
    tenant: TenantId,
    handler: Option<HandlerName>,
    json: bool,
    /// Events that the host says we missed.
    dropped: u64,
    /// Whether there was a connection.
    opened: bool,
}

impl Tail<'_> {
    /// Prints events until nobody reads them any more, or the host refuses.
    async fn follow(&mut self) -> Result<(), RemoteError> {
        let mut pause = PAUSES.0;
        loop {
            let lost = match self.open().await {
                Ok(stream) => {
                    let of = self.handler.as_ref().map(|handler| format!("/{handler}")).unwrap_or_default();
                    if std::mem::replace(&mut self.opened, true) {
                        self.console.note("connected again; what happened meanwhile is not shown");
                    } else {
                        self.console.note(format_args!("following {}{of}; Ctrl-C stops", self.tenant));
                    }
                    match self.print_all(stream, &mut pause).await {
                        Ended::NobodyReads => return Ok(()),
                        Ended::Lost(why) => why,
                    }
                }
                // Before the first connection everything is worth telling; later a host may be starting again.
                Err(error) if !self.opened || is_final(&error) => return Err(error),
                Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
            };
            let wait = pause.mul_f64(jitter());
            self.console.note(format_args!("{lost}; looking for it again in {:.1} s", wait.as_secs_f64()));
            sleep(wait).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn open(&self) -> Result<Response, RemoteError> {
        let path = ["tenants", self.tenant.as_str(), "logs"];
        let query: Vec<_> = self.handler.iter().map(|handler| ("handler", handler.as_str())).collect();
        let request = || Ok(self.client.request(Method::GET, &path).query(&query));
        let response = self.client.send(Repeat::Safe, request).await?;
        self.client.expect(response, "text/event-stream")
    }

    async fn print_all(&mut self, response: Response, pause: &mut Duration) -> Ended {
        let (mut pieces, mut parser) = (response.bytes_stream(), Parser::default());
        loop {
            let piece = match timeout(SILENCE_MAX, pieces.next()).await {
                Ok(Some(Ok(piece))) => piece,
                // Why, in the words of HTTP, helps nobody: it was killed, or something between us cut the line.
                Ok(Some(Err(_))) => return Ended::Lost("the host went away".to_owned()),
                Ok(None) => return Ended::Lost("the host ended the stream".to_owned()),
                Err(_) => return Ended::Lost("no sign of life from the host".to_owned()),
            };
            *pause = PAUSES.0;
            for event in parser.feed(&piece) {
                if !self.print(&event) {
                    return Ended::NobodyReads;
                }
            }
        }
    }

    /// Prints one event. False when nobody reads any more.
    fn print(&mut self, event: &Event) -> bool {
        let known = serde_json::from_str::<FeedEvent>(&event.data);
        if let Ok(FeedEvent::Dropped { count }) = &known {
            self.dropped += count;
            self.console.note(format_args!(
                "{} missing here: they came faster than we read",
                counted(*count, "event")
            ));
        }
        match known {
            _ if self.json => match serde_json::from_str::<serde_json::Value>(&event.data) {
                Ok(object) => self.console.print(format_args!("{object}\n")),
                // Not ours to pass on as JSON; a newer host may send other things.
                Err(_) => true,
            },
            Ok(FeedEvent::Dropped { .. }) => true,
            Ok(event) => self.console.print(format_args!("{}\n", line(self.console, &event))),
            // A newer host may tell more than we know.
            Err(_) => {
                self.console.print(format_args!("{} {}\n", printable(&event.name), printable(&event.data)))
            }
        }
    }
}

enum Ended {
    /// Standard output is closed.
    NobodyReads,
    /// The connection is gone, and why.
    Lost(String),
}

/// Whether asking again can't help: the token is not valid any more, the tenant is gone.
fn is_final(error: &RemoteError) -> bool {
    matches!(error.status(), Some(400..=428))
}

/// How long a webhook took, from microseconds.
fn time(us: u64) -> String {
    if us < 100 { format!("{us} µs") } else { format!("{:.1} ms", us as f64 / 1e3) }
}

/// One event in one line: when, who, what.
fn line(console: &Console, event: &FeedEvent) -> String {
    let head = |at: &str, handler: &HandlerName, revision: u32| {
        let at = console.paint(Paint::Dim, &console.clock(at));
        format!("{at}  {} {revision}", printable(handler.as_str()))
    };
    match event {
        FeedEvent::Webhook {
            at, handler, revision, entry, subject, step, outcome, code, wall_us, ..
        } => {
            let slash = if step.is_empty() { "" } else { "/" };
            let (word, paint) = match outcome {
                FeedOutcome::Ok => ("ok".to_owned(), Paint::Good),
                FeedOutcome::Repeated => ("repeated".to_owned(), Paint::Dim),
                FeedOutcome::Failed => {
                    (format!("failed {}", printable(code.as_deref().unwrap_or_default())), Paint::Bad)
                }
            };
            format!(
                "{}  {}{slash}{}  {}  {}  {}",
                head(at, handler, revision.0),
                printable(entry),
                printable(step),
                console.paint(paint, word.trim_end()),
                time(*wall_us),
                console.paint(Paint::Dim, &printable(subject)),
            )
        }
        FeedEvent::Log { at, handler, revision, subject, level, source, text, .. } => {
            let (word, paint) = match level {
                FeedLevel::Debug => ("debug", Paint::Dim),
                FeedLevel::Info => ("info", Paint::Good),
                FeedLevel::Warn => ("warn", Paint::Warn),
                FeedLevel::Error => ("error", Paint::Bad),
            };
            let source = match source {
                FeedSource::Handler => "",
                FeedSource::Stdout => "stdout: ",
                FeedSource::Stderr => "stderr: ",
                FeedSource::Host => "host: ",
            };
            format!(
                "{}  {}  {source}{}  {}",
                head(at, handler, revision.0),
                console.paint(paint, word),
                printable(text),
                console.paint(Paint::Dim, &printable(subject)),
            )
        }
        FeedEvent::Release { at, handler, revision, change, reason } => {
            let (word, paint) = said(*change);
            let word = paint.map_or_else(|| word.to_owned(), |paint| console.paint(paint, word));
            format!("{}  {word}  {}", head(at, handler, revision.0), printable(reason))
        }
        FeedEvent::Dropped { count } => format!("{} missing", counted(*count, "event")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn short_times_are_no_zeroes() {
        for (us, shown) in [
            (0, "0 µs"),
            (46, "46 µs"),
            (99, "99 µs"),
            (100, "0.1 ms"),
            (1_240, "1.2 ms"),
            (3_000_000, "3000.0 ms"),
        ] {
            assert_eq!(super::time(us), shown);
        }
    }
}
