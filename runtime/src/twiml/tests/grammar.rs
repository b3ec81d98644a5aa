//! The whole grammar, element by element: all that `spec/twiml.json` allows is taken, and what it does not is not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::codes;
use super::super::{DocumentKind, Problem, prepare};
use super::{LINKS, kind};

fn spec() -> Value {
    serde_json::from_str(include_str!("../../../../spec/twiml.json")).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn ids(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect()
}

/// The elements from the root down to `id`, by the shortest way, with `last` as the innermost step.
fn way<'a>(spec: &'a Value, id: &'a str) -> Vec<&'a str> {
    let mut ways: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut next: Vec<&str> = keys(&spec["documents"])
        .iter()
        .map(|kind| spec["documents"][kind]["root"].as_str().unwrap())
        .collect();
    for root in &next {
        ways.insert(root, vec![root]);
    }
    while let Some(parent) = (!next.is_empty()).then(|| next.remove(0)) {
        for child in ids(&spec["elements"][parent]["children"]) {
            if !ways.contains_key(child) {
                let way = [ways[parent].as_slice(), &[child]].concat();
                ways.insert(child, way);
                next.push(child);
            }
        }
    }
    ways.remove(id).unwrap()
}

fn text_for(element: &Value) -> &'static str {
    match element["text"]["type"].as_str() {
        None => "",
        Some("phone-number") => "+12025550123",
        Some("url") => "https://example.com/a.mp3",
        Some("sid") => "DE0123456789abcdef0123456789abcdef",
        Some("sip-uri") => "sip:alice@example.com",
        Some("json") => "{&quot;a&quot;: 1}",
        Some(_) => "some words",
    }
}

/// A document with the elements of `way` inside each other, `attributes` on the last and `inside` it.
fn document(spec: &Value, way: &[&str], attributes: &str, inside: &str) -> String {
    way.iter().rev().enumerate().fold(inside.to_owned(), |inside, (depth, id)| {
        let tag = spec["elements"][id]["tag"].as_str().unwrap();
        let attributes = if depth == 0 { attributes } else { "" };
        format!("<{tag}{attributes}>{inside}</{tag}>")
    })
}

fn problems(spec: &Value, id: &str, text: &str) -> Vec<Problem> {
    let kind = kind(spec["elements"][id]["document"].as_str());
    prepare(text, kind, &LINKS).unwrap_or_else(|error| panic!("{text}: {error}")).warnings
}

/// Problems but for the remark that something is deprecated.
fn wrong(spec: &Value, id: &str, text: &str) -> Vec<Problem> {
    problems(spec, id, text).into_iter().filter(|problem| !problem.message.contains("deprecated")).collect()
}

fn range(attribute: &Value, which: &str, otherwise: f64) -> f64 {
    attribute[which].as_f64().unwrap_or(otherwise)
}

/// Values that the attribute takes.
fn right(spec: &Value, attribute: &Value) -> Vec<String> {
    let set = attribute["enum"].as_str().map(|name| ids(&spec["enums"][name]["values"])).unwrap_or_default();
    let one = |value: &str| vec![value.to_owned()];
    match attribute["type"].as_str().unwrap() {
        "bool" => vec!["true".into(), "false".into()],
        "int" => vec![
            range(attribute, "min", 7.0).to_string(),
            range(attribute, "max", 7.0_f64.max(range(attribute, "min", 7.0))).to_string(),
        ],
        "decimal" => vec![range(attribute, "min", 0.5).to_string(), range(attribute, "max", 0.5).to_string()],
        "url" => match attribute["schemes"].as_array() {
            Some(schemes) => {
                schemes.iter().map(|scheme| format!("{}://example.com/x", scheme.as_str().unwrap())).collect()
            }
            None => one("https://example.com/x?a=b"),
        },
        "enum" => set
            .iter()
            .map(|value| (*value).to_owned())
            .chain(keys(&attribute["aliases"]).iter().map(|alias| (*alias).to_owned()))
            .collect(),
        "list" if set.is_empty() => vec!["1".into(), "1 2 3".into()],
        "list" => set.iter().map(|value| (*value).to_owned()).chain([set.join(" ")]).collect(),
        "sid" => {
            vec![format!("{}{}", attribute["sid_prefix"].as_str().unwrap(), "0123456789abcdef".repeat(2))]
        }
        _ => Vec::new(),
    }
}

/// A value that the attribute does not take, if there is one.
fn not_right(attribute: &Value) -> Option<&'static str> {
    match attribute["type"].as_str().unwrap() {
        "bool" => Some("TRUE"),
        "int" => Some("seven"),
        "decimal" => Some("0,5"),
        "url" => Some("gopher://example.com/"),
        "enum" => Some("surely not a value"),
        "list" => Some("surely, not"),
        "sid" => Some("XX0123"),
        _ => None,
    }
}

fn attributes(element: &Value) -> Vec<(&str, &Value)> {
    let of =
        |part: &'static str| keys(&element[part]).into_iter().map(move |name| (name, &element[part][name]));
    of("attributes").chain(of("extra_attributes")).collect()
}

#[test]
fn every_parent_takes_each_of_its_children() {
    let spec = spec();
    let mut pairs = 0;
    for id in keys(&spec["elements"]) {
        for child in ids(&spec["elements"][id]["children"]) {
            let mut way = way(&spec, id);
            way.push(child);
            let text = document(&spec, &way, "", text_for(&spec["elements"][child]));
            assert_eq!(wrong(&spec, id, &text), [], "{text}");
            pairs += 1;
        }
    }
    assert_eq!(pairs, spec["counts"]["parent_child_edges"]);
}

#[test]
fn no_parent_takes_any_other_child() {
    let spec = spec();
    for id in keys(&spec["elements"]) {
        let element = &spec["elements"][id];
        let taken: Vec<&str> = ids(&element["children"])
            .iter()
            .map(|child| spec["elements"][child]["tag"].as_str().unwrap())
            .collect();
        for other in keys(&spec["elements"]) {
            let tag = spec["elements"][other]["tag"].as_str().unwrap();
            if taken.contains(&tag) || spec["elements"][other]["document"] != element["document"] {
                continue;
            }
            let way = way(&spec, id);
            let text = document(
                &spec,
                &way,
                "",
                &format!("{}<{tag}>{}</{tag}>", text_for(element), text_for(&spec["elements"][other])),
            );
            let at =
                u32::try_from(text.find(&format!("<{tag}>{}", text_for(&spec["elements"][other]))).unwrap())
                    .unwrap();
            let found = wrong(&spec, id, &text);
            // Tags can repeat on the way down (`Response` in `Response`), so look for the problem, not for its column.
            assert!(
                found.iter().any(|problem| problem.element == tag && problem.code.is_some()),
                "{text} at {at}: {found:?}"
            );
        }
    }
}

#[test]
fn every_attribute_takes_its_values_and_no_others() {
    let spec = spec();
    let mut pairs = 0;
    for id in keys(&spec["elements"]) {
        let element = &spec["elements"][id];
        let way = way(&spec, id);
        let document = |name: &str, value: &str| {
            document(&spec, &way, &format!(" {name}=\"{value}\""), text_for(element))
        };
        for (name, attribute) in attributes(element) {
            pairs += usize::from(!element["attributes"][name].is_null());
            let tag = element["tag"].as_str().unwrap();
            let form = codes::FORMS.iter().find(|(of, is, _)| (*of, *is) == (tag, name));
            let values = right(&spec, attribute);
            let values = match (values.is_empty(), form) {
                (false, _) => values,
                // What these take is told in the grammar's prose.
                (true, Some(_)) => {
                    vec![if (tag, name) == ("break", "time") { "500ms" } else { "1" }.to_owned()]
                }
                (true, None) => vec![String::new(), "anything goes, &lt;even this&gt;".to_owned()],
            };
            for value in values {
                let value = if tag == "Stream" { value.replace("?a=b", "") } else { value };
                assert_eq!(wrong(&spec, id, &document(name, &value)), [], "{id} {name}={value}");
            }
            if let Some(value) = not_right(attribute) {
                let found = wrong(&spec, id, &document(name, value));
                assert_eq!(found.len(), 1, "{id} {name}={value}: {found:?}");
                assert!(found[0].message.contains(&format!("`{name}` is")), "{found:?}");
                // Where the set grows, a warning without the carrier's number; elsewhere with it.
                let open = attribute["enum"].as_str().is_some_and(|set| spec["enums"][set]["open"] == true);
                assert_eq!((found[0].certain, found[0].code.is_some()), (!open, !open), "{found:?}");
            }
            for (bound, step) in [("min", -1.0), ("max", 1.0)] {
                if let Some(limit) = attribute[bound].as_f64() {
                    let value = (limit + step).to_string();
                    assert_eq!(wrong(&spec, id, &document(name, &value)).len(), 1, "{id} {name}={value}");
                }
            }
            if let Some(most) = attribute["max_length"].as_u64() {
                let most = usize::try_from(most).unwrap();
                assert_eq!(wrong(&spec, id, &document(name, &"é".repeat(most))), [], "{id} {name}");
                assert_eq!(wrong(&spec, id, &document(name, &"é".repeat(most + 1))).len(), 1, "{id} {name}");
            }
        }
        let found = wrong(&spec, id, &document("surely-not", "x"));
        assert_eq!((found.len(), found[0].code), (1, Some(12200)), "{id}: {found:?}");
    }
    assert_eq!(pairs, spec["counts"]["attributes_element_pairs"]);
}

#[test]
fn text_is_taken_where_it_is_allowed_and_missed_where_it_is_required() {
    let spec = spec();
    for id in keys(&spec["elements"]) {
        let element = &spec["elements"][id];
        let (text, way) = (&element["text"], way(&spec, id));
        let words = if text["allowed"] == true { text_for(element) } else { "words" };
        let found = wrong(&spec, id, &document(&spec, &way, "", words));
        assert_eq!(found.is_empty(), text["allowed"] == true, "{id}: {found:?}");
        let found = wrong(&spec, id, &document(&spec, &way, "", " \n"));
        let missed = text["required"] == true && element["tag"] != "Redirect";
        assert_eq!(found.len(), usize::from(missed), "{id}: {found:?}");
    }
}

#[test]
fn what_is_deprecated_is_told_as_advice() {
    let spec = spec();
    let mut told = 0;
    for id in keys(&spec["elements"]) {
        let element = &spec["elements"][id];
        let way = way(&spec, id);
        for (name, attribute) in attributes(element) {
            let value = right(&spec, attribute).pop().unwrap_or_default();
            let found = problems(
                &spec,
                id,
                &document(&spec, &way, &format!(" {name}=\"{value}\""), text_for(element)),
            );
            let advised =
                found.iter().filter(|problem| problem.message.starts_with(&format!("`{name}` of"))).count();
            assert_eq!(advised == 1, attribute["deprecated"] == true, "{id} {name}: {found:?}");
            told += advised;
        }
        let found = problems(&spec, id, &document(&spec, &way, "", text_for(element)));
        let advised =
            found.iter().any(|problem| !problem.certain && problem.message.contains(">` is deprecated"));
        assert_eq!(advised, element["deprecated"] == true, "{id}: {found:?}");
        told += usize::from(advised);
    }
    assert_eq!(told, 6, "four attributes and two elements");
}

#[test]
fn our_tables_name_only_what_the_grammar_has() {
    let spec = spec();
    let known = |tag: &str, name: &str| {
        keys(&spec["elements"]).iter().any(|id| {
            let element = &spec["elements"][id];
            element["tag"] == tag && attributes(element).iter().any(|(known, _)| *known == name)
        })
    };
    let named = codes::VALUES
        .iter()
        .map(|(tag, name, ..)| (tag, name))
        .chain(codes::FORMS.iter().map(|(tag, name, _)| (tag, name)));
    for (tag, name) in named {
        assert!(known(tag, name), "{tag} {name}");
    }
    for (set, _) in codes::MEASURES {
        assert!(!spec["enums"][set].is_null(), "{set}");
    }
    // Notes that are read as rules.
    assert!(
        spec["elements"]["voice.Stream"]["attributes"]["url"]["note"]
            .as_str()
            .unwrap()
            .contains("no query string")
    );
    assert!(
        spec["elements"]["voice.Pay"]["attributes"]["action"]["note"]
            .as_str()
            .unwrap()
            .contains("https only")
    );
    assert_eq!(DocumentKind::ALL.map(DocumentKind::word).len(), keys(&spec["documents"]).len());
}
