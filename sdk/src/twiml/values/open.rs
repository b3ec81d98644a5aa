// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Lists that grow.

use crate::twiml::value::open_values;

open_values! {
    /// What `region` of `Conference` may be.
    ///
    /// The list grows: any other word is taken too, as in `ConferenceRegion::new("…")` or as text.
    ConferenceRegion {
        US1 = "us1",
        US2 = "us2",
        IE1 = "ie1",
        SG1 = "sg1",
        BR1 = "br1",
        AU1 = "au1",
        JP1 = "jp1",
        DE1 = "de1",
    }
}

open_values! {
    /// What `interruptible` of `ConversationRelay`; `welcomeGreetingInterruptible` of
    /// `ConversationRelay` may be.
    ///
    /// The list grows: any other word is taken too, as in `InterruptMode::new("…")` or as text.
    InterruptMode {
        NONE = "none",
        DTMF = "dtmf",
        SPEECH = "speech",
        ANY = "any",
        TRUE = "true",
        FALSE = "false",
    }
}

open_values! {
    /// What `pitch` of `Prosody` may be.
    ///
    /// The list grows: any other word is taken too, as in `ProsodyPitch::new("…")` or as text.
    ProsodyPitch {
        DEFAULT = "default",
        X_LOW = "x-low",
        LOW = "low",
        MEDIUM = "medium",
        HIGH = "high",
        X_HIGH = "x-high",
    }
}

open_values! {
    /// What `rate` of `Prosody` may be.
    ///
    /// The list grows: any other word is taken too, as in `ProsodyRate::new("…")` or as text.
    ProsodyRate {
        X_SLOW = "x-slow",
        SLOW = "slow",
        MEDIUM = "medium",
        FAST = "fast",
        X_FAST = "x-fast",
    }
}

open_values! {
    /// What `volume` of `Prosody` may be.
    ///
    /// The list grows: any other word is taken too, as in `ProsodyVolume::new("…")` or as text.
    ProsodyVolume {
        DEFAULT = "default",
        SILENT = "silent",
        X_SOFT = "x-soft",
        SOFT = "soft",
        MEDIUM = "medium",
        LOUD = "loud",
        X_LOUD = "x-loud",
    }
}

open_values! {
    /// What `ringTone` of `Dial` may be.
    ///
    /// The list grows: any other word is taken too, as in `RingTone::new("…")` or as text.
    RingTone {
        AT = "at",
        AU = "au",
        BG = "bg",
        BR = "br",
        BE = "be",
        CH = "ch",
        CL = "cl",
        CN = "cn",
        CZ = "cz",
        DE = "de",
        DK = "dk",
        EE = "ee",
        ES = "es",
        FI = "fi",
        FR = "fr",
        GR = "gr",
        HU = "hu",
        IL = "il",
        IN = "in",
        IT = "it",
        LT = "lt",
        JP = "jp",
        MX = "mx",
        MY = "my",
        NL = "nl",
        NO = "no",
        NZ = "nz",
        PH = "ph",
        PL = "pl",
        PT = "pt",
        RU = "ru",
        SE = "se",
        SG = "sg",
        TH = "th",
        UK = "uk",
        US = "us",
        US_OLD = "us-old",
        TW = "tw",
        VE = "ve",
        ZA = "za",
    }
}

open_values! {
    /// What `speechModel` of `Gather` may be.
    ///
    /// The list grows: any other word is taken too, as in `SpeechModel::new("…")` or as text.
    SpeechModel {
        DEFAULT = "default",
        NUMBERS_AND_COMMANDS = "numbers_and_commands",
        PHONE_CALL = "phone_call",
        EXPERIMENTAL_CONVERSATIONS = "experimental_conversations",
        EXPERIMENTAL_UTTERANCES = "experimental_utterances",
        GOOGLEV2_LONG = "googlev2_long",
        GOOGLEV2_SHORT = "googlev2_short",
        GOOGLEV2_TELEPHONY = "googlev2_telephony",
        GOOGLEV2_TELEPHONY_SHORT = "googlev2_telephony_short",
        DEEPGRAM_NOVA_2 = "deepgram_nova-2",
        DEEPGRAM_NOVA_3 = "deepgram_nova-3",
    }
}
