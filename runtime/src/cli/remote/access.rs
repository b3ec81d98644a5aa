//! Which host a command talks to, with which token and for which tenant.
//!
//! A flag goes before the environment, that before the saved context, that before the default; a context that is named
//! by a flag counts as a flag. A token that was saved for one host is never sent to another one: the context's token goes
//! only to the context's URL, and the token that `serve` left in its data folder only to this machine.

use std::cell::RefCell;
use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use url::{Host, Url};

use super::RemoteError;
use super::contexts::{Context, Contexts};
use crate::call::{InvalidName, TenantId};
use crate::config::{self, Secret};

/// Where `serve` leaves the operator's token, from the folder that it was started in.
const OPERATOR_TOKEN_FILE: &str = "hookswitch-data/operator-token";

/// How long a request is tried again: a host that is being replaced is back by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest file that is read as a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 16 * 1024;

/// Which host.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Host")]
pub struct HostArgs {
    /// Control port of the host [env: HOOKSWITCH_CONTROL] [default: http://127.0.0.1:8081]
    #[arg(long, value_name = "URL", value_parser = control_url)]
    pub control: Option<Url>,
    /// Token that opens it; others on this machine can see a command line, so prefer a file [env: HOOKSWITCH_TOKEN]
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    pub token: Option<String>,
    /// File with the token; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Saved host to use: see `hookswitch context`
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// Which host, and whose handlers on it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Host")]
pub struct TenantArgs {
    /// Whose; left out, the token's, or the only one there is [env: HOOKSWITCH_TENANT]
    #[arg(long, value_parser = tenant_id)]
    pub tenant: Option<TenantId>,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
}

fn tenant_id(text: &str) -> Result<TenantId, InvalidName> {
    TenantId::new(text)
}

/// The URL of a control port, with a path that ends in `/`.
///
/// # Errors
/// What was found and what such a URL looks like.
pub fn control_url(text: &str) -> Result<Url, String> {
    let refuse = |why: &str| {
        Err(format!("{text:?} {why}; expected the control port's URL, such as http://127.0.0.1:8081"))
    };
    let mut url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return refuse(&format!("is not a URL ({error})")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("does not begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("carries a user name or password; a token goes into --token-file");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has a query or fragment");
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Looks an environment variable up.
pub type Variables = dyn Fn(&str) -> Option<String>;

/// What a command finds around it.
pub struct Surroundings {
    /// Environment variables; an empty one counts as not there.
    pub variables: Box<Variables>,
    /// The folder that it was started in.
    pub folder: PathBuf,
    /// Standard input.
    pub input: RefCell<Box<dyn BufRead>>,
    /// How long a request is tried again.
    pub patience: Duration,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self {
            variables: Box::new(|name| std::env::var(name).ok()),
            folder: PathBuf::new(),
            input: RefCell::new(Box::new(std::io::stdin().lock())),
            patience: PATIENCE,
        }
    }

    /// An environment variable that says something.
    pub fn var(&self, name: &str) -> Option<String> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }
}

/// A token and where it came from.
#[derive(Debug)]
pub struct Token {
    /// What opens the host.
    pub secret: Secret,
    /// In words, for messages.
    pub source: String,
}

/// Where a command goes, and with what.
#[derive(Debug)]
pub struct Access {
    /// The control port; its path ends in `/`.
    pub control: Url,
    /// In words, for messages.
    pub control_source: String,
    /// What opens it, if anything was found.
    pub token: Option<Token>,
    /// Whose handlers, if anything says so.
    pub tenant: Option<TenantId>,
    /// Whether a person chose the host on this command line; what was found elsewhere is worth a word.
    pub chosen_by_flag: bool,
}

impl Access {
    /// Looks at flags, environment, contexts and defaults, in this order.
    ///
    /// # Errors
    /// For a file that can't be read, a context that is not there, a variable that makes no sense.
    pub fn find(
        args: &HostArgs,
        tenant: Option<TenantId>,
        surroundings: &Surroundings,
    ) -> Result<Self, RemoteError> {
        let context = saved_context(args, surroundings)?;
        // A context that a flag names goes before the environment.
        let named = args.context.is_some();
        let from_environment = match surroundings.var("HOOKSWITCH_CONTROL").filter(|_| !named) {
            Some(text) => Some(
                control_url(&text).map_err(|why| RemoteError::Usage(format!("HOOKSWITCH_CONTROL: {why}")))?,
            ),
            None => None,
        };
        let (control, control_source) = match (&args.control, from_environment, &context) {
            (Some(url), ..) => (url.clone(), "--control".to_owned()),
            (None, Some(url), _) => (url, "HOOKSWITCH_CONTROL".to_owned()),
            (None, None, Some((name, context))) => (context.control.clone(), format!("context {name}")),
            (None, None, None) => (default_control(), "default".to_owned()),
        };
        let context = context.filter(|(_, context)| context.control == control);
        let token = find_token(args, &control, context.as_ref(), named, surroundings)?;
        let tenant = match tenant {
            Some(tenant) => Some(tenant),
            None => find_tenant(context.as_ref().map(|(_, context)| context), named, surroundings)?,
        };
        let chosen_by_flag = args.control.is_some() || named;
        Ok(Self { control, control_source, token, tenant, chosen_by_flag })
    }

    /// Whether it is this very machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.control)
    }
}

fn default_control() -> Url {
    let text = format!("http://{}/", config::CONTROL);
    text.parse().expect("an address and a slash make a URL, as a test shows")
}

fn saved_context(
    args: &HostArgs,
    surroundings: &Surroundings,
) -> Result<Option<(String, Context)>, RemoteError> {
    let path = match Contexts::path(surroundings) {
        Ok(path) => path,
        Err(error) if args.context.is_some() => return Err(error),
        Err(_) => return Ok(None),
    };
    let contexts = Contexts::load(&path)?;
    let Some(name) = args.context.as_ref().or(contexts.current.as_ref()) else { return Ok(None) };
    Ok(Some((name.clone(), contexts.named(name)?.clone())))
}

fn find_token(
    args: &HostArgs,
    control: &Url,
    context: Option<&(String, Context)>,
    named: bool,
    surroundings: &Surroundings,
) -> Result<Option<Token>, RemoteError> {
    let token =
        |secret: &str, source: String| Token { secret: Secret::new(secret.trim().to_owned()), source };
    if let Some(secret) = &args.token {
        return Ok(Some(token(secret, "--token".to_owned())));
    }
    if let Some(path) = &args.token_file {
        let secret = read_secret(path, surroundings)?;
        return Ok(Some(token(secret.expose(), format!("--token-file {}", path.display()))));
    }
    let from_environment =
        surroundings.var("HOOKSWITCH_TOKEN").map(|secret| token(&secret, "HOOKSWITCH_TOKEN".to_owned()));
    let from_context = context.and_then(|(name, context)| {
        context.token.as_ref().map(|secret| token(secret, format!("context {name}")))
    });
    let found = if named { from_context.or(from_environment) } else { from_environment.or(from_context) };
    if found.is_some() || !is_loopback(control) {
        return Ok(found);
    }
    let path = surroundings.folder.join(OPERATOR_TOKEN_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let secret = read_secret(&path, surroundings)?;
    Ok(Some(token(secret.expose(), OPERATOR_TOKEN_FILE.to_owned())))
}

fn find_tenant(
    context: Option<&Context>,
    named: bool,
    surroundings: &Surroundings,
) -> Result<Option<TenantId>, RemoteError> {
    let from_context = context.and_then(|context| context.tenant.clone());
    if named && from_context.is_some() {
        return Ok(from_context);
    }
    match surroundings.var("HOOKSWITCH_TENANT") {
        Some(text) => TenantId::new(&text)
            .map(Some)
            .map_err(|error| RemoteError::Usage(format!("HOOKSWITCH_TENANT: {error}"))),
        None => Ok(from_context),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Reads a secret from a file, without the white space around it; `-` is standard input.
///
/// # Errors
/// When it can't be read or holds nothing.
pub fn read_secret(path: &Path, surroundings: &Surroundings) -> Result<Secret, RemoteError> {
    let explain = |error: &dyn std::fmt::Display| RemoteError::Local(format!("{}: {error}", path.display()));
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        surroundings.input.borrow_mut().by_ref().take(SECRET_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(SECRET_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| explain(&error))?;
    match text.trim() {
        "" => Err(explain(&"is empty; expected the secret and nothing else")),
        secret => Ok(Secret::new(secret.to_owned())),
    }
}

#[cfg(test)]
mod tests;
