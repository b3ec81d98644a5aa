// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Speech markup: what may stand between the words of `Say`.

mod passages;
mod words;

pub use passages::{Lang, P, Prosody, S};
pub use words::{Break, Emphasis, Phoneme, SayAs, Sub, W};
