//! What a text is to the ear.

use crate::twiml::{Element, Node};

/// A synthetic voice says about fifteen characters a second.
const MS_PER_CHARACTER: u64 = 65;

/// How long a sound of unknown length is taken to last: nothing is fetched.
pub(super) const PLAY_MS: u64 = 5_000;

/// What `<Say>` says: its text with substitutions made, white space folded.
pub(super) fn spoken(element: &Element) -> String {
    let mut text = String::new();
    collect(element, &mut text);
    folded(&text)
}

fn collect(element: &Element, out: &mut String) {
    for child in &element.children {
        match child {
            Node::Text(text) => out.push_str(text),
            Node::Element(inner) => match (inner.name.as_str(), inner.attribute("alias")) {
                ("sub", Some(alias)) => out.push_str(alias),
                ("break" | "p" | "s", _) => {
                    out.push(' ');
                    collect(inner, out);
                    out.push(' ');
                }
                _ => collect(inner, out),
            },
        }
    }
}

/// Each run of white space as one space, none at the ends.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How long it takes to say `text`, in milliseconds.
pub(super) fn lasts_ms(text: &str) -> u64 {
    (text.chars().count() as u64 * MS_PER_CHARACTER).max(500)
}

/// How long tones for `digits` last: about 0.2 s each, half a second for a `w`.
pub(super) fn tones_ms(digits: &str) -> u64 {
    digits.chars().map(|c| if c == 'w' || c == 'W' { 500 } else { 200 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_heard_and_not_read_out() {
        let say = "<Say>Call <sub alias='Acme Limited'>ACME</sub>,\n <emphasis level='strong'>now</emphasis>.<break time='1s'/>Bye</Say>";
        assert_eq!(spoken(&Element::read(say).unwrap()), "Call Acme Limited, now. Bye");
    }
}
