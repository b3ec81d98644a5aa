//! What can be told from a failed request and from an answer's head.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};

use super::Repeat;

/// Whether another try may end otherwise, and would do no harm.
pub(super) fn may_pass(error: &reqwest::Error, repeat: Repeat) -> bool {
    if is_about_tls(error) || error.is_dns() || error.is_builder() {
        return false;
    }
    error.is_connect() || (repeat == Repeat::Safe && error.is_request() && !error.is_timeout())
}

/// An error and what is behind it.
fn causes<'e>(error: &'e reqwest::Error) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
}

/// Whether the certificate or the TLS version is at fault.
pub(super) fn is_about_tls(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>())
    })
}

/// The cause that says most: the last one.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// The type of an answer, in lower case and without parameters.
pub(super) fn content_type(response: &Response) -> String {
    let value =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// How long the host asks us to wait.
pub(super) fn retry_after(response: &Response) -> Duration {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

/// Between a half and one, so that many who wait do not come back together.
pub fn jitter() -> f64 {
    let mut byte = [0];
    // Without randomness all wait the same time, which is no harm to one.
    let _ = getrandom::fill(&mut byte);
    0.5 + f64::from(byte[0]) / 512.0
}
