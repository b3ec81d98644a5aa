//! `hookswitch new`: a handler that builds at once, with its settings, its fallback document, scripted calls and tests.
//!
//! What is written is the author's from then on; nothing of it is read again.

mod carried;
mod sdk;
mod templates;

use std::borrow::Cow;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use self::templates::Template;
use super::failed_because;
use crate::call::HandlerName;

/// Make a handler
#[derive(Debug, Args)]
#[command(after_help = more())]
pub struct NewArgs {
    /// Folder to make it in; its name becomes the handler's
    path: PathBuf,
    /// Language to write it in
    #[arg(long, value_enum, default_value_t = Lang::Rust)]
    lang: Lang,
    /// What it begins as; left out, the first of the language's below
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Only put this hookswitch's Rust SDK at PATH (a folder `.hookswitch`), in the place of the one there or above; handlers
    /// that are made below share it
    #[arg(long, conflicts_with_all = ["lang", "template"])]
    sdk_only: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    Rust,
    Js,
    Python,
}

impl Lang {
    fn templates(self) -> &'static [Template] {
        match self {
            Self::Rust => templates::RUST,
            Self::Js => templates::JS,
            Self::Python => templates::PYTHON,
        }
    }
}

fn more() -> String {
    let mut text = String::from(
        "Examples:\n  hookswitch new front-desk\n  hookswitch new reminders --template sms\n\nTemplates:\n",
    );
    for lang in Lang::value_variants() {
        let name = lang.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
        for template in lang.templates() {
            text.push_str(&format!("  {:8} {:10} {}\n", name, template.name, template.what));
        }
    }
    text.push_str("\nExit code: 0 it is made, 1 it could not be, 2 usage.");
    text
}

pub(super) fn run(args: &NewArgs) -> ExitCode {
    if args.sdk_only {
        return put_sdk(&args.path);
    }
    let templates = args.lang.templates();
    let template = match &args.template {
        None => templates.first(),
        Some(name) => templates.iter().find(|template| template.name == *name),
    };
    let Some(template) = template else {
        let names: Vec<&str> = templates.iter().map(|template| template.name).collect();
        let asked = args.template.as_deref().unwrap_or_default();
        failed_because(format!(
            "there is no template {asked:?} for this language; there are {}",
            names.join(", ")
        ));
        return ExitCode::from(2);
    };
    match make(&args.path, args.lang, template) {
        Ok(made) => {
            print!("{}", made.next_steps(&args.path, args.lang, template));
            ExitCode::SUCCESS
        }
        Err(why) => failed_because(why),
    }
}

/// A handler that was made.
struct Made {
    name: HandlerName,
    /// What its folder is called, where that is something else.
    folder: Option<String>,
    /// Where its SDK is, if it has one and it is not its own.
    shared_sdk: Option<PathBuf>,
}

fn make(path: &Path, lang: Lang, template: &Template) -> Result<Made, String> {
    let folder = std::path::absolute(path).map_err(|error| at(path, &error))?;
    let (name, called) = name(&folder)?;
    check_empty(&folder)?;
    std::fs::create_dir_all(&folder).map_err(|error| at(&folder, &error))?;
    let mut values = vec![("name", name.to_string())];
    let rust = match lang {
        Lang::Rust => Some(rust_parts(&folder, &name)?),
        Lang::Js | Lang::Python => None,
    };
    let (lock, shared_sdk) = match rust {
        None => (None, None),
        Some(rust) => {
            values.extend([("package", rust.package), ("sdk", rust.sdk)]);
            (Some((Cow::Borrowed("Cargo.lock"), rust.lock)), rust.shared_sdk)
        }
    };
    let filled = template.files().map(|(path, text)| (path, fill(text, &values)));
    let mut files: Vec<(Cow<str>, String)> = filled.chain(lock).collect();
    // What makes it a handler comes last: `dev` may be looking.
    files.sort_by_key(|(path, _)| matches!(&**path, "Cargo.toml" | "handler.toml"));
    for (path, text) in files {
        let path = folder.join(&*path);
        let written =
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| at(&path, &error))?;
    }
    Ok(Made { folder: (called != name.as_str()).then_some(called), name, shared_sdk })
}

/// What only a Rust handler has.
struct RustParts {
    package: String,
    /// The SDK's folder as the manifest names it.
    sdk: String,
    lock: String,
    shared_sdk: Option<PathBuf>,
}

fn rust_parts(folder: &Path, name: &HandlerName) -> Result<RustParts, String> {
    let package = package(name.as_str());
    let sdk = sdk::place(folder);
    sdk::write(&sdk).map_err(|error| at(&sdk, &error))?;
    Ok(RustParts {
        sdk: toml_text(&relative(folder, &sdk.join("sdk"))),
        lock: sdk::lock(&package),
        shared_sdk: (!sdk.starts_with(folder)).then_some(sdk),
        package,
    })
}

/// The handler's name, which is the folder's as its settings would have it, and the folder's.
fn name(folder: &Path) -> Result<(HandlerName, String), String> {
    // Without `.` and `..`, which have no name.
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let called = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = HandlerName::new(&called.to_lowercase().replace(['_', ' '], "-"));
    name.map(|name| (name, called)).map_err(|error| format!("{error}; give the folder such a name"))
}

/// A folder that holds nothing yet; where people begin with `git init`, nothing but that.
fn check_empty(folder: &Path) -> Result<(), String> {
    match folder.read_dir() {
        Ok(entries) => match entries.flatten().find(|entry| entry.file_name() != ".git") {
            None => Ok(()),
            Some(entry) => Err(format!(
                "{} is not empty (there is {}); give a new or empty folder",
                folder.display(),
                entry.file_name().to_string_lossy()
            )),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(folder, &error)),
    }
}

/// What cargo accepts as a name: no digit first, no word of the language's.
fn package(name: &str) -> String {
    const TAKEN: [&str; 8] =
        ["test", "core", "std", "alloc", "proc-macro", "hookswitch-sdk", "deps", "build"];
    let fits =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && !TAKEN.contains(&name) && !is_keyword(name);
    if fits { name.to_owned() } else { format!("handler-{name}") }
}

/// Whether it is a keyword of Rust's.
fn is_keyword(name: &str) -> bool {
    const WORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern false final fn for \
        gen if impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true try \
        type typeof unsafe unsized use virtual where while yield";
    WORDS.split_whitespace().any(|word| word == name)
}

fn fill(text: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

/// The way from one folder to another; both absolute.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    up.chain(to.components().skip(common)).collect()
}

fn toml_text(path: &Path) -> String {
    toml::Value::String(path.display().to_string()).to_string()
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

impl Made {
    fn next_steps(&self, path: &Path, lang: Lang, template: &Template) -> String {
        let mut text = format!("{} is made in {}.", self.name, path.display());
        if let Some(folder) = &self.folder {
            text.push_str(&format!(
                " That is the handler's name, in place of {folder:?}: names are of a-z, 0-9 and `-`; handler.toml has it."
            ));
        }
        if let Some(sdk) = &self.shared_sdk {
            text.push_str(&format!(" It shares the SDK in {}.", sdk.display()));
        }
        text.push_str("\n\n");
        if path != Path::new(".") {
            text.push_str(&format!("  cd {}\n", shell_word(&path.display().to_string())));
        }
        let own_tests = match lang {
            Lang::Rust => "cargo test",
            Lang::Js => "npm test",
            Lang::Python => "PYTHONPATH=.hookswitch python3 -m unittest",
        };
        let steps = [
            ("hookswitch dev", "builds and serves it, and follows your changes"),
            (template.call, "tries it from the terminal"),
            ("hookswitch test", "plays the scripted calls in calls/"),
            (own_tests, "runs its own tests, natively"),
        ];
        let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
        for (command, what) in steps {
            text.push_str(&format!("  {command:width$}   {what}\n"));
        }
        text
    }
}

/// `text` as a shell takes it for one word.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@,=".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Puts the SDK that this binary carries at `path`, or where the projects there have theirs.
fn put_sdk(path: &Path) -> ExitCode {
    let put = || -> io::Result<(PathBuf, bool)> {
        let path = path.canonicalize()?;
        let folder = sdk::installed(&path).unwrap_or_else(|| path.join(sdk::FOLDER));
        let changed = sdk::write(&folder)?;
        Ok((folder, changed))
    };
    match put() {
        Ok((folder, true)) => {
            println!("{} is the SDK of hookswitch {} now", folder.display(), env!("CARGO_PKG_VERSION"))
        }
        Ok((folder, false)) => println!("{} is the SDK of this hookswitch already", folder.display()),
        Err(error) => return failed_because(at(path, &error)),
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_whole_and_nothing_in_it_is_left_to_fill() {
        for lang in Lang::value_variants() {
            for template in lang.templates() {
                let folder = tempfile::tempdir().unwrap();
                let made = make(&folder.path().join("front_desk"), *lang, template).unwrap();
                assert_eq!(made.name.as_str(), "front-desk");
                let handler = folder.path().join("front_desk");
                for path in ["handler.toml", "fallback.xml", "README.md", ".gitignore", "calls"] {
                    assert!(handler.join(path).exists(), "{lang:?} {}: {path}", template.name);
                }
                for (path, _) in template.files() {
                    let text = std::fs::read_to_string(handler.join(&*path)).unwrap();
                    assert!(!text.contains("{{name") && !text.contains("{{sdk"), "{path}");
                }
                crate::handler_toml::HandlerSettings::load(&handler).unwrap();
                crate::phone::script::read_folder(&handler.join("calls")).unwrap();
            }
        }
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let handler = folder.path().join("ivr");
        let make = || make(&handler, Lang::Rust, &templates::RUST[0]).map(|_| ());
        std::fs::create_dir_all(handler.join(".git")).unwrap();
        make().unwrap();
        std::fs::write(handler.join("src/lib.rs"), "mine").unwrap();
        assert!(make().unwrap_err().contains("is not empty"));
        assert_eq!(std::fs::read_to_string(handler.join("src/lib.rs")).unwrap(), "mine");
    }

    #[test]
    fn the_next_steps_can_be_typed_as_they_stand() {
        for (folder, lang, template, says, hides) in [
            (
                "ivr",
                Lang::Rust,
                "ivr",
                vec!["/ivr\n", "hookswitch call .  "],
                vec!["--text", "in place of", "'"],
            ),
            ("ivr", Lang::Rust, "sms", vec!["hookswitch call . --text HELP  "], vec![]),
            ("ivr", Lang::Js, "ivr", vec!["npm test"], vec!["--text"]),
            (
                "Front Desk",
                Lang::Js,
                "ivr",
                vec!["Front Desk'\n", "front-desk is made", "in place of \"Front Desk\""],
                vec![],
            ),
            (
                "FrontDesk",
                Lang::Js,
                "ivr",
                vec!["/FrontDesk\n", "frontdesk is made", "in place of \"FrontDesk\""],
                vec![],
            ),
        ] {
            let parent = tempfile::tempdir().unwrap();
            let path = parent.path().join(folder);
            let template = lang.templates().iter().find(|one| one.name == template).unwrap();
            let text = make(&path, lang, template).unwrap().next_steps(&path, lang, template);
            assert!(says.iter().all(|part| text.contains(part)), "{text}");
            let steps = text.replace("handler's", "");
            assert!(!hides.iter().any(|part| steps.contains(part)), "{text}");
            let readme = std::fs::read_to_string(path.join("README.md")).unwrap();
            assert!(readme.contains(template.call), "{readme}");
        }
        assert_eq!(shell_word("it's"), "'it'\\''s'");
    }

    #[test]
    fn names_are_made_fit_for_cargo() {
        for (name, expected) in [
            ("front-desk", "front-desk"),
            ("911", "handler-911"),
            ("match", "handler-match"),
            ("test", "handler-test"),
        ] {
            assert_eq!(package(name), expected);
        }
        let up = relative(Path::new("/a/b/c"), Path::new("/a/.hookswitch/sdk"));
        assert_eq!(up, Path::new("../../.hookswitch/sdk"));
        assert_eq!(relative(Path::new("/a"), Path::new("/a/.hookswitch/sdk")), Path::new(".hookswitch/sdk"));
    }
}
