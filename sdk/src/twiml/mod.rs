//! Documents: what a handler answers, written with the whole grammar of TwiML.
//!
//! [`Document`] answers a call, [`Reply`] a message. A verb is a method of the document, an
//! attribute a method of the verb, a noun a method of its verb. Where an element is mostly text,
//! text will do.
//!
//! ```
//! use hookswitch_sdk::twiml::{Dial, Document, Gather, Link, Trim};
//!
//! let document = Document::new()
//!     .gather(Gather::digits(1).action("menu").say("For sales, press one."))
//!     .dial(Dial::to("+12025550123").timeout(20).action(Link::step("nobody")).trim(Trim::TrimSilence))
//!     .say("Goodbye.")
//!     .hangup();
//! assert_eq!(
//!     document.to_string(),
//!     concat!(
//!         r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#,
//!         r#"<Gather numDigits="1" action="menu"><Say>For sales, press one.</Say></Gather>"#,
//!         r#"<Dial timeout="20" action="nobody" trim="trim-silence">+12025550123</Dial>"#,
//!         r#"<Say>Goodbye.</Say><Hangup/></Response>"#,
//!     ),
//! );
//! ```
//!
//! Speech markup stands between the words, in the order of the calls:
//!
//! ```
//! use hookswitch_sdk::twiml::{Say, SsmlSayAsInterpretAs, ssml};
//!
//! let say = Say::new("Your code is ")
//!     .say_as(ssml::SayAs::new("4711").interpret_as(SsmlSayAsInterpretAs::Digits))
//!     .break_()
//!     .text("I repeat.");
//! assert_eq!(
//!     say.to_string(),
//!     r#"<Say>Your code is <say-as interpret-as="digits">4711</say-as><break/>I repeat.</Say>"#,
//! );
//! ```
//!
//! # What does not compile
//!
//! The grammar is in the types. A verb has no method for what may not stand in it, and
//! [`child`](Document::child) names both sides in the compiler's message.
//!
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let speech_where_a_number_belongs = Dial::new().child(Say::new("Connecting you."));
//! ```
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let message_in_a_call = Document::new().child(Message::new("Hello."));
//! ```
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let call_in_a_message = Reply::new().child(Say::new("Hello."));
//! ```
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let noun_without_its_verb = Document::new().child(Number::new("+12025550123"));
//! ```
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let speech_markup_without_speech = Gather::new().child(ssml::Break::new());
//! ```
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let paragraph_in_a_sentence = ssml::S::new("One.").child(ssml::P::new("Two."));
//! ```
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let gather_in_a_gather = Gather::digits(1).child(Gather::digits(1));
//! ```
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let another_roots_redirect = Document::new().child(messaging::Redirect::new("menu"));
//! ```
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let a_verb_for_another = Document::new().gather(Dial::to("+12025550123"));
//! ```
//! ```compile_fail,E0277
//! use hookswitch_sdk::twiml::*;
//! let text_for_what_has_none = Document::new().gather("For sales, press one.");
//! ```
//! ```compile_fail,E0599
//! use hookswitch_sdk::twiml::*;
//! let no_such_method = Dial::new().say("Connecting you.");
//! ```
//!
//! # What happens to text
//!
//! Everything given as text is escaped, and comes out of an XML reader as it went in, with one
//! exception: characters that XML 1.0 cannot hold at all are dropped, in text and in attributes.
//! These are U+0000 to U+001F except tab, line feed and carriage return, and U+FFFE and U+FFFF. A
//! handler must not fail in front of a caller for a stray control character in a name. Setting an
//! attribute again replaces it; the order of setters and children does not matter otherwise.
//!
//! For what the grammar does not know there are `attribute` on every element, [`Raw`] as a child
//! of any, and [`Document::raw`] for a document that was written elsewhere.
//!
//! # How it is made
//!
//! An element writes itself into one text as its methods are called; there is no tree. The files
//! of elements and words are generated from `spec/twiml.json` by `hookswitch-sdk-generate`.

mod element;
mod link;
mod markup;
mod shortcuts;
mod value;

pub mod fax;
pub mod messaging;
pub mod ssml;
pub mod values;
pub mod voice;

pub use element::{ChildOf, Element, IntoElement, Piece, Raw};
pub use link::Link;
pub use messaging::{Body, Media, Message, Reply};
pub use value::Decimal;
pub use values::*;
pub use voice::*;
