//! What the REST API answers, as the outcome of an operation.
//!
//! Numbers in answers are mostly texts, and parts that are not known yet are null: whatever is not what it should be reads as
//! empty, because the thing itself was done.

use serde::Deserialize;

use super::super::super::operation::{
    Abilities, AvailableNumber, CarrierError, Done, NewMessage, Operation, OwnNumber, Recording, Refusal,
    ShortCode,
};

/// A call or message, as far as anybody here looks at it.
#[derive(Debug, Deserialize)]
pub(super) struct Thing {
    pub(super) sid: String,
    #[serde(default)]
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) date_created: Option<String>,
}

/// Calls or messages.
#[derive(Debug, Deserialize)]
pub(super) struct Things {
    #[serde(default, alias = "messages")]
    pub(super) calls: Vec<Thing>,
}

impl Things {
    /// The ids of what may be `operation`, begun not before `since_s` (Unix time).
    pub(super) fn like(&self, operation: &Operation, since_s: i64) -> Vec<String> {
        let alike = |thing: &&Thing| match operation {
            Operation::Send(NewMessage { body, .. }) => thing.body.as_deref().unwrap_or_default() == body,
            _ => true,
        };
        // The carrier's clock may be behind ours by a little; what has no readable date counts.
        let recent = |thing: &&Thing| {
            let made = thing.date_created.as_deref().and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
            made.is_none_or(|made| made.timestamp().as_second() >= since_s - 5)
        };
        self.calls.iter().filter(alike).filter(recent).map(|thing| thing.sid.clone()).collect()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawAbilities {
    #[serde(alias = "Voice")]
    voice: bool,
    #[serde(alias = "SMS")]
    sms: bool,
    #[serde(alias = "MMS")]
    mms: bool,
}

#[derive(Debug, Deserialize)]
struct RawNumber {
    #[serde(default)]
    sid: Option<String>,
    phone_number: String,
    #[serde(default)]
    friendly_name: Option<String>,
    #[serde(default)]
    voice_url: Option<String>,
    #[serde(default)]
    sms_url: Option<String>,
    #[serde(default)]
    locality: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    iso_country: Option<String>,
    #[serde(default)]
    capabilities: Option<RawAbilities>,
}

#[derive(Debug, Deserialize)]
struct Numbers {
    #[serde(default, alias = "available_phone_numbers")]
    incoming_phone_numbers: Vec<RawNumber>,
}

#[derive(Debug, Deserialize)]
struct RawShortCode {
    sid: String,
    short_code: String,
    #[serde(default)]
    friendly_name: Option<String>,
    #[serde(default)]
    sms_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ShortCodes {
    #[serde(default)]
    short_codes: Vec<RawShortCode>,
}

#[derive(Debug, Deserialize)]
struct RawRecording {
    sid: String,
    #[serde(default)]
    call_sid: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    duration: Option<serde_json::Value>,
    #[serde(default)]
    channels: Option<u32>,
    #[serde(default)]
    media_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: Option<u32>,
    #[serde(alias = "detail")]
    message: Option<String>,
    title: Option<String>,
}

/// Reads a good answer.
///
/// # Errors
/// A sentence: it was done, and what came of it can't be read.
pub(super) fn read(operation: &Operation, body: &[u8]) -> Result<Done, String> {
    let unreadable = |error: serde_json::Error| format!("the carrier's answer can't be read: {error}");
    Ok(match operation {
        Operation::Place(_) | Operation::Send(_) => {
            Done::Id(serde_json::from_slice::<Thing>(body).map_err(unreadable)?.sid)
        }
        Operation::Update(..) | Operation::DeleteRecording(_) | Operation::ReleaseNumber(_) => Done::Nothing,
        Operation::FindRecording(_) => {
            let raw: RawRecording = serde_json::from_slice(body).map_err(unreadable)?;
            let duration = raw.duration.and_then(|duration| match duration {
                serde_json::Value::String(text) => text.parse().ok(),
                serde_json::Value::Number(number) => number.as_u64().and_then(|s| u32::try_from(s).ok()),
                _ => None,
            });
            Done::Recording(Recording {
                id: raw.sid,
                call: raw.call_sid.unwrap_or_default(),
                status: raw.status.unwrap_or_default(),
                duration_s: duration,
                channels: raw.channels.unwrap_or(1),
                media_url: raw.media_url.unwrap_or_default(),
            })
        }
        Operation::RecordingAudio(..) => Done::Audio(body.to_vec()),
        Operation::FindNumber(number) => {
            let all: Numbers = serde_json::from_slice(body).map_err(unreadable)?;
            let found = all.incoming_phone_numbers.into_iter().find(|raw| raw.phone_number == *number);
            Done::Number(found.map(own_number))
        }
        Operation::BuyNumber(..) | Operation::ConfigureNumber(..) => {
            Done::Number(Some(own_number(serde_json::from_slice(body).map_err(unreadable)?)))
        }
        Operation::SearchNumbers(_) => {
            let all: Numbers = serde_json::from_slice(body).map_err(unreadable)?;
            Done::Numbers(all.incoming_phone_numbers.into_iter().map(available_number).collect())
        }
        Operation::ShortCodes => {
            let all: ShortCodes = serde_json::from_slice(body).map_err(unreadable)?;
            Done::ShortCodes(all.short_codes.into_iter().map(short_code).collect())
        }
        Operation::ConfigureShortCode(..) => {
            Done::ShortCodes(vec![short_code(serde_json::from_slice(body).map_err(unreadable)?)])
        }
    })
}

/// The carrier's ids of the number or short code that reads `text`, in a list of them.
pub(super) fn id_in_list(body: &[u8], text: &str) -> Option<String> {
    if let Ok(all) = serde_json::from_slice::<Numbers>(body)
        && let Some(found) = all.incoming_phone_numbers.into_iter().find(|raw| raw.phone_number == text)
    {
        return found.sid;
    }
    let all: ShortCodes = serde_json::from_slice(body).ok()?;
    all.short_codes.into_iter().find(|raw| raw.short_code == text).map(|raw| raw.sid)
}

/// Reads a refusal; a body that is no problem of the carrier's is shown as far as it is a text.
pub(super) fn refusal(status: u16, body: &[u8]) -> CarrierError {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let message = problem.message.or(problem.title).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(body);
        let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
        if text.is_empty() { "it gave no reason".to_owned() } else { text }
    });
    CarrierError::Refused(Refusal {
        status,
        code: problem.code,
        message: message.chars().take(500).collect(),
    })
}

fn own_number(raw: RawNumber) -> OwnNumber {
    OwnNumber {
        id: raw.sid.unwrap_or_default(),
        number: raw.phone_number,
        name: raw.friendly_name.unwrap_or_default(),
        voice_url: raw.voice_url.unwrap_or_default(),
        sms_url: raw.sms_url.unwrap_or_default(),
        abilities: abilities(raw.capabilities),
    }
}

fn available_number(raw: RawNumber) -> AvailableNumber {
    AvailableNumber {
        number: raw.phone_number,
        name: raw.friendly_name.unwrap_or_default(),
        locality: raw.locality.unwrap_or_default(),
        region: raw.region.unwrap_or_default(),
        country: raw.iso_country.unwrap_or_default(),
        abilities: abilities(raw.capabilities),
    }
}

fn abilities(raw: Option<RawAbilities>) -> Abilities {
    let RawAbilities { voice, sms, mms } = raw.unwrap_or_default();
    Abilities { voice, sms, mms }
}

fn short_code(raw: RawShortCode) -> ShortCode {
    ShortCode {
        id: raw.sid,
        code: raw.short_code,
        name: raw.friendly_name.unwrap_or_default(),
        sms_url: raw.sms_url.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::operation::tests::message;

    #[test]
    fn answers_are_read_whatever_case_and_nulls_they_come_with() {
        let recording = br#"{"sid":"RE1","call_sid":null,"status":"completed","duration":"7","channels":2,"media_url":"https://m"}"#;
        let read_one = |operation: Operation, body: &[u8]| read(&operation, body).unwrap();
        assert_eq!(
            read_one(Operation::FindRecording("RE1".into()), recording),
            Done::Recording(Recording {
                id: "RE1".into(),
                call: String::new(),
                status: "completed".into(),
                duration_s: Some(7),
                channels: 2,
                media_url: "https://m".into(),
            })
        );
        let numbers =
            br#"{"incoming_phone_numbers":[{"sid":"PN1","phone_number":"+12025550199","friendly_name":null,
            "capabilities":{"voice":true,"SMS":true,"MMS":false}}]}"#;
        let Done::Number(Some(number)) = read_one(Operation::FindNumber("+12025550199".into()), numbers)
        else {
            panic!("no number");
        };
        assert_eq!(number.abilities, Abilities { voice: true, sms: true, mms: false });
        assert_eq!(read_one(Operation::FindNumber("+12025550100".into()), numbers), Done::Number(None));
        assert_eq!(id_in_list(numbers, "+12025550199").as_deref(), Some("PN1"));
        let codes = br#"{"short_codes":[{"sid":"SC1","short_code":"22395"}]}"#;
        assert_eq!(id_in_list(codes, "22395").as_deref(), Some("SC1"));
    }

    #[test]
    fn a_refusal_has_the_carriers_own_code_and_words() {
        for (body, code, words) in [
            (r#"{"code":21211,"message":"Invalid 'To'","status":400}"#, Some(21_211), "Invalid 'To'"),
            (r#"{"type":"x","title":"Bad","status":400,"detail":"worse"}"#, None, "worse"),
            ("<html>no</html>", None, "<html>no</html>"),
            ("", None, "it gave no reason"),
        ] {
            let CarrierError::Refused(refusal) = refusal(400, body.as_bytes()) else { panic!("{body}") };
            assert_eq!((refusal.code, refusal.message.as_str()), (code, words), "{body}");
        }
    }

    #[test]
    fn an_earlier_message_is_known_by_its_text_and_time() {
        let body = br#"{"messages":[
            {"sid":"SM1","body":"Your table is ready.","date_created":"Fri, 24 May 2019 17:18:27 +0000"},
            {"sid":"SM2","body":"Your table is ready.","date_created":"Fri, 24 May 2019 17:18:20 +0000"},
            {"sid":"SM3","body":"Something else","date_created":"Fri, 24 May 2019 17:18:27 +0000"}]}"#;
        let things: Things = serde_json::from_slice(body).unwrap();
        let send = Operation::Send(message());
        assert_eq!(things.like(&send, 1_558_718_310), ["SM1"]);
        assert_eq!(things.like(&send, 1_558_718_304), ["SM1", "SM2"]);
    }
}
