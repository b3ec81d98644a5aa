//! The command line: one file a subcommand, this one names them.
//!
//! Exit codes are the same everywhere: 0 done, 1 failed, 2 the command line itself is wrong. What a command is
//! asked for goes to standard output; what it says on the way goes to standard error.

mod backup;
mod build;
mod call;
mod compile;
mod completions;
mod config;
mod context;
mod delete;
mod deploy;
mod dev;
mod in_force;
mod lint;
mod logs;
mod new;
mod number;
mod outbox;
mod promote;
mod record;
mod remote;
mod replay;
mod revisions;
mod rollback;
mod secret;
mod serve;
mod signature;
mod status;
mod tenant;
mod test;
mod token;

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::handler_toml::{HandlerSettings, LOCAL_SECRETS};
use crate::host::Host;

/// Runs call handlers: sandboxed WebAssembly components that answer voice and SMS webhooks.
#[derive(Parser)]
#[command(name = "hookswitch", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    New(new::NewArgs),
    Dev(dev::DevArgs),
    Build(build::BuildArgs),
    Test(test::TestArgs),
    Call(call::CallArgs),
    Lint(lint::LintArgs),
    Signature(signature::SignatureArgs),
    Serve(serve::ServeArgs),
    #[command(name = crate::artifact::jail::SUBCOMMAND, hide = true)]
    Compile(compile::CompileArgs),
    Deploy(deploy::DeployArgs),
    Promote(promote::PromoteArgs),
    Rollback(rollback::RollbackArgs),
    Replay(replay::ReplayArgs),
    Status(status::StatusArgs),
    Revisions(revisions::RevisionsArgs),
    Delete(delete::DeleteArgs),
    Logs(logs::LogsArgs),
    Config(config::ConfigCommand),
    Number(number::NumberCommand),
    Secret(secret::SecretCommand),
    Outbox(outbox::OutboxCommand),
    Tenant(Box<tenant::TenantCommand>),
    Token(token::TokenCommand),
    Context(context::ContextCommand),
    Backup(backup::BackupArgs),
    Completions(completions::CompletionsArgs),
}

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::New(args) => new::run(&args),
        Command::Dev(args) => args.run(),
        Command::Build(args) => build::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Call(args) => call::run(&args),
        Command::Lint(args) => lint::run(args),
        Command::Signature(args) => signature::run(args),
        Command::Serve(args) => args.run(),
        Command::Compile(args) => compile::run(&args),
        Command::Backup(args) => args.run(),
        Command::Deploy(args) => remote::run(args),
        Command::Promote(args) => remote::run(args),
        Command::Rollback(args) => remote::run(args),
        Command::Replay(args) => remote::run(args),
        Command::Status(args) => remote::run(args),
        Command::Revisions(args) => remote::run(args),
        Command::Delete(args) => remote::run(args),
        Command::Logs(args) => remote::run(args),
        Command::Config(args) => remote::run(args),
        Command::Number(args) => remote::run(args),
        Command::Secret(args) => remote::run(args),
        Command::Outbox(args) => remote::run(args),
        Command::Tenant(args) => remote::run(*args),
        Command::Token(args) => remote::run(args),
        Command::Context(args) => remote::run(args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
    }
}

/// Says why a command failed, with every cause that the message does not name itself, and gives its exit code.
fn failed(error: &dyn std::error::Error) -> ExitCode {
    let mut said = error.to_string();
    eprintln!("error: {said}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            eprintln!("  caused by: {text}");
            said = text;
        }
        cause = error.source();
    }
    ExitCode::from(1)
}

/// Lets `host` keep what it compiles, and take what was compiled before, in this user's cache folder.
fn keep_code(host: &Host) {
    let Some(folder) = crate::build::cache_dir() else { return };
    if let Err(error) = host.keep_code_in(&folder.join("compiled")) {
        tracing::warn!("compiled code is not kept, so that each start compiles: {error}");
    }
}

/// What to do about secrets of the handler at `path`: `missing`, which it is granted and which have no value, and values that
/// nobody reads.
fn about_secrets<'a>(missing: impl Iterator<Item = &'a str>, path: &Path) -> Vec<String> {
    let missing: Vec<&str> = missing.collect();
    let folder = test::folder(path);
    let mut all = Vec::new();
    if let Some(first) = missing.first() {
        all.push(format!(
            "no value for {}: the handler is refused what it asks for; write {first} = \"\u{2026}\" into {}, and keep that \
             file out of version control",
            missing.join(", "),
            folder.join(LOCAL_SECRETS).display()
        ));
    }
    // What is wrong with the settings or the file was said when the handler was built.
    let unused = HandlerSettings::load(path).and_then(|settings| settings.unused_local_secrets());
    all.extend(unused.unwrap_or_default());
    all
}

/// As [`failed`], for a sentence.
fn failed_because(why: impl Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(1)
}

/// Ends when the process is asked to: Ctrl-C or SIGTERM.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a SIGTERM handler Ctrl-C must do; the default action of SIGTERM ends the process anyway.
        let _interrupted = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
