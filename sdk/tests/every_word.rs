// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Every list has the words of the grammar, and an open one takes others too.

#![allow(deprecated)]

use hookswitch_sdk::twiml::*;

/// All words of a closed list in a row.
macro_rules! all {
    ($list:ident) => {
        $list::ALL.iter().map(|value| value.as_str()).collect::<Vec<_>>()
    };
}

#[test]
fn closed_lists_have_the_words_of_the_grammar() {
    assert_eq!(all!(CallEvent), ["initiated", "ringing", "answered", "completed"]);
    assert_eq!(
        all!(CardType),
        ["visa", "mastercard", "amex", "maestro", "discover", "optima", "jcb", "diners-club", "enroute"]
    );
    assert_eq!(all!(ConferenceBeep), ["true", "false", "onEnter", "onExit"]);
    assert_eq!(
        all!(ConferenceEvent),
        ["start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"]
    );
    assert_eq!(all!(ConferenceRecord), ["do-not-record", "record-from-start"]);
    assert_eq!(
        all!(ConversationEvent),
        ["call-initiated", "call-ringing", "call-answered", "call-completed"]
    );
    assert_eq!(
        all!(ConversationRecord),
        [
            "do-not-record",
            "record-from-answer",
            "record-from-ringing",
            "record-from-answer-dual",
            "record-from-ringing-dual",
            "true",
            "false"
        ]
    );
    assert_eq!(all!(DialEvent), ["call-progress-event"]);
    assert_eq!(
        all!(DialRecord),
        [
            "do-not-record",
            "record-from-answer",
            "record-from-ringing",
            "record-from-answer-dual",
            "record-from-ringing-dual"
        ]
    );
    assert_eq!(all!(FaxMediaType), ["application/pdf", "image/tiff"]);
    assert_eq!(all!(FaxPageSize), ["letter", "legal", "a4"]);
    assert_eq!(all!(GatherInput), ["dtmf", "speech"]);
    assert_eq!(all!(InterruptSensitivity), ["low", "medium", "high"]);
    assert_eq!(all!(JitterBufferSize), ["large", "medium", "small", "off"]);
    assert_eq!(all!(MachineDetection), ["Enable", "DetectMessageEnd"]);
    assert_eq!(all!(Method), ["GET", "POST"]);
    assert_eq!(all!(OnOffAuto), ["auto", "on", "off"]);
    assert_eq!(
        all!(PayBankAccountType),
        ["consumer-checking", "consumer-savings", "commercial-checking", "commercial-savings"]
    );
    assert_eq!(all!(PayInput), ["dtmf"]);
    assert_eq!(all!(PayPaymentMethod), ["ach-debit", "credit-card"]);
    assert_eq!(all!(PayTokenType), ["one-time", "reusable", "payment-method"]);
    assert_eq!(
        all!(PromptErrorType),
        [
            "timeout",
            "invalid-card-number",
            "invalid-card-type",
            "invalid-date",
            "invalid-security-code",
            "internal-error",
            "input-matching-failed"
        ]
    );
    assert_eq!(
        all!(PromptFor),
        [
            "payment-card-number",
            "expiration-date",
            "security-code",
            "postal-code",
            "payment-processing",
            "bank-account-number",
            "bank-routing-number"
        ]
    );
    assert_eq!(all!(RecordingChannels), ["mono", "dual"]);
    assert_eq!(all!(RecordingEvent), ["in-progress", "completed", "absent"]);
    assert_eq!(all!(RecordingTrack), ["both", "inbound", "outbound"]);
    assert_eq!(all!(RejectReason), ["rejected", "busy"]);
    assert_eq!(all!(SsmlBreakStrength), ["none", "x-weak", "weak", "medium", "strong", "x-strong"]);
    assert_eq!(all!(SsmlEmphasisLevel), ["strong", "moderate", "reduced"]);
    assert_eq!(
        all!(SsmlPhonemeAlphabet),
        ["ipa", "x-sampa", "x-amazon-jyutping", "x-amazon-pinyin", "x-amazon-pron-kana", "x-amazon-yomigana"]
    );
    assert_eq!(
        all!(SsmlSayAsFormat),
        ["mdy", "dmy", "ymd", "md", "dm", "ym", "my", "d", "m", "y", "yyyymmdd"]
    );
    assert_eq!(
        all!(SsmlSayAsInterpretAs),
        [
            "characters",
            "spell-out",
            "cardinal",
            "number",
            "ordinal",
            "digits",
            "fraction",
            "unit",
            "date",
            "time",
            "address",
            "expletive",
            "telephone"
        ]
    );
    assert_eq!(all!(Track), ["inbound_track", "outbound_track", "both_tracks"]);
    assert_eq!(all!(Trim), ["trim-silence", "do-not-trim"]);
}

#[test]
fn open_lists_take_known_words_and_others() {
    assert_eq!(ConferenceRegion::US1.as_str(), "us1");
    assert_eq!(ConferenceRegion::from("us1"), ConferenceRegion::US1);
    assert_eq!(ConferenceRegion::DE1.as_str(), "de1");
    assert_eq!(ConferenceRegion::from("de1"), ConferenceRegion::DE1);
    assert_eq!(ConferenceRegion::new("new").as_str(), "new");
    assert_eq!(GatherLanguage::AF_ZA.as_str(), "af-ZA");
    assert_eq!(GatherLanguage::from("af-ZA"), GatherLanguage::AF_ZA);
    assert_eq!(GatherLanguage::ZU_ZA.as_str(), "zu-ZA");
    assert_eq!(GatherLanguage::from("zu-ZA"), GatherLanguage::ZU_ZA);
    assert_eq!(GatherLanguage::new("new").as_str(), "new");
    assert_eq!(InterruptMode::NONE.as_str(), "none");
    assert_eq!(InterruptMode::from("none"), InterruptMode::NONE);
    assert_eq!(InterruptMode::FALSE.as_str(), "false");
    assert_eq!(InterruptMode::from("false"), InterruptMode::FALSE);
    assert_eq!(InterruptMode::new("new").as_str(), "new");
    assert_eq!(PayLanguage::DE_DE.as_str(), "de-DE");
    assert_eq!(PayLanguage::from("de-DE"), PayLanguage::DE_DE);
    assert_eq!(PayLanguage::IT_IT.as_str(), "it-IT");
    assert_eq!(PayLanguage::from("it-IT"), PayLanguage::IT_IT);
    assert_eq!(PayLanguage::new("new").as_str(), "new");
    assert_eq!(ProsodyPitch::DEFAULT.as_str(), "default");
    assert_eq!(ProsodyPitch::from("default"), ProsodyPitch::DEFAULT);
    assert_eq!(ProsodyPitch::X_HIGH.as_str(), "x-high");
    assert_eq!(ProsodyPitch::from("x-high"), ProsodyPitch::X_HIGH);
    assert_eq!(ProsodyPitch::new("new").as_str(), "new");
    assert_eq!(ProsodyRate::X_SLOW.as_str(), "x-slow");
    assert_eq!(ProsodyRate::from("x-slow"), ProsodyRate::X_SLOW);
    assert_eq!(ProsodyRate::X_FAST.as_str(), "x-fast");
    assert_eq!(ProsodyRate::from("x-fast"), ProsodyRate::X_FAST);
    assert_eq!(ProsodyRate::new("new").as_str(), "new");
    assert_eq!(ProsodyVolume::DEFAULT.as_str(), "default");
    assert_eq!(ProsodyVolume::from("default"), ProsodyVolume::DEFAULT);
    assert_eq!(ProsodyVolume::X_LOUD.as_str(), "x-loud");
    assert_eq!(ProsodyVolume::from("x-loud"), ProsodyVolume::X_LOUD);
    assert_eq!(ProsodyVolume::new("new").as_str(), "new");
    assert_eq!(RingTone::AT.as_str(), "at");
    assert_eq!(RingTone::from("at"), RingTone::AT);
    assert_eq!(RingTone::ZA.as_str(), "za");
    assert_eq!(RingTone::from("za"), RingTone::ZA);
    assert_eq!(RingTone::new("new").as_str(), "new");
    assert_eq!(SayLanguage::AF_ZA.as_str(), "af-ZA");
    assert_eq!(SayLanguage::from("af-ZA"), SayLanguage::AF_ZA);
    assert_eq!(SayLanguage::ZH_TW.as_str(), "zh-TW");
    assert_eq!(SayLanguage::from("zh-TW"), SayLanguage::ZH_TW);
    assert_eq!(SayLanguage::new("new").as_str(), "new");
    assert_eq!(SpeechModel::DEFAULT.as_str(), "default");
    assert_eq!(SpeechModel::from("default"), SpeechModel::DEFAULT);
    assert_eq!(SpeechModel::DEEPGRAM_NOVA_3.as_str(), "deepgram_nova-3");
    assert_eq!(SpeechModel::from("deepgram_nova-3"), SpeechModel::DEEPGRAM_NOVA_3);
    assert_eq!(SpeechModel::new("new").as_str(), "new");
    assert_eq!(SsmlLanguage::ARB.as_str(), "arb");
    assert_eq!(SsmlLanguage::from("arb"), SsmlLanguage::ARB);
    assert_eq!(SsmlLanguage::YUE_CN.as_str(), "yue-CN");
    assert_eq!(SsmlLanguage::from("yue-CN"), SsmlLanguage::YUE_CN);
    assert_eq!(SsmlLanguage::new("new").as_str(), "new");
    assert_eq!(Voice::MAN.as_str(), "man");
    assert_eq!(Voice::from("man"), Voice::MAN);
    assert_eq!(Voice::POLLY_VICKI_GENERATIVE.as_str(), "Polly.Vicki-Generative");
    assert_eq!(Voice::from("Polly.Vicki-Generative"), Voice::POLLY_VICKI_GENERATIVE);
    assert_eq!(Voice::new("new").as_str(), "new");
}
