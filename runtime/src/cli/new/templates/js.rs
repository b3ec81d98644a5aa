//! A new handler in JavaScript: its own files, and in `.hookswitch` the helper and the contract as this binary has them, so that a
//! project outside of this repository needs nothing else of it. `{{name}}` stands for the handler's name.

/// Path in the project, and text.
pub const FILES: &[(&str, &str)] = &[
    ("README.md", include_str!("js/README.md")),
    ("handler.toml", include_str!("js/handler.toml")),
    ("fallback.xml", include_str!("js/fallback.xml")),
    ("src/handler.js", include_str!("js/src/handler.js")),
    ("test/handler.test.js", include_str!("js/test/handler.test.js")),
    ("calls/menu.toml", include_str!("js/calls/menu.toml")),
    ("package.json", include_str!("js/package.json")),
    ("package-lock.json", include_str!("js/package-lock.json")),
    (".gitignore", include_str!("js/gitignore")),
];

/// What comes from this repository: folder here, folder in the project.
pub const CARRIED: &[(&str, &str)] = &[("sdk-js/", ".hookswitch/"), ("wit/", ".hookswitch/wit/")];
