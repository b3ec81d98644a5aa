//! The components that tests run: the examples, and the guest that misbehaves on request.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The folder that holds the repository.
pub static ROOT: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent").to_owned());

/// The folder of an example.
pub fn example(name: &str) -> PathBuf {
    ROOT.join("guest-examples").join(name)
}

/// The component that misbehaves as the step of the URL says.
pub fn misbehave() -> &'static [u8] {
    static MISBEHAVE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let folder = ROOT.join("tests/guests/misbehave");
        let built = hookswitch::build::build(&folder, &mut |_| {}).expect("it builds");
        std::fs::read(built.component).expect("it was built")
    });
    &MISBEHAVE
}

/// The component that asks its carrier for what the step of the URL says.
pub fn outward() -> &'static [u8] {
    static OUTWARD: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let folder = ROOT.join("tests/guests/outward");
        let built = hookswitch::build::build(&folder, &mut |_| {}).expect("it builds");
        std::fs::read(built.component).expect("it was built")
    });
    &OUTWARD
}
