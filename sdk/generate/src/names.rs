//! Names of XML as names of Rust.

/// `statusCallbackURL2` → `["status", "Callback", …]`: a word begins at each capital after a
/// small letter or digit, and behind each sign.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut begins = true;
    let mut was_small = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            begins = true;
            continue;
        }
        if c.is_ascii_uppercase() && was_small {
            begins = true;
        }
        was_small = !c.is_ascii_uppercase();
        match words.last_mut() {
            Some(word) if !begins => word.push(c),
            _ => words.push(c.to_string()),
        }
        begins = false;
    }
    words
}

/// For methods and modules: `statusCallback` → `status_callback`. What means something else in Rust
/// gets a sign: `loop` → `loop_`; `sub` because it is an operator's method.
pub fn snake(name: &str) -> String {
    let name = words(name).join("_").to_ascii_lowercase();
    match name.as_str() {
        "loop" | "for" | "break" | "sub" => name + "_",
        _ => name,
    }
}

/// For types and variants: `record-from-answer` → `RecordFromAnswer`.
pub fn pascal(name: &str) -> String {
    words(name)
        .iter()
        .map(|word| {
            let (first, rest) = word.split_at(1);
            // `GET` is a word and not initials.
            let rest =
                if word == &word.to_ascii_uppercase() { rest.to_ascii_lowercase() } else { rest.to_owned() };
            first.to_ascii_uppercase() + &rest
        })
        .collect()
}

/// For constants: `Polly.Amy-Neural` → `POLLY_AMY_NEURAL`.
pub fn constant(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    plain.to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{constant, pascal, snake};

    #[test]
    fn names_are_those_of_rust() {
        for (xml, rust) in [
            ("statusCallback", "status_callback"),
            ("xml:lang", "xml_lang"),
            ("interpret-as", "interpret_as"),
            ("loop", "loop_"),
            ("SayAs", "say_as"),
            ("AiSession", "ai_session"),
            ("backgroundnoisereduction", "backgroundnoisereduction"),
        ] {
            assert_eq!(snake(xml), rust);
        }
        for (xml, rust) in [
            ("record-from-answer", "RecordFromAnswer"),
            ("GET", "Get"),
            ("onEnter", "OnEnter"),
            ("DetectMessageEnd", "DetectMessageEnd"),
            ("application/pdf", "ApplicationPdf"),
            ("a4", "A4"),
            ("inbound_track", "InboundTrack"),
        ] {
            assert_eq!(pascal(xml), rust);
        }
        assert_eq!(constant("Google.af-ZA-Standard-A"), "GOOGLE_AF_ZA_STANDARD_A");
        assert_eq!(constant("deepgram_nova-2"), "DEEPGRAM_NOVA_2");
    }
}
