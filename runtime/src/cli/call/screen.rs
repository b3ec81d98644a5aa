//! What a conversation looks like on a terminal.

use url::Url;

use crate::cli::test::say;
use crate::phone::{Event, Leg, What, Writer, printable};

/// Where a conversation is shown.
#[derive(Clone, Copy)]
pub(super) struct Screen {
    /// Shows nothing: the whole comes as JSON at the end.
    pub(super) silent: bool,
    pub(super) colour: bool,
}

impl Screen {
    /// Prints an event.
    pub(super) fn show(&self, event: &Event) {
        if !self.silent {
            say(&format!("{:>7.1} s  {}\n", event.at_ms as f64 / 1e3, self.line(event)));
        }
    }

    fn paint(&self, code: u8, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&self, event: &Event) -> String {
        let called = if event.leg == Leg::Called { "  (called party) " } else { "" };
        match &event.what {
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
            What::Placed { to, lead, .. } => self.paint(
                35,
                &format!("a call is placed to {}, which leads to {}", printable(to), printable(lead)),
            ),
            What::Sent { to, body, media, .. } => self.paint(
                35,
                &format!(
                    "a message is sent to {}: \u{201c}{}\u{201d}{}",
                    printable(to),
                    printable(body),
                    with(media)
                ),
            ),
            What::Requested { method, url, .. } => {
                let here = "nobody answers it here; `hookswitch dev` sends requests";
                self.paint(35, &format!("a request is sent: {method} {} ({here})", printable(url)))
            }
            What::Logged { by, text } => {
                let by = match by {
                    Writer::Handler => "the handler logs",
                    Writer::Host => "the host says",
                };
                self.paint(2, &format!("{by}: {}", printable(text)))
            }
            What::Message { to, body, media, .. } => {
                format!("message to {}: \u{201c}{}\u{201d}{}", printable(to), printable(body), with(media))
            }
            What::Ended { how, status } => format!("{} ({status})", self.paint(1, how)),
        }
    }

    /// A line that somebody types; none at the end of input.
    pub(super) async fn ask(&self, prompt: &str) -> Option<String> {
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
}

/// What comes with a message.
fn with(media: &[String]) -> String {
    if media.is_empty() {
        return String::new();
    }
    format!(" with {}", media.iter().map(|url| printable(url)).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_a_message_is_shown() {
        let screen = Screen { silent: false, colour: false };
        let media = vec!["https://a.example.com/1.png".to_owned(), "https://a.example.com/2.png".to_owned()];
        let (from, to, body) = ("+12025550199".to_owned(), "+12025550177".to_owned(), "Look".to_owned());
        let reply = What::Message {
            from: from.clone(),
            to: to.clone(),
            body: body.clone(),
            media: media.clone(),
            by_carrier: false,
        };
        let sent = What::Sent { id: "MM1".into(), to, from, body, media, later: false };
        for what in [reply, sent] {
            let line = screen.line(&Event { at_ms: 0, leg: Leg::Caller, what });
            let expected = "to +12025550177: \u{201c}Look\u{201d} with https://a.example.com/1.png, https://a.example.com/2.png";
            assert!(line.ends_with(expected), "{line}");
        }
    }
}
