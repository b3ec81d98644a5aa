//! What became of legs that were dialled, transferred or looked at, and of callers who queue.

use super::declare::{group, methods};
use super::messaging::MessageStatus;
use super::words::words;
use crate::call::CallStatus;

methods! {
    dial_readings: [Call]
    {}
    {
        /// What became of a Dial, in the webhook of its `action`.
        dial_result: DialResult;
        /// A queue: in the `action` of Enqueue, its `waitUrl`, and the `url` of a dialled Queue.
        queue: Queue;
        /// A transfer by SIP REFER: in the `action` of Refer and the `referUrl` of Dial.
        refer: Refer;
    }
}

methods! {
    leg_readings: [Call Event]
    {}
    {
        /// Who answered: a person or a machine.
        machine_detection: MachineDetection;
        /// What became of the deprecated verb Sms.
        sms_verb: SmsVerb;
    }
}

methods! {
    progress_readings: [Event]
    {
        /// The call leg it is about, if it is about one.
        call_id: &str = "CallSid";
        /// Who calls or sent the message, if told.
        from: &str = "From";
        /// Who is called or was written to, if told.
        to: &str = "To";
    }
    {
        /// Progress of a call leg, in its status callback.
        progress: Progress;
    }
}

words! {
    /// What became of a Dial.
    DialStatus {
        /// Somebody answered, and the call is over.
        Completed = "completed",
        /// The caller was in a conference.
        Answered = "answered",
        /// The line was busy.
        Busy = "busy",
        /// Nobody answered in time.
        NoAnswer = "no-answer",
        /// The call could not be placed, for example to a number that does not exist.
        Failed = "failed",
        /// The caller hung up before somebody answered.
        Canceled = "canceled",
    }

    /// How a caller left a queue.
    QueueResult {
        /// Joined with whoever took the call.
        Bridged = "bridged",
        /// Is being joined.
        BridgingInProcess = "bridging-in-process",
        /// The document was at fault.
        Error = "error",
        /// The caller hung up.
        Hangup = "hangup",
        /// By the verb Leave.
        Leave = "leave",
        /// Sent elsewhere through the API.
        Redirected = "redirected",
        /// Sent elsewhere through the API after having been joined.
        RedirectedFromBridged = "redirected-from-bridged",
        /// There was no room.
        QueueFull = "queue-full",
        /// The carrier was at fault.
        SystemError = "system-error",
    }

    /// Who answered a call.
    AnsweredBy {
        /// A person.
        Human = "human",
        /// A fax.
        Fax = "fax",
        /// Could not be told.
        Unknown = "unknown",
        /// A machine, told at its first words.
        MachineStart = "machine_start",
        /// A machine; now is the beep.
        MachineEndBeep = "machine_end_beep",
        /// A machine; its greeting ended in silence.
        MachineEndSilence = "machine_end_silence",
        /// A machine; its greeting ended otherwise.
        MachineEndOther = "machine_end_other",
    }
}

group! {
    /// What became of a Dial. Verbs after it are only reached if it has no `action`.
    DialResult {
        /// How it ended; always there in this webhook.
        status: DialStatus = "DialCallStatus";
        /// The new leg; not after a conference.
        call_id: &'a str = "DialCallSid";
        /// How long the parties spoke, in seconds; not after a conference.
        duration_seconds: u64 = "DialCallDuration";
        /// Whether the two parties were joined.
        bridged: bool = "DialBridged";
        /// The recording, where the Dial recorded.
        recording_url: &'a str = "RecordingUrl";
    }
}

group! {
    /// A queue and a caller in it.
    Queue {
        /// How the caller left it; in the `action` of Enqueue.
        result: QueueResult = "QueueResult";
        /// The carrier's id of the queue.
        id: &'a str = "QueueSid";
        /// How long the caller has waited, in seconds.
        waited_seconds: u64 = "QueueTime";
        /// The caller's place, from 1; in `waitUrl`.
        position: u64 = "QueuePosition";
        /// How long callers wait on average, in seconds; in `waitUrl`.
        average_wait_seconds: u64 = "AvgQueueTime";
        /// How many wait; in `waitUrl`.
        size: u64 = "CurrentQueueSize";
        /// How many may wait; in `waitUrl`.
        size_max: u64 = "MaxQueueSize";
        /// The leg that takes the caller out; in the `url` of a dialled Queue.
        dequeuing_call_id: &'a str = "DequeingCallSid";
    }
}

group! {
    /// A transfer of a SIP leg.
    Refer {
        /// Where the new leg is; none if the transfer failed or nothing was heard of it.
        status: CallStatus = "ReferCallStatus";
        /// SIP code of the answer to the REFER.
        sip_response_code: u64 = "ReferSipResponseCode";
        /// Last SIP code of the new leg, if heard of.
        notify_sip_response_code: u64 = "NotifySipResponseCode";
        /// Number or SIP address to transfer to, where the other side asks for it.
        target: &'a str = "ReferTransferTarget";
    }
}

group! {
    /// Who answered a call: a person or a machine.
    MachineDetection {
        /// Who it was.
        answered_by: AnsweredBy = "AnsweredBy";
        /// How long it took to find out, in milliseconds.
        duration_ms: u64 = "MachineDetectionDuration";
    }
}

group! {
    /// The message of the deprecated verb Sms.
    SmsVerb {
        /// The carrier's id of the message.
        id: &'a str = "SmsSid";
        /// What became of it.
        status: MessageStatus = "SmsStatus";
    }
}

group! {
    /// Progress of a call leg.
    Progress {
        /// Where the leg is. An answered call is in progress.
        status: CallStatus = "CallStatus";
        /// How long it took, in seconds; at the end.
        call_duration_seconds: u64 = "CallDuration";
        /// Minutes as billed; when completed.
        billed_minutes: u64 = "Duration";
        /// SIP code at the end: 404 for unreachable, 487 for timed out.
        sip_response_code: u64 = "SipResponseCode";
        /// When it happened, RFC 2822.
        timestamp: &'a str = "Timestamp";
        /// Who tells: `call-progress-events`.
        callback_source: &'a str = "CallbackSource";
        /// Place in the order of happening, from 0.
        sequence: u64 = "SequenceNumber";
    }
}
