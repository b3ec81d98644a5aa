//! What an invocation runs with: what its revision is granted, and what the host has for imports that reach further.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{ConfigValues, Effects};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::carrier::{Carrier, Cause};
use crate::clock::TimeOfDay;
use crate::outbound::{self, AllowList};
use crate::secrets::SecretValues;
use crate::state::State;

/// What one revision is granted. Made once and shared by all its invocations.
///
/// Whoever acts for a guest takes tenant and handler from here: no import lets a guest say whose it is.
#[derive(Debug, Clone)]
pub struct Grants {
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which handler.
    pub handler: HandlerName,
    /// Its number.
    pub revision: RevisionId,
    /// What its links carry as `hs`.
    pub pin: Arc<str>,
    /// The `[config]` of `handler.toml`.
    pub config: ConfigValues,
    /// The `[outbound] allow` of `handler.toml`.
    pub outbound: AllowList,
    /// The secrets that `handler.toml` names.
    pub secrets: SecretValues,
}

/// What stands behind the imports that reach beyond one invocation. One for the life of a host.
#[derive(Default)]
pub struct Reach {
    /// For requests of handlers; without it they are refused.
    pub outbound: Option<Arc<outbound::Client>>,
    /// Sessions and stores; none: imports of them are refused.
    pub state: Option<Arc<State>>,
    /// Does what handlers ask of their carrier.
    pub carrier: Option<Arc<dyn Carrier>>,
    /// What time it is for handlers.
    pub time: TimeOfDay,
}

/// What one invocation runs with. Borrowed: an invocation clones what it keeps.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Of its revision.
    pub grants: &'a Arc<Grants>,
    /// Of its host.
    pub reach: &'a Arc<Reach>,
    /// What its effects are done for; none where it can't ask for any, because its component does not import `carrier`.
    pub cause: Option<&'a Arc<Cause>>,
    /// Where its effects go; none: they are done, and nobody takes note of them.
    pub effects: Option<&'a Effects>,
    /// When its webhook has to be answered; whatever waits for somebody else waits no longer.
    pub until: Instant,
}

/// A context that is nobody's and reaches nothing: to try how a component starts, to measure, to test.
pub struct Nobody {
    grants: Arc<Grants>,
    reach: Arc<Reach>,
}

impl Nobody {
    /// With these settings.
    #[must_use]
    pub fn new(config: ConfigValues) -> Self {
        Self::with_secrets(config, SecretValues::default())
    }

    /// With these settings and secrets.
    #[must_use]
    pub fn with_secrets(config: ConfigValues, secrets: SecretValues) -> Self {
        let tenant = TenantId::new("nobody").expect("a name");
        let handler = HandlerName::new("nothing").expect("a name");
        let outbound = AllowList::default();
        let pin = Arc::from("0");
        let grants = Grants { tenant, handler, revision: RevisionId(0), pin, config, outbound, secrets };
        Self { grants: Arc::new(grants), reach: Arc::default() }
    }

    /// For one invocation, which begins now.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        let until = Instant::now() + FAR;
        Context { grants: &self.grants, reach: &self.reach, cause: None, effects: None, until }
    }
}

/// Longer than any deadline.
const FAR: Duration = Duration::from_secs(3_600);
