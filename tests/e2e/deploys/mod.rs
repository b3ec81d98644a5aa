//! Deploys, promotes and rollbacks on a host that serves, with the commands that people use.

mod canary;
mod compiles;
mod crash;
mod damage;
mod kept;
mod many;
mod release;
mod swaps;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::support::example;

/// Always open, whatever the time.
pub const OPEN: &str =
    "open = 0\nclose = 24\nweekends = true\nsales = \"+12025550123\"\nsupport = \"+12025550124\"";

/// The front desk, built once.
pub fn front_desk() -> &'static [u8] {
    static FRONT_DESK: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let built = hookswitch::build::build(&example("front-desk"), &mut |_| {}).expect("it builds");
        std::fs::read(built.component).expect("it was built")
    });
    &FRONT_DESK
}

/// The same code with a remark in it: another component, that does the same.
pub fn variation(component: &[u8], remark: &str) -> Vec<u8> {
    let name = b"remark";
    let length = 1 + name.len() + remark.len();
    assert!(length < 128, "one byte tells its length");
    let mut varied = component.to_vec();
    varied.extend([0, length as u8, name.len() as u8]);
    varied.extend(name);
    varied.extend(remark.as_bytes());
    varied
}

/// A folder with a ready component and its settings, fit for `hookswitch deploy`.
pub fn ready(folder: &Path, name: &str, component: &[u8], toml: &str) -> PathBuf {
    let ready = folder.join(name);
    std::fs::create_dir_all(&ready).unwrap();
    std::fs::write(ready.join("code.wasm"), component).unwrap();
    std::fs::write(
        ready.join("handler.toml"),
        format!("name = \"{name}\"\ncomponent = \"code.wasm\"\n{toml}"),
    )
    .unwrap();
    ready
}

/// `front-desk` with this greeting.
pub fn greeting(folder: &Path, component: &[u8], greeting: &str) -> PathBuf {
    ready(folder, "front-desk", component, &format!("[config]\ngreeting = \"{greeting}\"\n{OPEN}"))
}
