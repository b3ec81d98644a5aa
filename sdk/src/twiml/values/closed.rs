// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Lists that are complete.

use crate::twiml::value::closed_values;

closed_values! {
    /// What `statusCallbackEvent` of `Application`, `Client`, `Number`, `Sip`, `WhatsApp` may be.
    CallEvent {
        Initiated = "initiated",
        Ringing = "ringing",
        Answered = "answered",
        Completed = "completed",
    }
}

closed_values! {
    /// What `cardType` of `Prompt`; `validCardTypes` of `Pay` may be.
    CardType {
        Visa = "visa",
        Mastercard = "mastercard",
        Amex = "amex",
        Maestro = "maestro",
        Discover = "discover",
        Optima = "optima",
        Jcb = "jcb",
        DinersClub = "diners-club",
        Enroute = "enroute",
    }
}

closed_values! {
    /// What `beep` of `Conference` may be.
    ConferenceBeep {
        True = "true",
        False = "false",
        OnEnter = "onEnter",
        OnExit = "onExit",
    }
}

closed_values! {
    /// What `statusCallbackEvent` of `Conference` may be.
    ConferenceEvent {
        Start = "start",
        End = "end",
        Join = "join",
        Leave = "leave",
        Mute = "mute",
        Hold = "hold",
        Modify = "modify",
        Speaker = "speaker",
        Announcement = "announcement",
    }
}

closed_values! {
    /// What `record` of `Conference` may be.
    ConferenceRecord {
        DoNotRecord = "do-not-record",
        RecordFromStart = "record-from-start",
    }
}

closed_values! {
    /// What `statusCallbackEvent` of `Conversation` may be.
    ConversationEvent {
        CallInitiated = "call-initiated",
        CallRinging = "call-ringing",
        CallAnswered = "call-answered",
        CallCompleted = "call-completed",
    }
}

closed_values! {
    /// What `record` of `Conversation` may be.
    ConversationRecord {
        DoNotRecord = "do-not-record",
        RecordFromAnswer = "record-from-answer",
        RecordFromRinging = "record-from-ringing",
        RecordFromAnswerDual = "record-from-answer-dual",
        RecordFromRingingDual = "record-from-ringing-dual",
        True = "true",
        False = "false",
    }
}

closed_values! {
    /// What `events` of `Dial` may be.
    DialEvent {
        CallProgressEvent = "call-progress-event",
    }
}

closed_values! {
    /// What `record` of `Dial` may be.
    DialRecord {
        DoNotRecord = "do-not-record",
        RecordFromAnswer = "record-from-answer",
        RecordFromRinging = "record-from-ringing",
        RecordFromAnswerDual = "record-from-answer-dual",
        RecordFromRingingDual = "record-from-ringing-dual",
    }
}

closed_values! {
    /// What `mediaType` of `Receive` may be.
    FaxMediaType {
        ApplicationPdf = "application/pdf",
        ImageTiff = "image/tiff",
    }
}

closed_values! {
    /// What `pageSize` of `Receive` may be.
    FaxPageSize {
        Letter = "letter",
        Legal = "legal",
        A4 = "a4",
    }
}

closed_values! {
    /// What `input` of `Gather` may be.
    GatherInput {
        Dtmf = "dtmf",
        Speech = "speech",
    }
}

closed_values! {
    /// What `interruptSensitivity` of `ConversationRelay` may be.
    InterruptSensitivity {
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

closed_values! {
    /// What `jitterBufferSize` of `Conference` may be.
    JitterBufferSize {
        Large = "large",
        Medium = "medium",
        Small = "small",
        Off = "off",
    }
}

closed_values! {
    /// What `machineDetection` of `Number`, `Sip` may be.
    MachineDetection {
        Enable = "Enable",
        DetectMessageEnd = "DetectMessageEnd",
    }
}

closed_values! {
    /// What `amdStatusCallbackMethod`; `method`; `partialResultCallbackMethod`;
    /// `recordingStatusCallbackMethod`; `referMethod`; `statusCallbackMethod`; `waitMethod`;
    /// `waitUrlMethod` may be.
    Method {
        Get = "GET",
        Post = "POST",
    }
}

closed_values! {
    /// What `ttsTextNormalization` of `ConversationRelay`, `Language` may be.
    OnOffAuto {
        Auto = "auto",
        On = "on",
        Off = "off",
    }
}

closed_values! {
    /// What `bankAccountType` of `Pay` may be.
    PayBankAccountType {
        ConsumerChecking = "consumer-checking",
        ConsumerSavings = "consumer-savings",
        CommercialChecking = "commercial-checking",
        CommercialSavings = "commercial-savings",
    }
}

closed_values! {
    /// What `input` of `Pay` may be.
    PayInput {
        Dtmf = "dtmf",
    }
}

closed_values! {
    /// What `paymentMethod` of `Pay` may be.
    PayPaymentMethod {
        AchDebit = "ach-debit",
        CreditCard = "credit-card",
    }
}

closed_values! {
    /// What `tokenType` of `Pay` may be.
    PayTokenType {
        OneTime = "one-time",
        Reusable = "reusable",
        PaymentMethod = "payment-method",
    }
}

closed_values! {
    /// What `errorType` of `Prompt` may be.
    PromptErrorType {
        Timeout = "timeout",
        InvalidCardNumber = "invalid-card-number",
        InvalidCardType = "invalid-card-type",
        InvalidDate = "invalid-date",
        InvalidSecurityCode = "invalid-security-code",
        InternalError = "internal-error",
        InputMatchingFailed = "input-matching-failed",
    }
}

closed_values! {
    /// What `for` of `Prompt` may be.
    PromptFor {
        PaymentCardNumber = "payment-card-number",
        ExpirationDate = "expiration-date",
        SecurityCode = "security-code",
        PostalCode = "postal-code",
        PaymentProcessing = "payment-processing",
        BankAccountNumber = "bank-account-number",
        BankRoutingNumber = "bank-routing-number",
    }
}

closed_values! {
    /// What `channels` of `Recording` may be.
    RecordingChannels {
        Mono = "mono",
        Dual = "dual",
    }
}

closed_values! {
    /// What `recordingStatusCallbackEvent` of `Conference`, `Conversation`, `Dial`, `Record`,
    /// `Recording` may be.
    RecordingEvent {
        InProgress = "in-progress",
        Completed = "completed",
        Absent = "absent",
    }
}

closed_values! {
    /// What `recordingTrack` of `Dial`; `track` of `Recording` may be.
    RecordingTrack {
        Both = "both",
        Inbound = "inbound",
        Outbound = "outbound",
    }
}

closed_values! {
    /// What `reason` of `Reject` may be.
    RejectReason {
        Rejected = "rejected",
        Busy = "busy",
    }
}

closed_values! {
    /// What `track` of `Siprec`, `Stream`, `Transcription` may be.
    Track {
        InboundTrack = "inbound_track",
        OutboundTrack = "outbound_track",
        BothTracks = "both_tracks",
    }
}

closed_values! {
    /// What `trim` of `Conference`, `Conversation`, `Dial`, `Record`, `Recording` may be.
    Trim {
        TrimSilence = "trim-silence",
        DoNotTrim = "do-not-trim",
    }
}
