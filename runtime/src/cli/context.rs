//! `hookswitch context`: saved hosts, so that a command line needs no URL and no token.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use url::Url;

use super::remote::contexts::{Context, Contexts};
use super::remote::output::{Table, fields};
use super::remote::{RemoteCommand, RemoteError, Session, control_url, read_secret};
use crate::call::{InvalidName, TenantId};

/// Save hosts by name: URL, token and tenant
///
/// Kept in $XDG_CONFIG_HOME/hookswitch/contexts.toml (~/.config without it), which only you can read. A flag goes before
/// the environment, that before the context in use.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch context add prod --control https://control.example.com \
    --token-file token --tenant acme\n  hookswitch context use prod")]
pub struct ContextCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Save a host, or change a saved one; the first is used from then on
    #[command(after_help = "Example:\n  hookswitch context add prod --control https://control.example.com \
        --token-file token --tenant acme")]
    Add {
        /// Your name for it
        #[arg(value_parser = name)]
        name: String,
        /// Its control port
        #[arg(long, value_name = "URL", value_parser = control_url)]
        control: Url,
        /// Token that opens it; others on this machine can see a command line, so prefer a file
        #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
        token: Option<String>,
        /// File with the token, which is copied; `-` is standard input
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        /// Whose handlers, unless told otherwise
        #[arg(long, value_parser = tenant_id)]
        tenant: Option<TenantId>,
    },
    /// Use a saved host from now on
    #[command(after_help = "Example:\n  hookswitch context use prod")]
    Use {
        /// Its name
        name: String,
    },
    /// List the saved hosts
    #[command(after_help = "Example:\n  hookswitch context list")]
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show a saved host, without its token
    #[command(after_help = "Example:\n  hookswitch context show")]
    Show {
        /// Its name; left out, the one in use
        name: Option<String>,
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Forget a saved host
    #[command(visible_alias = "rm", after_help = "Example:\n  hookswitch context remove prod")]
    Remove {
        /// Its name
        name: String,
    },
}

fn tenant_id(text: &str) -> Result<TenantId, InvalidName> {
    TenantId::new(text)
}

fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=63).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 63 letters, digits, `-`, `_` or `.`".to_owned())
    }
}

impl RemoteCommand for ContextCommand {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let console = session.console;
        let path = Contexts::path(session.surroundings)?;
        let mut saved = Contexts::load(&path)?;
        match self.action {
            Action::Add { name, control, token, token_file, tenant } => {
                let token = match token_file {
                    Some(file) => Some(read_secret(&file, session.surroundings)?.expose().to_owned()),
                    None => token,
                };
                saved.contexts.insert(name.clone(), Context { control, token, tenant });
                let current = saved.current.get_or_insert_with(|| name.clone());
                let used = if *current == name {
                    "it is in use".to_owned()
                } else {
                    format!("`hookswitch context use {name}` uses it")
                };
                saved.save(&path)?;
                console.note(format_args!("saved {name} in {}; {used}", path.display()));
            }
            Action::Use { name } => {
                saved.named(&name)?;
                console.note(format_args!("{name} is in use"));
                saved.current = Some(name);
                saved.save(&path)?;
            }
            Action::List { json } => {
                if json {
                    let all: Vec<_> =
                        saved.contexts.iter().map(|(name, context)| shown(&saved, name, context)).collect();
                    return console.json(&all);
                }
                if saved.contexts.is_empty() {
                    console
                        .note("no context is saved; `hookswitch context add NAME --control URL` saves one");
                    return Ok(());
                }
                let mut table = Table::new(["", "CONTEXT", "CONTROL", "TENANT", "TOKEN"]);
                for (name, context) in &saved.contexts {
                    table.row([
                        if saved.current.as_ref() == Some(name) { "*" } else { " " }.into(),
                        name.into(),
                        context.control.as_str().trim_end_matches('/').into(),
                        context.tenant.as_ref().map(ToString::to_string).unwrap_or_default().into(),
                        if context.token.is_some() { "saved" } else { "none" }.into(),
                    ]);
                }
                console.print(table.render(console, 0));
            }
            Action::Show { name, json } => {
                let Some(name) = name.or_else(|| saved.current.clone()) else {
                    return Err(RemoteError::Usage(
                        "no context is in use; `hookswitch context list` shows those that are saved"
                            .to_owned(),
                    ));
                };
                let context = saved.named(&name)?;
                if json {
                    return console.json(&shown(&saved, &name, context));
                }
                let rows = [
                    ("control", context.control.as_str().trim_end_matches('/').to_owned()),
                    ("tenant", context.tenant.as_ref().map(ToString::to_string).unwrap_or_default()),
                    ("token", if context.token.is_some() { "saved" } else { "none" }.to_owned()),
                ];
                console.print(format_args!("{name}\n{}", fields(&rows)));
            }
            Action::Remove { name } => {
                if saved.contexts.remove(&name).is_none() {
                    return Err(RemoteError::Usage(saved.unknown(&name)));
                }
                saved.current = saved.current.filter(|current| *current != name);
                saved.save(&path)?;
                console.note(format_args!("{name} is forgotten"));
            }
        }
        Ok(())
    }
}

/// A context as JSON, without its token.
fn shown(saved: &Contexts, name: &str, context: &Context) -> serde_json::Value {
    json!({
        "name": name,
        "control": context.control.as_str().trim_end_matches('/'),
        "tenant": context.tenant,
        "has_token": context.token.is_some(),
        "current": saved.current.as_deref() == Some(name),
    })
}
