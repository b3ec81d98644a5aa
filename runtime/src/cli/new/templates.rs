//! What new handlers begin as: files with `{{name}}` where the handler's name goes.

use std::borrow::Cow;

use super::carried;

mod js;
mod python;
mod rust;

/// Of each language the first is what `new` makes when nothing is said.
pub const RUST: &[Template] = rust::TEMPLATES;

/// JavaScript.
pub const JS: &[Template] = &[menu(js::FILES, js::CARRIED)];

/// Python.
pub const PYTHON: &[Template] = &[menu(python::FILES, python::CARRIED)];

const fn menu(files: Files, carried: Files) -> Template {
    Template { name: "ivr", what: "a menu by keys or speech", common: &[], own: files, carried, call: CALL }
}

/// How one that answers calls is tried from the terminal, in its folder.
const CALL: &str = "hookswitch call .";

/// Path and text of a file.
pub type Files = &'static [(&'static str, &'static str)];

/// One beginning.
#[derive(Debug)]
pub struct Template {
    /// As `--template` names it.
    pub name: &'static str,
    /// In a few words.
    pub what: &'static str,
    /// How it is tried from the terminal, in its folder.
    pub call: &'static str,
    /// What all of its language have.
    pub common: Files,
    /// Its own.
    pub own: Files,
    /// Folders of this repository that the binary carries, and where they go in the project.
    pub carried: &'static [(&'static str, &'static str)],
}

impl Template {
    /// All its files.
    pub fn files(&self) -> impl Iterator<Item = (Cow<'static, str>, &'static str)> {
        let own = self.common.iter().chain(self.own).map(|(path, text)| (Cow::Borrowed(*path), *text));
        let carried = self.carried.iter().flat_map(|(from, to)| {
            carried::in_folder(from).map(move |(path, text)| (Cow::Owned(format!("{to}{path}")), text))
        });
        own.chain(carried)
    }
}
