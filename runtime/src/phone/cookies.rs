//! Cookies, kept as a browser keeps them: what an answer sets comes back with the next webhook to that host and path.

use url::Url;

/// Most cookies of one conversation. Ours, so that an answer in a circle does not fill the memory.
const COOKIES_MAX: usize = 50;

/// The cookies of one call, or of one pair of numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Jar(Vec<Cookie>);

#[derive(Debug, Clone)]
struct Cookie {
    name: String,
    value: String,
    host: String,
    path: String,
    secure: bool,
}

impl Jar {
    /// Takes one `Set-Cookie` of an answer from `url`. Dates are not read, but for the one that everybody deletes with: the
    /// first of 1970. A conversation is shorter than any other.
    pub(super) fn set(&mut self, url: &Url, header: &str) {
        let mut parts = header.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let mut cookie = Cookie {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            path: url.path().rsplit_once('/').map_or("/", |(folder, _)| folder).to_owned(),
            secure: false,
        };
        let mut gone = cookie.name.is_empty();
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.to_ascii_lowercase().as_str() {
                "path" if value.starts_with('/') => cookie.path = value.trim_end_matches('/').to_owned(),
                "max-age" => gone |= value.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                "expires" => gone |= value.contains("1970"),
                "secure" => cookie.secure = true,
                _ => {}
            }
        }
        let same = |other: &Cookie| {
            (&other.name, &other.host, &other.path) == (&cookie.name, &cookie.host, &cookie.path)
        };
        self.0.retain(|other| !same(other));
        if !gone && self.0.len() < COOKIES_MAX {
            self.0.push(cookie);
        }
    }

    /// What goes into `Cookie` of a request to `url`.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let host = url.host_str().unwrap_or_default();
        let fits = |cookie: &&Cookie| {
            let below = url.path().strip_prefix(cookie.path.as_str());
            cookie.host == host
                && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && (!cookie.secure || url.scheme() == "https")
        };
        let pairs: Vec<String> =
            self.0.iter().filter(fits).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_come_back_where_they_belong() {
        let at = |url: &str| Url::parse(url).unwrap();
        let mut jar = Jar::default();
        jar.set(&at("https://a.example/x/voice"), "n=1; HttpOnly");
        jar.set(&at("https://a.example/x/voice"), "all=2; Path=/; Secure");
        assert_eq!(jar.header(&at("https://a.example/x/menu")).as_deref(), Some("n=1; all=2"));
        assert_eq!(jar.header(&at("https://a.example/y")).as_deref(), Some("all=2"));
        assert_eq!(jar.header(&at("http://a.example/y")), None);
        assert_eq!(jar.header(&at("https://b.example/x/menu")), None);
        jar.set(&at("https://a.example/x/voice"), "n=; Max-Age=0");
        assert_eq!(jar.header(&at("https://a.example/x/menu")).as_deref(), Some("all=2"));
    }
}
