//! The strict front: what a request must be before anybody looks at what it wants.
//!
//! The HTTP parser takes what is parseable; this takes what has one meaning. Nothing is repaired. The only changes are
//! that `X-Forwarded-*`, `Forwarded` and `X-Real-IP` are removed unless the direct peer is a trusted proxy.
//!
//! Which value of `X-Forwarded-Proto` and `-Host` counts: the last, written by the proxy that we trust; those
//! before it were written by whoever that proxy talked to. `X-Forwarded-For` is read from its end, too, past further
//! trusted proxies. `Forwarded` (RFC 7239) is left for whoever wants to read it.

use std::net::{IpAddr, SocketAddr};

use http::header::{CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Version};
use ipnet::IpNet;

use super::host::Host;
use super::io::METHOD_BYTES_MAX;
use super::limits::IngressLimits;
use super::path;
use super::progress::Progress;
use super::refusal::Refusal;
use crate::webhook::route::is_web;

/// What a trusted proxy says about the request that it received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Scheme, from `X-Forwarded-Proto`: `http` or `https`.
    pub proto: Option<Scheme>,
    /// Host, from `X-Forwarded-Host`.
    pub host: Option<Host>,
}

/// What the filter found out.
pub(super) struct Passed {
    pub(super) uri: PathAndQuery,
    pub(super) host: Option<Host>,
    pub(super) client: IpAddr,
    pub(super) forwarded: Option<Forwarded>,
}

/// Whether `peer` is one of `proxies`.
pub(super) fn trusts(proxies: &[IpNet], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    proxies.iter().any(|network| network.contains(&peer))
}

/// Checks the head of a request and takes out of it what the sender may not say.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(
    parts: &mut Parts,
    limits: &IngressLimits,
    progress: &Progress,
    peer: SocketAddr,
) -> Result<Passed, Refusal> {
    check_method(&parts.method, parts.uri.path())?;
    if parts.headers.len() > limits.headers_max {
        return Err(Refusal::TooManyHeaders { max: limits.headers_max });
    }
    let uri = check_uri(parts, limits)?;
    let telling = Telling::of(&parts.headers, parts.version)?;
    let host = check_host(parts, telling.host)?;
    if telling.transfer_encoding {
        check_framing(&parts.headers, progress)?;
    }
    let peer = peer.ip().to_canonical();
    let (client, forwarded) =
        if telling.forwarding { check_forwarding(&mut parts.headers, limits, peer)? } else { (peer, None) };
    Ok(Passed { uri, host, client, forwarded })
}

/// The fields that mean something here, found in one pass.
struct Telling<'a> {
    host: Option<&'a HeaderValue>,
    transfer_encoding: bool,
    forwarding: bool,
}

impl<'a> Telling<'a> {
    fn of(headers: &'a HeaderMap, version: Version) -> Result<Self, Refusal> {
        let mut telling = Telling { host: None, transfer_encoding: false, forwarding: false };
        for (name, value) in headers {
            match name.as_str() {
                "host" if telling.host.replace(value).is_some() => return Err(Refusal::HostCount),
                "transfer-encoding" => telling.transfer_encoding = true,
                // HTTP/1.0 has no such thing, and is not asked for it.
                "expect"
                    if version != Version::HTTP_10
                        && !value.as_bytes().eq_ignore_ascii_case(b"100-continue") =>
                {
                    return Err(Refusal::Expectation);
                }
                other => telling.forwarding |= tells_of_forwarding(other),
            }
        }
        Ok(telling)
    }
}

fn check_method(method: &Method, path: &str) -> Result<(), Refusal> {
    if *method == Method::POST || *method == Method::GET {
        return Ok(());
    }
    // HEAD too: it would run a handler, and then throw away what it says. What a web request is, its handler says.
    let known = [Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS];
    if known.contains(method) {
        if is_web(path) {
            return Ok(());
        }
        Err(Refusal::MethodNotAllowed(method.clone()))
    } else if method.as_str().len() > METHOD_BYTES_MAX {
        Err(Refusal::MethodTooLong)
    } else {
        Err(Refusal::MethodUnknown)
    }
}

fn check_uri(parts: &Parts, limits: &IngressLimits) -> Result<PathAndQuery, Refusal> {
    let uri = parts.uri.path_and_query().ok_or(Refusal::Uri("has no path"))?;
    if uri.as_str().len() > limits.uri_bytes_max {
        return Err(Refusal::UriTooLong { max: limits.uri_bytes_max });
    }
    path::check(uri.path().as_bytes()).map_err(Refusal::Uri)?;
    path::check_query(uri.query().unwrap_or_default().as_bytes()).map_err(Refusal::Uri)?;
    Ok(uri.clone())
}

/// One host, whether it stands in the header, in the URL (`GET http://host/`, and HTTP/2), or in both.
fn check_host(parts: &Parts, header: Option<&HeaderValue>) -> Result<Option<Host>, Refusal> {
    let header = header.map(|value| Host::parse(value.as_bytes())).transpose().map_err(Refusal::Host)?;
    let Some(authority) = parts.uri.authority() else {
        // HTTP/1.0 knows no Host; a signature is then checked against the configured URL.
        return if header.is_none() && parts.version != Version::HTTP_10 {
            Err(Refusal::HostCount)
        } else {
            Ok(header)
        };
    };
    let scheme = parts.uri.scheme();
    if scheme.is_some_and(|scheme| *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS) {
        return Err(Refusal::Uri("has a scheme that is neither http nor https"));
    }
    let url = Host::parse(authority.as_str().as_bytes()).map_err(Refusal::Host)?;
    match header {
        Some(header) if header != url => Err(Refusal::HostsDiffer),
        None if parts.version == Version::HTTP_11 => Err(Refusal::HostCount),
        _ => Ok(Some(url)),
    }
}

/// One way of telling where the body ends.
///
/// The parser itself refuses two different lengths and lengths that are no number. Where both headers stand, it takes
/// the one that RFC 9112 prefers and hides the other, so the bytes have to be looked at; should they not be at hand
/// (a pipelined request), it closes the connection after this request, and nothing behind it is taken for another.
fn check_framing(headers: &HeaderMap, progress: &Progress) -> Result<(), Refusal> {
    let Some(encoding) = headers.get(TRANSFER_ENCODING) else { return Ok(()) };
    let twice = headers.get_all(TRANSFER_ENCODING).iter().nth(1).is_some();
    if twice || !encoding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return Err(Refusal::TransferEncoding);
    }
    let two = headers.contains_key(CONTENT_LENGTH) || progress.with_head(names_a_length).unwrap_or(false);
    if two { Err(Refusal::TwoLengths) } else { Ok(()) }
}

/// Whether a raw head holds a `Content-Length` line.
fn names_a_length(head: &[u8]) -> bool {
    let name = CONTENT_LENGTH.as_str().as_bytes();
    let lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()).any(|line| {
        line.split_at_checked(name.len())
            .is_some_and(|(start, rest)| start.eq_ignore_ascii_case(name) && rest.first() == Some(&b':'))
    })
}

fn check_forwarding(
    headers: &mut HeaderMap,
    limits: &IngressLimits,
    peer: IpAddr,
) -> Result<(IpAddr, Option<Forwarded>), Refusal> {
    if !trusts(&limits.trusted_proxies, peer) {
        let names: Vec<HeaderName> =
            headers.keys().filter(|name| tells_of_forwarding(name.as_str())).cloned().collect();
        for name in names {
            headers.remove(name);
        }
        return Ok((peer, None));
    }
    let proto = match last_of(headers, "x-forwarded-proto")? {
        None => None,
        Some(proto) if proto.eq_ignore_ascii_case("https") => Some(Scheme::HTTPS),
        Some(proto) if proto.eq_ignore_ascii_case("http") => Some(Scheme::HTTP),
        Some(_) => return Err(Refusal::Forwarded("Proto")),
    };
    let host = last_of(headers, "x-forwarded-host")?
        .map(|host| Host::parse(host.as_bytes()))
        .transpose()
        .map_err(|_| Refusal::Forwarded("Host"))?;
    let client = client(headers, &limits.trusted_proxies, peer);
    Ok((client, Some(Forwarded { proto, host })))
}

fn tells_of_forwarding(name: &str) -> bool {
    name.starts_with("x-forwarded-") || name == "x-real-ip" || name == "forwarded"
}

/// The last value of a list that may be spread over several lines.
fn last_of<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let Some(line) = headers.get_all(name).iter().next_back() else { return Ok(None) };
    let line = line.to_str().map_err(|_| Refusal::Forwarded("*"))?;
    Ok(line.rsplit(',').next().map(str::trim))
}

/// The last address of `X-Forwarded-For` that is not itself a trusted proxy; the peer where there is none.
fn client(headers: &HeaderMap, proxies: &[IpNet], peer: IpAddr) -> IpAddr {
    let mut client = peer;
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    for entry in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
        let Some(address) = address(entry.trim()) else { break };
        client = address;
        if !trusts(proxies, address) {
            break;
        }
    }
    client
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare.or_else(with_port).or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}
