//! Where a request goes, and how that is shown.

use http::Uri;
use url::Url;

use super::Error;

/// The longest URL, in bytes.
const URL_BYTES_MAX: usize = 8 * 1024;
/// A URL is shown as far as this, in characters.
const SHOWN_CHARS: usize = 200;

/// The URL of a request in the one spelling that is checked and sent.
pub fn target(uri: &Uri) -> Result<Url, Error> {
    let text = uri.to_string();
    if text.len() > URL_BYTES_MAX {
        return Err(Error::Url("has more than 8192 bytes"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(Error::Url("carries a user name or password; use the header Authorization"));
    }
    let url = Url::parse(&text).map_err(|_| Error::Url("is none that can be read"))?;
    if !matches!(url.scheme(), "http" | "https") || url.port() == Some(0) {
        return Err(Error::Url("is neither http:// nor https:// to a port"));
    }
    Ok(url)
}

/// A URL without what may be secret in it.
pub fn show(url: &Url) -> String {
    let mut shown: String =
        format!("{}{}", url.origin().ascii_serialization(), url.path()).chars().take(SHOWN_CHARS).collect();
    if url.query().is_some() {
        shown.push_str("?…");
    }
    shown
}
