//! `hookswitch config`: what a handler reads through its `config` interface, changed without a build.
//!
//! A change is a revision like any other: the newest one in force, its component and settings kept, with other values. So
//! it can be rolled back, and a canary of it is possible.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};

use super::deploy::{handler_name, print, release};
use super::remote::output::{Table, printable};
use super::remote::{Client, RemoteCommand, RemoteError, Session, TenantArgs};
use crate::call::{HandlerName, TenantId};
use crate::control::model::{Deploy, HandlerView, RevisionView};
use crate::handler_toml::Risk;

/// Show or change the configuration values of a handler, without a build
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch config show front-desk --tenant acme\n  \
    hookswitch config set front-desk greeting='Welcome to Acme' --tenant acme\n\n\
    The next deploy from sources takes the values of handler.toml again.")]
pub struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the values in force
    #[command(after_help = "Example:\n  hookswitch config show front-desk --tenant acme")]
    Show(On),
    /// Set values; the others stay
    #[command(
        after_help = "Example:\n  hookswitch config set front-desk greeting='Welcome to Acme' --tenant acme"
    )]
    Set {
        #[command(flatten)]
        on: On,
        /// What to set
        #[arg(required = true, value_name = "KEY=VALUE", value_parser = pair)]
        values: Vec<(String, String)>,
    },
    /// Take values out
    #[command(after_help = "Example:\n  hookswitch config unset front-desk greeting --tenant acme")]
    Unset {
        #[command(flatten)]
        on: On,
        /// What to take out
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct On {
    /// The handler
    #[arg(value_parser = handler_name)]
    handler: HandlerName,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: TenantArgs,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, as in greeting='Welcome to Acme'".to_owned()),
    }
}

impl RemoteCommand for ConfigCommand {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        match self.action {
            Action::Show(on) => show(session, &on).await,
            Action::Set { on, values } => {
                let set = |config: &mut BTreeMap<String, String>| {
                    config.extend(values);
                    Ok(())
                };
                change(session, &on, set).await
            }
            Action::Unset { on, keys } => {
                let unset = |config: &mut BTreeMap<String, String>| {
                    for key in keys {
                        if config.remove(&key).is_none() {
                            let there: Vec<&str> = config.keys().map(String::as_str).collect();
                            return Err(RemoteError::Usage(format!(
                                "no value {key:?}; set are: {}",
                                there.join(", ")
                            )));
                        }
                    }
                    Ok(())
                };
                change(session, &on, unset).await
            }
        }
    }
}

async fn show(session: &Session<'_>, on: &On) -> Result<(), RemoteError> {
    let console = session.console;
    let client = session.connect_for_tenant(&on.remote)?;
    let newest = newest_in_force(&client, &client.tenant().await?, &on.handler).await?;
    if on.json {
        return console.json(&newest.settings.config);
    }
    console.note(format_args!("revision {} ({})", newest.revision, printable(&newest.state)));
    let mut table = Table::new(["KEY", "VALUE"]);
    for (key, value) in &newest.settings.config {
        table.row([key.into(), value.into()]);
    }
    if newest.settings.config.is_empty() {
        console.note("no values; `hookswitch config set` sets some");
    } else {
        console.print(table.render(console, 0));
    }
    Ok(())
}

async fn change(
    session: &Session<'_>,
    on: &On,
    change: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), RemoteError>,
) -> Result<(), RemoteError> {
    let client = session.connect_for_tenant(&on.remote)?;
    let tenant = client.tenant().await?;
    let newest = newest_in_force(&client, &tenant, &on.handler).await?;
    let mut settings = newest.settings;
    change(&mut settings.config)?;
    let deploy = Deploy {
        replay: None,
        // Said, not left out: the newest revision of all may be one that was taken back.
        digest: Some(newest.digest),
        settings: Some(settings),
        risk: Risk::Auto,
        percent: None,
        no_canary: false,
    };
    let deployed = release(&client, session.console, &tenant, &on.handler, &deploy).await?;
    print(session.console, &deployed, on.json)
}

/// The canary where there is one, otherwise the stable revision.
async fn newest_in_force(
    client: &Client<'_>,
    tenant: &TenantId,
    handler: &HandlerName,
) -> Result<RevisionView, RemoteError> {
    let path = ["tenants", tenant.as_str(), "handlers", handler.as_str()];
    let view: HandlerView = client.get(&path).await?;
    let number = view.canary.map_or(view.stable, |canary| canary.revision);
    // The first page may not reach down to it.
    let [tenants, tenant, handlers, handler] = path;
    let below = number.saturating_add(1).to_string();
    let page: Vec<RevisionView> = client
        .get_with(&[tenants, tenant, handlers, handler, "revisions"], &[("before", &below), ("limit", "1")])
        .await?;
    page.into_iter().find(|revision| revision.revision == number).ok_or_else(|| {
        RemoteError::Local(format!(
            "revision {number} of {tenant}/{handler} is in force and not listed; try again"
        ))
    })
}
