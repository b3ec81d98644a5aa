//! Secrets of a handler on its author's machine: `.secrets.toml` beside `handler.toml`, which is kept out of version control.
//!
//! `dev` and `call` read them; a host has those that were set with `hookswitch secret set`, and a script those that it says
//! itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::place::nearest;
use super::{HandlerSettings, SettingsError, read_text};
use crate::config::Secret;
use crate::secrets::{SecretSource, SecretValues, problem_of_value};

/// The name of the file beside `handler.toml`.
pub const LOCAL_SECRETS: &str = ".secrets.toml";

const FILE_BYTES_MAX: u64 = 1 << 20;

impl HandlerSettings {
    /// Where the values of its secrets are on this machine.
    #[must_use]
    pub fn local_secrets_file(&self) -> PathBuf {
        self.file.with_file_name(LOCAL_SECRETS)
    }

    /// The values of the secrets that the handler is granted. One that the file does not have is granted and unreadable.
    ///
    /// # Errors
    /// [`SettingsError`] where the file can't be read or is not `name = "value"` lines. No value is shown.
    pub fn local_secrets(&self) -> Result<SecretValues, SettingsError> {
        if self.secrets.is_empty() {
            return Ok(SecretValues::default());
        }
        let file = self.local_secrets_file();
        let mut values = values_in(&file)?;
        let mut all = Vec::new();
        for name in &self.secrets {
            let value = values.remove(name);
            if let Some(problem) = value.as_deref().and_then(problem_of_value) {
                return Err(SettingsError::Invalid {
                    file,
                    line: None,
                    problem: format!("{name}: {problem}"),
                });
            }
            all.push((name.clone(), value.map(Secret::new)));
        }
        Ok(SecretValues::of(SecretSource::File(file), all))
    }

    /// What to say of each name in the file that the handler is not granted: it is misspelt there, or missing here.
    ///
    /// # Errors
    /// As [`HandlerSettings::local_secrets`].
    pub fn unused_local_secrets(&self) -> Result<Vec<String>, SettingsError> {
        let file = self.local_secrets_file();
        let values = values_in(&file)?;
        let unused = values.keys().filter(|name| !self.secrets.contains(name));
        Ok(unused.map(|name| self.unused(&file, name)).collect())
    }

    fn unused(&self, file: &Path, name: &str) -> String {
        let what = format!("{}: {name:?} is read by nobody: ", file.display());
        match nearest(name, self.secrets.iter().map(String::as_str)) {
            Some(meant) => format!("{what}did you mean `{meant}`?"),
            None => {
                format!("{what}handler.toml does not list it; add secrets = [{name:?}] there, or take it out")
            }
        }
    }
}

/// The names and values in `file`; none where it is not there.
fn values_in(file: &Path) -> Result<BTreeMap<String, String>, SettingsError> {
    let text = match read_text(file, FILE_BYTES_MAX) {
        Err(SettingsError::Unreadable { cause, .. }) if cause.kind() == std::io::ErrorKind::NotFound => {
            String::new()
        }
        read => read?,
    };
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
        SettingsError::Invalid {
            file: file.to_owned(),
            line,
            problem: "expected lines such as crm-key = \"value\"".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{Found, VALUE_BYTES_MAX};

    fn settings(folder: &Path, secrets: &str) -> Result<SecretValues, SettingsError> {
        std::fs::write(folder.join("handler.toml"), "name = \"a\"\nsecrets = [\"crm-key\", \"other\"]")
            .unwrap();
        std::fs::write(folder.join(LOCAL_SECRETS), secrets).unwrap();
        HandlerSettings::load(folder).unwrap().local_secrets()
    }

    #[test]
    fn granted_secrets_are_read_and_others_stay_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let values = settings(folder.path(), "crm-key = \"x1\"\nelse = \"x2\"").unwrap();
        assert!(matches!(values.get("crm-key"), Found::Value(value) if value.expose() == "x1"));
        assert!(matches!(values.get("other"), Found::Unreadable));
        assert!(matches!(values.get("else"), Found::NotGranted));
    }

    #[test]
    fn a_value_that_nobody_reads_is_named_with_what_was_probably_meant() {
        let folder = tempfile::tempdir().unwrap();
        settings(folder.path(), "crm-key = \"x\"\ncrm-kye = \"hunter2\"\nweather = \"hunter3\"").unwrap();
        let unused = HandlerSettings::load(folder.path()).unwrap().unused_local_secrets().unwrap();
        assert_eq!(unused.len(), 2, "{unused:?}");
        for (said, expected) in unused.iter().zip(["did you mean `crm-key`?", "add secrets = [\"weather\"]"])
        {
            assert!(said.contains(expected) && !said.contains("hunter"), "{said}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_a_value() {
        let folder = tempfile::tempdir().unwrap();
        for (text, line) in [("a = \"b\"\ncrm-key = hunter2", ":2"), ("crm-key = 7", ":1")] {
            let error = settings(folder.path(), text).unwrap_err().to_string();
            assert!(error.contains(line) && !error.contains("hunter2"), "{error}");
        }
        let long = "x".repeat(VALUE_BYTES_MAX + 1);
        let error = settings(folder.path(), &format!("crm-key = \"{long}\"")).unwrap_err().to_string();
        assert!(error.contains("crm-key") && !error.contains(&long), "{error}");
    }
}
