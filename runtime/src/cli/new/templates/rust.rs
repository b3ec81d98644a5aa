//! Rust handlers.

use super::{CALL, Files, Template};

/// What a Rust handler may begin as.
pub const TEMPLATES: &[Template] = &[
    template("ivr", "a menu by keys or speech, which connects callers", IVR),
    Template {
        call: "hookswitch call . --text HELP",
        ..template("sms", "text messages, answered by keyword", SMS)
    },
    template("voicemail", "a greeting, a recording, and a line in the log", VOICEMAIL),
    template("forward", "rings a phone, and says so when nobody answers", FORWARD),
];

const fn template(name: &'static str, what: &'static str, own: Files) -> Template {
    // The SDK is not in here: it may lie above the project.
    Template { name, what, common: COMMON, own, carried: &[], call: CALL }
}

const COMMON: Files = &[
    ("Cargo.toml", include_str!("rust/common/manifest.toml")),
    (".gitignore", include_str!("rust/common/gitignore")),
];

/// The files that each template has.
macro_rules! files {
    ($folder:literal, $calls:literal) => {
        &[
            ("src/lib.rs", include_str!(concat!("rust/", $folder, "/lib.rs"))),
            ("src/tests.rs", include_str!(concat!("rust/", $folder, "/tests.rs"))),
            (concat!("calls/", $calls), include_str!(concat!("rust/", $folder, "/", $calls))),
            ("fallback.xml", include_str!(concat!("rust/", $folder, "/fallback.xml"))),
            ("README.md", include_str!(concat!("rust/", $folder, "/README.md"))),
            ("handler.toml", include_str!(concat!("rust/", $folder, "/handler.toml"))),
        ]
    };
}

const IVR: Files = files!("ivr", "menu.toml");
const SMS: Files = files!("sms", "words.toml");
const VOICEMAIL: Files = files!("voicemail", "message.toml");
const FORWARD: Files = files!("forward", "ring.toml");
