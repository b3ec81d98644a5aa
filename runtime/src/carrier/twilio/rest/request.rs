//! An operation as a request of the REST API: method, path below the account, parameters.
//!
//! Pure: what is sent can be read here beside the carrier's description, and is checked against it by a server made of that
//! description. A list is its name repeated.

use http::Method;

use super::super::super::operation::{
    Audio, CallChange, Lead, NewCall, NewMessage, NumberKind, NumberSearch, NumberSettings, Operation,
    Progress, Sender,
};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Below `/2010-04-01/Accounts/{AccountSid}`.
    pub(super) path: String,
    /// In the query of a `GET`, in the body of a `POST`.
    pub(super) params: Vec<(&'static str, String)>,
}

impl Request {
    pub(super) fn get(path: impl Into<String>, params: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::GET, path: path.into(), params }
    }

    fn post(path: impl Into<String>, params: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::POST, path: path.into(), params }
    }

    fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, path: path.into(), params: Vec::new() }
    }
}

/// What `operation` is as a request; `id` is the carrier's id of the number or short code that it changes.
pub(super) fn request(operation: &Operation, id: &str) -> Request {
    match operation {
        Operation::Place(call) => Request::post("/Calls.json", new_call(call)),
        Operation::Update(call, change) => {
            let params = match change {
                CallChange::Link(url) => vec![("Url", url.clone()), ("Method", "POST".into())],
                CallChange::Document(document) => vec![("Twiml", document.clone())],
                CallChange::Complete => vec![("Status", "completed".into())],
                CallChange::Cancel => vec![("Status", "canceled".into())],
            };
            Request::post(format!("/Calls/{call}.json"), params)
        }
        Operation::Send(message) => Request::post("/Messages.json", new_message(message)),
        Operation::FindRecording(recording) => {
            Request::get(format!("/Recordings/{recording}.json"), Vec::new())
        }
        Operation::RecordingAudio(recording, audio) => {
            let end = match audio {
                Audio::Wav => "wav",
                Audio::Mp3 => "mp3",
            };
            Request::get(format!("/Recordings/{recording}.{end}"), Vec::new())
        }
        Operation::DeleteRecording(recording) => Request::delete(format!("/Recordings/{recording}.json")),
        Operation::FindNumber(number) => find_number(number),
        Operation::SearchNumbers(search) => search_numbers(search),
        Operation::BuyNumber(number, settings) => {
            let mut params = vec![("PhoneNumber", number.clone())];
            params.extend(number_settings(settings));
            Request::post("/IncomingPhoneNumbers.json", params)
        }
        Operation::ConfigureNumber(_, settings) => {
            Request::post(format!("/IncomingPhoneNumbers/{id}.json"), number_settings(settings))
        }
        Operation::ReleaseNumber(_) => Request::delete(format!("/IncomingPhoneNumbers/{id}.json")),
        Operation::ShortCodes => Request::get("/SMS/ShortCodes.json", vec![("PageSize", "100".into())]),
        Operation::ConfigureShortCode(_, settings) => {
            let params = number_settings(settings);
            let known = |name: &str| {
                matches!(
                    name,
                    "FriendlyName" | "SmsUrl" | "SmsMethod" | "SmsFallbackUrl" | "SmsFallbackMethod"
                )
            };
            let params = params.into_iter().filter(|(name, _)| known(name)).collect();
            Request::post(format!("/SMS/ShortCodes/{id}.json"), params)
        }
    }
}

/// The number of this account that reads so.
pub(super) fn find_number(number: &str) -> Request {
    Request::get(
        "/IncomingPhoneNumbers.json",
        vec![("PhoneNumber", number.to_owned()), ("PageSize", "20".into())],
    )
}

/// The short code of this account that reads so.
pub(super) fn find_short_code(code: &str) -> Request {
    Request::get("/SMS/ShortCodes.json", vec![("ShortCode", code.to_owned()), ("PageSize", "20".into())])
}

/// What may be `operation` already, since `day` (`YYYY-MM-DD`, in UTC): calls and messages between the same two.
pub(super) fn look(operation: &Operation, day: &str) -> Option<Request> {
    let page = ("PageSize", "100".to_owned());
    match operation {
        Operation::Place(call) => Some(Request::get(
            "/Calls.json",
            vec![("To", call.to.clone()), ("From", call.from.clone()), ("StartTime>", day.to_owned()), page],
        )),
        Operation::Send(message) => {
            let mut params = vec![("To", message.to.clone())];
            if let Sender::Number(number) = &message.from {
                params.push(("From", number.clone()));
            }
            params.extend([("DateSent>", day.to_owned()), page]);
            Some(Request::get("/Messages.json", params))
        }
        _ => None,
    }
}

fn new_call(call: &NewCall) -> Vec<(&'static str, String)> {
    let mut params = vec![("To", call.to.clone()), ("From", call.from.clone())];
    match &call.lead {
        Lead::Link(url) => params.extend([("Url", url.clone()), ("Method", "POST".into())]),
        Lead::Document(document) => params.push(("Twiml", document.clone())),
    }
    if let Some(url) = &call.fallback {
        params.extend([("FallbackUrl", url.clone()), ("FallbackMethod", "POST".into())]);
    }
    if let Some(url) = &call.told {
        params.extend([("StatusCallback", url.clone()), ("StatusCallbackMethod", "POST".into())]);
        params.extend(call.told_of.iter().map(|progress| {
            let word = match progress {
                Progress::Initiated => "initiated",
                Progress::Ringing => "ringing",
                Progress::Answered => "answered",
                Progress::Completed => "completed",
            };
            ("StatusCallbackEvent", word.to_owned())
        }));
    }
    params.extend(call.timeout_s.map(|s| ("Timeout", s.to_string())));
    params.extend(call.time_limit_s.map(|s| ("TimeLimit", s.to_string())));
    params.extend(call.send_digits.clone().map(|keys| ("SendDigits", keys)));
    if let Some(detect) = &call.detect {
        let word = if detect.until_greeting_ends { "DetectMessageEnd" } else { "Enable" };
        params.push(("MachineDetection", word.into()));
        params.extend(detect.timeout_s.map(|s| ("MachineDetectionTimeout", s.to_string())));
        if let Some(url) = &detect.told {
            params.extend([
                ("AsyncAmd", "true".into()),
                ("AsyncAmdStatusCallback", url.clone()),
                ("AsyncAmdStatusCallbackMethod", "POST".into()),
            ]);
        }
    }
    if let Some(recording) = &call.recording {
        let channels = if recording.dual { "dual" } else { "mono" };
        let trim = if recording.trim { "trim-silence" } else { "do-not-trim" };
        params.extend([
            ("Record", "true".into()),
            ("RecordingChannels", channels.into()),
            ("Trim", trim.into()),
        ]);
        if let Some(url) = &recording.told {
            params.extend([
                ("RecordingStatusCallback", url.clone()),
                ("RecordingStatusCallbackMethod", "POST".into()),
            ]);
        }
    }
    params.extend(call.reason.clone().map(|reason| ("CallReason", reason)));
    params
}

fn new_message(message: &NewMessage) -> Vec<(&'static str, String)> {
    let mut params = vec![("To", message.to.clone())];
    params.push(match &message.from {
        Sender::Number(number) => ("From", number.clone()),
        Sender::Service(service) => ("MessagingServiceSid", service.clone()),
    });
    if !message.body.is_empty() {
        params.push(("Body", message.body.clone()));
    }
    params.extend(message.media.iter().map(|url| ("MediaUrl", url.clone())));
    params.extend(message.told.clone().map(|url| ("StatusCallback", url)));
    params.extend(message.validity_s.map(|s| ("ValidityPeriod", s.to_string())));
    params
}

fn search_numbers(search: &NumberSearch) -> Request {
    let kind = match search.kind {
        NumberKind::Local => "Local",
        NumberKind::TollFree => "TollFree",
        NumberKind::Mobile => "Mobile",
        NumberKind::National => "National",
        NumberKind::SharedCost => "SharedCost",
        NumberKind::Voip => "Voip",
    };
    let mut params = vec![("PageSize", search.most.to_string())];
    params.extend(search.area_code.map(|code| ("AreaCode", code.to_string())));
    for (name, text) in [
        ("Contains", &search.contains),
        ("InLocality", &search.locality),
        ("InRegion", &search.region),
        ("InPostalCode", &search.postal_code),
    ] {
        params.extend(text.clone().map(|text| (name, text)));
    }
    for (name, wanted) in
        [("VoiceEnabled", search.voice), ("SmsEnabled", search.sms), ("MmsEnabled", search.mms)]
    {
        if wanted {
            params.push((name, "true".into()));
        }
    }
    let country = search.country.to_ascii_uppercase();
    Request::get(format!("/AvailablePhoneNumbers/{country}/{kind}.json"), params)
}

fn number_settings(settings: &NumberSettings) -> Vec<(&'static str, String)> {
    let mut params = Vec::new();
    params.extend(settings.name.clone().map(|name| ("FriendlyName", name)));
    for (name, method, url) in [
        ("VoiceUrl", "VoiceMethod", &settings.voice),
        ("VoiceFallbackUrl", "VoiceFallbackMethod", &settings.voice_fallback),
        ("SmsUrl", "SmsMethod", &settings.sms),
        ("SmsFallbackUrl", "SmsFallbackMethod", &settings.sms_fallback),
        ("StatusCallback", "StatusCallbackMethod", &settings.status),
    ] {
        if let Some(url) = url {
            params.extend([(name, url.clone()), (method, "POST".into())]);
        }
    }
    params
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::operation::tests::{call, message};
    use crate::carrier::operation::{CallRecording, MachineDetection};

    fn line(operation: &Operation) -> String {
        let Request { method, path, params } = request(operation, "PN1");
        let params: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{method} {path} {}", params.join("&"))
    }

    #[test]
    fn operations_are_written_as_the_description_has_them() {
        let full = NewCall {
            lead: Lead::Link("https://h/x".into()),
            told: Some("https://h/s".into()),
            told_of: vec![Progress::Ringing, Progress::Completed],
            timeout_s: Some(20),
            detect: Some(MachineDetection {
                until_greeting_ends: true,
                timeout_s: Some(9),
                told: Some("https://h/m".into()),
            }),
            recording: Some(CallRecording { dual: true, trim: false, told: None }),
            ..call()
        };
        let settings = NumberSettings {
            name: Some("desk".into()),
            voice: Some("https://h/v".into()),
            voice_fallback: None,
            sms: Some("https://h/m".into()),
            sms_fallback: None,
            status: None,
        };
        let search = NumberSearch {
            country: "us".into(),
            kind: NumberKind::TollFree,
            area_code: Some(510),
            contains: Some("51034*".into()),
            locality: None,
            region: None,
            postal_code: None,
            voice: true,
            sms: true,
            mms: false,
            most: 5,
        };
        for (operation, expected) in [
            (
                Operation::Place(full),
                "POST /Calls.json To=+12025550100&From=+12025550199&Url=https://h/x&Method=POST&StatusCallback=https://h/s&\
                 StatusCallbackMethod=POST&StatusCallbackEvent=ringing&StatusCallbackEvent=completed&Timeout=20&\
                 MachineDetection=DetectMessageEnd&MachineDetectionTimeout=9&AsyncAmd=true&AsyncAmdStatusCallback=https://h/m&\
                 AsyncAmdStatusCallbackMethod=POST&Record=true&RecordingChannels=dual&Trim=do-not-trim",
            ),
            (
                Operation::Place(NewCall { lead: Lead::Document("<Response/>".into()), ..call() }),
                "POST /Calls.json To=+12025550100&From=+12025550199&Twiml=<Response/>",
            ),
            (Operation::Update("CA1".into(), CallChange::Complete), "POST /Calls/CA1.json Status=completed"),
            (
                Operation::Send(NewMessage {
                    media: vec!["https://h/a".into(), "https://h/b".into()],
                    ..message()
                }),
                "POST /Messages.json To=+12025550100&From=+12025550199&Body=Your table is ready.&MediaUrl=https://h/a&\
                 MediaUrl=https://h/b",
            ),
            (
                Operation::Send(NewMessage { from: Sender::Service("MG1".into()), ..message() }),
                "POST /Messages.json To=+12025550100&MessagingServiceSid=MG1&Body=Your table is ready.",
            ),
            (Operation::DeleteRecording("RE1".into()), "DELETE /Recordings/RE1.json "),
            (Operation::RecordingAudio("RE1".into(), Audio::Mp3), "GET /Recordings/RE1.mp3 "),
            (
                Operation::SearchNumbers(search),
                "GET /AvailablePhoneNumbers/US/TollFree.json PageSize=5&AreaCode=510&Contains=51034*&VoiceEnabled=true&\
                 SmsEnabled=true",
            ),
            (
                Operation::ConfigureNumber("+12025550199".into(), settings.clone()),
                "POST /IncomingPhoneNumbers/PN1.json FriendlyName=desk&VoiceUrl=https://h/v&VoiceMethod=POST&\
                 SmsUrl=https://h/m&SmsMethod=POST",
            ),
            (
                Operation::ConfigureShortCode("22395".into(), settings),
                "POST /SMS/ShortCodes/PN1.json FriendlyName=desk&SmsUrl=https://h/m&SmsMethod=POST",
            ),
            (Operation::ReleaseNumber("+12025550199".into()), "DELETE /IncomingPhoneNumbers/PN1.json "),
        ] {
            assert_eq!(line(&operation), expected);
        }
    }
}
