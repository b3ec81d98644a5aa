//! Component bytes become something that can run.
//!
//! Uploads are wasm, always: no format is guessed, and nothing that is already machine code is taken. A host of many
//! tenants compiles nothing in its own process: [`Artifacts`] has it done in a jail and keeps the result in a file that is
//! proved before each load. On an author's own machine [`Kept`] compiles in place and keeps the result in such a file, too;
//! tests and benches use [`Sandbox::load`](crate::sandbox::Sandbox::load) alone.

mod artifacts;
pub mod jail;
mod kept;
mod load;
mod making;
mod map;
mod partial;
pub mod precheck;
mod queue;
mod seal;
mod smoke;
mod store;

pub use artifacts::{AdmitError, Admitted, ArtifactSettings, Artifacts, OpenError};
pub use jail::CompileError;
pub use kept::Kept;
pub use load::LoadError;
pub use queue::QueueFull;
pub use smoke::SmokeLimits;
pub use store::{ReceiveError, Store, StoreError};

pub use crate::sandbox::Prepared;
