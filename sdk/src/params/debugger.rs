//! The carrier's debugger: one webhook for an account, which tells what goes wrong anywhere in it.

use super::declare::{group, methods};
use super::words::words;

methods! {
    debugger_readings: [Event]
    {}
    {
        /// An error or warning in the account.
        debugger: Debugger;
    }
}

words! {
    /// How bad it is.
    DebuggerLevel {
        /// Something failed.
        Error = "Error",
        /// Something is odd.
        Warning = "Warning",
    }
}

group! {
    /// An error or warning in the account.
    Debugger {
        /// The carrier's id of it.
        id: &'a str = "Sid";
        /// The account above, for a subaccount.
        parent_account_id: &'a str = "ParentAccountSid";
        /// When it happened, ISO 8601.
        timestamp: &'a str = "Timestamp";
        /// How bad it is.
        level: DebuggerLevel = "Level";
        /// `application/json`.
        payload_type: &'a str = "PayloadType";
        /// What happened, as JSON: `resource_sid`, `service_sid`, `error_code`, `more_info`, `webhook`.
        payload: &'a str = "Payload";
    }
}
