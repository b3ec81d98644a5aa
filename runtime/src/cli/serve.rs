//! `hookswitch serve`: the host of many tenants.
//!
//! Tenants and handlers come from the operator's file. A handler that can't be loaded stops the start: found now,
//! by the operator, rather than at the first call.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tokio::net::TcpListener;
use tracing::{info, warn};

use super::{asked_to_stop, failed, failed_because};
use crate::build;
use crate::call::RevisionId;
use crate::carrier::twilio::signature::{AuthToken, EmptySecret, Keys, SharedKey};
use crate::config::{Config, TenantConfig};
use crate::control;
use crate::host::{self, Host, Strict};
use crate::pin::PinKey;
use crate::router::{Handler, Snapshot, Tenant};
use crate::telemetry::{self, LogFormat};

/// Serve the tenants of a configuration file
#[derive(Args)]
#[command(after_help = "Example:\n  hookswitch serve --config hookswitch.toml --listen 0.0.0.0:8080")]
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
    /// Address for metrics and health
    #[arg(long, value_name = "ADDR")]
    control: Option<SocketAddr>,
    /// How log lines look
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

impl ServeArgs {
    pub(super) fn run(self) -> ExitCode {
        telemetry::log_to_stderr(self.log_format, "info");
        let mut config = match self.config.as_deref().map_or_else(|| Ok(Config::default()), Config::read) {
            Ok(config) => config,
            Err(error) => return failed(&error),
        };
        config.data = self.data.unwrap_or(config.data);
        config.listen = self.listen.unwrap_or(config.listen);
        config.control = self.control.unwrap_or(config.control);
        match serve(&config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => failed_because(why),
        }
    }
}

fn serve(config: &Config) -> Result<(), String> {
    let metrics = telemetry::record_metrics()?;
    let host = Host::new(config, pin_key(&config.data)?).map_err(|error| error.to_string())?;
    let tenants =
        config.tenants.iter().map(|tenant| load_tenant(&host, tenant)).collect::<Result<Vec<_>, _>>()?;
    host.router.publish(Snapshot::new(tenants));
    let runtime = host::runtime().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let bind = async |address: SocketAddr| {
            TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))
        };
        let (data_plane, control_plane) = (bind(config.listen).await?, bind(config.control).await?);
        let address = |listener: &TcpListener| listener.local_addr().map_err(|error| error.to_string());
        println!(
            "webhooks on http://{}, metrics and health on http://{}",
            address(&data_plane)?,
            address(&control_plane)?
        );
        let control = tokio::spawn(control::serve(control_plane, metrics));
        host.serve(data_plane, asked_to_stop()).await;
        control.abort();
        info!("stopped");
        Ok(())
    })
}

fn load_tenant(host: &Host, tenant: &TenantConfig) -> Result<Tenant, String> {
    let mut handlers = hashbrown::HashMap::new();
    for path in &tenant.handlers {
        let explain = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
        let built =
            build::build(path, &mut |progress| eprintln!("{progress}")).map_err(|error| explain(&error))?;
        let revision =
            host.load(&tenant.id, RevisionId(1), &built, Strict::No).map_err(|error| explain(&error))?;
        let name = revision.handler.clone();
        info!("{} is loaded from {}", revision.prefix, path.display());
        if handlers.insert(name.clone(), Handler::new(revision)).is_some() {
            return Err(format!(
                "tenant {}: two handlers are called {name}; set `name` in one handler.toml",
                tenant.id
            ));
        }
    }
    let explain = |error: EmptySecret| format!("tenant {}: {error}", tenant.id);
    let tokens = tenant.auth_tokens.iter().map(|token| AuthToken::new(token.expose()));
    let shared = tenant.shared_keys.iter().map(|(id, secret)| SharedKey::new(id, secret.expose()));
    let keys = Keys {
        tokens: tokens.collect::<Result<_, _>>().map_err(explain)?,
        shared: shared.collect::<Result<_, _>>().map_err(explain)?,
    };
    if keys.is_empty() {
        warn!(
            "tenant {} has no auth token and no shared key: every webhook of it will be refused",
            tenant.id
        );
    }
    Ok(Tenant { id: tenant.id.clone(), keys, public_url: tenant.public_url.clone(), handlers })
}

/// The key of all pins, made at the first start: with another one every call in progress would lose its links.
fn pin_key(data: &Path) -> Result<PinKey, String> {
    let path = data.join("pin-key");
    let explain = |error: std::io::Error| format!("{}: {error}", path.display());
    match std::fs::read(&path) {
        Ok(bytes) => bytes.as_slice().try_into().map(PinKey::new).map_err(|_| {
            format!("{}: expected 32 bytes, found {}; restore it, or remove it and lose the links of running calls", path.display(), bytes.len())
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = PinKey::random().map_err(|error| error.to_string())?;
            std::fs::create_dir_all(data).map_err(explain)?;
            write_secret(&path, key.as_bytes()).map_err(explain)?;
            Ok(key)
        }
        Err(error) => Err(explain(error)),
    }
}

/// Writes a file that only we read, whole or not at all.
fn write_secret(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let partial = path.with_extension("partial");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&partial, path)
}
