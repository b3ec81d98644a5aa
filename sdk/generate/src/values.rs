//! Writes the lists of words: closed ones as enums, open ones as texts with named constants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::Error;
use crate::decisions::{element_type, list_file, list_type};
use crate::grammar::{Grammar, List, ValueType};
use crate::names::{constant, pascal};
use crate::source::{File, doc};

pub fn files(grammar: &Grammar) -> Result<Vec<File>, Error> {
    let mut bodies: BTreeMap<&str, String> = BTreeMap::new();
    let mut modules: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, (list, members)) in types(grammar)? {
        let about = list_doc(grammar, &name, list, &members);
        let mut parts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let data_name = members.first().copied().unwrap_or_default();
        for word in &list.words {
            parts.entry(list_file(data_name, list.is_open, word)).or_default().push(word);
        }
        let mut is_first = true;
        for (file, words) in parts {
            let body = bodies.entry(file).or_default();
            write_part(body, &name, list.is_open, is_first.then_some(about.as_str()), &words);
            if is_first {
                modules.entry(file).or_default().insert(name.clone());
            }
            is_first = false;
        }
    }
    let mut files: Vec<File> =
        bodies.iter().map(|(file, body)| values_file(file, body, modules.contains_key(file))).collect();
    let mut index = String::new();
    for file in bodies.keys() {
        let _ = writeln!(index, "mod {file};");
    }
    index.push('\n');
    for (file, names) in &modules {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let _ = writeln!(index, "pub use {file}::{{{}}};", names.join(", "));
    }
    let about = ["The words that attributes take, list by list."];
    files.push(File::new("sdk/src/twiml/values/mod.rs", &about, &index));
    Ok(files)
}

/// Each type with its words and the lists of the data that it stands for.
pub fn types(grammar: &Grammar) -> Result<BTreeMap<String, (&List, Vec<&str>)>, Error> {
    let mut types: BTreeMap<String, (&List, Vec<&str>)> = BTreeMap::new();
    for (name, list) in &grammar.lists {
        let (first, members) = types.entry(list_type(name)).or_insert((list, Vec::new()));
        let sorted = |list: &List| list.words.iter().cloned().collect::<BTreeSet<_>>();
        if sorted(first) != sorted(list) || first.is_open != list.is_open {
            return Err(format!("{name} has no longer the words of {members:?}: part them").into());
        }
        members.push(name);
    }
    Ok(types)
}

fn list_doc(grammar: &Grammar, name: &str, list: &List, members: &[&str]) -> String {
    let mut places: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for element in grammar.elements.values() {
        for attribute in &element.attributes {
            if let ValueType::Word(used) | ValueType::Words(used) = &attribute.value
                && members.contains(&used.as_str())
            {
                let elements = places.entry(format!("`{}`", attribute.name)).or_default();
                elements.insert(element_type(&element.id));
            }
        }
    }
    let places: Vec<String> = match places.len() {
        0..=4 => places
            .into_iter()
            .map(|(attribute, elements)| {
                let elements: Vec<String> = elements.iter().map(|e| format!("`{e}`")).collect();
                format!("{attribute} of {}", elements.join(", "))
            })
            .collect(),
        _ => places.into_keys().collect(),
    };
    let mut text = format!("What {} may be.", places.join("; "));
    if list.is_open {
        let _ = write!(
            text,
            "\n\nThe list grows: any other word is taken too, as in `{name}::new(\"…\")` or as text."
        );
    }
    text
}

/// One macro call. `about` is given for the first part of a list, which makes the type.
fn write_part(out: &mut String, name: &str, is_open: bool, about: Option<&str>, words: &[&str]) {
    let macro_name = match (is_open, about) {
        (false, _) => "closed_values",
        (true, Some(_)) => "open_values",
        (true, None) => "more_values",
    };
    let _ = writeln!(out, "{macro_name}! {{");
    if let Some(about) = about {
        out.push_str(&doc("    ", about));
    }
    let _ = writeln!(out, "    {name} {{");
    for word in words {
        let rust = if is_open { constant(word) } else { pascal(word) };
        let _ = writeln!(out, "        {rust} = {word:?},");
    }
    out.push_str("    }\n}\n\n");
}

fn values_file(name: &str, body: &str, makes_types: bool) -> File {
    let about = match name {
        "closed" => "Lists that are complete.",
        "speech" => "Lists of speech markup that are complete.",
        "open" => "Lists that grow.",
        "languages" => "Languages, as far as they are known.",
        "voices" => "Voices: the plain ones and Amazon Polly's.",
        "voices_google" => "Voices: Google's standard and neural ones.",
        "voices_google_chirp3" => "Voices: Google's Chirp 3 HD.",
        _ => "Voices: Google's WaveNet.",
    };
    let mut uses = String::new();
    for name in ["closed_values", "more_values", "open_values"] {
        if body.contains(name) {
            let _ = writeln!(uses, "use crate::twiml::value::{name};");
        }
    }
    if !makes_types {
        uses.push_str("use crate::twiml::values::Voice;\n");
    }
    File::new(&format!("sdk/src/twiml/values/{name}.rs"), &[about], &format!("{uses}\n{body}"))
}
