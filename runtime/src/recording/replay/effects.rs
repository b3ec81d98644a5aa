//! What a revision does to others that the recorded one did not, and what it no longer does.

use super::differences::{Difference, DifferenceKind, line};
use crate::capability::effects::Request;

/// The differences between what was asked of others and what is asked now. In which order does not count, nor what is only
/// looked up in the handler's own store.
pub fn differences(old: &[Request], new: &[Request]) -> Vec<Difference> {
    let mut gone: Vec<&Request> = old.iter().filter(|request| request.is_noticed()).collect();
    let mut found = Vec::new();
    for request in new.iter().filter(|request| request.is_noticed()) {
        match gone.iter().position(|old| old.is_like(request)) {
            Some(same) => drop(gone.remove(same)),
            None => found.push(difference(request, String::new(), format!("would also do: {request}"))),
        }
    }
    let gone = gone.into_iter();
    found.extend(gone.map(|request| difference(request, request.to_string(), "no longer does".to_owned())));
    found
}

fn difference(request: &Request, old: String, new: String) -> Difference {
    Difference { kind: DifferenceKind::Effects, at: request.place(), old: line(&old), new: line(&new) }
}
