//! A webhook as a command that sends it again, with a signature that is right.

use std::net::SocketAddr;

use http::Method;
use url::Url;

use crate::carrier::twilio::signature::{self, AuthToken};
use crate::phone::Exchange;

/// A `curl` command, for a POSIX shell. Signed over the URL that the carrier calls, sent to `data_plane` where that is ours.
pub(super) fn command(exchange: &Exchange, base: &Url, data_plane: SocketAddr, token: &AuthToken) -> String {
    let pairs = || exchange.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let Ok(mut url) = Url::parse(&exchange.url) else { return String::new() };
    let posts = exchange.method == Method::POST.as_str();
    if !posts && !exchange.params.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs());
    }
    let signed = if posts {
        signature::sign(url.as_str(), pairs(), token)
    } else {
        signature::sign(url.as_str(), [], token)
    };
    let sent = if url.origin() == base.origin() {
        let query = url.query().map_or(String::new(), |query| format!("?{query}"));
        format!("http://{data_plane}{}{query}", url.path())
    } else {
        url.to_string()
    };
    let mut lines = vec![format!("curl {}", quoted(&sent))];
    if sent != url.as_str() && url.origin() == base.origin() {
        // Where no public URL is configured, the host believes the request about its own name.
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
        lines.push(format!("-H {}", quoted(&format!("Host: {host}"))));
    }
    lines.push(format!("-H {}", quoted(&format!("X-Twilio-Signature: {signed}"))));
    if posts {
        lines.extend(
            pairs().map(|(name, value)| format!("--data-urlencode {}", quoted(&format!("{name}={value}")))),
        );
        if exchange.params.is_empty() {
            lines.push("-X POST".to_owned());
        }
    }
    lines.join(" \\\n  ")
}

/// A word for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_holds_nothing_that_a_shell_would_run() {
        assert_eq!(quoted("Body=it's $(rm) `x` \"y\""), "'Body=it'\\''s $(rm) `x` \"y\"'");
    }
}
