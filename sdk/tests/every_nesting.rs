// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Of all pairs of elements, exactly those of the grammar compile.

#![allow(deprecated)]

use hookswitch_sdk::twiml::*;

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
            ("fax.FaxResponse", Pair::<$parent, fax::Document>::COMPILES),
            ("fax.Receive", Pair::<$parent, fax::Receive>::COMPILES),
            ("messaging.Body", Pair::<$parent, messaging::Body>::COMPILES),
            ("messaging.Media", Pair::<$parent, messaging::Media>::COMPILES),
            ("messaging.Message", Pair::<$parent, messaging::Message>::COMPILES),
            ("messaging.MessagingResponse", Pair::<$parent, messaging::Reply>::COMPILES),
            ("messaging.Redirect", Pair::<$parent, messaging::Redirect>::COMPILES),
            ("voice.AiSession", Pair::<$parent, AiSession>::COMPILES),
            ("voice.Application", Pair::<$parent, Application>::COMPILES),
            ("voice.ApplicationSid", Pair::<$parent, ApplicationSid>::COMPILES),
            ("voice.Autopilot", Pair::<$parent, Autopilot>::COMPILES),
            ("voice.Client", Pair::<$parent, Client>::COMPILES),
            ("voice.Conference", Pair::<$parent, Conference>::COMPILES),
            ("voice.Config", Pair::<$parent, Config>::COMPILES),
            ("voice.Connect", Pair::<$parent, Connect>::COMPILES),
            ("voice.Conversation", Pair::<$parent, Conversation>::COMPILES),
            ("voice.ConversationRelay", Pair::<$parent, ConversationRelay>::COMPILES),
            ("voice.ConversationRelaySession", Pair::<$parent, ConversationRelaySession>::COMPILES),
            ("voice.Dial", Pair::<$parent, Dial>::COMPILES),
            ("voice.Echo", Pair::<$parent, Echo>::COMPILES),
            ("voice.Enqueue", Pair::<$parent, Enqueue>::COMPILES),
            ("voice.Gather", Pair::<$parent, Gather>::COMPILES),
            ("voice.Hangup", Pair::<$parent, Hangup>::COMPILES),
            ("voice.Header", Pair::<$parent, Header>::COMPILES),
            ("voice.Headers", Pair::<$parent, Headers>::COMPILES),
            ("voice.Identity", Pair::<$parent, Identity>::COMPILES),
            ("voice.Language", Pair::<$parent, Language>::COMPILES),
            ("voice.Leave", Pair::<$parent, Leave>::COMPILES),
            ("voice.Number", Pair::<$parent, Number>::COMPILES),
            ("voice.Parameter", Pair::<$parent, Parameter>::COMPILES),
            ("voice.Pause", Pair::<$parent, Pause>::COMPILES),
            ("voice.Pay", Pair::<$parent, Pay>::COMPILES),
            ("voice.Play", Pair::<$parent, Play>::COMPILES),
            ("voice.Prompt", Pair::<$parent, Prompt>::COMPILES),
            ("voice.Queue", Pair::<$parent, Queue>::COMPILES),
            ("voice.Record", Pair::<$parent, Record>::COMPILES),
            ("voice.Recording", Pair::<$parent, Recording>::COMPILES),
            ("voice.Redirect", Pair::<$parent, Redirect>::COMPILES),
            ("voice.Refer", Pair::<$parent, Refer>::COMPILES),
            ("voice.ReferSip", Pair::<$parent, ReferSip>::COMPILES),
            ("voice.Reject", Pair::<$parent, Reject>::COMPILES),
            ("voice.Room", Pair::<$parent, Room>::COMPILES),
            ("voice.Say", Pair::<$parent, Say>::COMPILES),
            ("voice.Sim", Pair::<$parent, Sim>::COMPILES),
            ("voice.Sip", Pair::<$parent, Sip>::COMPILES),
            ("voice.SipUri", Pair::<$parent, SipUri>::COMPILES),
            ("voice.Siprec", Pair::<$parent, Siprec>::COMPILES),
            ("voice.Sms", Pair::<$parent, Sms>::COMPILES),
            ("voice.SsmlBreak", Pair::<$parent, ssml::Break>::COMPILES),
            ("voice.SsmlEmphasis", Pair::<$parent, ssml::Emphasis>::COMPILES),
            ("voice.SsmlLang", Pair::<$parent, ssml::Lang>::COMPILES),
            ("voice.SsmlP", Pair::<$parent, ssml::P>::COMPILES),
            ("voice.SsmlPhoneme", Pair::<$parent, ssml::Phoneme>::COMPILES),
            ("voice.SsmlProsody", Pair::<$parent, ssml::Prosody>::COMPILES),
            ("voice.SsmlS", Pair::<$parent, ssml::S>::COMPILES),
            ("voice.SsmlSayAs", Pair::<$parent, ssml::SayAs>::COMPILES),
            ("voice.SsmlSub", Pair::<$parent, ssml::Sub>::COMPILES),
            ("voice.SsmlW", Pair::<$parent, ssml::W>::COMPILES),
            ("voice.Start", Pair::<$parent, Start>::COMPILES),
            ("voice.Stop", Pair::<$parent, Stop>::COMPILES),
            ("voice.Stream", Pair::<$parent, Stream>::COMPILES),
            ("voice.Task", Pair::<$parent, Task>::COMPILES),
            ("voice.Transcription", Pair::<$parent, Transcription>::COMPILES),
            ("voice.VirtualAgent", Pair::<$parent, VirtualAgent>::COMPILES),
            ("voice.VoiceResponse", Pair::<$parent, Document>::COMPILES),
            ("voice.WhatsApp", Pair::<$parent, WhatsApp>::COMPILES),
        ]
        .iter()
        .filter(|(_, compiles)| *compiles)
        .map(|(child, _)| *child)
        .collect::<Vec<_>>()
    };
}

#[test]
fn no_pair_but_those_of_the_grammar_compiles() {
    assert_eq!(children_of!(fax::Document), ["fax.Receive"]);
    assert!(children_of!(fax::Receive).is_empty());
    assert!(children_of!(messaging::Body).is_empty());
    assert!(children_of!(messaging::Media).is_empty());
    assert_eq!(children_of!(messaging::Message), ["messaging.Body", "messaging.Media"]);
    assert_eq!(children_of!(messaging::Reply), ["messaging.Message", "messaging.Redirect"]);
    assert!(children_of!(messaging::Redirect).is_empty());
    assert!(children_of!(AiSession).is_empty());
    assert_eq!(children_of!(Application), ["voice.ApplicationSid", "voice.Parameter"]);
    assert!(children_of!(ApplicationSid).is_empty());
    assert!(children_of!(Autopilot).is_empty());
    assert_eq!(children_of!(Client), ["voice.Identity", "voice.Parameter"]);
    assert!(children_of!(Conference).is_empty());
    assert!(children_of!(Config).is_empty());
    assert_eq!(
        children_of!(Connect),
        [
            "voice.AiSession",
            "voice.Autopilot",
            "voice.Conversation",
            "voice.ConversationRelay",
            "voice.ConversationRelaySession",
            "voice.Room",
            "voice.Stream",
            "voice.VirtualAgent"
        ]
    );
    assert!(children_of!(Conversation).is_empty());
    assert_eq!(children_of!(ConversationRelay), ["voice.Language", "voice.Parameter"]);
    assert!(children_of!(ConversationRelaySession).is_empty());
    assert_eq!(
        children_of!(Dial),
        [
            "voice.Application",
            "voice.Client",
            "voice.Conference",
            "voice.Number",
            "voice.Queue",
            "voice.Sim",
            "voice.Sip",
            "voice.WhatsApp"
        ]
    );
    assert!(children_of!(Echo).is_empty());
    assert_eq!(children_of!(Enqueue), ["voice.Task"]);
    assert_eq!(children_of!(Gather), ["voice.Pause", "voice.Play", "voice.Say"]);
    assert_eq!(children_of!(Hangup), ["voice.Parameter"]);
    assert!(children_of!(Header).is_empty());
    assert_eq!(children_of!(Headers), ["voice.Header"]);
    assert!(children_of!(Identity).is_empty());
    assert!(children_of!(Language).is_empty());
    assert!(children_of!(Leave).is_empty());
    assert!(children_of!(Number).is_empty());
    assert!(children_of!(Parameter).is_empty());
    assert!(children_of!(Pause).is_empty());
    assert_eq!(children_of!(Pay), ["voice.Parameter", "voice.Prompt"]);
    assert!(children_of!(Play).is_empty());
    assert_eq!(children_of!(Prompt), ["voice.Pause", "voice.Play", "voice.Say"]);
    assert!(children_of!(Queue).is_empty());
    assert!(children_of!(Record).is_empty());
    assert!(children_of!(Recording).is_empty());
    assert!(children_of!(Redirect).is_empty());
    assert_eq!(children_of!(Refer), ["voice.ReferSip"]);
    assert!(children_of!(ReferSip).is_empty());
    assert_eq!(children_of!(Reject), ["voice.Parameter"]);
    assert!(children_of!(Room).is_empty());
    assert_eq!(
        children_of!(Say),
        [
            "voice.SsmlBreak",
            "voice.SsmlEmphasis",
            "voice.SsmlLang",
            "voice.SsmlP",
            "voice.SsmlPhoneme",
            "voice.SsmlProsody",
            "voice.SsmlS",
            "voice.SsmlSayAs",
            "voice.SsmlSub",
            "voice.SsmlW"
        ]
    );
    assert!(children_of!(Sim).is_empty());
    assert_eq!(children_of!(Sip), ["voice.Headers", "voice.SipUri"]);
    assert!(children_of!(SipUri).is_empty());
    assert_eq!(children_of!(Siprec), ["voice.Parameter"]);
    assert!(children_of!(Sms).is_empty());
    assert!(children_of!(ssml::Break).is_empty());
    assert_eq!(
        children_of!(ssml::Emphasis),
        [
            "voice.SsmlBreak",
            "voice.SsmlEmphasis",
            "voice.SsmlLang",
            "voice.SsmlPhoneme",
            "voice.SsmlProsody",
            "voice.SsmlSayAs",
            "voice.SsmlSub",
            "voice.SsmlW"
        ]
    );
    assert_eq!(
        children_of!(ssml::Lang),
        [
            "voice.SsmlBreak",
            "voice.SsmlEmphasis",
            "voice.SsmlLang",
            "voice.SsmlP",
            "voice.SsmlPhoneme",
            "voice.SsmlProsody",
            "voice.SsmlS",
            "voice.SsmlSayAs",
            "voice.SsmlSub",
            "voice.SsmlW"
        ]
    );
    assert_eq!(
        children_of!(ssml::P),
        [
            "voice.SsmlBreak",
            "voice.SsmlEmphasis",
            "voice.SsmlLang",
            "voice.SsmlPhoneme",
            "voice.SsmlProsody",
            "voice.SsmlS",
            "voice.SsmlSayAs",
            "voice.SsmlSub",
            "voice.SsmlW"
        ]
    );
    assert!(children_of!(ssml::Phoneme).is_empty());
    assert_eq!(
        children_of!(ssml::Prosody),
        [
            "voice.SsmlBreak",
            "voice.SsmlEmphasis",
            "voice.SsmlLang",
            "voice.SsmlP",
            "voice.SsmlPhoneme",
            "voice.SsmlProsody",
            "voice.SsmlS",
            "voice.SsmlSayAs",
            "voice.SsmlSub",
            "voice.SsmlW"
        ]
    );
    assert_eq!(
        children_of!(ssml::S),
        [
            "voice.SsmlBreak",
            "voice.SsmlEmphasis",
            "voice.SsmlLang",
            "voice.SsmlPhoneme",
            "voice.SsmlProsody",
            "voice.SsmlSayAs",
            "voice.SsmlSub",
            "voice.SsmlW"
        ]
    );
    assert!(children_of!(ssml::SayAs).is_empty());
    assert!(children_of!(ssml::Sub).is_empty());
    assert_eq!(
        children_of!(ssml::W),
        [
            "voice.SsmlBreak",
            "voice.SsmlEmphasis",
            "voice.SsmlPhoneme",
            "voice.SsmlProsody",
            "voice.SsmlSayAs",
            "voice.SsmlSub"
        ]
    );
    assert_eq!(
        children_of!(Start),
        ["voice.Recording", "voice.Siprec", "voice.Stream", "voice.Transcription"]
    );
    assert_eq!(children_of!(Stop), ["voice.Siprec", "voice.Stream", "voice.Transcription"]);
    assert_eq!(children_of!(Stream), ["voice.Parameter"]);
    assert!(children_of!(Task).is_empty());
    assert_eq!(children_of!(Transcription), ["voice.Config", "voice.Parameter"]);
    assert_eq!(children_of!(VirtualAgent), ["voice.Config", "voice.Parameter"]);
    assert_eq!(
        children_of!(Document),
        [
            "voice.Connect",
            "voice.Dial",
            "voice.Echo",
            "voice.Enqueue",
            "voice.Gather",
            "voice.Hangup",
            "voice.Leave",
            "voice.Pause",
            "voice.Pay",
            "voice.Play",
            "voice.Prompt",
            "voice.Queue",
            "voice.Record",
            "voice.Redirect",
            "voice.Refer",
            "voice.Reject",
            "voice.Say",
            "voice.Sms",
            "voice.Start",
            "voice.Stop"
        ]
    );
    assert!(children_of!(WhatsApp).is_empty());
}
