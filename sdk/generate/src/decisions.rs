//! What the data leaves open: which file an element is in, what it is for, what a list is called.

use crate::names::pascal;

/// One file of the builder.
pub struct Area {
    /// Its path under `sdk/src/twiml/`, without `.rs`.
    pub path: &'static str,
    pub about: &'static str,
    /// Ids of the elements, in the order of the file, each with a sentence about it.
    pub elements: &'static [(&'static str, &'static str)],
}

/// Every element has its place here; a new one is missed by name.
pub const AREAS: &[Area] = &[
    Area {
        path: "voice/document",
        about: "The document that answers a voice webhook.",
        elements: &[("voice.VoiceResponse", "What the caller hears next: verbs, one after the other.")],
    },
    Area {
        path: "voice/say",
        about: "What the caller hears: speech, sound, silence.",
        elements: &[
            ("voice.Say", "Reads text to the caller. Speech markup may stand between the words."),
            ("voice.Play", "Plays a sound file, or sends key tones with `digits`."),
            ("voice.Pause", "Waits in silence."),
        ],
    },
    Area {
        path: "voice/gather",
        about: "Collecting digits and speech.",
        elements: &[(
            "voice.Gather",
            "Collects keys or speech while what is inside is heard. The result comes with the next \
             webhook, to `action`; without any input the verb after it is next.",
        )],
    },
    Area {
        path: "voice/dial",
        about: "Connecting the caller to somebody.",
        elements: &[(
            "voice.Dial",
            "Connects the caller to a number or to what is named inside. Afterwards `action` is \
             asked, if there is one.",
        )],
    },
    Area {
        path: "voice/number",
        about: "Telephones that can be dialled.",
        elements: &[
            ("voice.Number", "A telephone number to dial."),
            ("voice.WhatsApp", "A WhatsApp number to dial."),
            ("voice.Sim", "A SIM to dial."),
        ],
    },
    Area {
        path: "voice/sip",
        about: "SIP: dialling it, and handing a SIP call over.",
        elements: &[
            ("voice.Sip", "A SIP address to dial."),
            ("voice.SipUri", "One of several addresses of a SIP destination."),
            ("voice.Headers", "SIP headers to send along."),
            ("voice.Header", "One SIP header."),
            ("voice.Refer", "Hands a SIP call over to another address and leaves it."),
            ("voice.ReferSip", "Where a SIP call is handed over to."),
        ],
    },
    Area {
        path: "voice/client",
        about: "Applications that can be dialled, and what they are told.",
        elements: &[
            ("voice.Client", "A client application to dial, by its identity."),
            ("voice.Identity", "The identity of the client, where parameters are given too."),
            ("voice.Application", "Another TwiML application to dial."),
            ("voice.ApplicationSid", "The id of the application, where parameters are given too."),
            ("voice.Parameter", "A name and a value for the other side."),
        ],
    },
    Area {
        path: "voice/conference",
        about: "Conferences.",
        elements: &[("voice.Conference", "A conference to join, by its name.")],
    },
    Area {
        path: "voice/queue",
        about: "Waiting in a queue, and serving one.",
        elements: &[
            ("voice.Enqueue", "Puts the caller into a queue, by its name."),
            ("voice.Task", "What is known about the caller, for the workflow that picks an agent."),
            ("voice.Queue", "A queue whose first caller is connected."),
            ("voice.Leave", "Takes the caller out of the queue."),
        ],
    },
    Area {
        path: "voice/record",
        about: "Recordings.",
        elements: &[
            ("voice.Record", "Records the caller, for a voicemail or an answer."),
            ("voice.Recording", "Records the call in the background from now on."),
        ],
    },
    Area {
        path: "voice/pay",
        about: "Payments.",
        elements: &[
            ("voice.Pay", "Takes card or bank data from the caller and has them charged or kept."),
            ("voice.Prompt", "What the caller hears at one step of a payment."),
        ],
    },
    Area {
        path: "voice/flow",
        about: "Where a call goes on, and where it ends.",
        elements: &[
            ("voice.Redirect", "Goes on with the document at a link."),
            ("voice.Hangup", "Ends the call."),
            ("voice.Reject", "Refuses the call without answering it."),
            ("voice.Echo", "Sends the caller's own voice back, as a test."),
            ("voice.Sms", "Sends a text message."),
        ],
    },
    Area {
        path: "voice/connect",
        about: "Connecting a call to a machine or a conversation.",
        elements: &[
            ("voice.Connect", "Hands the call to what is named inside, until that lets it go."),
            ("voice.Conversation", "A conversation, with its own way of reaching agents."),
            ("voice.Room", "A video room to join, by its name."),
            ("voice.VirtualAgent", "A virtual agent of a provider."),
            ("voice.Config", "A setting of the provider, by name and value."),
            ("voice.AiSession", "A session with an AI connector."),
            ("voice.ConversationRelaySession", "A configured session of ConversationRelay."),
            ("voice.Autopilot", "An Autopilot assistant."),
        ],
    },
    Area {
        path: "voice/conversation_relay",
        about: "Speech as text over a WebSocket.",
        elements: &[
            (
                "voice.ConversationRelay",
                "Turns speech into text for a WebSocket and the answers into speech.",
            ),
            ("voice.Language", "How one language is recognised and spoken."),
        ],
    },
    Area {
        path: "voice/stream",
        about: "What runs beside a call: streams, transcriptions, SIPREC.",
        elements: &[
            ("voice.Start", "Starts something beside the call and goes on at once."),
            ("voice.Stop", "Stops what `Start` began under that name."),
            ("voice.Stream", "Sends the call's audio to a WebSocket."),
            ("voice.Siprec", "Sends the call's audio to a SIPREC recorder."),
            ("voice.Transcription", "Writes down what is said, while it is said."),
        ],
    },
    Area {
        path: "ssml/words",
        about: "How single words are read, and pauses between them.",
        elements: &[
            ("voice.SsmlBreak", "A pause between words."),
            ("voice.SsmlEmphasis", "Words with weight."),
            ("voice.SsmlW", "A word whose part of speech is told."),
            ("voice.SsmlPhoneme", "Words with their pronunciation."),
            ("voice.SsmlSayAs", "Something that is read as a date, digits, letters and so on."),
            ("voice.SsmlSub", "Something that is read as something else: `alias`."),
        ],
    },
    Area {
        path: "ssml/passages",
        about: "How longer passages are read.",
        elements: &[
            ("voice.SsmlP", "A paragraph."),
            ("voice.SsmlS", "A sentence."),
            ("voice.SsmlLang", "Words in another language."),
            ("voice.SsmlProsody", "Words louder, higher or faster."),
        ],
    },
    Area {
        path: "messaging",
        about: "The document that answers a message, and what it holds.",
        elements: &[
            (
                "messaging.MessagingResponse",
                "What a message is answered: nothing, or messages one after the other.",
            ),
            ("messaging.Message", "Sends a message, to who wrote unless `to` says otherwise."),
            ("messaging.Body", "The text of a message that has media too."),
            ("messaging.Media", "A picture or another file, by its address."),
            ("messaging.Redirect", "Goes on with the document at a link."),
        ],
    },
    Area {
        path: "fax",
        about: "The document that answers a fax.",
        elements: &[
            ("fax.FaxResponse", "What happens with an incoming fax."),
            ("fax.Receive", "Takes the fax."),
        ],
    },
];

/// The areas that are several files, each with a sentence about all of them.
pub const FOLDERS: [(&str, &str); 2] = [
    ("voice", "Verbs and nouns of the document that answers a voice webhook."),
    ("ssml", "Speech markup: what may stand between the words of `Say`."),
];

/// Lists with the same words are one type, so that `Trim` is `Trim` in every verb.
const LISTS: &[(&str, &[&str])] = &[
    ("Method", &["http-method"]),
    ("CallEvent", &["application-event", "client-event", "number-event", "sip-event", "whats-app-event"]),
    (
        "RecordingEvent",
        &[
            "conference-recording-event",
            "conversation-recording-event",
            "dial-recording-event",
            "record-recording-event",
            "recording-event",
        ],
    ),
    ("Trim", &["conference-trim", "conversation-trim", "dial-trim", "record-trim", "recording-trim"]),
    ("RecordingTrack", &["dial-recording-track", "recording-track"]),
    ("Track", &["siprec-track", "stream-track", "transcription-track"]),
    ("CardType", &["pay-valid-card-types", "prompt-card-type"]),
    ("DialEvent", &["dial-events"]),
    ("RingTone", &["dial-ring-tone"]),
    ("JitterBufferSize", &["conference-jitter-buffer-size"]),
    ("Voice", &["say-voice"]),
    ("SsmlLanguage", &["ssml-lang-xml-lang"]),
    ("FaxMediaType", &["receive-media-type"]),
    ("FaxPageSize", &["receive-page-size"]),
];

/// What a list is called in Rust: by default as in the data.
pub fn list_type(list: &str) -> String {
    match LISTS.iter().find(|(_, lists)| lists.contains(&list)) {
        Some((name, _)) => (*name).to_owned(),
        None => pascal(list),
    }
}

/// What an element is called in Rust: as in the data, speech markup without its prefix, which is
/// its module. A root is what a handler answers with.
pub fn element_type(id: &str) -> &str {
    match id {
        "voice.VoiceResponse" | "fax.FaxResponse" => "Document",
        "messaging.MessagingResponse" => "Reply",
        _ => {
            let name = id.split_once('.').map_or(id, |(_, name)| name);
            name.strip_prefix("Ssml").unwrap_or(name)
        }
    }
}

/// Elements without anything to say about them: their method takes nothing.
pub const BARE: [&str; 4] = ["voice.Echo", "voice.Hangup", "voice.Leave", "voice.SsmlBreak"];

/// Elements whose text may be left out and usually is, so that `new` takes none.
pub const NEW_WITHOUT_TEXT: [&str; 1] = ["voice.Dial"];

/// The file under `sdk/src/twiml/values/` for a list of words, where a long one is in several by
/// the family of the word.
pub fn list_file(list: &str, is_open: bool, word: &str) -> &'static str {
    match (list, is_open) {
        ("say-voice", _) if word.contains("Chirp3") => "voices_google_chirp3",
        ("say-voice", _) if word.contains("Wavenet") => "voices_google_wavenet",
        ("say-voice", _) if word.starts_with("Google.") => "voices_google",
        ("say-voice", _) => "voices",
        (list, true) if list.contains("lang") => "languages",
        (_, true) => "open",
        (list, false) if list.starts_with("ssml-") => "speech",
        (_, false) => "closed",
    }
}
