//! `hookswitch tenant`: who is served, with which credentials and quotas.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::delete::confirm;
use super::record::RecordArgs;
use super::remote::output::{Table, bytes, counted, fields, printable};
use super::remote::{Console, HostArgs, RemoteCommand, RemoteError, Session, read_secret};
use crate::call::{InvalidName, TenantId};
use crate::control::model::{
    AccountSettings, AccountView, ApiKey, NewTenant, SharedKey, TenantChange, TenantView,
};
use crate::registry::model::Quota;

/// Create, list, change and delete tenants (needs the operator's token)
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch tenant create acme --twilio-auth-token-file token.txt\n  \
    hookswitch tenant update acme --concurrency 256\n  hookswitch tenant list --json")]
pub struct TenantCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a tenant
    #[command(after_help = "Example:\n  hookswitch tenant create acme --twilio-auth-token-file token.txt \
        --public-url https://calls.example.com")]
    Create {
        /// Its name: 1 to 63 of a-z, 0-9 and -; it stands in the URLs that the carrier calls
        #[arg(value_name = "TENANT", value_parser = tenant_id)]
        id: TenantId,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        shown: Shown,
    },
    /// List all tenants
    #[command(after_help = "Example:\n  hookswitch tenant list")]
    List {
        #[command(flatten)]
        shown: Shown,
    },
    /// Show one tenant: what it may use and what it uses
    #[command(after_help = "Example:\n  hookswitch tenant show acme")]
    Show {
        /// Its name
        #[arg(value_name = "TENANT", value_parser = tenant_id)]
        id: TenantId,
        #[command(flatten)]
        shown: Shown,
    },
    /// Change a tenant; what is left out stays
    #[command(
        after_help = "Examples:\n  hookswitch tenant update acme --twilio-auth-token-file both-tokens.txt\n  \
        hookswitch tenant update acme --public-url '' --concurrency 256"
    )]
    Update {
        /// Its name
        #[arg(value_name = "TENANT", value_parser = tenant_id)]
        id: TenantId,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        shown: Shown,
    },
    Record(Box<RecordArgs>),
    /// Delete a tenant with its handlers, revisions and tokens
    #[command(after_help = "Example:\n  hookswitch tenant delete acme --yes")]
    Delete {
        /// Its name
        #[arg(value_name = "TENANT", value_parser = tenant_id)]
        id: TenantId,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        host: HostArgs,
    },
}

#[derive(Debug, Args)]
struct Shown {
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    host: HostArgs,
}

#[derive(Debug, Args)]
struct Settings {
    /// Auth token of the carrier's account, once for each, newest first; all that it has from now on. Others on this
    /// machine can see a command line, so prefer a file
    #[arg(long, value_name = "TOKEN", conflicts_with = "twilio_auth_token_file")]
    twilio_auth_token: Vec<String>,
    /// File with the auth tokens, one a line, newest first; `-` is standard input
    #[arg(long, value_name = "FILE")]
    twilio_auth_token_file: Option<PathBuf>,
    /// File with a key for webhooks that are signed with HMAC_SHA256, once for each; all that it has from now on
    #[arg(long, value_name = "ID=FILE", value_parser = shared_key)]
    shared_key_file: Vec<(String, PathBuf)>,
    /// Its account at the carrier, AC and 32 hex digits, with which its handlers place calls and send messages; '' takes it away
    #[arg(long, value_name = "AC…", help_heading = "Account at the carrier")]
    twilio_account_sid: Option<String>,
    /// API key of that account, SK and 32 hex digits, with the file of its secret; without one the auth token signs in. ''
    /// takes it away
    #[arg(long, value_name = "SK…=FILE", value_parser = api_key, help_heading = "Account at the carrier")]
    twilio_api_key: Option<(String, PathBuf)>,
    /// Caller's id that it may show besides its own numbers, once for each; all of them from now on
    #[arg(long, value_name = "NUMBER", help_heading = "Account at the carrier")]
    caller_id: Vec<String>,
    /// Calls that it may place within a minute
    #[arg(long, value_name = "N", help_heading = "Account at the carrier")]
    calls_per_minute: Option<u32>,
    /// Messages that it may send within a minute
    #[arg(long, value_name = "N", help_heading = "Account at the carrier")]
    messages_per_minute: Option<u32>,
    /// Entries that wait in its outbox, at most
    #[arg(long, value_name = "N", help_heading = "Account at the carrier")]
    outbox_entries: Option<u32>,
    /// Whether its handlers may buy numbers and give them back
    #[arg(long, value_name = "BOOL", help_heading = "Account at the carrier")]
    trades_numbers: Option<bool>,
    /// Scheme and host that its carrier calls, such as https://calls.example.com; '' takes the host's own
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Invocations at one time, over all its handlers
    #[arg(long, value_name = "N", help_heading = "Quota")]
    concurrency: Option<u32>,
    /// Revisions that are kept, over all its handlers
    #[arg(long, value_name = "N", help_heading = "Quota")]
    revisions: Option<u32>,
    /// Bytes of its components and compiled files
    #[arg(long, value_name = "N", help_heading = "Quota")]
    bytes: Option<u64>,
    /// CPU time of its compiles within an hour, in milliseconds
    #[arg(long, value_name = "N", help_heading = "Quota")]
    compile_ms_per_hour: Option<u64>,
}

fn tenant_id(text: &str) -> Result<TenantId, InvalidName> {
    TenantId::new(text)
}

fn shared_key(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((id, file)) if !id.is_empty() && !file.is_empty() => Ok((id.to_owned(), file.into())),
        _ => Err("expected the key's id and a file, as in key_01h4=key.txt".to_owned()),
    }
}

fn api_key(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        _ if text.is_empty() => Ok((String::new(), PathBuf::new())),
        Some((id, file)) if !id.is_empty() && !file.is_empty() => Ok((id.to_owned(), file.into())),
        _ => Err("expected the key's id and the file of its secret, as in SK0123…=secret.txt".to_owned()),
    }
}

impl Settings {
    /// What the flags say of the account; none where they say nothing.
    fn account(&self, session: &Session<'_>) -> Result<Option<AccountSettings>, RemoteError> {
        let api_key = match &self.twilio_api_key {
            None => None,
            Some((id, _)) if id.is_empty() => Some(ApiKey { id: String::new(), secret: String::new() }),
            Some((id, path)) => {
                let secret = read_secret(path, session.surroundings)?.expose().to_owned();
                Some(ApiKey { id: id.clone(), secret })
            }
        };
        let account = AccountSettings {
            sid: self.twilio_account_sid.clone(),
            api_key,
            caller_ids: (!self.caller_id.is_empty()).then(|| self.caller_id.clone()),
            calls_per_minute: self.calls_per_minute,
            messages_per_minute: self.messages_per_minute,
            outbox_entries: self.outbox_entries,
            trades_numbers: self.trades_numbers,
        };
        Ok((account != AccountSettings::default()).then_some(account))
    }

    fn auth_tokens(&self, session: &Session<'_>) -> Result<Option<Vec<String>>, RemoteError> {
        if let Some(path) = &self.twilio_auth_token_file {
            let text = read_secret(path, session.surroundings)?;
            let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
            return Ok(Some(lines.map(str::to_owned).collect()));
        }
        Ok((!self.twilio_auth_token.is_empty()).then(|| self.twilio_auth_token.clone()))
    }

    fn shared_keys(&self, session: &Session<'_>) -> Result<Option<Vec<SharedKey>>, RemoteError> {
        let read = |(id, path): &(String, PathBuf)| {
            let secret = read_secret(path, session.surroundings)?.expose().to_owned();
            Ok(SharedKey { id: id.clone(), secret })
        };
        let keys = self.shared_key_file.iter().map(read).collect::<Result<Vec<_>, RemoteError>>()?;
        Ok((!keys.is_empty()).then_some(keys))
    }

    /// `now` with what the flags change; none where they change nothing.
    fn quota(&self, now: Quota) -> Option<Quota> {
        let quota = Quota {
            concurrency: self.concurrency.unwrap_or(now.concurrency),
            revisions: self.revisions.unwrap_or(now.revisions),
            bytes: self.bytes.unwrap_or(now.bytes),
            compile_ms_per_hour: self.compile_ms_per_hour.unwrap_or(now.compile_ms_per_hour),
        };
        let asked = self.concurrency.is_some()
            || self.revisions.is_some()
            || self.bytes.is_some()
            || self.compile_ms_per_hour.is_some();
        asked.then_some(quota)
    }
}

impl RemoteCommand for TenantCommand {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let console = session.console;
        match self.action {
            Action::Create { id, settings, shown } => {
                let tenant = NewTenant {
                    id: id.to_string(),
                    public_url: settings.public_url.clone().filter(|url| !url.is_empty()),
                    twilio_auth_tokens: settings.auth_tokens(session)?.unwrap_or_default(),
                    shared_keys: settings.shared_keys(session)?.unwrap_or_default(),
                    twilio_account: settings.account(session)?,
                    quota: settings.quota(Quota::default()),
                };
                let view: TenantView = session.connect(&shown.host)?.post(&["tenants"], &tenant).await?;
                print(console, &view, shown.json)?;
                if !shown.json {
                    console.note(format_args!("next: hookswitch deploy PATH --tenant {id}"));
                }
                Ok(())
            }
            Action::List { shown } => {
                let views: Vec<TenantView> = session.connect(&shown.host)?.get(&["tenants"]).await?;
                if shown.json {
                    return console.json(&views);
                }
                list(console, &views);
                Ok(())
            }
            Action::Show { id, shown } => {
                let view: TenantView = session.connect(&shown.host)?.get(&["tenants", id.as_str()]).await?;
                print(console, &view, shown.json)
            }
            Action::Update { id, settings, shown } => update(session, &id, &settings, &shown).await,
            Action::Record(args) => args.run(session).await,
            Action::Delete { id, yes, host } => {
                if !yes {
                    confirm(session, id.as_str(), "its handlers, revisions, secrets and tokens")?;
                }
                session.connect(&host)?.delete(&["tenants", id.as_str()]).await?;
                console.note(format_args!("tenant {id} is deleted"));
                Ok(())
            }
        }
    }
}

async fn update(
    session: &Session<'_>,
    id: &TenantId,
    settings: &Settings,
    shown: &Shown,
) -> Result<(), RemoteError> {
    let mut change = TenantChange {
        public_url: settings.public_url.clone(),
        twilio_auth_tokens: settings.auth_tokens(session)?,
        shared_keys: settings.shared_keys(session)?,
        twilio_account: settings.account(session)?,
        quota: settings.quota(Quota::default()),
    };
    let TenantChange { public_url, twilio_auth_tokens, shared_keys, twilio_account, quota } = &change;
    let keys = twilio_auth_tokens.is_none() && shared_keys.is_none();
    if public_url.is_none() && keys && twilio_account.is_none() && quota.is_none() {
        return Err(RemoteError::Usage(
            "nothing to change: give --twilio-auth-token-file, --shared-key-file, --twilio-account-sid, --public-url or a quota"
                .to_owned(),
        ));
    }
    let client = session.connect(&shown.host)?;
    let path = ["tenants", id.as_str()];
    if quota.is_some() {
        // A quota is changed whole: what is left out shall stay as it is there, not as it is by default.
        let view: TenantView = client.get(&path).await?;
        change.quota = settings.quota(view.quota);
    }
    let view: TenantView = client.patch(&path, &change).await?;
    print(session.console, &view, shown.json)
}

fn list(console: &Console, views: &[TenantView]) {
    if views.is_empty() {
        console.note("no tenant yet; make one: hookswitch tenant create NAME --twilio-auth-token-file FILE");
        return;
    }
    let mut table = Table::new([
        "TENANT",
        ">HANDLERS",
        ">REVISIONS",
        ">STORED",
        ">AUTH TOKENS",
        ">KEYS",
        "PUBLIC URL",
        "CREATED",
    ]);
    for view in views {
        table.row([
            (&view.id).into(),
            view.usage.handlers.into(),
            view.usage.revisions.into(),
            bytes(view.usage.bytes).into(),
            view.twilio_auth_tokens.into(),
            view.shared_keys.len().into(),
            view.public_url.as_deref().unwrap_or_default().into(),
            console.moment(&view.created_at).into(),
        ]);
    }
    console.print(table.render(console, 0));
}

/// An account on one line.
fn account(account: &AccountView) -> String {
    let allowance = &account.allowance;
    let key = account.api_key.as_ref().map_or(String::new(), |key| format!(", API key {key}"));
    let ids = match &*allowance.caller_ids {
        [] => String::new(),
        ids => format!(", callers' ids {}", ids.join(", ")),
    };
    let trades = if allowance.trades_numbers { ", trades numbers" } else { "" };
    format!(
        "{}{key}, {} calls and {} messages a minute, {} in the outbox{ids}{trades}",
        account.sid, allowance.calls_per_minute, allowance.messages_per_minute, allowance.outbox_entries
    )
}

fn print(console: &Console, view: &TenantView, json: bool) -> Result<(), RemoteError> {
    let opens_nothing = view.twilio_auth_tokens == 0 && view.shared_keys.is_empty();
    if json {
        console.json(view)?;
    } else {
        let (usage, quota) = (view.usage, view.quota);
        let minutes = |ms: u64| format!("{:.1}", ms as f64 / 60_000.0);
        let keys = match &*view.shared_keys {
            [] => String::new(),
            keys => format!(", {} ({})", counted(keys.len() as u64, "shared key"), keys.join(", ")),
        };
        let rows = [
            ("created", console.moment(&view.created_at)),
            ("public URL", view.public_url.clone().unwrap_or_else(|| "the host's own".to_owned())),
            ("signed with", format!("{}{keys}", counted(view.twilio_auth_tokens as u64, "auth token"))),
            (
                "account",
                view.twilio_account
                    .as_ref()
                    .map_or("none: its handlers place no calls and send nothing".to_owned(), account),
            ),
            ("concurrency", format!("{} invocations at one time", quota.concurrency)),
            ("handlers", usage.handlers.to_string()),
            ("revisions", format!("{} of {}", usage.revisions, quota.revisions)),
            ("stored", format!("{} of {}", bytes(usage.bytes), bytes(quota.bytes))),
            (
                "compiling",
                format!(
                    "{} of {} min of CPU within an hour",
                    minutes(usage.compile_ms_last_hour),
                    minutes(quota.compile_ms_per_hour)
                ),
            ),
        ];
        console.print(format_args!("{}\n{}", printable(&view.id), fields(&rows)));
    }
    if opens_nothing {
        console.note(format_args!(
            "warning: without an auth token or shared key every webhook of {id} is refused; add one: \
             hookswitch tenant update {id} --twilio-auth-token-file FILE",
            id = printable(&view.id)
        ));
    }
    Ok(())
}
