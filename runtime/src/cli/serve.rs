//! `hookswitch serve`: the host of many tenants.
//!
//! Works with no file and no argument; what it needs it makes in its data folder, and says what to do first.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{failed, failed_because};
use crate::config::Config;
use crate::host;
use crate::serve::{self, Begin, Serving};
use crate::telemetry::{self, LogFormat};

/// Serve many tenants: webhooks on one address, commands, metrics and health on another
#[derive(Args)]
#[command(after_help = "Example:\n  hookswitch serve --data /var/lib/hookswitch --listen 0.0.0.0:8080\n\n\
    SIGTERM finishes the calls' webhooks that run and stops. SIGUSR2 starts the binary anew and lets it take over \
    without losing a request; `hookswitch serve --take-over` with the same --data does it by hand.")]
pub struct ServeArgs {
    /// The operator's file; without it everything has its default
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of what outlives the process
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address for webhooks
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Address for commands, metrics and health
    #[arg(long, value_name = "ADDR")]
    control: Option<SocketAddr>,
    /// Take the place of the host that serves this data folder now
    #[arg(long)]
    take_over: bool,
    /// How log lines look
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

impl ServeArgs {
    pub(super) fn run(self) -> ExitCode {
        let _written_at_the_end = telemetry::log_to_stderr(self.log_format, "info");
        let mut config = match self.config.as_deref().map_or_else(|| Ok(Config::default()), Config::read) {
            Ok(config) => config,
            Err(error) => return failed(&error),
        };
        config.data = self.data.unwrap_or(config.data);
        config.listen = self.listen.unwrap_or(config.listen);
        config.control = self.control.unwrap_or(config.control);
        let begin = if self.take_over { Begin::TakeOver } else { Begin::Alone };
        let served = telemetry::record_metrics().and_then(|metrics| {
            let runtime = host::runtime().map_err(|error| error.to_string())?;
            runtime.block_on(serve::run(config, begin, metrics, say))
        });
        match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => failed_because(why),
        }
    }
}

/// Says where it serves, and what to do first where there is nothing yet.
fn say(serving: &Serving) {
    let mut text =
        format!("webhooks on http://{}, control on http://{}\n", serving.webhooks, serving.control);
    if let Some(why) = &serving.without_registry {
        text += &format!("calls are answered by what was last known; changes wait: {why}\n");
    }
    if let Some(path) = &serving.new_operator_token {
        text += &format!("the operator's token is in {}\n", path.display());
    }
    if !serving.has_tenants && serving.without_registry.is_none() {
        // What the commands assume need not be said.
        let control = match serving.control == crate::config::CONTROL {
            true => String::new(),
            false => format!(" --control http://{}", serving.control),
        };
        let token = match serving.operator_token == Path::new("hookswitch-data/operator-token") {
            true => String::new(),
            false => format!(" --token-file {}", serving.operator_token.display()),
        };
        text += &format!(
            "\nNext, in another terminal of this folder:\n\n  \
             hookswitch tenant create acme --twilio-auth-token TOKEN{control}{token}\n  \
             hookswitch deploy PATH --tenant acme{control}{token}\n"
        );
    }
    // A process that took over has its predecessor's output, which may lead nowhere any more.
    let mut out = std::io::stdout().lock();
    let _nobody_reads = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
