//! Where two documents differ, in the words of whoever hears them.
//!
//! Both are read into trees. Links count as their author wrote them, without the pin that names a revision; the order of
//! attributes, white space between elements and comments do not count. Verbs are paired so that as few as possible are left
//! over; what is left over was added or removed, or stands in another place.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::phone::{plain, xml};
use crate::twiml::{Element, Node};

/// Most pairs of verbs that are compared in order to pair them; beyond that they are paired by their places.
const PAIRS_MAX: usize = 250_000;
/// Longest line of a document in a report, in characters.
const LINE_CHARS_MAX: usize = 400;

/// Kinds of differences. Their names are what `--replay-allow` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// The handler fails where it did not, or fails in another way.
    Fails,
    /// It no longer fails where it did.
    Works,
    /// A step that the call went on with is no longer asked for: the new document leads elsewhere.
    Unreached,
    /// It does something to others that it did not do, or no longer does: a request, an operation at the carrier, a change in
    /// its store.
    Effects,
    /// A link leads elsewhere.
    Link,
    /// A verb or noun is there that was not.
    VerbAdded,
    /// A verb or noun is gone.
    VerbRemoved,
    /// A verb or noun stands in another place.
    VerbReordered,
    /// An attribute has another value, is there or is gone.
    Attribute,
    /// What is said, played, sent or dialled is another.
    Text,
}

impl DifferenceKind {
    /// All kinds, the gravest first.
    pub const ALL: [Self; 10] = [
        Self::Fails,
        Self::Unreached,
        Self::Effects,
        Self::Link,
        Self::VerbRemoved,
        Self::VerbAdded,
        Self::VerbReordered,
        Self::Attribute,
        Self::Text,
        Self::Works,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Works => "works",
            Self::Unreached => "unreached",
            Self::Effects => "effects",
            Self::Link => "link",
            Self::VerbAdded => "verb-added",
            Self::VerbRemoved => "verb-removed",
            Self::VerbReordered => "verb-reordered",
            Self::Attribute => "attribute",
            Self::Text => "text",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One difference between two documents.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Difference {
    /// What kind.
    pub kind: DifferenceKind,
    /// Where: the elements on the way, such as `Gather/Say`, and the attribute, as `Gather@timeout`.
    pub at: String,
    /// The old document there, on one line; empty where there was nothing.
    pub old: String,
    /// The new document there.
    pub new: String,
}

/// All differences between two documents. One that can't be read counts as one whose text is another.
#[must_use]
pub fn differences(old: &str, new: &str) -> Vec<Difference> {
    if old == new {
        return Vec::new();
    }
    let mut found = Vec::new();
    match (normal(old), normal(new)) {
        (Some(old), Some(new)) => compare(&old, &new, "", &mut found),
        _ => found.push(Difference {
            kind: DifferenceKind::Text,
            at: String::new(),
            old: line(old),
            new: line(new),
        }),
    }
    found
}

/// The document as it counts.
fn normal(text: &str) -> Option<Element> {
    let mut root = plain(&Element::read(text).ok()?);
    sort(&mut root);
    Some(root)
}

fn sort(element: &mut Element) {
    element.attributes.sort();
    for child in &mut element.children {
        if let Node::Element(inner) = child {
            sort(inner);
        }
    }
}

/// Compares two elements of one name.
fn compare(old: &Element, new: &Element, at: &str, found: &mut Vec<Difference>) {
    let before = found.len();
    attributes(old, new, at, found);
    let (old_text, new_text) = (text_of(old), text_of(new));
    if old_text != new_text {
        // Only there is the text itself a link.
        let kind = if old.name == "Redirect" { DifferenceKind::Link } else { DifferenceKind::Text };
        found.push(Difference { kind, at: at.to_owned(), old: line(&xml(old)), new: line(&xml(new)) });
    }
    let (olds, news): (Vec<_>, Vec<_>) = (old.elements().collect(), new.elements().collect());
    children(&olds, &news, at, found);
    // The same words and elements, but among each other in another order.
    if found.len() == before && old.children != new.children {
        let kind = DifferenceKind::VerbReordered;
        found.push(Difference { kind, at: at.to_owned(), old: line(&xml(old)), new: line(&xml(new)) });
    }
}

fn attributes(old: &Element, new: &Element, at: &str, found: &mut Vec<Difference>) {
    let names = old.attributes.iter().map(|(name, _)| name);
    let added = new.attributes.iter().map(|(name, _)| name).filter(|name| old.attribute(name).is_none());
    for name in names.chain(added) {
        let (before, after) = (old.attribute(name), new.attribute(name));
        if before == after {
            continue;
        }
        let kind = if is_link(name) { DifferenceKind::Link } else { DifferenceKind::Attribute };
        let shown = |element: &Element, value: Option<&str>| match value {
            Some(value) => line(&format!("<{} {name}=\"{value}\">", element.name)),
            None => String::new(),
        };
        let place = if at.is_empty() { &old.name } else { at };
        let at = format!("{place}@{name}");
        found.push(Difference { kind, at, old: shown(old, before), new: shown(new, after) });
    }
}

/// Whether an attribute holds a URL that the carrier asks.
fn is_link(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "action" || name.ends_with("url") || name.ends_with("callback")
}

fn children(olds: &[&Element], news: &[&Element], at: &str, found: &mut Vec<Difference>) {
    let pairs = pair(olds, news);
    let alone = |count: usize, side: &dyn Fn(&(usize, usize)) -> usize| {
        let paired: Vec<usize> = pairs.iter().map(side).collect();
        (0..count).filter(|index| !paired.contains(index)).collect::<Vec<_>>()
    };
    let mut removed = alone(olds.len(), &|pair| pair.0);
    let mut added = alone(news.len(), &|pair| pair.1);
    // What is gone in one place and there in another has moved: the same first, then one of its name.
    let mut moved = Vec::new();
    for alike in
        [|old: &Element, new: &Element| old == new, |old: &Element, new: &Element| old.name == new.name]
    {
        removed.retain(|&from| {
            let to = added
                .iter()
                .position(|&to| olds.get(from).zip(news.get(to)).is_some_and(|(old, new)| alike(old, new)));
            let Some(to) = to else { return true };
            moved.push((from, added.remove(to)));
            false
        });
    }
    let mut tell = |kind, at, old: Option<&&Element>, new: Option<&&Element>| {
        let shown =
            |element: Option<&&Element>| element.map(|element| line(&xml(element))).unwrap_or_default();
        found.push(Difference { kind, at, old: shown(old), new: shown(new) });
    };
    for &index in &removed {
        tell(DifferenceKind::VerbRemoved, inside(at, olds, index), olds.get(index), None);
    }
    for &index in &added {
        tell(DifferenceKind::VerbAdded, inside(at, news, index), None, news.get(index));
    }
    for &(from, to) in &moved {
        tell(DifferenceKind::VerbReordered, inside(at, olds, from), olds.get(from), news.get(to));
    }
    for &(from, to) in pairs.iter().chain(&moved) {
        if let (Some(old), Some(new)) = (olds.get(from), news.get(to)) {
            compare(old, new, &inside(at, olds, from), found);
        }
    }
}

/// The way to one of `elements` behind `at`: `Gather`, and `Gather/Say[2]` for the second of its name.
fn inside(at: &str, elements: &[&Element], index: usize) -> String {
    let name = name(elements, index).unwrap_or_default();
    let before = elements.iter().take(index).filter(|element| element.name == name).count();
    let slash = if at.is_empty() { "" } else { "/" };
    if before == 0 { format!("{at}{slash}{name}") } else { format!("{at}{slash}{name}[{}]", before + 1) }
}

/// Pairs elements of one name, in order, so that as many as possible have a partner, and of those as many as possible an equal
/// one.
fn pair(olds: &[&Element], news: &[&Element]) -> Vec<(usize, usize)> {
    let same = |(old, new): &(&&Element, &&Element)| old == new;
    let head = olds.iter().zip(news).take_while(same).count();
    let rest = |elements: &[&Element]| elements.len() - head;
    let tail = olds.iter().rev().zip(news.iter().rev()).take_while(same).count();
    let tail = tail.min(rest(olds)).min(rest(news));
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|index| (index, index)).collect();
    let middle = |elements: &[&Element]| elements.len() - head - tail;
    let (rows, columns) = (middle(olds), middle(news));
    if rows.saturating_mul(columns) > PAIRS_MAX {
        let by_place = (head..head + rows.min(columns)).map(|index| (index, index));
        pairs.extend(by_place.filter(|&(old, new)| name(olds, old) == name(news, new)));
    } else {
        pairs.extend(best(olds, news, head, rows, columns));
    }
    pairs.extend((0..tail).rev().map(|back| (olds.len() - 1 - back, news.len() - 1 - back)));
    pairs
}

fn name<'a>(elements: &[&'a Element], index: usize) -> Option<&'a str> {
    elements.get(index).map(|element| element.name.as_str())
}

/// The best pairing of `rows` old and `columns` new elements behind the first `head`, by dynamic programming.
fn best(
    olds: &[&Element],
    news: &[&Element],
    head: usize,
    rows: usize,
    columns: usize,
) -> Vec<(usize, usize)> {
    let width = columns + 1;
    // From the ends: `scores[r * width + c]` is the best of what follows.
    let mut scores = vec![0_u32; (rows + 1) * width];
    let score =
        |scores: &[u32], row: usize, column: usize| scores.get(row * width + column).copied().unwrap_or(0);
    let worth = |row: usize, column: usize| match (olds.get(head + row), news.get(head + column)) {
        (Some(old), Some(new)) if old == new => 4,
        (Some(old), Some(new)) if old.name == new.name => 3,
        _ => 0,
    };
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let skip = score(&scores, row + 1, column).max(score(&scores, row, column + 1));
            let paired = match worth(row, column) {
                0 => 0,
                worth => worth + score(&scores, row + 1, column + 1),
            };
            if let Some(slot) = scores.get_mut(row * width + column) {
                *slot = skip.max(paired);
            }
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < rows && column < columns {
        let here = score(&scores, row, column);
        let worth = worth(row, column);
        if worth > 0 && here == worth + score(&scores, row + 1, column + 1) {
            pairs.push((head + row, head + column));
            (row, column) = (row + 1, column + 1);
        } else if here == score(&scores, row + 1, column) {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}

/// The words directly inside, without regard to where elements stand among them.
fn text_of(element: &Element) -> String {
    let mut words = String::new();
    for node in &element.children {
        if let Node::Text(text) = node {
            words.push_str(text);
            words.push(' ');
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// On one line and not too long.
pub(super) fn line(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= LINE_CHARS_MAX {
        return text;
    }
    text.chars().take(LINE_CHARS_MAX).chain("…".chars()).collect()
}
