//! Writes the elements: a type for each, a setter for each attribute, a method for each child.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::Error;
use crate::decisions::{AREAS, Area, BARE, FOLDERS, NEW_WITHOUT_TEXT, element_type, list_type};
use crate::grammar::{Attribute, Element, Grammar, Text, ValueType};
use crate::names::snake;
use crate::source::{File, doc};

pub fn files(grammar: &Grammar) -> Result<Vec<File>, Error> {
    let decided: BTreeSet<&str> = AREAS.iter().flat_map(|area| area.elements).map(|(id, _)| *id).collect();
    if let Some(id) = grammar.elements.keys().find(|id| !decided.contains(id.as_str())) {
        return Err(format!("element {id} is new: give it a place in decisions.rs").into());
    }
    let mut files = Vec::new();
    for area in AREAS {
        files.push(area_file(grammar, area)?);
    }
    files.extend(FOLDERS.map(|(folder, about)| folder_module(folder, about)));
    Ok(files)
}

/// The module under `crate::twiml` that an element is named by.
pub fn module_of(id: &str) -> &'static str {
    let area = AREAS.iter().find(|area| area.elements.iter().any(|(other, _)| *other == id));
    match area.map(|area| area.path) {
        Some(path) => path.split('/').next().unwrap_or(path),
        None => "",
    }
}

/// `mod.rs` of a folder: all of its elements, without the names of its files.
fn folder_module(folder: &str, about: &str) -> File {
    let mut modules = String::new();
    let mut names = String::new();
    for area in AREAS {
        let Some((_, module)) = area.path.split_once('/').filter(|(of, _)| *of == folder) else { continue };
        let types: Vec<&str> = area.elements.iter().map(|(id, _)| element_type(id)).collect();
        let _ = writeln!(modules, "mod {module};");
        let _ = writeln!(names, "pub use {module}::{{{}}};", types.join(", "));
    }
    let path = format!("sdk/src/twiml/{folder}/mod.rs");
    File::new(&path, &[about], &(modules + "\n" + &names))
}

fn area_file(grammar: &Grammar, area: &Area) -> Result<File, Error> {
    let mut body = String::new();
    let mut uses = Uses::default();
    for (id, about) in area.elements {
        let element = grammar.elements.get(*id).ok_or_else(|| format!("no element {id}"))?;
        write_element(&mut body, &mut uses, grammar, element, about)?;
    }
    let own: BTreeSet<&str> = area.elements.iter().map(|(id, _)| element_type(id)).collect();
    let text = uses.text(&own) + "\n" + &body;
    Ok(File::new(&format!("sdk/src/twiml/{}.rs", area.path), &[area.about], &text))
}

/// The names that a file takes from elsewhere, by module.
#[derive(Default)]
struct Uses(BTreeMap<&'static str, BTreeSet<String>>);

impl Uses {
    fn add(&mut self, module: &'static str, name: impl Into<String>) {
        self.0.entry(module).or_default().insert(name.into());
    }

    fn element(&mut self, id: &str) {
        self.add(module_of(id), element_type(id));
    }

    fn text(&self, own: &BTreeSet<&str>) -> String {
        let mut text = String::new();
        for (module, names) in &self.0 {
            let names: Vec<&str> =
                names.iter().map(String::as_str).filter(|name| !own.contains(name)).collect();
            if !names.is_empty() {
                let _ = writeln!(text, "use crate::twiml::{module}::{{{}}};", names.join(", "));
            }
        }
        text
    }
}

fn write_element(
    out: &mut String,
    uses: &mut Uses,
    grammar: &Grammar,
    element: &Element,
    about: &str,
) -> Result<(), Error> {
    let name = element_type(&element.id);
    out.push_str(&doc("", &element_doc(grammar, element, about)));
    let _ = writeln!(out, "#[derive(Clone, PartialEq, Eq)]");
    let _ = writeln!(out, "#[must_use = \"nobody hears it until the handler returns it\"]");
    let _ = writeln!(out, "pub struct {name}(Markup);\n");
    uses.add("markup", "Markup");

    let _ = writeln!(out, "impl {name} {{");
    write_constructor(out, uses, element);
    let mut methods: BTreeSet<String> =
        ["new", "child", "attribute", "raw", "into_string"].map(str::to_owned).into();
    for (bit, attribute) in element.attributes.iter().enumerate() {
        write_setter(out, uses, grammar, bit, attribute);
        if !methods.insert(snake(&attribute.name)) {
            return Err(format!("{}: `{}` is there twice", element.id, attribute.name).into());
        }
    }
    for child in grammar.all(&element.children) {
        write_child(out, uses, element, child);
        if !methods.insert(child_method(element, child)) {
            return Err(format!("{}: `{}` is there twice", element.id, child.tag).into());
        }
    }
    out.push_str("}\n\n");
    write_macro(out, uses, grammar, element);
    Ok(())
}

fn element_doc(grammar: &Grammar, element: &Element, about: &str) -> String {
    let list = |ids: &[String]| {
        let names: Vec<String> =
            ids.iter().map(|id| format!("`{}`", qualified_type(grammar, element, id))).collect();
        names.join(", ")
    };
    let kind = match element.kind.as_str() {
        "ssml" => "speech markup",
        other => other,
    };
    let mut text = format!("{about}\n\n`<{}>`, a {kind}.", element.tag).replace("a speech", "speech");
    if !element.parents.is_empty() {
        let _ = write!(text, " Stands in {}.", list(&element.parents));
    }
    if !element.children.is_empty() {
        let _ = write!(text, " Holds {}.", list(&element.children));
    }
    for note in &element.notes {
        let _ = write!(text, " {note}");
    }
    if let Some(why) = &element.deprecation {
        let _ = write!(text, "\n\nOutdated: {why}.");
    }
    text
}

/// A type as it is known outside: speech markup by its module, when seen from elsewhere.
fn qualified_type(grammar: &Grammar, from: &Element, id: &str) -> String {
    let is_ssml = grammar.elements.get(id).is_some_and(|element| element.kind == "ssml");
    if is_ssml && from.kind != "ssml" {
        format!("ssml::{}", element_type(id))
    } else {
        element_type(id).to_owned()
    }
}

fn write_constructor(out: &mut String, uses: &mut Uses, element: &Element) {
    let tag = &element.tag;
    let deprecated = deprecated_attribute(element.deprecation.as_deref());
    let (text, is_optional) = match element.text {
        _ if element.kind == "root" => {
            out.push_str("/// A document with nothing in it.\n");
            out.push_str("pub fn new() -> Self { Self::default() }\n");
            return;
        }
        Text::None => (None, true),
        Text::Optional { is_link } => (Some(is_link), true),
        Text::Required { is_link } => (Some(is_link), false),
    };
    let takes_text = text.filter(|_| !NEW_WITHOUT_TEXT.contains(&element.id.as_str()));
    let start = if is_optional {
        "Self::default()".to_owned()
    } else {
        format!("Self(Markup::open(\"<{tag}\", 128))")
    };
    let (about, parameter, value) = match takes_text {
        None => (format!("`<{tag}>` with nothing set."), "", ""),
        Some(true) => {
            uses.add("link", "Link");
            (format!("`<{tag}>` with its link."), "link: impl Into<Link<'a>>", "link.into().as_str()")
        }
        Some(false) => (format!("`<{tag}>` with its text."), "text: impl AsRef<str>", "text.as_ref()"),
    };
    out.push_str(&doc("", &about));
    if takes_text.is_some() && is_optional {
        out.push_str(&doc("", "`default` makes one without."));
    }
    out.push_str(&deprecated);
    let lifetime = if takes_text == Some(true) { "<'a>" } else { "" };
    if takes_text.is_some() {
        let _ = writeln!(
            out,
            "pub fn new{lifetime}({parameter}) -> Self {{ let mut element = {start}; \
             element.0.text({value}); element }}\n"
        );
    } else {
        let _ = writeln!(out, "pub fn new() -> Self {{ {start} }}\n");
    }
    if text == Some(false) && is_optional {
        out.push_str("/// Adds text behind what is there.\n");
        out.push_str(
            "pub fn text(mut self, text: impl AsRef<str>) -> Self { \
             self.0.text(text.as_ref()); self }\n\n",
        );
    }
}

fn write_setter(out: &mut String, uses: &mut Uses, grammar: &Grammar, bit: usize, attribute: &Attribute) {
    out.push_str(&doc("", &attribute_doc(attribute)));
    out.push_str(&deprecated_attribute(attribute.deprecation.as_deref()));
    let (lifetime, parameter, call, value) = match &attribute.value {
        ValueType::Text | ValueType::Address => {
            ("", "impl AsRef<str>".to_owned(), "text", "value.as_ref()".to_owned())
        }
        ValueType::Link => {
            uses.add("link", "Link");
            ("<'a>", "impl Into<Link<'a>>".to_owned(), "text", "value.into().as_str()".to_owned())
        }
        ValueType::Bool => ("", "bool".to_owned(), "bool", "value".to_owned()),
        ValueType::Number => ("", "u32".to_owned(), "number", "value".to_owned()),
        ValueType::Numbers => {
            let parameter = "impl IntoIterator<Item = u32>".to_owned();
            ("", parameter, "numbers", "value.into_iter()".to_owned())
        }
        ValueType::Decimal => {
            uses.add("value", "Decimal");
            ("", "impl Into<Decimal>".to_owned(), "decimal", "value.into()".to_owned())
        }
        ValueType::Word(list) => {
            let is_open = grammar.lists.get(list).is_some_and(|list| list.is_open);
            let list = list_type(list);
            uses.add("values", &list);
            if is_open {
                ("<'a>", format!("impl Into<{list}<'a>>"), "text", "value.into().as_str()".to_owned())
            } else {
                ("", list, "word", "value.as_str()".to_owned())
            }
        }
        ValueType::Words(list) => {
            let list = list_type(list);
            uses.add("values", &list);
            let value = format!("value.into_iter().map({list}::as_str)");
            ("", format!("impl IntoIterator<Item = {list}>"), "words", value)
        }
    };
    let _ = writeln!(
        out,
        "pub fn {}{lifetime}(mut self, value: {parameter}) -> Self {{ \
         self.0.{call}_attribute({bit}, \" {}=\\\"\", {value}); self }}\n",
        snake(&attribute.name),
        attribute.name,
    );
}

fn attribute_doc(attribute: &Attribute) -> String {
    let what = match &attribute.value {
        ValueType::Text => "text",
        ValueType::Address => "an address",
        ValueType::Link => "a link",
        ValueType::Bool => "true or false",
        ValueType::Number => "a whole number",
        ValueType::Numbers => "whole numbers",
        ValueType::Decimal => "a decimal number",
        ValueType::Word(_) => "a word",
        ValueType::Words(_) => "one word or several",
    };
    let mut text = format!("`{}`: {what}", attribute.name);
    if !attribute.limits.is_empty() {
        let _ = write!(text, ", {}", attribute.limits);
    }
    if let Some(note) = &attribute.note {
        let _ = write!(text, "; {note}");
    }
    text.push('.');
    if let Some(default) = &attribute.default {
        match default.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(described) => {
                let _ = write!(text, " Default: {described}.");
            }
            None => {
                let _ = write!(text, " Default: `{default}`.");
            }
        }
    }
    if let Some(other) = &attribute.alias_of {
        let _ = write!(text, " Another spelling of `{other}`, which is the one to prefer.");
    }
    text
}

/// The method that adds `child`: its tag, unless the parent has an attribute of that name.
pub fn child_method(parent: &Element, child: &Element) -> String {
    let name = snake(&child.tag);
    if parent.attributes.iter().any(|attribute| snake(&attribute.name) == name) {
        return format!("add_{name}");
    }
    name
}

fn write_child(out: &mut String, uses: &mut Uses, parent: &Element, child: &Element) {
    let method = child_method(parent, child);
    let name = element_type(&child.id);
    let deprecated = deprecated_attribute(child.deprecation.as_deref());
    uses.element(&child.id);
    if BARE.contains(&child.id.as_str()) {
        let _ = writeln!(
            out,
            "/// Adds `<{}>`. With more to it: `child({name}::new())`.\n\
             {deprecated}pub fn {method}(self) -> Self {{ self.child({name}::new()) }}\n",
            child.tag
        );
        return;
    }
    let (text, article) = match child.text {
        Text::None => ("", a(name)),
        Text::Optional { is_link: true } | Text::Required { is_link: true } => ("a link or ", a(name)),
        _ => ("text or ", a(name)),
    };
    let _ = writeln!(
        out,
        "/// Adds `<{}>`: {text}{article} [`{name}`].\n\
         {deprecated}pub fn {method}(mut self, child: impl IntoElement<{name}>) -> Self {{ \
         child.write_into(&mut self.0); self }}\n",
        child.tag
    );
    uses.add("element", "IntoElement");
}

fn a(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

fn deprecated_attribute(why: Option<&str>) -> String {
    why.map_or_else(String::new, |why| format!("#[deprecated(note = {why:?})]\n"))
}

/// The macro call that makes the type an element, with the pairs of the grammar.
fn write_macro(out: &mut String, uses: &mut Uses, grammar: &Grammar, element: &Element) {
    let name = element_type(&element.id);
    if element.kind == "root" {
        uses.add("element", "root");
        let _ = writeln!(out, "root!({name});\n");
        return;
    }
    uses.add("element", "element");
    let options = match element.text {
        Text::None => "default",
        Text::Optional { is_link: false } => "default, text",
        Text::Optional { is_link: true } => "default, text, link",
        Text::Required { is_link: false } => "text",
        Text::Required { is_link: true } => "text, link",
    };
    let mut parents = Vec::new();
    for parent in grammar.all(&element.parents) {
        uses.element(&parent.id);
        parents.push(element_type(&parent.id));
    }
    parents.sort_unstable();
    let parents = parents.join(", ");
    let _ = writeln!(out, "element!({name}, {:?}, [{options}], in [{parents}]);\n", element.tag);
}
