//! `hookswitch token`: what opens the control port, for whom.

use clap::{Args, Subcommand, ValueEnum};

use super::remote::output::Table;
use super::remote::{RemoteCommand, RemoteError, Session, TenantArgs};
use crate::control::model::{CreatedToken, NewToken, TokenScope, TokenView};

/// Create, list and revoke tokens of the control port
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hookswitch token create --tenant acme --scope deploy --label ci > ci-token\n  \
    hookswitch token list --tenant acme\n  hookswitch token revoke 3f9k2"
)]
pub struct TokenCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a token; it is shown once, alone on standard output
    #[command(
        after_help = "Example:\n  hookswitch token create --tenant acme --scope deploy --label ci > ci-token"
    )]
    Create {
        /// What it allows
        #[arg(long, value_enum)]
        scope: Scope,
        /// What it is for, in your words
        #[arg(long, default_value = "", hide_default_value = true)]
        label: String,
        /// Print one JSON object instead of the token alone
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: TenantArgs,
    },
    /// List tokens; what they are is not kept
    #[command(after_help = "Example:\n  hookswitch token list --tenant acme")]
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: TenantArgs,
    },
    /// Revoke a token at once
    #[command(after_help = "Example:\n  hookswitch token revoke 3f9k2")]
    Revoke {
        /// Its id, as `token list` shows it
        id: String,
        #[command(flatten)]
        remote: TenantArgs,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scope {
    /// Deploy, promote, roll back and read, for one tenant
    Deploy,
    /// Read, for one tenant
    Read,
    /// Everything, for all tenants
    Operator,
}

impl From<Scope> for TokenScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Deploy => Self::Deploy,
            Scope::Read => Self::Read,
            Scope::Operator => Self::Operator,
        }
    }
}

impl RemoteCommand for TokenCommand {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let console = session.console;
        match self.action {
            Action::Create { scope, label, json, remote } => {
                let operator = scope == Scope::Operator;
                if operator && remote.tenant.is_some() {
                    return Err(RemoteError::Usage(
                        "a token of scope operator is for all tenants; leave --tenant out".to_owned(),
                    ));
                }
                let client = session.connect_for_tenant(&remote)?;
                let tenant = if operator { None } else { Some(client.tenant().await?.to_string()) };
                let token = NewToken { scope: scope.into(), tenant, label };
                let created: CreatedToken = client.post(&["tokens"], &token).await?;
                if json {
                    return console.json(&created);
                }
                console.print(format_args!("{}\n", created.token));
                console.note(format_args!(
                    "token {} of scope {}; it is not shown again. `hookswitch token revoke {}` ends it",
                    created.view.id,
                    scope_word(created.view.scope),
                    created.view.id
                ));
                Ok(())
            }
            Action::List { json, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                // The operator sees all of them unless one tenant was asked for.
                let tokens: Vec<TokenView> = match &remote.tenant {
                    Some(tenant) => client.get_with(&["tokens"], &[("tenant", tenant.as_str())]).await?,
                    None => client.get(&["tokens"]).await?,
                };
                if json {
                    return console.json(&tokens);
                }
                let mut table = Table::new(["TOKEN", "SCOPE", "TENANT", "LABEL", "CREATED"]);
                for token in tokens {
                    table.row([
                        token.id.into(),
                        scope_word(token.scope).into(),
                        token.tenant.unwrap_or_default().into(),
                        token.label.into(),
                        console.moment(&token.created_at).into(),
                    ]);
                }
                console.print(table.render(console, 0));
                Ok(())
            }
            Action::Revoke { id, remote } => {
                session.connect_for_tenant(&remote)?.delete(&["tokens", &id]).await?;
                console.note(format_args!("token {id} is revoked"));
                Ok(())
            }
        }
    }
}

fn scope_word(scope: TokenScope) -> &'static str {
    match scope {
        TokenScope::Operator => "operator",
        TokenScope::Deploy => "deploy",
        TokenScope::Read => "read",
    }
}
