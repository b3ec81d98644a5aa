//! Secrets that a revision is granted: their values, and how they are kept out of what people read.
//!
//! A value is text. It never prints, and where a handler writes it to its log or names it in a failure, its place is taken by
//! its name. Nothing can be done for a handler that writes it in another form.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Secret;

/// Longest name of a secret, in bytes.
const NAME_BYTES_MAX: usize = 63;
/// Longest value of a secret, in bytes: a private key in PEM fits.
pub const VALUE_BYTES_MAX: usize = 8 * 1024;
/// Most secrets of one tenant, and of one handler.
pub const SECRETS_MAX: usize = 100;
/// A shorter value is not looked for in logs: a secret of a few letters would black out ordinary words, and is none.
const HIDDEN_BYTES_MIN: usize = 6;

/// Why a text names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is no name of a secret: expected 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter"
)]
pub struct InvalidSecretName {
    found: String,
}

/// Checks the name of a secret.
///
/// # Errors
/// [`InvalidSecretName`], with what a name looks like.
pub fn check_name(name: &str) -> Result<(), InvalidSecretName> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    if fits { Ok(()) } else { Err(InvalidSecretName { found: name.chars().take(80).collect() }) }
}

/// What can be said of a value without showing it.
#[must_use]
pub fn problem_of_value(value: &str) -> Option<String> {
    match value.len() {
        0 => Some("the value is empty".to_owned()),
        bytes if bytes > VALUE_BYTES_MAX => {
            Some(format!("the value has {bytes} bytes; a secret has at most {VALUE_BYTES_MAX}"))
        }
        _ if value.contains('\0') => {
            Some("the value has a zero byte in it; encode it, as base64 for example".to_owned())
        }
        _ => None,
    }
}

/// The secrets of one revision. Cloning costs a counter, and nothing where there are none.
#[derive(Debug, Clone, Default)]
pub struct SecretValues(Option<Arc<Values>>);

#[derive(Debug)]
struct Values {
    /// Sorted by name.
    all: Box<[Granted]>,
    source: SecretSource,
}

/// Where values come from, and so what to do about one that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// Whoever set them on the host.
    Host,
    /// This file on the author's machine.
    File(PathBuf),
    /// The script that is played.
    Script,
}

/// A name and, where it could be read, its value.
type Granted = (Box<str>, Option<Secret>);

/// What became of the question for a secret.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// Its value.
    Value(&'a Secret),
    /// It is granted and could not be read.
    Unreadable,
    /// It is not granted.
    NotGranted,
}

impl FromIterator<(String, Option<Secret>)> for SecretValues {
    /// A secret without a value could not be read.
    fn from_iter<I: IntoIterator<Item = (String, Option<Secret>)>>(values: I) -> Self {
        Self::of(SecretSource::Host, values)
    }
}

impl SecretValues {
    /// Values from `source`; one that is left out is granted and can't be read.
    #[must_use]
    pub fn of(source: SecretSource, values: impl IntoIterator<Item = (String, Option<Secret>)>) -> Self {
        let mut all: Vec<Granted> =
            values.into_iter().map(|(name, value)| (name.into_boxed_str(), value)).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self((!all.is_empty()).then(|| Arc::new(Values { all: all.into(), source })))
    }

    /// What is said of the secret called `name`, which is granted and could not be read.
    #[must_use]
    pub fn unreadable(&self, name: &str) -> String {
        match self.0.as_deref().map_or(&SecretSource::Host, |values| &values.source) {
            SecretSource::Host => format!(
                "the host can't read the secret {name:?}; set it anew, with `hookswitch secret set {name}`"
            ),
            SecretSource::File(file) => {
                format!("{name} is not in {}; add {name} = \"\u{2026}\" there", file.display())
            }
            SecretSource::Script => format!(
                "the script gives {name} no value; add secrets = {{ {name} = \"\u{2026}\" }} at the top of its file"
            ),
        }
    }

    /// The secret called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Found<'_> {
        let all = self.all();
        match all.binary_search_by(|(found, _)| (**found).cmp(name)).ok().and_then(|at| all.get(at)) {
            Some((_, Some(value))) => Found::Value(value),
            Some((_, None)) => Found::Unreadable,
            None => Found::NotGranted,
        }
    }

    /// The same names with these values of a script; one that is not among them has none.
    #[must_use]
    pub fn with(&self, values: &BTreeMap<String, Secret>) -> Self {
        let given = self.names().map(|name| (name.to_owned(), values.get(name).cloned()));
        Self::of(SecretSource::Script, given)
    }

    /// Names of those that are granted and have no value.
    pub fn without_value(&self) -> impl Iterator<Item = &str> {
        self.all().iter().filter(|(_, value)| value.is_none()).map(|(name, _)| &**name)
    }

    /// Names of all that are granted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all().iter().map(|(name, _)| &**name)
    }

    fn all(&self) -> &[Granted] {
        self.0.as_deref().map_or(&[], |values| &values.all)
    }

    /// `text` with `[secret NAME]` in the place of each value in it.
    #[must_use]
    pub fn hidden<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut hidden = Cow::Borrowed(text);
        for (name, value) in self.all() {
            // A line of a log has no line break at its end, a secret from a file may.
            let value = value.as_ref().map_or("", |value| value.expose().trim_end());
            if value.len() >= HIDDEN_BYTES_MIN && hidden.contains(value) {
                hidden = Cow::Owned(hidden.replace(value, &format!("[secret {name}]")));
            }
        }
        hidden
    }

    /// Does the same to a text that is there.
    pub fn hide(&self, text: &mut String) {
        if let Cow::Owned(hidden) = self.hidden(text) {
            *text = hidden;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> SecretValues {
        [("pin", Some("1234")), ("crm-key", Some("sk_live_0815\n")), ("gone", None)]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.map(|value| Secret::new(value.to_owned()))))
            .collect()
    }

    #[test]
    fn a_value_in_a_text_is_replaced_by_its_name() {
        for (text, hidden) in [
            ("nothing", "nothing"),
            ("key sk_live_0815, twice sk_live_0815", "key [secret crm-key], twice [secret crm-key]"),
            ("1234 is too short to be looked for", "1234 is too short to be looked for"),
        ] {
            assert_eq!(values().hidden(text), hidden);
        }
    }

    #[test]
    fn a_secret_is_had_by_its_name_where_it_is_granted_and_readable() {
        let values = values();
        assert!(matches!(values.get("crm-key"), Found::Value(value) if value.expose() == "sk_live_0815\n"));
        assert!(matches!(values.get("gone"), Found::Unreadable));
        assert!(matches!(values.get("other"), Found::NotGranted));
        assert!(!format!("{values:?}").contains("0815"));
    }

    #[test]
    fn what_is_said_of_a_missing_value_is_what_to_do_where_the_handler_runs() {
        let one = || [("gone".to_owned(), None)];
        let file = SecretSource::File("ivr/.secrets.toml".into());
        for (values, said) in [
            (
                SecretValues::of(file, one()),
                "gone is not in ivr/.secrets.toml; add gone = \"\u{2026}\" there",
            ),
            (SecretValues::of(SecretSource::Script, one()), "add secrets = { gone = \"\u{2026}\" }"),
            (SecretValues::of(SecretSource::Host, one()), "`hookswitch secret set gone`"),
            (values().with(&BTreeMap::new()), "the script gives gone no value"),
        ] {
            assert!(values.unreadable("gone").contains(said), "{}", values.unreadable("gone"));
        }
    }

    #[test]
    fn other_values_take_the_place_of_all_and_grant_nothing() {
        let given = [("pin", "0000"), ("other", "x")];
        let given = given.map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned()))).into();
        let values = values().with(&given);
        assert!(matches!(values.get("pin"), Found::Value(value) if value.expose() == "0000"));
        assert!(matches!(values.get("crm-key"), Found::Unreadable));
        assert!(matches!(values.get("other"), Found::NotGranted));
        assert_eq!(values.without_value().collect::<Vec<_>>(), ["crm-key", "gone"]);
    }

    #[test]
    fn names_and_values_that_can_not_be_are_refused() {
        for (name, good) in
            [("crm-key", true), ("a_1", true), ("1a", false), ("", false), ("Key", false), ("a b", false)]
        {
            assert_eq!(check_name(name).is_ok(), good, "{name}");
        }
        assert!(check_name(&"a".repeat(64)).is_err());
        for (value, good) in [("x", true), ("", false), ("a\0b", false)] {
            assert_eq!(problem_of_value(value).is_none(), good, "{value:?}");
        }
        assert!(problem_of_value(&"x".repeat(VALUE_BYTES_MAX + 1)).is_some());
    }
}
