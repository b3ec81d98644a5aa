//! The spellings of a URL that a carrier may have signed.
//!
//! Nothing is decoded, sorted or normalised: the signature is over the text. Only what never goes over the wire is left
//! out (fragment, user and password), the scheme is lower-cased, as both official libraries do, and the port is tried both ways.

use std::borrow::Cow;

/// A URL in the parts that spellings differ in.
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    /// Path and query.
    rest: &'a str,
}

impl<'a> Parts<'a> {
    /// `None` for a text without scheme, which has but one spelling.
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, after) = url.split_once("://")?;
        let (authority, rest) = after.split_at(after.find(['/', '?']).unwrap_or(after.len()));
        let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
        // The colons of an IPv6 address stand inside its brackets.
        let host_end = address.find(']').map_or(0, |bracket| bracket + 1);
        let colon = address.get(host_end..).and_then(|tail| tail.find(':')).map(|at| host_end + at);
        let (host, port) = match colon {
            None => (address, None),
            Some(colon) => (address.get(..colon)?, address.get(colon + 1..)),
        };
        Some(Self { scheme, host, port, rest })
    }

    fn spelled(&self, port: Option<&str>) -> String {
        let (colon, port) = port.map_or(("", ""), |port| (":", port));
        let mut url =
            String::with_capacity(self.scheme.len() + self.host.len() + port.len() + self.rest.len() + 4);
        url.extend(self.scheme.chars().map(|c| c.to_ascii_lowercase()));
        url.extend(["://", self.host, colon, port, self.rest]);
        url
    }

    /// Whether it is written as it would be spelled without port.
    fn is_plain(&self, url: &str) -> bool {
        let length = self.scheme.len() + "://".len() + self.host.len() + self.rest.len();
        length == url.len() && !self.scheme.bytes().any(|byte| byte.is_ascii_uppercase())
    }
}

/// The URL without port.
pub(super) fn without_port(url: &str) -> Cow<'_, str> {
    let url = without_fragment(url);
    match Parts::of(url) {
        None => Cow::Borrowed(url),
        Some(parts) if parts.is_plain(url) => Cow::Borrowed(url),
        Some(parts) => Cow::Owned(parts.spelled(None)),
    }
}

/// The URL with its own port, or with the one that the carrier takes for the scheme's default.
///
/// Source: both official libraries, which add `:443` for `https` and `:80` for every other scheme, `wss` included.
pub(super) fn with_port(url: &str) -> Cow<'_, str> {
    let url = without_fragment(url);
    let Some(parts) = Parts::of(url) else { return Cow::Borrowed(url) };
    let default = if parts.scheme.eq_ignore_ascii_case("https") { "443" } else { "80" };
    Cow::Owned(parts.spelled(Some(parts.port.unwrap_or(default))))
}

/// The URL as it goes over the wire, its port as written.
pub(super) fn signed_part(url: &str) -> Cow<'_, str> {
    let url = without_fragment(url);
    Parts::of(url).map_or(Cow::Borrowed(url), |parts| Cow::Owned(parts.spelled(parts.port)))
}

/// What follows the first `?`, up to the fragment.
pub(in crate::carrier::twilio) fn query_of(url: &str) -> Option<&str> {
    without_fragment(url).split_once('?').map(|(_, query)| query)
}

fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_two_spellings() {
        let cases = [
            ("https://h.example/v?a=1", "https://h.example/v?a=1", "https://h.example:443/v?a=1"),
            ("https://h.example:8443/v", "https://h.example/v", "https://h.example:8443/v"),
            ("http://h.example", "http://h.example", "http://h.example:80"),
            ("wss://h.example/s", "wss://h.example/s", "wss://h.example:80/s"),
            (
                "https://h.example/v?u=http://o:99/",
                "https://h.example/v?u=http://o:99/",
                "https://h.example:443/v?u=http://o:99/",
            ),
            ("https://h.example?u=a@b:1", "https://h.example?u=a@b:1", "https://h.example:443?u=a@b:1"),
            ("https://h.example/a@b", "https://h.example/a@b", "https://h.example:443/a@b"),
            ("https://u:p@h.example/v", "https://h.example/v", "https://h.example:443/v"),
            ("https://u:p@h.example:1/v", "https://h.example/v", "https://h.example:1/v"),
            ("https://[2001:db8::1]/v", "https://[2001:db8::1]/v", "https://[2001:db8::1]:443/v"),
            ("https://[2001:db8::1]:8443/v", "https://[2001:db8::1]/v", "https://[2001:db8::1]:8443/v"),
            ("https://h.example/v#rc=2", "https://h.example/v", "https://h.example:443/v"),
            ("HTTPS://H.example/v?", "https://H.example/v?", "https://H.example:443/v?"),
            ("/v", "/v", "/v"),
            ("", "", ""),
            ("https://", "https://", "https://:443"),
        ];
        for (url, without, with) in cases {
            assert_eq!((&*without_port(url), &*with_port(url)), (without, with), "{url}");
        }
    }
}
