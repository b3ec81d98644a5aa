//! Who a request says it is for: the checked, normalised `Host`.

use std::fmt;
use std::net::Ipv6Addr;

const NOT_A_NAME: &str = "not a name: letters, digits, - and _ between single dots; others as Punycode";

/// A host name or address, and a port if one was given.
///
/// Normalised for comparison: lower case, no dot at the end, IPv6 in its shortest spelling, no empty port.
/// International names come as Punycode; anything beyond ASCII is no host.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Host {
    text: Box<str>,
    /// Where the name ends and `:port` begins.
    name_len: usize,
}

impl Host {
    /// Checks and normalises `bytes`, as in a `Host` header.
    ///
    /// # Errors
    /// What is wrong, in a few words.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let (name_len, port) = match bytes.first() {
            Some(b'[') => return Self::parse_ipv6(bytes),
            _ => check_name(bytes)?,
        };
        let name = bytes.get(..name_len).unwrap_or_default();
        let mut text = String::with_capacity(bytes.len());
        text.push_str(std::str::from_utf8(name).map_err(|_| NOT_A_NAME)?);
        text.make_ascii_lowercase();
        push_port(&mut text, port)?;
        Ok(Self { text: text.into_boxed_str(), name_len })
    }

    fn parse_ipv6(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not an IPv6 address")?;
        let (address, after) =
            text.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or("no ] in it")?;
        let address: Ipv6Addr = address.parse().map_err(|_| "not an IPv6 address")?;
        let mut text = format!("[{address}]");
        let name_len = text.len();
        match after.strip_prefix(':') {
            None if after.is_empty() => {}
            None => return Err("something other than a port after ]"),
            Some(port) => push_port(&mut text, port.as_bytes())?,
        }
        Ok(Self { text: text.into_boxed_str(), name_len })
    }

    /// Name and, where one was given, port: `example.com`, `127.0.0.1:8080`, `[::1]:8080`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name alone; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.get(..self.name_len).unwrap_or_default()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// The name's length, without a dot at its end, and what follows the colon behind it.
fn check_name(bytes: &[u8]) -> Result<(usize, &[u8]), &'static str> {
    let (mut label_len, mut end, mut port) = (0, bytes.len(), [].as_slice());
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            // Underscores are in no registered name, but in those that container networks give.
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' if label_len < 63 => label_len += 1,
            b'.' if label_len > 0 => label_len = 0,
            b':' => {
                end = at;
                port = bytes.get(at + 1..).unwrap_or_default();
                break;
            }
            _ => return Err(NOT_A_NAME),
        }
    }
    if label_len == 0 {
        end = end.saturating_sub(1);
    }
    match end {
        0 => Err("it is empty"),
        1..=253 => Ok((end, port)),
        _ => Err("longer than 253 bytes"),
    }
}

fn push_port(text: &mut String, port: &[u8]) -> Result<(), &'static str> {
    if port.is_empty() {
        return Ok(());
    }
    let digits = std::str::from_utf8(port).ok().filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.map(str::parse::<u16>) {
        Some(Ok(port @ 1..)) => {
            text.push(':');
            text.push_str(&port.to_string());
            Ok(())
        }
        _ => Err("the port is not a number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_normalised_or_refused() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = format!("{}example", "abc.".repeat(63));
        let cases: &[(&str, Option<&str>)] = &[
            ("example.com", Some("example.com")),
            ("Example.COM", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("EXAMPLE.com.:8080", Some("example.com:8080")),
            ("example.com:", Some("example.com")),
            ("127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("[::1]", Some("[::1]")),
            ("[0:0:0:0:0:0:0:1]:80", Some("[::1]:80")),
            ("my_service:9000", Some("my_service:9000")),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("", None),
            (".", None),
            (":80", None),
            ("u@a/b", None),
            ("a/b", None),
            ("a?b", None),
            ("a,b", None),
            ("a b", None),
            ("a..b", None),
            (".a", None),
            ("a:99999", None),
            ("a:0", None),
            ("a:+80", None),
            ("a:b", None),
            ("a:80:80", None),
            ("[::1", None),
            ("::1", None),
            ("[::1]80", None),
            ("[::1%25eth0]", None),
            ("[]", None),
            ("bücher.example", None),
            ("a%62c", None),
            (&long_label, None),
            (&long_name, None),
        ];
        for (text, expected) in cases {
            let host = Host::parse(text.as_bytes());
            assert_eq!(host.as_ref().map(Host::as_str).ok(), *expected, "{text}");
        }
        assert_eq!(Host::parse(b"Example.com:8080").unwrap().name(), "example.com");
        assert_eq!(Host::parse(b"[::1]:8080").unwrap().name(), "[::1]");
        assert!(Host::parse(b"a\xffb").is_err());
    }
}
