//! Recordings and their transcriptions, and the transcription of a live call.

use super::declare::{group, methods};
use super::words::words;

methods! {
    recording_readings: [Call Event]
    {}
    {
        /// A recording: in the `action` of Record and Dial, and in its status callback.
        recording: Recording;
    }
}

methods! {
    transcription_readings: [Event]
    {}
    {
        /// The transcription of a recording, in a `transcribeCallback`.
        transcription: Transcription;
        /// A part of the transcription of a live call.
        live_transcription: LiveTranscription;
    }
}

words! {
    /// Where a recording is.
    RecordingStatus {
        /// Being recorded.
        InProgress = "in-progress",
        /// Ready to be fetched.
        Completed = "completed",
        /// There was nothing to record.
        Absent = "absent",
        /// Could not be made.
        Failed = "failed",
    }

    /// What made a recording.
    RecordingSource {
        /// `record` of Dial.
        Dial = "DialVerb",
        /// `record` of a conference.
        Conference = "Conference",
        /// An outgoing call that was placed with recording on.
        OutboundApi = "OutboundAPI",
        /// A SIP trunk.
        Trunking = "Trunking",
        /// The verb Record.
        Record = "RecordVerb",
        /// Recording of a call begun through the API.
        CallApi = "StartCallRecordingAPI",
        /// Recording of a conference begun through the API.
        ConferenceApi = "StartConferenceRecordingAPI",
    }

    /// Which side is heard.
    Track {
        /// Both parties.
        Both = "both",
        /// What the carrier receives.
        Inbound = "inbound",
        /// What the carrier sends.
        Outbound = "outbound",
    }

    /// How a transcription ended.
    TranscriptionStatus {
        /// The text is there.
        Completed = "completed",
        /// There is no text.
        Failed = "failed",
    }

    /// What happened to a live transcription.
    TranscriptionEvent {
        /// It began.
        Started = "transcription-started",
        /// Something was said.
        Content = "transcription-content",
        /// It ended.
        Stopped = "transcription-stopped",
        /// It failed.
        Error = "transcription-error",
    }

    /// Whose speech is transcribed.
    TranscriptionTrack {
        /// What the carrier receives.
        Inbound = "inbound_track",
        /// What the carrier sends.
        Outbound = "outbound_track",
        /// Both parties.
        Both = "both_tracks",
    }
}

group! {
    /// A recording. In the `action` of Record it may not be ready to be fetched yet; the status callback
    /// tells when it is.
    Recording {
        /// Where it is; add `.mp3` or `.wav`.
        url: &'a str = "RecordingUrl";
        /// The carrier's id of it.
        id: &'a str = "RecordingSid";
        /// Length in seconds: before trimming in the `action` of Record, after it in the status callback.
        duration_seconds: u64 = "RecordingDuration";
        /// Where it is in its making; status callback only.
        status: RecordingStatus = "RecordingStatus";
        /// Number of channels, 1 or 2.
        channels: u64 = "RecordingChannels";
        /// When it began, RFC 2822.
        start_time: &'a str = "RecordingStartTime";
        /// What made it.
        source: RecordingSource = "RecordingSource";
        /// Which side is heard.
        track: Track = "RecordingTrack";
        /// The carrier's number for why it is absent.
        error_code: u64 = "ErrorCode";
        /// The call that was recorded.
        call_id: &'a str = "CallSid";
        /// The conference that was recorded.
        conference_id: &'a str = "ConferenceSid";
        /// The key that ended it, or `hangup`; in the `action` of Record.
        ended_by: &'a str = "Digits";
    }
}

group! {
    /// The transcription of a recording of 2 to 120 s.
    Transcription {
        /// The carrier's id of it.
        id: &'a str = "TranscriptionSid";
        /// What was said.
        text: &'a str = "TranscriptionText";
        /// How it ended.
        status: TranscriptionStatus = "TranscriptionStatus";
        /// Where it is.
        url: &'a str = "TranscriptionUrl";
        /// The recording's id.
        recording_id: &'a str = "RecordingSid";
        /// Where the recording is.
        recording_url: &'a str = "RecordingUrl";
    }
}

group! {
    /// One event of a live transcription.
    LiveTranscription {
        /// The carrier's id of it.
        id: &'a str = "TranscriptionSid";
        /// When it happened, ISO 8601 in UTC.
        timestamp: &'a str = "Timestamp";
        /// Place in the order of one track.
        sequence: u64 = "SequenceId";
        /// What happened.
        event: TranscriptionEvent = "TranscriptionEvent";
        /// Settings of the engine as JSON; when it starts.
        provider_configuration: &'a str = "ProviderConfiguration";
        /// The engine; when it starts.
        engine: &'a str = "TranscriptionEngine";
        /// The name the document gave it; when it starts.
        name: &'a str = "Name";
        /// What the inbound track is called; when it starts.
        inbound_label: &'a str = "InboundTrackLabel";
        /// What the outbound track is called; when it starts.
        outbound_label: &'a str = "OutboundTrackLabel";
        /// Whether unfinished results are sent; when it starts.
        partial_results: bool = "PartialResults";
        /// Whose speech it is.
        track: TranscriptionTrack = "Track";
        /// Language: `en-US`.
        language_code: &'a str = "LanguageCode";
        /// What was said, as JSON: `transcript`, and `confidence` where partial results are off.
        data: &'a str = "TranscriptionData";
        /// What the engine said, as JSON, if asked for.
        provider_data: &'a str = "TranscriptionProviderData";
        /// How stable a partial result is, 0 to 1.
        stability: f64 = "Stability";
        /// Whether this text will stay as it is.
        is_final: bool = "Final";
        /// The carrier's number for what failed, 32650 to 32655.
        error_code: u64 = "TranscriptionErrorCode";
        /// What failed.
        error: &'a str = "TranscriptionError";
    }
}
