//! Where in the file something is, and which word was probably meant.

use std::path::Path;

use toml::Spanned;

use super::SettingsError;

/// The file in hand, for messages that say where.
pub(super) struct Place<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
}

impl Place<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    pub(super) fn invalid<T>(&self, at: &Spanned<T>, problem: String) -> SettingsError {
        SettingsError::Invalid { file: self.file.to_owned(), line: Some(self.line(at.span().start)), problem }
    }

    pub(super) fn toml_error(&self, error: &toml::de::Error) -> SettingsError {
        let problem = said_of(error);
        let line = error.span().map(|span| self.line(span.start));
        SettingsError::Invalid { file: self.file.to_owned(), line, problem }
    }
}

/// What is wrong, on one line; of a name that is not known, which one was probably meant.
pub(crate) fn said_of(error: &toml::de::Error) -> String {
    let mut problem = error.message().trim().replace('\n', "; ");
    if let Some(meant) = nearest_name(&problem) {
        problem.push_str(&format!("; did you mean `{meant}`?"));
    }
    problem
}

/// From serde's "unknown field `x`, expected one of `a`, `b`" the name that was probably meant.
fn nearest_name(message: &str) -> Option<&str> {
    let unknown = ["unknown field", "unknown variant"].iter().any(|start| message.starts_with(start));
    let mut names = message.split('`').skip(1).step_by(2);
    let found = names.next().filter(|_| unknown)?;
    nearest(found, names)
}

/// The one of `names` that was probably meant by `found`.
pub(super) fn nearest<'n>(found: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let (distance, name) = names.map(|name| (edit_distance(found, name), name)).min()?;
    // Farther away than a third of its letters, a name is a guess and no help.
    (distance <= name.chars().count().div_ceil(3)).then_some(name)
}

/// Number of letters to insert, take away or replace to get from `a` to `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            left = (diagonal + usize::from(from != *to)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, left);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
