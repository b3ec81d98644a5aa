//! `hookswitch delete`: a handler and all that it has kept goes.

use std::io::{BufRead as _, Read as _};

use clap::Args;

use super::deploy::handler_name;
use super::remote::output::counted;
use super::remote::{Client, RemoteCommand, RemoteError, Session, TenantArgs};
use crate::call::{HandlerName, TenantId};
use crate::control::model::{HandlerView, OutboxView, RevisionView};

/// Most of a list that is counted: the host gives no more at once.
const COUNTED_MAX: usize = 1_000;

/// Delete a handler with its revisions and all that it has stored
///
/// Says what goes and asks first. Callers who are on it hear an error from then on. Numbers have to lead elsewhere before.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hookswitch delete front-desk --tenant acme --yes")]
pub struct DeleteArgs {
    /// The handler
    #[arg(value_parser = handler_name)]
    handler: HandlerName,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    remote: TenantArgs,
}

impl RemoteCommand for DeleteArgs {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let client = session.connect_for_tenant(&self.remote)?;
        let tenant = client.tenant().await?;
        let path = ["tenants", tenant.as_str(), "handlers", self.handler.as_str()];
        let goes = what_goes(&client, &tenant, &self.handler).await?;
        if !self.yes {
            confirm(session, self.handler.as_str(), &goes)?;
        }
        client.delete(&path).await?;
        session.console.note(format_args!("handler {} of {tenant} is deleted: {goes}", self.handler));
        Ok(())
    }
}

/// What a handler has, for people.
///
/// # Errors
/// Where numbers lead to it: whoever calls them would hear that nobody is there.
async fn what_goes(
    client: &Client<'_>,
    tenant: &TenantId,
    handler: &HandlerName,
) -> Result<String, RemoteError> {
    let path = ["tenants", tenant.as_str(), "handlers", handler.as_str()];
    let view: HandlerView = client.get(&path).await?;
    if let Some(first) = view.numbers.first() {
        return Err(RemoteError::Local(format!(
            "{} to {handler}; nothing was deleted. `hookswitch number add {first} OTHER` lets it lead to another handler, \
             `hookswitch number remove {first}` to none",
            match &*view.numbers {
                [only] => format!("{only} leads"),
                all => format!("{} lead", all.join(", ")),
            }
        )));
    }
    let [tenants, tenant, handlers, name] = path;
    let limit = COUNTED_MAX.to_string();
    let limit = [("limit", limit.as_str())];
    let revisions: Vec<RevisionView> =
        client.get_with(&[tenants, tenant, handlers, name, "revisions"], &limit).await?;
    let of_it = [("handler", name), ("state", "waiting"), limit[0]];
    let outbox: Vec<OutboxView> = client.get_with(&[tenants, tenant, "outbox"], &of_it).await?;
    let waiting = outbox.len();
    let more = |of: usize| if of >= COUNTED_MAX { " or more" } else { "" };
    let mut goes = vec![
        format!("{}{}", counted(revisions.len() as u64, "revision"), more(revisions.len())),
        "what it has stored".to_owned(),
        "its kept calls".to_owned(),
    ];
    if waiting > 0 {
        let (more, entries) = (more(outbox.len()), if waiting == 1 { "entry" } else { "entries" });
        goes.push(format!("{waiting}{more} waiting {entries} of its outbox, never sent then"));
    }
    if !view.schedules.is_empty() {
        goes.push(counted(view.schedules.len() as u64, "schedule"));
    }
    let calls: u64 = view.serving.iter().map(|serving| serving.calls).sum();
    if calls > 0 {
        goes.push(format!("{} in progress, heard as an error", counted(calls, "call")));
    }
    Ok(goes.join(", "))
}

/// Asks for the name: what is deleted does not come back.
pub(super) fn confirm(session: &Session<'_>, name: &str, goes: &str) -> Result<(), RemoteError> {
    if !session.console.interactive {
        return Err(RemoteError::Usage(format!(
            "deleting {name} removes it for good: {goes}; add --yes where nobody can be asked"
        )));
    }
    session.console.ask(format_args!("This removes {name} for good: {goes}. Type its name to go on:"));
    let mut line = String::new();
    let mut input = session.surroundings.input.borrow_mut();
    // What can't be read is not its name.
    let _ = input.by_ref().take(200).read_line(&mut line);
    if line.trim() == name {
        Ok(())
    } else {
        Err(RemoteError::Usage("that is not its name; nothing was deleted".to_owned()))
    }
}
