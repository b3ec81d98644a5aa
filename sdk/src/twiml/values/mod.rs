// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! The words that attributes take, list by list.

mod closed;
mod languages;
mod open;
mod speech;
mod voices;
mod voices_google;
mod voices_google_chirp3;
mod voices_google_wavenet;

pub use closed::{
    CallEvent, CardType, ConferenceBeep, ConferenceEvent, ConferenceRecord, ConversationEvent,
    ConversationRecord, DialEvent, DialRecord, FaxMediaType, FaxPageSize, GatherInput, InterruptSensitivity,
    JitterBufferSize, MachineDetection, Method, OnOffAuto, PayBankAccountType, PayInput, PayPaymentMethod,
    PayTokenType, PromptErrorType, PromptFor, RecordingChannels, RecordingEvent, RecordingTrack,
    RejectReason, Track, Trim,
};
pub use languages::{GatherLanguage, PayLanguage, SayLanguage, SsmlLanguage};
pub use open::{
    ConferenceRegion, InterruptMode, ProsodyPitch, ProsodyRate, ProsodyVolume, RingTone, SpeechModel,
};
pub use speech::{
    SsmlBreakStrength, SsmlEmphasisLevel, SsmlPhonemeAlphabet, SsmlSayAsFormat, SsmlSayAsInterpretAs,
};
pub use voices::Voice;
