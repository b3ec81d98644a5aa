//! The TwiML grammar as tables: which element may hold which, and what each attribute takes.
//!
//! `spec/twiml.json` is the one source; it is compiled in and read once, at the first document. Elements are
//! known by their index, because one tag can be two elements (`Sip` in a Dial and in a Refer), and each holds its
//! own small look-up tables, so that checking a name costs the hot path a few nanoseconds.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::names::Names;
use super::value::Form;
use super::{DocumentKind, Severity, codes};

/// Index of an element in [`Grammar::elements`].
pub(super) type ElementId = u16;

/// The grammar of all three kinds of document.
pub(super) static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    let raw = serde_json::from_str(include_str!("../../../spec/twiml.json"));
    Grammar::new(raw.expect("spec/twiml.json is part of this build, and the tests read all of it"))
});

/// All elements and value sets.
#[derive(Debug)]
pub(super) struct Grammar {
    elements: Vec<Element>,
    sets: Vec<ValueSet>,
    kinds: [KindTables; 3],
}

#[derive(Debug)]
struct KindTables {
    root: ElementId,
    /// One element for each tag: how a misplaced one is read.
    tags: Names<ElementId>,
}

/// One element.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) tag: String,
    pub(super) role: Role,
    /// Tags of the elements it may sit in.
    pub(super) parents: Vec<String>,
    pub(super) children: Names<ElementId>,
    pub(super) attributes: Names<Attribute>,
    pub(super) text: Text,
    /// What to use instead, where it is deprecated.
    pub(super) deprecated: Option<String>,
}

/// What the checks across several elements need to know an element as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Ends the document: what follows is never reached.
    Ends,
    Dial,
    Gather,
    Record,
    Say,
    Message,
    Media,
    Number,
    Conference,
    /// Takes one noun.
    OneNoun,
    /// Nothing beyond the tables.
    Plain,
}

/// What text an element takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) allowed: bool,
    pub(super) required: bool,
    pub(super) kind: TextKind,
}

/// What the text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TextKind {
    PhoneNumber,
    Url,
    Sid,
    SipUri,
    QueueName,
    ConferenceName,
    ClientIdentity,
    Speech,
    MessageText,
    Json,
    String,
}

/// One attribute of one element.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) takes: Takes,
    /// Most characters.
    pub(super) length_max: Option<usize>,
    /// What the carrier calls a bad value, and how it takes it.
    pub(super) code: u16,
    pub(super) severity: Severity,
    /// What to use instead, where it is deprecated.
    pub(super) deprecated: Option<String>,
    pub(super) watch: Watch,
}

/// What an attribute's value may be.
#[derive(Debug)]
pub(super) enum Takes {
    Any,
    Int {
        min: Option<i64>,
        max: Option<i64>,
    },
    Decimal {
        min: Option<f64>,
        max: Option<f64>,
    },
    Bool,
    /// A webhook or a file: absolute, or relative to the handler.
    Link {
        https_only: bool,
    },
    /// Absolute only, with one of these schemes.
    Url {
        schemes: Vec<String>,
        query: bool,
    },
    OneOf {
        set: usize,
        aliases: Vec<String>,
    },
    ListOf {
        set: usize,
    },
    IntList,
    Sid {
        prefix: String,
    },
    Form(Form),
}

/// Attributes that a check across several of them looks at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    No,
    DialAction,
    DialSequential,
    RecordTranscribe,
    RecordMaxLength,
    GatherSpeechTimeout,
    GatherSpeechModel,
}

/// A named set of values.
#[derive(Debug)]
pub(super) struct ValueSet {
    pub(super) values: Names<()>,
    /// The carrier adds to it without notice, so an unknown value may be a new one.
    pub(super) open: bool,
    /// Measures it takes beside its words.
    pub(super) measure: Option<Form>,
}

impl Grammar {
    pub(super) fn element(&self, id: ElementId) -> &Element {
        &self.elements[usize::from(id)]
    }

    pub(super) fn root(&self, kind: DocumentKind) -> &Element {
        self.element(self.kinds[kind as usize].root)
    }

    /// How `tag` is read in a document of this kind wherever it stands.
    pub(super) fn anywhere(&self, kind: DocumentKind, tag: &str) -> Option<&Element> {
        self.kinds[kind as usize].tags.get(tag).map(|&id| self.element(id))
    }

    /// All tags of this kind of document.
    pub(super) fn tags(&self, kind: DocumentKind) -> impl Iterator<Item = &str> {
        self.kinds[kind as usize].tags.names()
    }

    pub(super) fn set(&self, index: usize) -> &ValueSet {
        &self.sets[index]
    }

    fn new(raw: RawGrammar) -> Self {
        let ids: HashMap<&str, ElementId> = raw.elements.iter().map(|(id, _)| id.as_str()).zip(0..).collect();
        let set_names: HashMap<&str, usize> =
            raw.enums.iter().map(|(name, _)| name.as_str()).zip(0..).collect();
        let tag_of = |id: &String| raw.elements[usize::from(ids[id.as_str()])].1.tag.clone();
        let elements = raw
            .elements
            .iter()
            .map(|(_, element)| Element {
                tag: element.tag.clone(),
                role: role(&element.tag),
                parents: element.parents.iter().map(tag_of).collect(),
                children: Names::new(
                    element.children.iter().map(|id| (tag_of(id), ids[id.as_str()])).collect(),
                ),
                attributes: Names::new(
                    element
                        .attributes
                        .iter()
                        .chain(&element.extra_attributes)
                        .map(|(name, raw)| (name.clone(), attribute(&element.tag, name, raw, &set_names)))
                        .collect(),
                ),
                text: Text {
                    allowed: element.text.allowed,
                    required: element.text.required,
                    kind: element.text.kind.unwrap_or(TextKind::String),
                },
                deprecated: element.deprecation.as_ref().map(|deprecation| deprecation.why.clone()),
            })
            .collect();
        let sets = raw
            .enums
            .iter()
            .map(|(name, set)| ValueSet {
                values: Names::new(set.values.iter().map(|value| (value.clone(), ())).collect()),
                open: set.open,
                measure: codes::MEASURES.iter().find(|(of, _)| of == name).map(|&(_, form)| form),
            })
            .collect();
        let kinds = DocumentKind::ALL.map(|kind| {
            let mut tags: Vec<(String, ElementId)> = Vec::new();
            for ((_, element), id) in raw.elements.iter().zip(0..) {
                if element.document == kind.word() && tags.iter().all(|(tag, _)| *tag != element.tag) {
                    tags.push((element.tag.clone(), id));
                }
            }
            KindTables { root: ids[raw.documents[kind.word()].root.as_str()], tags: Names::new(tags) }
        });
        Self { elements, sets, kinds }
    }
}

fn role(tag: &str) -> Role {
    match tag {
        "Redirect" | "Hangup" | "Reject" => Role::Ends,
        "Dial" => Role::Dial,
        "Gather" => Role::Gather,
        "Record" => Role::Record,
        "Say" => Role::Say,
        "Message" => Role::Message,
        "Media" => Role::Media,
        "Number" => Role::Number,
        "Conference" => Role::Conference,
        "Connect" | "Start" | "Stop" => Role::OneNoun,
        _ => Role::Plain,
    }
}

fn watch(element: &str, attribute: &str) -> Watch {
    match (element, attribute) {
        ("Dial", "action") => Watch::DialAction,
        ("Dial", "sequential") => Watch::DialSequential,
        ("Record", "transcribe") => Watch::RecordTranscribe,
        ("Record", "maxLength") => Watch::RecordMaxLength,
        ("Gather", "speechTimeout") => Watch::GatherSpeechTimeout,
        ("Gather", "speechModel") => Watch::GatherSpeechModel,
        _ => Watch::No,
    }
}

fn attribute(element: &str, name: &str, raw: &RawAttribute, sets: &HashMap<&str, usize>) -> Attribute {
    let here = |entry: &(&str, &str)| *entry == (element, name);
    let form = codes::FORMS.iter().find(|(of, is, _)| here(&(of, is))).map(|&(_, _, form)| form);
    let (code, severity) = codes::VALUES
        .iter()
        .find(|(of, is, ..)| here(&(of, is)))
        .map_or((codes::SCHEMA, Severity::Warning), |&(_, _, code, severity)| (code, severity));
    let set =
        || sets[raw.set.as_deref().expect("an enum attribute names its set; the tests read every attribute")];
    let noted = |words: &str| raw.note.as_deref().is_some_and(|note| note.contains(words));
    let takes = match raw.r#type {
        RawType::String => form.map_or(Takes::Any, Takes::Form),
        RawType::Int => Takes::Int { min: raw.min.map(|min| min as i64), max: raw.max.map(|max| max as i64) },
        RawType::Decimal => Takes::Decimal { min: raw.min, max: raw.max },
        RawType::Bool => Takes::Bool,
        RawType::Url if raw.relative_ok => Takes::Link { https_only: noted("https only") },
        RawType::Url => Takes::Url {
            schemes: raw.schemes.clone().unwrap_or_else(|| vec!["https".into(), "http".into()]),
            query: !noted("no query string"),
        },
        RawType::Enum => Takes::OneOf { set: set(), aliases: raw.aliases.keys().cloned().collect() },
        RawType::List if raw.set.is_some() => Takes::ListOf { set: set() },
        RawType::List => Takes::IntList,
        RawType::Sid => Takes::Sid { prefix: raw.sid_prefix.clone().unwrap_or_default() },
    };
    Attribute {
        takes,
        length_max: raw.max_length,
        code,
        severity,
        deprecated: raw.deprecation.as_ref().map(|deprecation| deprecation.why.clone()),
        watch: watch(element, name),
    }
}

#[derive(Deserialize)]
struct RawGrammar {
    documents: HashMap<String, RawDocument>,
    #[serde(deserialize_with = "in_order")]
    enums: Vec<(String, RawSet)>,
    #[serde(deserialize_with = "in_order")]
    elements: Vec<(String, RawElement)>,
}

#[derive(Deserialize)]
struct RawDocument {
    root: String,
}

#[derive(Deserialize)]
struct RawSet {
    values: Vec<String>,
    open: bool,
}

#[derive(Deserialize)]
struct RawElement {
    tag: String,
    document: String,
    parents: Vec<String>,
    children: Vec<String>,
    text: RawText,
    #[serde(deserialize_with = "in_order")]
    attributes: Vec<(String, RawAttribute)>,
    #[serde(default, deserialize_with = "in_order")]
    extra_attributes: Vec<(String, RawAttribute)>,
    deprecation: Option<RawDeprecation>,
}

#[derive(Deserialize)]
struct RawText {
    allowed: bool,
    required: bool,
    #[serde(rename = "type")]
    kind: Option<TextKind>,
}

#[derive(Deserialize)]
struct RawAttribute {
    r#type: RawType,
    #[serde(rename = "enum")]
    set: Option<String>,
    #[serde(default)]
    relative_ok: bool,
    schemes: Option<Vec<String>>,
    sid_prefix: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    max_length: Option<usize>,
    #[serde(default)]
    aliases: HashMap<String, String>,
    note: Option<String>,
    deprecation: Option<RawDeprecation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawType {
    String,
    Int,
    Decimal,
    Bool,
    Url,
    Enum,
    List,
    Sid,
}

#[derive(Deserialize)]
struct RawDeprecation {
    why: String,
}

/// Reads a JSON object as pairs in the order of the file, which is the order that messages list names in.
fn in_order<'de, D, T>(deserializer: D) -> Result<Vec<(String, T)>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Pairs<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Pairs<T> {
        type Value = Vec<(String, T)>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Pairs(std::marker::PhantomData))
}
