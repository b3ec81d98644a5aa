//! `hookswitch secret`: values that only a tenant's handlers see.
//!
//! A value comes from standard input or a file, never from the command line: what stands there is in the shell's history and
//! in every listing of processes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::deploy::print;
use super::remote::output::Table;
use super::remote::{RemoteCommand, RemoteError, Session, TenantArgs, read_secret};
use crate::control::model::{SecretSet, SecretValue, SecretView};
use crate::secrets::check_name;

/// Set, list and delete secrets of a tenant
///
/// A handler reads those that its handler.toml names: secrets = ["crm-key"]. Setting one anew gives each such handler a
/// revision of settings with it; calls in progress keep the value they began with.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch secret set crm-key --tenant acme < crm-key.txt\n  \
    hookswitch secret list --tenant acme\n\n\
    With `dev` and `call` secrets stand in .secrets.toml beside handler.toml: crm-key = \"…\"; scripts bring their own")]
pub struct SecretCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Set a secret; the value is read from standard input
    #[command(
        visible_alias = "put",
        after_help = "Example:\n  printf %s \"$CRM_KEY\" | hookswitch secret set crm-key --tenant acme"
    )]
    Set {
        /// Its name
        #[arg(value_parser = name)]
        name: String,
        /// Read the value from this file instead
        #[arg(long, value_name = "FILE")]
        from_file: Option<PathBuf>,
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: TenantArgs,
    },
    /// List names and versions; values are never shown
    #[command(after_help = "Example:\n  hookswitch secret list --tenant acme")]
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: TenantArgs,
    },
    /// Forget a secret that no handler is granted
    #[command(
        visible_alias = "rm",
        after_help = "Example:\n  hookswitch secret delete crm-key --tenant acme"
    )]
    Delete {
        /// Its name
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        remote: TenantArgs,
    },
}

fn name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

impl RemoteCommand for SecretCommand {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let console = session.console;
        match self.action {
            Action::Set { name, from_file, json, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                let tenant = client.tenant().await?;
                if from_file.is_none() && console.interactive {
                    console.note(format_args!(
                        "the value, then Enter and Ctrl-D (it is shown as you type; `< FILE` is safer):"
                    ));
                }
                let file = from_file.unwrap_or_else(|| PathBuf::from("-"));
                let value = read_secret(&file, session.surroundings)?.expose().to_owned();
                let path = ["tenants", tenant.as_str(), "secrets", &name];
                let set: SecretSet = client.put(&path, &SecretValue { value }).await?;
                if json {
                    return console.json(&set);
                }
                console.print(format_args!("{name} is set, version {}\n", set.secret.version));
                for deployed in &set.revisions {
                    print(console, deployed, false)?;
                }
                if set.revisions.is_empty() {
                    console.note(format_args!(
                        "no deployed handler is granted it yet: where handler.toml has secrets = [{name:?}], deploy it; \
                         otherwise write that there first"
                    ));
                }
                Ok(())
            }
            Action::List { json, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                let tenant = client.tenant().await?;
                let secrets: Vec<SecretView> = client.get(&["tenants", tenant.as_str(), "secrets"]).await?;
                if json {
                    return console.json(&secrets);
                }
                if secrets.is_empty() {
                    console.note(format_args!("{tenant} has no secret; `hookswitch secret set` makes one"));
                    return Ok(());
                }
                let mut table = Table::new(["SECRET", "VERSION", "SET", "BY", "GRANTED TO"]);
                for view in secrets {
                    table.row([
                        view.name.into(),
                        view.version.to_string().into(),
                        view.set_at.into(),
                        view.set_by.into(),
                        view.granted_to.join(", ").into(),
                    ]);
                }
                console.print(table.render(console, 0));
                Ok(())
            }
            Action::Delete { name, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                let tenant = client.tenant().await?;
                client.delete(&["tenants", tenant.as_str(), "secrets", &name]).await?;
                console.note(format_args!("{name} is forgotten"));
                Ok(())
            }
        }
    }
}
