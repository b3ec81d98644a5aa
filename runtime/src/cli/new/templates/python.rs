//! A new handler in Python: its own files, and in `.hookswitch` the helper and the contract as this binary has them, so that a
//! project outside of this repository needs nothing else of it. `{{name}}` stands for the handler's name.

/// Path in the project, and text.
pub const FILES: &[(&str, &str)] = &[
    ("README.md", include_str!("python/README.md")),
    ("handler.toml", include_str!("python/handler.toml")),
    ("fallback.xml", include_str!("python/fallback.xml")),
    ("handler.py", include_str!("python/handler.py")),
    ("tests/__init__.py", include_str!("python/tests/__init__.py")),
    ("tests/test_handler.py", include_str!("python/tests/test_handler.py")),
    ("calls/menu.toml", include_str!("python/calls/menu.toml")),
    ("requirements.txt", include_str!("python/requirements.txt")),
    (".gitignore", include_str!("python/gitignore")),
];

/// What comes from this repository: folder here, folder in the project.
pub const CARRIED: &[(&str, &str)] = &[("sdk-python/", ".hookswitch/"), ("wit/", ".hookswitch/wit/")];
