//! Keeps other websites away from the page.
//!
//! A website can make its visitor's browser send requests to this machine, and can give its own name this machine's
//! address to read the answers too. So the name in `Host` has to be this machine's, whatever is not a plain visit has to
//! come from the page itself, and nothing may frame it or load code into it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

/// Only what this host serves: no code in the document, no frame, no other server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(self)"),
];

/// Lets a request through to the page at `address`, or refuses it.
pub(super) async fn around(address: SocketAddr, request: Request, next: Next) -> Response {
    let mut response = match admitted(address, request.method(), request.uri().path(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn admitted(address: SocketAddr, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), String> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(header::HOST).unwrap_or_default();
    if !is_here(host, address) {
        return Err(format!("the page is at http://{address}; it does not answer as {host:?}"));
    }
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let visit = method == Method::GET && !path.starts_with("/api/");
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) && !(visit && path == "/") {
        return Err("another website asked for this".to_owned());
    }
    if text(header::ORIGIN).is_some_and(|origin| origin.strip_prefix("http://") != Some(host)) {
        return Err("another website asked for this".to_owned());
    }
    Ok(())
}

/// Whether `host` names the socket at `address`. A name that is not `localhost` may be anybody's.
fn is_here(host: &str, address: SocketAddr) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, Some(80)),
    };
    if port != Some(address.port()) {
        return false;
    }
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    match bare.parse::<IpAddr>() {
        Ok(named) if address.ip().is_unspecified() => !named.is_unspecified(),
        Ok(named) => named == address.ip() || named.is_loopback(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_itself_may_ask() {
        let at: SocketAddr = "127.0.0.1:8081".parse().unwrap();
        let everywhere: SocketAddr = "0.0.0.0:8081".parse().unwrap();
        for (address, method, path, headers, expected) in [
            (at, "GET", "/", &[("host", "127.0.0.1:8081")][..], true),
            (at, "GET", "/", &[("host", "localhost:8081")], true),
            (at, "GET", "/", &[("host", "[::1]:8081")], true),
            (at, "GET", "/", &[("host", "localhost")], false),
            (at, "GET", "/", &[], false),
            (at, "GET", "/", &[("host", "evil.example:8081")], false),
            (at, "GET", "/", &[("host", "127.0.0.1.evil.example:8081")], false),
            (at, "GET", "/", &[("host", "192.0.2.7:8081")], false),
            (everywhere, "GET", "/", &[("host", "192.0.2.7:8081")], true),
            (everywhere, "GET", "/", &[("host", "evil.example:8081")], false),
            // A link on another site may lead here; what it shows is not told to that site.
            (at, "GET", "/", &[("host", "localhost:8081"), ("sec-fetch-site", "cross-site")], true),
            (
                at,
                "GET",
                "/api/stream",
                &[("host", "localhost:8081"), ("sec-fetch-site", "cross-site")],
                false,
            ),
            (at, "GET", "/phone.js", &[("host", "localhost:8081"), ("sec-fetch-site", "same-site")], false),
            (
                at,
                "POST",
                "/api/calls",
                &[("host", "localhost:8081"), ("sec-fetch-site", "same-origin")],
                true,
            ),
            (at, "POST", "/api/calls", &[("host", "localhost:8081"), ("sec-fetch-site", "same-site")], false),
            (
                at,
                "POST",
                "/api/calls",
                &[("host", "localhost:8081"), ("origin", "http://localhost:8081")],
                true,
            ),
            (
                at,
                "POST",
                "/api/calls",
                &[("host", "localhost:8081"), ("origin", "http://localhost:3000")],
                false,
            ),
            (at, "POST", "/api/calls", &[("host", "localhost:8081"), ("origin", "null")], false),
        ] {
            let map = headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect::<HeaderMap>();
            let admitted = admitted(address, &method.parse().unwrap(), path, &map);
            assert_eq!(admitted.is_ok(), expected, "{address} {method} {path} {headers:?}: {admitted:?}");
        }
    }
}
