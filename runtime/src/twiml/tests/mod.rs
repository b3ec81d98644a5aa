//! Tables first: the cases are data in `tests/cases/twiml`, read by one function each.

mod grammar;
mod links;
mod problems;
mod properties;
mod wellformed;

use serde::Deserialize;

use super::{DocumentKind, Links};

const LINKS: Links<'static> = Links { handler: "/acme/desk", pin: "7.abc", step: "menu/sub" };

/// The `[[case]]` tables of a file.
fn cases<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<T> {
    #[derive(Deserialize)]
    struct File<T> {
        case: Vec<T>,
    }
    toml::from_str::<File<T>>(text).unwrap().case
}

fn kind(word: Option<&str>) -> DocumentKind {
    let word = word.unwrap_or("voice");
    DocumentKind::ALL.into_iter().find(|kind| kind.word() == word).unwrap()
}
