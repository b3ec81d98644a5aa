//! What comes with every request for a voice document, and with most of the rest.

use super::declare::{group, methods};
use super::words::words;

words! {
    /// What the carrier of a signed call says about the caller's number (STIR/SHAKEN).
    StirVerdict {
        /// The number is the caller's: full attestation.
        PassedA = "TN-Validation-Passed-A",
        /// The caller is known, the right to the number is not: partial attestation.
        PassedB = "TN-Validation-Passed-B",
        /// Only the gateway vouches for the call.
        PassedC = "TN-Validation-Passed-C",
        /// Signed with full attestation, but the signature does not hold.
        FailedA = "TN-Validation-Failed-A",
        /// Signed with partial attestation, but the signature does not hold.
        FailedB = "TN-Validation-Failed-B",
        /// Signed by a gateway, but the signature does not hold.
        FailedC = "TN-Validation-Failed-C",
        /// Not signed, or not checked.
        NotValidated = "No-TN-Validation",
    }
}

methods! {
    place_readings: [Call Message Event]
    {
        /// City of the caller or sender, if known.
        caller_city: &str = "FromCity" | "CallerCity";
        /// State or province of the caller or sender, if known.
        caller_state: &str = "FromState" | "CallerState";
        /// Postal code of the caller or sender, if known.
        caller_zip: &str = "FromZip" | "CallerZip";
        /// Country of the caller or sender as two letters, if known.
        caller_country: &str = "FromCountry" | "CallerCountry";
        /// City of the number called or written to, if known.
        called_city: &str = "ToCity" | "CalledCity";
        /// State or province of the number called or written to, if known.
        called_state: &str = "ToState" | "CalledState";
        /// Postal code of the number called or written to, if known.
        called_zip: &str = "ToZip" | "CalledZip";
        /// Country of the number called or written to as two letters, if known.
        called_country: &str = "ToCountry" | "CalledCountry";
        /// API version of the number, call or message: `2010-04-01`.
        api_version: &str = "ApiVersion";
        /// Results of the add-ons in use, as JSON.
        add_ons: &str = "AddOns";
    }
    {
        /// What failed, where this URL is another one's fallback.
        fallback: Fallback;
    }
}

methods! {
    standard_readings: [Call Event]
    {
        /// Who calls, under the older name.
        caller: &str = "Caller" | "From";
        /// Who is called, under the older name.
        called: &str = "Called" | "To";
        /// The number that forwarded the call, if its carrier tells.
        forwarded_from: &str = "ForwardedFrom";
        /// The caller's name, where the number has caller-name lookup on.
        caller_name: &str = "CallerName";
        /// The leg that made this one; none on a first leg.
        parent_call_id: &str = "ParentCallSid";
        /// Lets a later API call keep the original caller id, if issued.
        call_token: &str = "CallToken";
        /// What is known about the right to the caller's number, on signed US calls.
        stir_verdict: StirVerdict = "StirVerstat";
        /// The signed token behind [`stir_verdict`](Self::stir_verdict).
        stir_passport: &str = "StirPassportToken";
        /// The application that the number or client belongs to.
        application_id: &str = "ApplicationSid";
    }
    {
        /// What a SIP call brought along.
        sip: Sip;
    }
}

group! {
    /// What failed, where a document is asked for at a fallback URL. Everything else is as in the
    /// request that failed, and the answer is ordinary TwiML.
    Fallback {
        /// The carrier's number for what failed: `11200`.
        error_code: u64 = "ErrorCode";
        /// The URL that failed.
        error_url: &'a str = "ErrorUrl";
    }
}

group! {
    /// SIP data of a call from or to a SIP address.
    Sip {
        /// The `Call-ID` of the SIP dialog.
        call_id: &'a str = "SipCallId";
        /// The SIP domain that took the call.
        domain: &'a str = "SipDomain";
        /// The carrier's id of that domain.
        domain_id: &'a str = "SipDomainSid";
        /// Address that the SIP request came from.
        source_ip: &'a str = "SipSourceIp";
    }
}

/// How the carrier names the parameter of a custom SIP header.
const SIP_HEADER: &str = "SipHeader_";

impl<'a> Sip<'a> {
    /// A custom header by its name, `X-…`; as SIP has it, capitals make no difference.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All custom headers with their values. Parameters `SipHeader_X-…`.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.params.with_prefix(SIP_HEADER)
    }
}
