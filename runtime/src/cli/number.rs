//! `hookswitch number`: which handler answers which number, for carriers that call one URL for all of them.

use clap::{Args, Subcommand};

use super::deploy::handler_name;
use super::remote::output::Table;
use super::remote::{RemoteCommand, RemoteError, Session, TenantArgs};
use crate::call::HandlerName;
use crate::control::model::{NumberTarget, NumberView};

/// Say which handler answers which number
///
/// Needed only where the carrier calls /voice, /sms and /status for several numbers; a handler's own URL needs none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch number add +12025550123 front-desk --tenant acme\n  \
    hookswitch number list --tenant acme")]
pub struct NumberCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Let a handler answer a number from now on
    #[command(after_help = "Example:\n  hookswitch number add +12025550123 front-desk --tenant acme")]
    Add {
        /// In E.164, +12025550123, or a short code
        #[arg(value_parser = number)]
        number: String,
        /// The handler
        #[arg(value_parser = handler_name)]
        handler: HandlerName,
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: TenantArgs,
    },
    /// Let nobody answer a number any more
    #[command(
        visible_alias = "rm",
        after_help = "Example:\n  hookswitch number remove +12025550123 --tenant acme"
    )]
    Remove {
        /// In E.164, +12025550123, or a short code
        #[arg(value_parser = number)]
        number: String,
        #[command(flatten)]
        remote: TenantArgs,
    },
    /// List the tenant's numbers
    #[command(after_help = "Example:\n  hookswitch number list --tenant acme")]
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: TenantArgs,
    },
}

/// A number as people write it, `+1 (202) 555-0123`, without what only separates.
fn number(text: &str) -> Result<String, String> {
    let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    let (digits, fits) = match number.strip_prefix('+') {
        Some(digits) => (digits, 7..=15),
        None => (&*number, 3..=8),
    };
    if fits.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(number)
    } else {
        Err("expected a number in E.164, such as +12025550123, or a short code of 3 to 8 digits".to_owned())
    }
}

impl RemoteCommand for NumberCommand {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let console = session.console;
        match self.action {
            Action::Add { number, handler, json, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                let tenant = client.tenant().await?;
                let target = NumberTarget { handler: handler.to_string() };
                let path = ["tenants", tenant.as_str(), "numbers", &number];
                let view: NumberView = client.put(&path, &target).await?;
                if json {
                    return console.json(&view);
                }
                let before =
                    view.before.map_or(String::new(), |before| format!(" (before: {tenant}/{before})"));
                console.print(format_args!("{number} is answered by {tenant}/{handler}{before}\n"));
                Ok(())
            }
            Action::Remove { number, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                let tenant = client.tenant().await?;
                client.delete(&["tenants", tenant.as_str(), "numbers", &number]).await?;
                console.note(format_args!("{number} is answered by nobody"));
                Ok(())
            }
            Action::List { json, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                let tenant = client.tenant().await?;
                let numbers: Vec<NumberView> = client.get(&["tenants", tenant.as_str(), "numbers"]).await?;
                if json {
                    return console.json(&numbers);
                }
                if numbers.is_empty() {
                    console
                        .note(format_args!("{tenant} has no number; `hookswitch number add` gives it one"));
                    return Ok(());
                }
                let mut table = Table::new(["NUMBER", "HANDLER"]);
                for view in numbers {
                    table.row([view.number.into(), view.handler.into()]);
                }
                console.print(table.render(console, 0));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, number) in [
            ("+12025550123", Some("+12025550123")),
            ("+1 (202) 555-0123", Some("+12025550123")),
            ("22395", Some("22395")),
            ("12", None),
            ("2025550124", None),
            ("+22395", None),
            ("+1202555012345678", None),
            ("1+2025550123", None),
            ("../x", None),
            ("", None),
        ] {
            assert_eq!(super::number(text).ok().as_deref(), number, "{text}");
        }
    }
}
