//! Writes tests that make every attribute, every pair and every list of the grammar, and say what
//! must come out. What they expect is put together here from the data, not by the builder.

use std::fmt::Write;

use crate::Error;
use crate::decisions::{AREAS, BARE, NEW_WITHOUT_TEXT, element_type, list_type};
use crate::elements::{child_method, module_of};
use crate::grammar::{Attribute, Element, Grammar, Text, ValueType};
use crate::names::{constant, snake};
use crate::source::File;
use crate::values;

pub fn files(grammar: &Grammar) -> Result<Vec<File>, Error> {
    Ok(vec![
        attributes(grammar, "verb", |element| element.kind == "verb")?,
        attributes(grammar, "noun", |element| element.kind != "verb")?,
        children(grammar)?,
        nesting(grammar),
        words(grammar)?,
    ])
}

const IMPORTS: &str = "#![allow(deprecated)]\n\nuse hookswitch_sdk::twiml::*;\n\n";

const ATTRIBUTES_MACRO: &str = r#"
/// Sets each attribute alone, each twice, and all together.
macro_rules! attributes {
    ($element:expr, $start:literal, $end:literal;
     $($setter:ident($value:expr) => $written:literal;)*) => {
        $(
            let expected = concat!($start, " ", $written, $end);
            assert_eq!($element.$setter($value).to_string(), expected);
            assert_eq!($element.$setter($value).$setter($value).to_string(), expected);
        )*
        let all = $element$(.$setter($value))*;
        assert_eq!(all.to_string(), concat!($start, $(" ", $written,)* $end));
    };
}
"#;

fn attributes(grammar: &Grammar, what: &str, is_meant: fn(&Element) -> bool) -> Result<File, Error> {
    let mut body = IMPORTS.to_owned() + ATTRIBUTES_MACRO;
    for (id, _) in AREAS.iter().flat_map(|area| area.elements) {
        let element = grammar.elements.get(*id).ok_or("an element is gone")?;
        if element.attributes.is_empty() || !is_meant(element) {
            continue;
        }
        let (start, end) = match element.text {
            _ if text_of(element).is_empty() => (format!("<{}", element.tag), "/>".to_owned()),
            _ => (format!("<{}", element.tag), format!(">{}</{}>", text_of(element), element.tag)),
        };
        let name = test_name(element);
        let _ = writeln!(body, "\n#[test]\nfn {name}() {{");
        let _ = writeln!(body, "    attributes! {{ {}, {start:?}, {end:?};", made(element));
        for attribute in &element.attributes {
            let (value, written) = sample(grammar, attribute);
            let written = format!("{}=\"{written}\"", attribute.name);
            let setter = snake(&attribute.name);
            let _ = writeln!(body, "        {setter}({value}) => r#\"{written}\"#;");
        }
        body.push_str("    }\n}\n");
    }
    let about = format!("Every attribute of every {what} can be set, and is written as the grammar says.");
    Ok(File::new(&format!("sdk/tests/every_{what}.rs"), &[&about], &body))
}

const CHILDREN_MACRO: &str = r#"
/// Adds each child alone, by its own method and by the general one, and then all in a row.
macro_rules! children {
    ($parent:expr, $start:literal, $end:literal;
     $($method:ident($($argument:expr)?), $child:expr => $written:literal;)*) => {
        $(
            let expected = concat!($start, $written, $end);
            assert_eq!($parent.$method($($argument)?).to_string(), expected);
            assert_eq!($parent.child($child).to_string(), expected);
        )*
        let all = $parent$(.$method($($argument)?))*;
        assert_eq!(all.to_string(), concat!($start, $($written,)* $end));
    };
}
"#;

fn children(grammar: &Grammar) -> Result<File, Error> {
    let mut body = IMPORTS.to_owned() + CHILDREN_MACRO;
    for (id, _) in AREAS.iter().flat_map(|area| area.elements) {
        let parent = grammar.elements.get(*id).ok_or("an element is gone")?;
        if parent.children.is_empty() {
            continue;
        }
        let declaration = match parent.kind.as_str() {
            "root" => "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            _ => "",
        };
        let start = format!("{declaration}<{}>{}", parent.tag, text_of(parent));
        let end = format!("</{}>", parent.tag);
        let _ = writeln!(body, "\n#[test]\nfn {}() {{", test_name(parent));
        let _ = writeln!(body, "    children! {{ {}, {start:?}, {end:?};", made(parent));
        for child in grammar.all(&parent.children) {
            let method = child_method(parent, child);
            let child_made = made(child);
            let (argument, written) = match text_of(child) {
                _ if BARE.contains(&child.id.as_str()) => (String::new(), format!("<{}/>", child.tag)),
                "" => (child_made.clone(), format!("<{}/>", child.tag)),
                text => (format!("{text:?}"), format!("<{0}>{text}</{0}>", child.tag)),
            };
            let _ = writeln!(body, "        {method}({argument}), {child_made} => {written:?};");
        }
        body.push_str("    }\n}\n");
    }
    let about = ["Every child can be put into every parent that the grammar names for it."];
    Ok(File::new("sdk/tests/every_child.rs", &about, &body))
}

const NESTING_START: &str = r"
/// Whether the compiler lets a child stand in a parent: the constant of `Pair` itself is there for
/// the pairs that it lets, and for all others only the trait's.
struct Pair<Parent, Child>(std::marker::PhantomData<(Parent, Child)>);

impl<Parent, Child: ChildOf<Parent>> Pair<Parent, Child> {
    const COMPILES: bool = true;
}

trait Otherwise {
    const COMPILES: bool = false;
}

impl<Parent, Child> Otherwise for Pair<Parent, Child> {}

/// The children that compile in a parent, out of all elements there are.
macro_rules! children_of {
    ($parent:ty) => {
        [
";

const NESTING_END: &str = r"        ]
        .iter()
        .filter(|(_, compiles)| *compiles)
        .map(|(child, _)| *child)
        .collect::<Vec<_>>()
    };
}

#[test]
fn no_pair_but_those_of_the_grammar_compiles() {
";

fn nesting(grammar: &Grammar) -> File {
    let mut body = IMPORTS.to_owned() + NESTING_START;
    for element in grammar.elements.values() {
        let child = path_of(element);
        let id = &element.id;
        let _ = writeln!(body, "            ({id:?}, Pair::<$parent, {child}>::COMPILES),");
    }
    body.push_str(NESTING_END);
    for element in grammar.elements.values() {
        let (parent, children) = (path_of(element), &element.children);
        if children.is_empty() {
            let _ = writeln!(body, "assert!(children_of!({parent}).is_empty());");
        } else {
            let _ = writeln!(body, "assert_eq!(children_of!({parent}), {children:?});");
        }
    }
    body.push_str("}\n");
    let about = ["Of all pairs of elements, exactly those of the grammar compile."];
    File::new("sdk/tests/every_nesting.rs", &about, &body)
}

const CLOSED_FUNCTION: &str = r"
/// All words of a closed list in a row.
macro_rules! all {
    ($list:ident) => {
        $list::ALL.iter().map(|value| value.as_str()).collect::<Vec<_>>()
    };
}
";

fn words(grammar: &Grammar) -> Result<File, Error> {
    let mut closed = String::new();
    let mut open = String::new();
    for (name, (list, _)) in values::types(grammar)? {
        if !list.is_open {
            let _ = writeln!(closed, "assert_eq!(all!({name}), {:?});", list.words);
            continue;
        }
        for word in list.words.first().into_iter().chain(list.words.last()) {
            let constant = constant(word);
            let _ = writeln!(open, "assert_eq!({name}::{constant}.as_str(), {word:?});");
            let _ = writeln!(open, "assert_eq!({name}::from({word:?}), {name}::{constant});");
        }
        let _ = writeln!(open, "assert_eq!({name}::new(\"new\").as_str(), \"new\");");
    }
    let body = format!(
        "{IMPORTS}{CLOSED_FUNCTION}\n\
         #[test]\nfn closed_lists_have_the_words_of_the_grammar() {{\n{closed}}}\n\n\
         #[test]\nfn open_lists_take_known_words_and_others() {{\n{open}}}\n"
    );
    let about = ["Every list has the words of the grammar, and an open one takes others too."];
    Ok(File::new("sdk/tests/every_word.rs", &about, &body))
}

/// A test's name, which is unique over the documents.
fn test_name(element: &Element) -> String {
    snake(&element.id)
}

/// An expression that makes the element, with the least that it asks for.
fn made(element: &Element) -> String {
    let text = match text_of(element) {
        "" => String::new(),
        text => format!("{text:?}"),
    };
    format!("{}::new({text})", path_of(element))
}

/// The type, as far as it has to be written out beside the imports.
fn path_of(element: &Element) -> String {
    let name = element_type(&element.id);
    match module_of(&element.id) {
        "voice" => name.to_owned(),
        module => format!("{module}::{name}"),
    }
}

/// The text that `made` gives it.
fn text_of(element: &Element) -> &'static str {
    match element.text {
        Text::None => "",
        _ if NEW_WITHOUT_TEXT.contains(&element.id.as_str()) => "",
        Text::Optional { is_link: true } | Text::Required { is_link: true } => "menu",
        Text::Optional { .. } | Text::Required { .. } => "v",
    }
}

/// A value as an expression, and how it must be written.
fn sample(grammar: &Grammar, attribute: &Attribute) -> (String, String) {
    let words = |list: &str| grammar.lists.get(list).map_or(&[][..], |list| &list.words);
    let variant = |list: &str, word: &str| match grammar.lists.get(list) {
        Some(found) if found.is_open => format!("{}::{}", list_type(list), constant(word)),
        _ => format!("{}::{}", list_type(list), crate::names::pascal(word)),
    };
    match &attribute.value {
        ValueType::Text => ("\"v\"".to_owned(), "v".to_owned()),
        ValueType::Address => ("\"wss://v\"".to_owned(), "wss://v".to_owned()),
        ValueType::Link => ("\"menu\"".to_owned(), "menu".to_owned()),
        ValueType::Bool => ("true".to_owned(), "true".to_owned()),
        ValueType::Number => ("42".to_owned(), "42".to_owned()),
        ValueType::Numbers => ("[1, 2]".to_owned(), "1 2".to_owned()),
        ValueType::Decimal => ("0.5".to_owned(), "0.5".to_owned()),
        ValueType::Word(list) => {
            let word = words(list).last().map_or("", String::as_str);
            (variant(list, word), word.to_owned())
        }
        ValueType::Words(list) => {
            let some: Vec<&String> = words(list).iter().take(2).collect();
            let variants: Vec<String> = some.iter().map(|word| variant(list, word)).collect();
            let written: Vec<&str> = some.iter().map(|word| word.as_str()).collect();
            (format!("[{}]", variants.join(", ")), written.join(" "))
        }
    }
}
