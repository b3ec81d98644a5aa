//! Conferences and who is in them.

use super::declare::{group, methods};
use super::words::words;
use crate::call::CallStatus;

methods! {
    conference_readings: [Event]
    {}
    {
        /// What happened in a conference.
        conference: Conference;
    }
}

words! {
    /// What happened in a conference.
    ConferenceEvent {
        /// It began.
        Start = "conference-start",
        /// It ended.
        End = "conference-end",
        /// Somebody came.
        Join = "participant-join",
        /// Somebody left.
        Leave = "participant-leave",
        /// Somebody was muted.
        Mute = "participant-mute",
        /// Somebody can be heard again.
        Unmute = "participant-unmute",
        /// Somebody was put on hold.
        Hold = "participant-hold",
        /// Somebody was taken from hold.
        Unhold = "participant-unhold",
        /// Somebody's settings changed.
        Modify = "participant-modify",
        /// Somebody began to speak.
        SpeechStart = "participant-speech-start",
        /// Somebody stopped speaking.
        SpeechStop = "participant-speech-stop",
        /// An announcement was played.
        AnnouncementEnd = "announcement-end",
        /// An announcement could not be played.
        AnnouncementFail = "announcement-fail",
    }

    /// Why a conference ended.
    ConferenceEnd {
        /// By the API.
        Api = "conference-ended-via-api",
        /// The last participant was removed.
        LastKicked = "last-participant-kicked",
        /// The last participant left.
        LastLeft = "last-participant-left",
        /// Somebody whose leaving ends it was removed.
        EndingParticipantKicked = "participant-with-end-conference-on-exit-kicked",
        /// Somebody whose leaving ends it left.
        EndingParticipantLeft = "participant-with-end-conference-on-exit-left",
    }

    /// Why a participant left.
    ParticipantLeft {
        /// The conference was ended by the API.
        ConferenceEndedByApi = "conference_ended_via_api",
        /// The moderator ended the conference.
        ModeratorEnded = "moderator_ended_conference",
        /// The participant was sent elsewhere by the API.
        Updated = "participant_updated_via_api",
        /// The participant hung up.
        HungUp = "participant_hung_up",
        /// The participant could not be added.
        AddFailed = "participant_add_failed",
    }
}

group! {
    /// What happened in a conference. Participants are named in their own events only.
    Conference {
        /// The carrier's id of it.
        id: &'a str = "ConferenceSid";
        /// The name the document gave it.
        name: &'a str = "FriendlyName";
        /// Place in the order of happening, from 0.
        sequence: u64 = "SequenceNumber";
        /// When it happened, RFC 2822.
        timestamp: &'a str = "Timestamp";
        /// What happened.
        event: ConferenceEvent = "StatusCallbackEvent";
        /// The participant's leg.
        call_id: &'a str = "CallSid";
        /// Whether the participant is muted.
        muted: bool = "Muted";
        /// Whether the participant is on hold.
        hold: bool = "Hold";
        /// Whether the participant is heard by one other only.
        coaching: bool = "Coaching";
        /// Whether the conference ends when the participant leaves.
        end_on_exit: bool = "EndConferenceOnExit";
        /// Whether the conference begins when the participant comes.
        start_on_enter: bool = "StartConferenceOnEnter";
        /// The name the participant was given.
        participant_label: &'a str = "ParticipantLabel";
        /// The leg whose leaving ended it; at the end.
        ended_by_call_id: &'a str = "CallSidEndingConference";
        /// The name of the participant whose leaving ended it; at the end.
        ended_by_label: &'a str = "ParticipantLabelEndingConference";
        /// Why it ended, as a sentence.
        reason: &'a str = "Reason";
        /// Why it ended.
        ended_because: ConferenceEnd = "ReasonConferenceEnded";
        /// How the participant's call stands; when leaving.
        participant_call_status: CallStatus = "ParticipantCallStatus";
        /// Why the participant left.
        left_because: ParticipantLeft = "ReasonParticipantLeft";
        /// What was announced.
        announce_url: &'a str = "AnnounceUrl";
        /// Why the announcement failed.
        announcement_failed_because: &'a str = "ReasonAnnouncementFailed";
        /// `conference-record-end`, in the retired event callback.
        retired_event: &'a str = "EventName";
        /// Where the recording is, in the retired event callback.
        retired_recording_url: &'a str = "RecordingUrl";
        /// Length of the recording in seconds, in the retired event callback.
        retired_recording_seconds: u64 = "Duration";
        /// Size of the recording in bytes, in the retired event callback.
        retired_recording_bytes: u64 = "RecordingFileSize";
    }
}
