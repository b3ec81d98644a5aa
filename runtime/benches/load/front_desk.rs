//! The handler that is measured: `guest-examples/front-desk`, in a host as `dev` makes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hookswitch::build::{self, BuiltHandler};
use hookswitch::call::{HandlerName, RevisionId, TenantId};
use hookswitch::carrier::twilio::signature::{AuthToken, Keys};
use hookswitch::config::Config;
use hookswitch::handler_toml::HandlerSettings;
use hookswitch::host::{Host, Strict};
use hookswitch::pin::PinKey;
use hookswitch::router::{Handler, Snapshot, Tenant};
use hookswitch::telemetry;

/// The tenant of all handlers here.
pub const TENANT: &str = "bench";
/// What its webhooks are signed with.
pub const AUTH_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The key of all pins, so that two programs make the same links.
pub fn pin_key() -> PinKey {
    PinKey::new([7; 32])
}

/// The keys that signatures are checked with.
///
/// # Errors
/// None: the token is not empty.
pub fn keys() -> Result<Keys, String> {
    let token = AuthToken::new(AUTH_TOKEN).map_err(|error| error.to_string())?;
    Ok(Keys { tokens: vec![token], shared: Vec::new() })
}

/// Builds the component, once, before anything is measured.
///
/// # Errors
/// It does not build.
pub fn build() -> Result<(), String> {
    let built = build::build(&folder(), &mut |progress| eprintln!("{progress}"));
    built.map(|_| ()).map_err(|error| error.to_string())
}

/// The handler as it was built, always open: a benchmark that answers "closed" at night would compare nothing.
///
/// # Errors
/// It was not built.
pub fn built() -> Result<BuiltHandler, String> {
    let component = build::component_path(&folder()).map_err(|error| error.to_string())?;
    let mut settings = HandlerSettings::load(&folder()).map_err(|error| error.to_string())?;
    for (key, value) in &mut settings.config {
        if key == "utc_offset_hours" {
            *value = hours_to_wednesday_noon()?.to_string();
        }
    }
    Ok(BuiltHandler { component, settings })
}

/// A host with the handler loaded under each of `names`, compiled for each of them as if they were different ones.
///
/// # Errors
/// What does not load, and why.
pub fn host(names: impl IntoIterator<Item = String>) -> Result<Arc<Host>, String> {
    let _handle = telemetry::record_metrics()?;
    let host = Host::new(&Config::default(), pin_key()).map_err(|error| error.to_string())?;
    let id = TenantId::new(TENANT).map_err(|error| error.to_string())?;
    let mut built = built()?;
    let mut tenant = Tenant::new(id.clone(), keys()?, None, Config::default().concurrency);
    for name in names {
        built.settings.name = HandlerName::new(&name).map_err(|error| error.to_string())?;
        let revision =
            host.load(&id, RevisionId(1), &built, Strict::Yes).map_err(|error| error.to_string())?;
        tenant.put(Handler::new(revision));
    }
    host.router.publish(Snapshot::new([tenant]));
    Ok(host)
}

/// The URL path of a handler's voice webhook.
pub fn voice_path(name: &str) -> String {
    format!("/{TENANT}/{name}/voice")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-examples/front-desk")
}

/// The offset from UTC where it is Wednesday noon: far from any hour at which the answer changes.
fn hours_to_wednesday_noon() -> Result<i64, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let hours = (now.as_secs() / 3_600) as i64;
    // 1970-01-01 was a Thursday; six and a half days later it was Wednesday noon.
    let wednesday_noon = 6 * 24 + 12;
    Ok(wednesday_noon - hours % (7 * 24))
}
