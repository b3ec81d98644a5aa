//! Constructors for what handlers write most, so that it takes one call.

use super::ssml::Break;
use super::values::GatherInput;
use super::voice::{Config, Dial, Gather, Header, Parameter, Pause, Play};

impl Gather {
    /// Collects keys: exactly `count` of them, 1 or more.
    pub fn digits(count: u32) -> Self {
        Self::new().num_digits(count)
    }

    /// Collects what the caller says.
    pub fn speech() -> Self {
        Self::new().input([GatherInput::Speech])
    }

    /// Collects keys or speech, whichever comes first.
    pub fn digits_or_speech() -> Self {
        Self::new().input([GatherInput::Dtmf, GatherInput::Speech])
    }
}

impl Dial {
    /// Dials one telephone number, in E.164 form (`+12025550123`). Several numbers, or one with
    /// settings of its own, are nouns: `Dial::new().number(…)`.
    pub fn to(number: impl AsRef<str>) -> Self {
        Self::new().text(number)
    }
}

impl Pause {
    /// Waits so many seconds, 1 or more.
    pub fn seconds(seconds: u32) -> Self {
        Self::new().length(seconds)
    }
}

impl Play {
    /// Sends key tones: `0`–`9`, `*`, `#`, and `w` for half a second of silence.
    pub fn tones(digits: impl AsRef<str>) -> Self {
        Self::default().digits(digits)
    }
}

impl Break {
    /// A pause of so many milliseconds.
    pub fn milliseconds(milliseconds: u32) -> Self {
        let mut time = String::with_capacity(12);
        super::markup::push_number(&mut time, milliseconds.into());
        time.push_str("ms");
        Self::new().time(time)
    }
}

impl Parameter {
    /// A parameter with its value.
    pub fn named(name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self::new().name(name).value(value)
    }
}

impl Header {
    /// A header with its value.
    pub fn named(name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self::new().name(name).value(value)
    }
}

impl Config {
    /// A setting with its value.
    pub fn named(name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self::new().name(name).value(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Break, Config, Dial, Gather, Header, Parameter, Pause, Play};

    #[test]
    fn shortcuts_write_what_they_stand_for() {
        let cases = [
            (Gather::digits(4).to_string(), r#"<Gather numDigits="4"/>"#),
            (Gather::speech().to_string(), r#"<Gather input="speech"/>"#),
            (Gather::digits_or_speech().to_string(), r#"<Gather input="dtmf speech"/>"#),
            (Dial::to("+12025550123").to_string(), "<Dial>+12025550123</Dial>"),
            (Pause::seconds(2).to_string(), r#"<Pause length="2"/>"#),
            (Play::tones("ww12#").to_string(), r#"<Play digits="ww12#"/>"#),
            (Break::milliseconds(250).to_string(), r#"<break time="250ms"/>"#),
            (Parameter::named("a", "b").to_string(), r#"<Parameter name="a" value="b"/>"#),
            (Header::named("X-A", "b").to_string(), r#"<Header name="X-A" value="b"/>"#),
            (Config::named("a", "b").to_string(), r#"<Config name="a" value="b"/>"#),
        ];
        for (written, expected) in cases {
            assert_eq!(written, expected);
        }
    }
}
