//! Component bytes become something that can run.
//!
//! Uploads are wasm, always: no format is guessed, and nothing that is already machine code is taken.

mod load;
pub mod precheck;

pub use load::LoadError;

pub use crate::sandbox::Prepared;
