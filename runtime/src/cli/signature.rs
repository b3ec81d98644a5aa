//! `hookswitch signature`: what a webhook's signature should be, and why the one it has does not match.
//!
//! Checks with the code of the hot path, so what this command says is what the host does. Where it says no, the
//! usual mistakes are tried one after the other (another scheme, a slash, a token with a line break…), and the
//! one that would explain the signature is named.

mod hints;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::json;

use crate::carrier::twilio::body::Body;
use crate::carrier::twilio::signature::{
    self, Algorithm, AuthToken, Keys, Mismatch, Reason, SETTINGS_HEADER, SIGNATURE_HEADER, SharedKey,
    SignedRequest,
};

/// Say what the signature of a webhook should be, and why the given one does not match.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SignatureArgs {
    /// The public URL as the carrier requested it, query included.
    #[arg(long, value_parser = absolute_url)]
    url: String,
    /// The account's auth token.
    #[arg(long, env = "TWILIO_AUTH_TOKEN", hide_env_values = true, required_unless_present = "shared_key")]
    auth_token: Option<String>,
    /// A shared key for webhooks that are signed with HMAC_SHA256.
    #[arg(long, value_name = "ID=SECRET", value_parser = shared_key)]
    shared_key: Option<(String, String)>,
    /// The request's method [default: POST with a body, GET without].
    #[arg(long)]
    method: Option<Method>,
    /// A header of the request, once for each. `X-Twilio-Signature` is what is checked.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header_line)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// A file with the body as it was sent, to the byte; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Example:
  printf 'CallSid=CA1&Digits=1' | hookswitch signature --url https://calls.example.com/acme/ivr/voice \\
    --auth-token 12345 --header 'X-Twilio-Signature: Yr0GTtvS6FtiIvwk0jC6mtdwopk=' --body -

Exit code: 0 the signature matches, or none was given; 1 it does not match; 2 usage.";

fn absolute_url(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() => Ok(text.to_owned()),
        _ => Err("expected the whole URL with its scheme, as in https://calls.example.com/acme/ivr/voice"
            .to_owned()),
    }
}

fn shared_key(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((id, secret)) if !secret.is_empty() => Ok((id.to_owned(), secret.to_owned())),
        _ => Err("expected the key's id and its secret, as in key_01h4=whsk_5e04".to_owned()),
    }
}

fn header_line(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("expected a name, a colon and a value")?;
    let name = name.trim().parse().map_err(|_| format!("{name:?} is no header name"))?;
    let value = value.trim().parse().map_err(|_| format!("the value of {name} holds what a header can't"))?;
    Ok((name, value))
}

/// Everything that was said of one request.
struct Given {
    url: String,
    method: Method,
    headers: HeaderMap,
    body: Vec<u8>,
    auth_token: Option<String>,
    shared_key: Option<(String, String)>,
}

/// What can be said about it.
struct Findings {
    algorithm: Algorithm,
    /// The signature as it should be.
    expected: String,
    /// What it is made over.
    signed: String,
    urls: Vec<String>,
    given: Option<String>,
    verified: Result<(), Mismatch>,
    hints: Vec<String>,
}

/// Runs the command.
#[must_use]
pub fn run(args: SignatureArgs) -> ExitCode {
    let as_json = args.json;
    let findings = match Given::read(args).and_then(|given| given.find()) {
        Ok(findings) => findings,
        Err(message) => {
            _ = writeln!(std::io::stderr(), "error: {message}");
            return ExitCode::from(2);
        }
    };
    let text = if as_json { findings.as_json() } else { findings.as_text() };
    // A reader that went away has read enough.
    _ = std::io::stdout().write_all(text.as_bytes());
    if findings.is_refused() { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

impl Given {
    fn read(args: SignatureArgs) -> Result<Self, String> {
        let mut body = Vec::new();
        if let Some(path) = &args.body {
            let read = if path.as_os_str() == "-" {
                std::io::stdin().read_to_end(&mut body).map(drop)
            } else {
                std::fs::read(path).map(|bytes| body = bytes)
            };
            read.map_err(|cause| format!("can't read the body from {}: {cause}", path.display()))?;
        }
        let mut headers: HeaderMap = HeaderMap::new();
        for (name, value) in args.headers {
            headers.append(name, value);
        }
        if args.body.is_some() && !headers.contains_key(header::CONTENT_TYPE) {
            headers
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let by_body = if args.body.is_some() { Method::POST } else { Method::GET };
        let method = args.method.unwrap_or(by_body);
        Ok(Self {
            url: args.url,
            method,
            headers,
            body,
            auth_token: args.auth_token,
            shared_key: args.shared_key,
        })
    }

    fn find(&self) -> Result<Findings, String> {
        let content_type = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let body = Body::read(&self.method, content_type, &self.body).map_err(|error| error.to_string())?;
        let keys = self.keys()?;
        let algorithm = self.algorithm();
        let urls = signature::candidates(&self.url).map(String::from);
        let parameters = if let Body::Form(form) = &body { signature::sorted(form) } else { String::new() };
        let signed = self.url_as_the_carrier_spells_it(&urls).to_owned() + &parameters;
        let expected = match (algorithm, &*keys.tokens, &*keys.shared) {
            (Algorithm::HmacSha1, [token, ..], _) => token.sign(&signed),
            (Algorithm::HmacSha256, _, [key, ..]) => key.sign(&signed),
            (algorithm, ..) => return Err(format!("{}; give it too", Reason::NoKey(algorithm))),
        };
        let given = self.headers.get(&SIGNATURE_HEADER);
        let given = given.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let verified =
            signature::verify(&keys, &SignedRequest { url: &self.url, headers: &self.headers, body: &body });
        let hints = match &verified {
            Err(mismatch) if given.is_some() => hints::hints(self, &mismatch.reason, &body),
            _ => Vec::new(),
        };
        Ok(Findings { algorithm, expected, signed, urls: urls.into(), given, verified, hints })
    }

    /// Voice over https leaves the port out; over http it stays.
    fn url_as_the_carrier_spells_it<'u>(&self, [without_port, with_port]: &'u [String; 2]) -> &'u str {
        let plain = self.url.get(.."http:".len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"));
        let names_port = self.url.contains(with_port.as_str());
        if plain && names_port { with_port } else { without_port }
    }

    fn keys(&self) -> Result<Keys, String> {
        let mut keys = Keys::default();
        if let Some(token) = &self.auth_token {
            keys.tokens.push(AuthToken::new(token).map_err(|error| error.to_string())?);
        }
        if let Some((id, secret)) = &self.shared_key {
            keys.shared.push(SharedKey::new(id, secret).map_err(|error| error.to_string())?);
        }
        Ok(keys)
    }

    /// What the settings header asks for; without one, what there is a key for.
    fn algorithm(&self) -> Algorithm {
        let settings = self.headers.get(&SETTINGS_HEADER).and_then(|value| value.to_str().ok());
        let named = settings.unwrap_or_default().split(',').filter_map(|part| part.split_once('='));
        let named = named
            .filter(|(name, _)| name.trim() == "algorithm")
            .find_map(|(_, value)| Algorithm::named(value.trim()));
        let held = if self.auth_token.is_some() { Algorithm::HmacSha1 } else { Algorithm::HmacSha256 };
        named.unwrap_or(held)
    }
}

impl Findings {
    fn is_refused(&self) -> bool {
        self.given.is_some() && self.verified.is_err()
    }

    fn as_text(&self) -> String {
        let mut lines = vec![
            format!("expected  {}  ({})", self.expected, self.algorithm),
            format!("signed    {}", printable(&self.signed)),
        ];
        for (index, url) in self.urls.iter().enumerate() {
            lines.push(format!("{}{}", if index == 0 { "tried     " } else { "          " }, printable(url)));
        }
        if let Some(given) = &self.given {
            match &self.verified {
                Ok(()) => lines.push(format!("given     {}  matches", printable(given))),
                Err(mismatch) => {
                    lines.push(format!("given     {}  does not match", printable(given)));
                    lines.push(format!("reason    {}", printable(&mismatch.reason.to_string())));
                }
            }
        }
        lines.extend(self.hints.iter().map(|hint| format!("hint      {}", printable(hint))));
        lines.join("\n") + "\n"
    }

    fn as_json(&self) -> String {
        let reason =
            self.given.as_ref().and(self.verified.as_ref().err()).map(|mismatch| mismatch.reason.to_string());
        let object = json!({
            "expected": self.expected,
            "algorithm": self.algorithm.name(),
            "string_signed": self.signed,
            "urls_tried": self.urls,
            "given": self.given,
            "matches": self.given.as_ref().map(|_| self.verified.is_ok()),
            "reason": reason,
            "hints": self.hints,
        });
        format!("{object:#}\n")
    }
}

/// What people wrote, without what would move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

#[cfg(test)]
mod tests;
