//! What Connect and Start join a call to: relays, agents and streams.

use super::declare::{group, methods};
use super::words::words;

methods! {
    session_readings: [Call Event]
    {}
    {
        /// The end of a ConversationRelay session, in the `action` of Connect.
        relay: Relay;
        /// The end of a virtual agent's session, in the `action` of Connect.
        virtual_agent: VirtualAgent;
        /// A media stream: in the `action` of Connect, and in its status callback.
        stream: Stream;
        /// A SIPREC session, in its status callback.
        siprec: Siprec;
    }
}

words! {
    /// What happened to a media stream.
    StreamEvent {
        /// It began.
        Started = "stream-started",
        /// It ended.
        Stopped = "stream-stopped",
        /// It failed.
        Error = "stream-error",
    }
}

group! {
    /// The end of a ConversationRelay session.
    Relay {
        /// The carrier's id of the session.
        id: &'a str = "SessionId";
        /// How it ended.
        status: &'a str = "SessionStatus";
        /// How long it took, in seconds.
        duration_seconds: u64 = "SessionDuration";
        /// What the WebSocket server sent in its `end` message, often JSON.
        handoff_data: &'a str = "HandoffData";
        /// The carrier's number for what failed.
        error_code: u64 = "ErrorCode";
        /// What failed.
        error_message: &'a str = "ErrorMessage";
    }
}

group! {
    /// The end of a virtual agent's session.
    VirtualAgent {
        /// How it ended.
        status: &'a str = "VirtualAgentStatus";
        /// The carrier's number for what failed.
        error_code: u64 = "VirtualAgentErrorCode";
        /// What failed.
        error: &'a str = "VirtualAgentError";
        /// Whose agent it was.
        provider: &'a str = "VirtualAgentProvider";
        /// What the provider says, often JSON.
        provider_data: &'a str = "VirtualAgentProviderData";
    }
}

group! {
    /// A media stream.
    Stream {
        /// The carrier's id of it.
        id: &'a str = "StreamSid";
        /// The name the document gave it.
        name: &'a str = "StreamName";
        /// What happened.
        event: StreamEvent = "StreamEvent";
        /// What failed.
        error: &'a str = "StreamError";
        /// When it happened, ISO 8601.
        timestamp: &'a str = "Timestamp";
    }
}

group! {
    /// A SIPREC session.
    Siprec {
        /// The carrier's id of it.
        id: &'a str = "SiprecSid";
        /// The name the document gave it.
        name: &'a str = "SiprecName";
        /// What happened.
        event: &'a str = "SiprecEvent";
        /// What failed.
        error: &'a str = "SiprecError";
        /// When it happened, ISO 8601.
        timestamp: &'a str = "Timestamp";
    }
}
