//! Messages that came in, from every channel, and what became of those sent.

use super::declare::{group, methods};
use super::words::words;

methods! {
    message_readings: [Message]
    {
        /// The message's id under its older names.
        sms_id: &str = "SmsSid" | "SmsMessageSid";
        /// The messaging service, where the message came through one.
        service_id: &str = "MessagingServiceSid";
        /// Where the message is: received, or in an `action` what became of the reply.
        status: MessageStatus = "MessageStatus" | "SmsStatus";
        /// What the carrier took the text for, where a service has advanced opt-out.
        opt_out: OptOut = "OptOutType";
    }
    {
        /// The button that was pressed in a rich message.
        button: Button;
        /// Answers to interactive messages, as JSON.
        interactive: Interactive;
        /// A place that was sent.
        location: Location;
        /// What WhatsApp tells about the sender.
        whatsapp: WhatsApp;
        /// The WhatsApp advert that the sender came from.
        referral: Referral;
    }
}

methods! {
    delivery_readings: [Event]
    {}
    {
        /// What became of a message, in its status callback.
        delivery: Delivery;
    }
}

words! {
    /// Where a message is.
    MessageStatus {
        /// A service will choose a sender.
        Accepted = "accepted",
        /// Will be sent later.
        Scheduled = "scheduled",
        /// Waits to be sent.
        Queued = "queued",
        /// Is being sent.
        Sending = "sending",
        /// The next carrier has it.
        Sent = "sent",
        /// Could not be sent.
        Failed = "failed",
        /// Has arrived.
        Delivered = "delivered",
        /// Has not arrived.
        Undelivered = "undelivered",
        /// Has arrived in part.
        PartiallyDelivered = "partially_delivered",
        /// Has been read (RCS, WhatsApp).
        Read = "read",
        /// Was taken back before its time.
        Canceled = "canceled",
        /// Is coming in.
        Receiving = "receiving",
        /// Has come in.
        Received = "received",
        /// Cannot be sent.
        Invalid = "invalid",
    }

    /// What the carrier took a text for.
    OptOut {
        /// The sender wants no more messages.
        Stop = "STOP",
        /// The sender wants messages again.
        Start = "START",
        /// The sender wants help.
        Help = "HELP",
    }

    /// What a button does.
    ButtonKind {
        /// Answers.
        Reply = "REPLY",
        /// Opens something.
        Action = "ACTION",
    }
}

group! {
    /// The button that was pressed in a rich message.
    Button {
        /// What the message's author gave it.
        payload: &'a str = "ButtonPayload";
        /// What stands on it.
        text: &'a str = "ButtonText";
        /// What it does.
        kind: ButtonKind = "ButtonType";
    }
}

group! {
    /// Answers to interactive messages, each as JSON.
    Interactive {
        /// What was chosen.
        data: &'a str = "InteractiveData";
        /// What was filled in.
        flow_data: &'a str = "FlowData";
        /// What the channel says.
        channel_metadata: &'a str = "ChannelMetadata";
    }
}

group! {
    /// A place that was sent.
    Location {
        /// Degrees north.
        latitude: f64 = "Latitude";
        /// Degrees east.
        longitude: f64 = "Longitude";
        /// Its address.
        address: &'a str = "Address";
        /// Its name.
        label: &'a str = "Label";
    }
}

group! {
    /// What WhatsApp tells about a message and its sender.
    WhatsApp {
        /// The sender's own name.
        profile_name: &'a str = "ProfileName";
        /// The sender's WhatsApp id.
        id: &'a str = "WaId";
        /// Whether the message was passed on.
        forwarded: bool = "Forwarded";
        /// Whether it was passed on often.
        frequently_forwarded: bool = "FrequentlyForwarded";
    }
}

group! {
    /// The WhatsApp advert that a sender came from.
    Referral {
        /// Its text.
        body: &'a str = "ReferralBody";
        /// Its headline.
        headline: &'a str = "ReferralHeadline";
        /// Its id.
        source_id: &'a str = "ReferralSourceId";
        /// Its kind.
        source_type: &'a str = "ReferralSourceType";
        /// Where it stands.
        source_url: &'a str = "ReferralSourceUrl";
        /// Id of its picture or film.
        media_id: &'a str = "ReferralMediaId";
        /// Type of its picture or film: `image/jpeg`.
        media_content_type: &'a str = "ReferralMediaContentType";
        /// Where its picture or film is.
        media_url: &'a str = "ReferralMediaUrl";
        /// Id of the click.
        click_id: &'a str = "ReferralCtwaClid";
        /// Number of its media; is to be removed by the carrier.
        media_count: u64 = "ReferralNumMedia";
    }
}

group! {
    /// What became of a message.
    Delivery {
        /// The message.
        id: &'a str = "MessageSid" | "SmsSid";
        /// Where it is. Callbacks may come in another order.
        status: MessageStatus = "MessageStatus" | "SmsStatus";
        /// The messaging service, where it went through one.
        service_id: &'a str = "MessagingServiceSid";
        /// The carrier's number for why it failed: `30003`.
        error_code: u64 = "ErrorCode";
        /// Why it failed.
        error_message: &'a str = "ErrorMessage";
        /// When the network reported, `YYMMDDhhmm`.
        network_report_date: &'a str = "RawDlrDoneDate";
        /// The channel's installation, on other channels than SMS.
        channel_install_id: &'a str = "ChannelInstallSid";
        /// The channel: `whatsapp`.
        channel_prefix: &'a str = "ChannelPrefix";
        /// Why it failed, in the channel's words.
        channel_status_message: &'a str = "ChannelStatusMessage";
        /// `READ` after a read receipt.
        event_type: &'a str = "EventType";
    }
}

/// A picture, film, sound or file that came with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Media<'a> {
    /// Its type: `image/jpeg`.
    pub content_type: &'a str,
    /// Where it is.
    pub url: &'a str,
}

impl crate::Message {
    /// The attached media, in order. Parameters `MediaUrl0`, `MediaContentType0`, `MediaUrl1`…
    pub fn media(&self) -> impl Iterator<Item = Media<'_>> {
        (0..self.media_count()).filter_map(|index| {
            let url = self.param(&format!("MediaUrl{index}"))?;
            let content_type = self.param(&format!("MediaContentType{index}")).unwrap_or_default();
            Some(Media { content_type, url })
        })
    }
}
