//! The grammar as it is in the data: elements, attributes, lists of words.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Error;

pub struct Grammar {
    /// By id, such as `voice.Gather`.
    pub elements: BTreeMap<String, Element>,
    /// By the data's name, such as `http-method`.
    pub lists: BTreeMap<String, List>,
}

pub struct Element {
    pub id: String,
    pub tag: String,
    /// `root`, `verb`, `noun` or `ssml`.
    pub kind: String,
    pub parents: Vec<String>,
    pub children: Vec<String>,
    pub text: Text,
    pub attributes: Vec<Attribute>,
    /// Why not to use it.
    pub deprecation: Option<String>,
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Text {
    None,
    Optional { is_link: bool },
    Required { is_link: bool },
}

pub struct Attribute {
    pub name: String,
    pub value: ValueType,
    /// What is known beyond the type, in words; may be empty.
    pub limits: String,
    pub note: Option<String>,
    pub default: Option<String>,
    pub alias_of: Option<String>,
    pub deprecation: Option<String>,
}

#[derive(Clone, PartialEq)]
pub enum ValueType {
    Text,
    /// An address that has to be complete.
    Address,
    Link,
    Bool,
    Number,
    Numbers,
    Decimal,
    /// One word of the list so named.
    Word(String),
    /// Several words of it, with spaces.
    Words(String),
}

pub struct List {
    pub words: Vec<String>,
    pub is_open: bool,
}

impl Grammar {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let data: Value = serde_json::from_str(text)?;
        if data["format"] != 1 {
            return Err(format!("format is {}, 1 is understood", data["format"]).into());
        }
        let mut grammar = Self { elements: BTreeMap::new(), lists: BTreeMap::new() };
        for (name, list) in object(&data, "enums")? {
            let words = strings(list, "values");
            if let Some(odd) = words.iter().find(|word| word.contains(['"', '&', '<', ' '])) {
                return Err(format!("{name}: `{odd}` is not one word").into());
            }
            let is_open = list["open"] == true;
            grammar.lists.insert(name.clone(), List { words, is_open });
        }
        for (id, element) in object(&data, "elements")? {
            let parsed = parse_element(id, element).map_err(|error| format!("{id}: {error}"))?;
            grammar.elements.insert(id.clone(), parsed);
        }
        grammar.check()?;
        Ok(grammar)
    }

    /// What the rest relies on, so that odd data ends here and in words.
    fn check(&self) -> Result<(), Error> {
        for element in self.elements.values() {
            for id in element.children.iter().chain(&element.parents) {
                if !self.elements.contains_key(id) {
                    return Err(format!("{}: there is no element {id}", element.id).into());
                }
            }
            // One bit for each attribute, and one for those outside the grammar.
            if element.attributes.len() > 63 {
                return Err(format!("{}: more than 63 attributes", element.id).into());
            }
            for attribute in &element.attributes {
                let (ValueType::Word(list) | ValueType::Words(list)) = &attribute.value else {
                    continue;
                };
                let is_list = matches!(attribute.value, ValueType::Words(_));
                match self.lists.get(list) {
                    Some(list) if !(list.is_open && is_list) => {}
                    Some(_) => return Err(format!("{list}: several words of an open list").into()),
                    None => return Err(format!("there is no list {list}").into()),
                }
            }
        }
        Ok(())
    }

    /// The elements so named; `check` has seen that they exist.
    pub fn all<'a>(&'a self, ids: &'a [String]) -> impl Iterator<Item = &'a Element> {
        ids.iter().filter_map(|id| self.elements.get(id))
    }
}

fn parse_element(id: &str, data: &Value) -> Result<Element, Error> {
    let mut attributes = Vec::new();
    for (name, attribute) in object(data, "attributes")? {
        attributes.push(parse_attribute(name, attribute)?);
    }
    if data.get("extra_attributes").is_some() {
        for (name, attribute) in object(data, "extra_attributes")? {
            attributes.push(parse_attribute(name, attribute)?);
        }
    }
    attributes.sort_by(|a, b| a.name.cmp(&b.name));
    let is_link = data["text"]["type"] == "url";
    let mut children = strings(data, "children");
    children.sort();
    Ok(Element {
        id: id.to_owned(),
        tag: string(data, "tag").ok_or("no tag")?,
        kind: string(data, "kind").ok_or("no kind")?,
        parents: strings(data, "parents"),
        children,
        text: match (&data["text"]["allowed"], &data["text"]["required"]) {
            (Value::Bool(true), Value::Bool(true)) => Text::Required { is_link },
            (Value::Bool(true), _) => Text::Optional { is_link },
            _ => Text::None,
        },
        attributes,
        deprecation: deprecation(data),
        notes: strings(data, "notes"),
    })
}

fn parse_attribute(name: &str, data: &Value) -> Result<Attribute, Error> {
    let list = || string(data, "enum").ok_or_else(|| format!("{name}: no list of words"));
    let value = match data["type"].as_str().unwrap_or_default() {
        "string" | "sid" => ValueType::Text,
        "url" if data.get("schemes").is_some() => ValueType::Address,
        "url" => ValueType::Link,
        "bool" => ValueType::Bool,
        "int" => ValueType::Number,
        "decimal" => ValueType::Decimal,
        "enum" => ValueType::Word(list()?),
        "list" if data["separator"] != " " => return Err(format!("{name}: odd separator").into()),
        "list" if data["item"] == "enum" => ValueType::Words(list()?),
        "list" if data["item"] == "int" => ValueType::Numbers,
        other => return Err(format!("{name}: type `{other}` is not known").into()),
    };
    if data["min"].as_f64().is_some_and(|min| min < 0.0) {
        return Err(format!("{name}: numbers below 0 are not provided for").into());
    }
    Ok(Attribute {
        name: name.to_owned(),
        value,
        limits: limits(data),
        note: string(data, "note"),
        default: match &data["default"] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        },
        alias_of: string(data, "alias_of"),
        deprecation: deprecation(data),
    })
}

fn limits(data: &Value) -> String {
    let (min, max) = (&data["min"], &data["max"]);
    if let Some(prefix) = data["sid_prefix"].as_str() {
        return format!("`{prefix}` and 32 hex digits");
    }
    if let Some(schemes) = data["schemes"].as_array() {
        let schemes: Vec<&str> = schemes.iter().filter_map(Value::as_str).collect();
        return format!("beginning with `{}://`", schemes.join("://` or `"));
    }
    match (min, max, &data["max_length"]) {
        (Value::Null, Value::Null, Value::Null) => String::new(),
        (Value::Null, Value::Null, length) => format!("at most {length} characters"),
        (Value::Null, max, _) => format!("at most {max}"),
        (min, Value::Null, _) => format!("{min} or more"),
        (min, max, _) => format!("{min} to {max}"),
    }
}

fn deprecation(data: &Value) -> Option<String> {
    (data["deprecated"] == true)
        .then(|| string(&data["deprecation"], "why").unwrap_or_else(|| "outdated".to_owned()))
}

fn object<'a>(data: &'a Value, key: &str) -> Result<&'a serde_json::Map<String, Value>, Error> {
    data[key].as_object().ok_or_else(|| format!("no object `{key}`").into())
}

fn string(data: &Value, key: &str) -> Option<String> {
    data[key].as_str().map(str::to_owned)
}

fn strings(data: &Value, key: &str) -> Vec<String> {
    let array = data[key].as_array().map(Vec::as_slice).unwrap_or_default();
    array.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
