//! Who may be at either end of a conversation, as the carrier writes it. A script, the terminal and the page take the same.

/// Somebody who may be at either end of a conversation.
///
/// # Errors
/// What was expected, for people.
pub fn address(text: &str) -> Result<String, String> {
    const WITHHELD: [&str; 5] = ["anonymous", "unknown", "restricted", "unavailable", "private"];
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_e164 = |text: &str| {
        text.strip_prefix('+')
            .is_some_and(|rest| (7..=15).contains(&rest.len()) && digits(rest) && !rest.starts_with('0'))
    };
    let is_short_code = |text: &str| (3..=8).contains(&text.len()) && digits(text);
    let fits = match text.split_once(':') {
        // Behind `sip:` as behind `client:` there is a name.
        Some(("client" | "sip" | "sips" | "messenger", name)) => {
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control())
        }
        // A number on another channel: `whatsapp:+12025550123`.
        Some((channel, number)) => {
            !channel.is_empty() && channel.bytes().all(|byte| byte.is_ascii_lowercase()) && is_e164(number)
        }
        None => is_e164(text) || is_short_code(text) || WITHHELD.contains(&text.to_lowercase().as_str()),
    };
    if fits {
        Ok(text.to_owned())
    } else {
        Err("expected a number in E.164 such as +12025550123, a short code, client:NAME, sip:NAME@HOST, a number on another \
             channel such as whatsapp:+12025550123, or anonymous"
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_caller_is_one_that_the_carrier_could_name() {
        for (text, good) in [
            ("+12025550177", true),
            ("22395", true),
            ("client:ada", true),
            ("sip:ada@example.com", true),
            ("whatsapp:+12025550177", true),
            ("anonymous", true),
            ("Anonymous", true),
            ("banana", false),
            ("2025550177", false),
            ("+0123456789", false),
            ("client:", false),
            ("sip:a b", false),
            ("whatsapp:banana", false),
            ("", false),
        ] {
            assert_eq!(super::address(text).is_ok(), good, "{text}");
        }
    }
}
