//! The files of this repository that the binary carries for projects: the SDKs and the contract.

include!(concat!(env!("OUT_DIR"), "/carried.rs"));

/// The files in `folder` (`sdk/`), by their path in there.
pub fn in_folder(folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter_map(move |(path, text)| Some((path.strip_prefix(folder)?, *text)))
}
