//! Where a call can go on from a document: the handler's own steps that it links to.

use std::collections::HashSet;

use crate::call::Entry;
use crate::twiml::{Element, Node};
use crate::webhook::route::{Route, Target, Wanted};

/// An entry of a handler and a step behind it.
pub type Place = (Entry, String);

/// The places of the handler at `prefix` (`/{tenant}/{handler}`) that a document links to. A document that can't be read leads
/// nowhere.
#[must_use]
pub fn places(document: &str, prefix: &str) -> HashSet<Place> {
    let mut places = HashSet::new();
    if let Ok(root) = Element::read(document) {
        collect(&root, prefix, &mut places);
    }
    places
}

fn collect(element: &Element, prefix: &str, places: &mut HashSet<Place>) {
    places.extend(element.attributes.iter().filter_map(|(_, value)| place(value, prefix)));
    for child in &element.children {
        match child {
            Node::Text(text) => places.extend(place(text.trim(), prefix)),
            Node::Element(inner) => collect(inner, prefix, places),
        }
    }
}

fn place(link: &str, prefix: &str) -> Option<Place> {
    // A link of ours begins with our path; what only says it is a number or a word does not.
    link.strip_prefix(prefix).filter(|rest| rest.starts_with('/'))?;
    let link = link.split('#').next().unwrap_or(link);
    let (path, query) = link.split_once('?').map_or((link, None), |(path, query)| (path, Some(query)));
    let route = Route::parse(path, query)?;
    match (route.target, route.wanted) {
        (Target::Named { .. }, Wanted::Webhook(entry)) => Some((entry, route.step.into_owned())),
        _ => None,
    }
}
