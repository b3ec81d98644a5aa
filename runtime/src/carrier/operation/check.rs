//! What a carrier would refuse, found before it is asked.

use super::links::LINK_BYTES_MAX;
use super::{CarrierError, NewCall, NewMessage, NumberSettings, Operation, Sender, VoiceGrant};

/// Longest text message, in characters.
/// Source: Twilio, "Messages", parameter `Body`.
const BODY_CHARS_MAX: usize = 1_600;
/// Most media of a message.
const MEDIA_MAX: usize = 10;
/// Longest of all other texts, in bytes.
const TEXT_BYTES_MAX: usize = 512;

impl Operation {
    /// Finds what the carrier would refuse, or what would lead its API elsewhere.
    ///
    /// # Errors
    /// [`CarrierError::Invalid`], naming the value, what was found and what was expected.
    pub fn check(&self) -> Result<(), CarrierError> {
        match self {
            Self::Place(call) => check_call(call),
            Self::Send(message) => check_message(message),
            Self::Update(id, _) => check_id("id", id, "CA"),
            Self::FindRecording(id) | Self::RecordingAudio(id, _) | Self::DeleteRecording(id) => {
                check_id("id", id, "RE")
            }
            Self::FindNumber(number) | Self::BuyNumber(number, _) | Self::ReleaseNumber(number) => {
                check_number(number)
            }
            Self::ConfigureNumber(number, settings) => {
                check_number(number)?;
                let NumberSettings { name, voice, voice_fallback, sms, sms_fallback, status } = settings;
                if [name, voice, voice_fallback, sms, sms_fallback, status].iter().all(|set| set.is_none()) {
                    return Err(invalid(
                        "settings",
                        "none is set, so nothing would change; set name, voice, sms, a fallback or status",
                    ));
                }
                Ok(())
            }
            Self::ConfigureShortCode(code, settings) => {
                if !(3..=8).contains(&code.len()) || !code.bytes().all(|b| b.is_ascii_digit()) {
                    let found = shown(code);
                    return Err(invalid(
                        "code",
                        &format!("{found:?} is no short code; expected 3 to 8 digits"),
                    ));
                }
                let NumberSettings { name, sms, sms_fallback, voice: _, voice_fallback: _, status: _ } =
                    settings;
                if [name, sms, sms_fallback].iter().all(|set| set.is_none()) {
                    return Err(invalid(
                        "settings",
                        "none is set that a short code has, so nothing would change; set name, sms or sms-fallback",
                    ));
                }
                Ok(())
            }
            Self::SearchNumbers(search) => {
                if search.country.len() != 2 || !search.country.bytes().all(|b| b.is_ascii_alphabetic()) {
                    let found = shown(&search.country);
                    return Err(invalid(
                        "country",
                        &format!("{found:?} is none; expected two letters such as US"),
                    ));
                }
                in_range("most", Some(search.most), 1, 100)?;
                [&search.contains, &search.locality, &search.region, &search.postal_code]
                    .into_iter()
                    .flatten()
                    .try_for_each(|text| bounded("search", text, TEXT_BYTES_MAX))
            }
            Self::ShortCodes => Ok(()),
        }
    }
}

impl VoiceGrant {
    /// Finds what no browser phone could sign in with.
    ///
    /// # Errors
    /// [`CarrierError::Invalid`].
    pub fn check(&self) -> Result<(), CarrierError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if !(1..=121).contains(&self.identity.len()) || !self.identity.bytes().all(fits) {
            let found = shown(&self.identity);
            return Err(invalid(
                "identity",
                &format!("{found:?} can't be one; expected 1 to 121 letters, digits and _"),
            ));
        }
        if let Some(application) = &self.application {
            check_id("application", application, "AP")?;
        }
        let bytes: usize = self.params.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > TEXT_BYTES_MAX {
            return Err(invalid(
                "params",
                &format!("{bytes} bytes are too many; expected at most {TEXT_BYTES_MAX}"),
            ));
        }
        in_range("ttl-s", Some(self.ttl_s), 1, 86_400)
    }
}

fn check_number(number: &str) -> Result<(), CarrierError> {
    let digits = number.strip_prefix('+').unwrap_or_default();
    if (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    let found = shown(number);
    Err(invalid("number", &format!("{found:?} is no number; expected E.164 such as +12025550123")))
}

fn check_call(call: &NewCall) -> Result<(), CarrierError> {
    address("to", &call.to)?;
    address("from", &call.from)?;
    if call.told.is_none() && !call.told_of.is_empty() {
        return Err(invalid(
            "told-of",
            "it names stages, and told has no link to which they could be told; set told such as status/progress",
        ));
    }
    in_range("timeout-s", call.timeout_s, 1, 600)?;
    in_range("time-limit-s", call.time_limit_s, 1, 86_400)?;
    if let Some(detect) = &call.detect {
        in_range("detect.timeout-s", detect.timeout_s, 3, 59)?;
    }
    if let Some(keys) = &call.send_digits {
        let fits = |c: char| c.is_ascii_digit() || "ABCD#*wW".contains(c);
        if keys.is_empty() || keys.len() > 32 || !keys.chars().all(fits) {
            let found = shown(keys);
            return Err(invalid(
                "send-digits",
                &format!("{found:?} can't be pressed; expected up to 32 of 0-9, A-D, #, *, w and W"),
            ));
        }
    }
    call.reason.as_ref().map_or(Ok(()), |reason| bounded("reason", reason, TEXT_BYTES_MAX))
}

fn check_message(message: &NewMessage) -> Result<(), CarrierError> {
    address("to", &message.to)?;
    match &message.from {
        Sender::Number(number) => address("from", number)?,
        Sender::Service(service) => check_id("from", service, "MG")?,
    }
    if message.body.is_empty() && message.media.is_empty() {
        return Err(invalid("body", "it is empty, and there are no media; a message needs one of them"));
    }
    let chars = message.body.chars().count();
    if chars > BODY_CHARS_MAX {
        return Err(invalid(
            "body",
            &format!("it has {chars} characters, expected at most {BODY_CHARS_MAX}"),
        ));
    }
    if message.media.len() > MEDIA_MAX {
        return Err(invalid(
            "media",
            &format!("{} are too many, expected at most {MEDIA_MAX}", message.media.len()),
        ));
    }
    for url in &message.media {
        bounded("media", url, LINK_BYTES_MAX)?;
        if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(invalid("media", &format!("{:?} is no address; expected https://…", shown(url))));
        }
    }
    in_range("validity-s", message.validity_s, 1, 36_000)
}

/// An address of a phone: nothing that a listing or a log line would be broken by.
fn address(name: &str, text: &str) -> Result<(), CarrierError> {
    if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(invalid(
            name,
            &format!("{:?} is no address; expected +12025550123, client:NAME or the like", shown(text)),
        ));
    }
    bounded(name, text, TEXT_BYTES_MAX)
}

/// Ids become part of a path, so that nothing else may pass.
fn check_id(name: &str, id: &str, prefix: &str) -> Result<(), CarrierError> {
    let rest = id.strip_prefix(prefix).unwrap_or_default();
    if rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(invalid(name, &format!("{:?} is no id of this kind; expected {prefix} and 32 hex digits", shown(id))))
}

fn in_range(name: &str, value: Option<u32>, least: u32, most: u32) -> Result<(), CarrierError> {
    match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(invalid(name, &format!("it is {value}, expected {least} to {most}")))
        }
        _ => Ok(()),
    }
}

pub(super) fn bounded(name: &str, text: &str, most: usize) -> Result<(), CarrierError> {
    if text.len() <= most {
        return Ok(());
    }
    Err(invalid(name, &format!("it has {} bytes, expected at most {most}", text.len())))
}

pub(super) fn invalid(name: &str, why: &str) -> CarrierError {
    CarrierError::Invalid(format!("{name}: {why}"))
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
