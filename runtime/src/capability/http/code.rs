//! What a guest hears of a request that came to nothing: the codes of `wasi:http`. The sentences are in its log.
//!
//! A record of a call has their names.

use wasmtime_wasi_http::Error as Code;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

use crate::outbound::Error;
use crate::outbound::limits::{BODY_RECEIVED_BYTES_MAX, BODY_SENT_BYTES_MAX};

/// The code for an error.
pub(super) fn of(error: Error) -> Code {
    match error {
        Error::NoWayOut | Error::NoList { .. } | Error::NotAllowed { .. } | Error::RetryHeader => {
            Code::HttpRequestDenied
        }
        Error::Url(_) => Code::HttpRequestUriInvalid,
        // Nothing in the allow-list would help: a guest hears that it met a limit.
        Error::TooManyRequests | Error::TooManyOpen | Error::TooFast(_) => Code::ConnectionLimitReached,
        Error::Headers { bytes, .. } => Code::HttpRequestHeaderSectionSize(u32::try_from(bytes).ok()),
        Error::SentTooMuch => Code::HttpRequestBodySize(Some(BODY_SENT_BYTES_MAX)),
        Error::ReceivedTooMuch => Code::HttpResponseBodySize(Some(BODY_RECEIVED_BYTES_MAX)),
        Error::BodyUnfinished => Code::HttpRequestBodySize(None),
        Error::NoAddress { why, .. } => Code::DnsError { rcode: Some(why), info_code: None },
        Error::NameTimeout { .. } => Code::DnsTimeout,
        Error::Prohibited { .. } => Code::DestinationIpProhibited,
        Error::Connect { refused: true, .. } => Code::ConnectionRefused,
        Error::Connect { .. } => Code::DestinationUnavailable,
        Error::ConnectTimeout(_) => Code::ConnectionTimeout,
        Error::Tls { certificate: true, .. } => Code::TlsCertificateError,
        Error::Tls { .. } => Code::TlsProtocolError,
        Error::Timeout(_) => Code::HttpResponseTimeout,
        Error::BodyTimeout => Code::ConnectionReadTimeout,
        Error::Broken(_) => Code::ConnectionTerminated,
        Error::Protocol(_) => Code::HttpProtocolError,
    }
}

/// The code for an error that ended the body of an answer.
pub(super) fn of_body(error: &Code) -> Option<ErrorCode> {
    match error {
        Code::HttpResponseBodySize(size) => Some(ErrorCode::HttpResponseBodySize(*size)),
        Code::ConnectionReadTimeout => Some(ErrorCode::ConnectionReadTimeout),
        Code::ConnectionTerminated => Some(ErrorCode::ConnectionTerminated),
        Code::HttpProtocolError => Some(ErrorCode::HttpProtocolError),
        _ => None,
    }
}

/// What a code is called in a record: all that a request can come to that its handler may make.
pub(super) fn name(code: &Code) -> &'static str {
    match code {
        Code::ConnectionLimitReached => "connection-limit-reached",
        Code::HttpRequestBodySize(_) => "request-body-size",
        Code::HttpRequestHeaderSectionSize(_) => "request-header-size",
        Code::HttpResponseBodySize(_) => "response-body-size",
        Code::DnsError { .. } => "dns-error",
        Code::DnsTimeout => "dns-timeout",
        Code::DestinationIpProhibited => "destination-prohibited",
        Code::ConnectionRefused => "connection-refused",
        Code::DestinationUnavailable => "destination-unavailable",
        Code::ConnectionTimeout => "connection-timeout",
        Code::TlsCertificateError => "tls-certificate-error",
        Code::TlsProtocolError => "tls-protocol-error",
        Code::HttpResponseTimeout => "response-timeout",
        Code::ConnectionReadTimeout => "read-timeout",
        Code::ConnectionTerminated => "connection-terminated",
        _ => "protocol-error",
    }
}

/// The code of that name.
pub(super) fn named(name: &str) -> Code {
    match name {
        "connection-limit-reached" => Code::ConnectionLimitReached,
        "request-body-size" => Code::HttpRequestBodySize(None),
        "request-header-size" => Code::HttpRequestHeaderSectionSize(None),
        "response-body-size" => Code::HttpResponseBodySize(None),
        "dns-error" => Code::DnsError { rcode: None, info_code: None },
        "dns-timeout" => Code::DnsTimeout,
        "destination-prohibited" => Code::DestinationIpProhibited,
        "connection-refused" => Code::ConnectionRefused,
        "destination-unavailable" => Code::DestinationUnavailable,
        "connection-timeout" => Code::ConnectionTimeout,
        "tls-certificate-error" => Code::TlsCertificateError,
        "tls-protocol-error" => Code::TlsProtocolError,
        "response-timeout" => Code::HttpResponseTimeout,
        "read-timeout" => Code::ConnectionReadTimeout,
        "connection-terminated" => Code::ConnectionTerminated,
        _ => Code::HttpProtocolError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_from_what_the_list_does_not_allow() {
        for error in [Error::TooManyRequests, Error::TooManyOpen] {
            assert!(matches!(of(error), Code::ConnectionLimitReached));
        }
        let listed = Error::NotAllowed { origin: String::new() };
        assert!(matches!(of(listed), Code::HttpRequestDenied));
    }

    #[test]
    fn a_code_has_the_same_name_in_a_record_as_when_it_is_read_again() {
        for error in [
            Error::TooManyOpen,
            Error::Headers { bytes: 1, max: 0 },
            Error::SentTooMuch,
            Error::ReceivedTooMuch,
            Error::NoAddress { host: String::new(), why: String::new() },
            Error::NameTimeout { host: String::new(), after: std::time::Duration::ZERO },
            Error::Connect { address: String::new(), why: String::new(), refused: true },
            Error::Connect { address: String::new(), why: String::new(), refused: false },
            Error::ConnectTimeout(std::time::Duration::ZERO),
            Error::Tls { why: String::new(), certificate: true },
            Error::Tls { why: String::new(), certificate: false },
            Error::Timeout(std::time::Duration::ZERO),
            Error::BodyTimeout,
            Error::Broken(String::new()),
            Error::Protocol(String::new()),
        ] {
            let code = of(error.clone());
            let again = named(name(&code));
            assert_eq!(name(&again), name(&code), "{error}");
            assert_eq!(std::mem::discriminant(&again), std::mem::discriminant(&code), "{error}");
        }
    }
}
