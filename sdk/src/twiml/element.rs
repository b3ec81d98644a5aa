//! What an element is, and what may stand in it.
//!
//! The grammar is in the types: `A: ChildOf<B>` exists exactly for the pairs of the grammar, so a
//! wrong nesting is a compile error that names both. Nobody else can add pairs, as [`Markup`] has
//! no public name.

use super::markup::Markup;

/// An element of TwiML.
pub trait Element: Sized {
    /// Its end tag, such as `</Say>`.
    const END: &'static str;

    /// What has been written of it.
    #[doc(hidden)]
    fn into_markup(self) -> Markup;
}

/// Something that may stand in `Parent`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in `{Parent}`",
    label = "not allowed in `{Parent}`",
    note = "the documentation of `{Parent}` lists what it holds"
)]
pub trait ChildOf<Parent>: Piece {}

/// Something that can be written into a document.
pub trait Piece: Sized {
    /// Writes it behind what `parent` holds.
    #[doc(hidden)]
    fn write_into(self, parent: &mut Markup);
}

impl<E: Element> Piece for E {
    fn write_into(self, parent: &mut Markup) {
        parent.child(&self.into_markup(), E::END);
    }
}

/// An element, or what can stand for it: the text of an element that is mostly text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for `{E}`",
    label = "neither `{E}` nor its text"
)]
pub trait IntoElement<E: Element>: Sized {
    /// Writes it behind what `parent` holds.
    #[doc(hidden)]
    fn write_into(self, parent: &mut Markup);
}

impl<E: Element> IntoElement<E> for E {
    fn write_into(self, parent: &mut Markup) {
        Piece::write_into(self, parent);
    }
}

/// Markup that is passed on as it is, unchecked and unescaped: for what the carrier understands
/// and this grammar does not. It may stand in every element.
///
/// ```
/// use hookswitch_sdk::twiml::{Document, Raw};
///
/// let document = Document::new().say("One moment.").child(Raw("<Teleport to=\"+12025550123\"/>"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(pub &'a str);

impl Piece for Raw<'_> {
    fn write_into(self, parent: &mut Markup) {
        parent.raw(self.0);
    }
}

impl<Parent: Element> ChildOf<Parent> for Raw<'_> {}

/// Makes `$name` an element: `element!(Say, "Say", [default, text], in [Document, Gather])`.
///
/// Of the options, `default` says that it may be empty, `text` that text may stand for it and
/// `link` that a [`Link`](super::Link) may. `in` lists the parents.
macro_rules! element {
    ($name:ident, $tag:literal, [$($option:ident),*], in [$($parent:ty),*]) => {
        impl $name {
            /// Sets an attribute that the grammar does not know. `name` is ASCII letters, digits,
            /// `.`, `-` and `_`, begins with a letter or `_`, and may have the prefix `xml:`;
            /// any other name would break the document and is left out with its value.
            pub fn attribute(mut self, name: &str, value: impl AsRef<str>) -> Self {
                self.0.other_attribute(name, value.as_ref());
                self
            }
        }

        element!(@written $name, $tag);
        $(element!(@$option $name, $tag);)*
        $(impl $crate::twiml::element::ChildOf<$parent> for $name {})*
    };
    (@default $name:ident, $tag:literal) => {
        impl Default for $name {
            fn default() -> Self {
                Self($crate::twiml::markup::Markup::open(concat!("<", $tag), 128))
            }
        }
    };
    (@text $name:ident, $tag:literal) => {
        impl<T: AsRef<str>> $crate::twiml::element::IntoElement<$name> for T {
            fn write_into(self, parent: &mut $crate::twiml::markup::Markup) {
                let (start, end) = (concat!("<", $tag, ">"), concat!("</", $tag, ">"));
parent.text_element(start, self.as_ref(), end);
            }
        }
    };
    (@link $name:ident, $tag:literal) => {
        impl $crate::twiml::element::IntoElement<$name> for $crate::twiml::link::Link<'_> {
            fn write_into(self, parent: &mut $crate::twiml::markup::Markup) {
                let (start, end) = (concat!("<", $tag, ">"), concat!("</", $tag, ">"));
parent.text_element(start, self.as_str(), end);
            }
        }
    };
    (@written $name:ident, $tag:literal) => {
        impl $name {
            /// Adds anything that may stand here, behind what there is. What may not, does not
            /// compile.
            pub fn child(mut self, child: impl $crate::twiml::element::ChildOf<Self>) -> Self {
                $crate::twiml::element::Piece::write_into(child, &mut self.0);
                self
            }
        }

        impl $crate::twiml::element::Element for $name {
            const END: &'static str = concat!("</", $tag, ">");

            fn into_markup(self) -> $crate::twiml::markup::Markup {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.display(f, <Self as $crate::twiml::element::Element>::END)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}

/// Makes `$name` the root of a document.
macro_rules! root {
    ($name:ident) => {
        impl $name {
            /// A document of finished markup, unchecked and unescaped: either the whole of it or
            /// what stands inside `<Response>`. Verbs can be added as usual.
            ///
            /// The XML declaration and the root are taken off and written anew; anything else
            /// before the root, such as a comment, is not expected.
            pub fn raw(xml: impl AsRef<str>) -> Self {
                let mut document = Self::new();
                document.0.raw($crate::twiml::element::inside_response(xml.as_ref()));
                document
            }

            /// The document as text, XML declaration first.
            pub fn into_string(self) -> String {
                self.0.into_string("</Response>")
            }
        }

        impl Default for $name {
            fn default() -> Self {
                let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response";
                Self($crate::twiml::markup::Markup::open(start, 512))
            }
        }

        impl From<$name> for String {
            fn from(document: $name) -> Self {
                document.into_string()
            }
        }

        $crate::twiml::element::element!(@written $name, "Response");
    };
}

pub(super) use {element, root};

/// What stands inside the root of `xml`, or `xml` itself where it has no root.
pub(super) fn inside_response(xml: &str) -> &str {
    let mut inside = xml.trim();
    if inside.starts_with("<?xml")
        && let Some((_, behind)) = inside.split_once("?>")
    {
        inside = behind.trim_start();
    }
    if matches!(inside, "<Response/>" | "<Response />") {
        return "";
    }
    let root = inside.strip_prefix("<Response>").and_then(|rest| rest.strip_suffix("</Response>"));
    root.unwrap_or(inside)
}
