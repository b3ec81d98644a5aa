//! The key of all pins, in a file of its own.

use std::path::Path;

use crate::pin::PinKey;

/// The key of all pins, made at the first start: with another one every call in progress would lose its links.
///
/// # Errors
/// For the operator: what is wrong with the file.
pub fn pin_key(data: &Path) -> Result<PinKey, String> {
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
