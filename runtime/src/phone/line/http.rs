//! Over the wire, to any host.

use std::error::Error;
use std::io::ErrorKind;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use hashbrown::HashMap;
use url::Url;

use super::{Line, LineError, Outgoing, Reply};
use crate::phone::ANSWER_BYTES_MAX;

/// How long a connection may take. Of the connection overrides only the total time counts on this line: a client has one
/// limit for all its connections.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Sends webhooks over HTTP.
///
/// A conversation that begins at one host may lead to others, so what a host needs is made when it is first asked.
#[derive(Default)]
pub struct HttpLine {
    clients: Mutex<HashMap<Kind, reqwest::Client>>,
}

/// What a client is made for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    secure: bool,
    /// This machine, to which no proxy leads.
    here: bool,
}

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
#[error("no connection can be made from this machine: {0}")]
pub struct NoLine(reqwest::Error);

impl HttpLine {
    /// A line that is ready for the host of `url`.
    ///
    /// # Errors
    /// [`NoLine`] where the line has to be secure and this machine has no certificates to trust.
    pub fn to(url: &Url) -> Result<Self, NoLine> {
        let line = Self::default();
        line.client(url).map(|_| line)
    }

    fn client(&self, url: &Url) -> Result<reqwest::Client, NoLine> {
        let kind = Kind {
            secure: url.scheme() == "https",
            here: matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&kind) {
            return Ok(client.clone());
        }
        let client = kind.client().map_err(NoLine)?;
        clients.insert(kind, client.clone());
        Ok(client)
    }
}

impl Kind {
    fn client(self) -> Result<reqwest::Client, reqwest::Error> {
        // Another part of the process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN);
        if self.here {
            builder = builder.no_proxy();
        }
        if !self.secure {
            // Otherwise a machine without certificates could not even speak plain HTTP.
            builder = builder.tls_certs_only([]);
        }
        builder.build()
    }
}

impl Line for HttpLine {
    async fn send(&self, request: Outgoing) -> Result<Reply, LineError> {
        let began = Instant::now();
        let within = request.answer_within;
        let client = self.client(&request.url).map_err(|error| LineError::Tls(error.to_string()))?;
        let exchange = async {
            let secure = request.url.scheme() == "https";
            let mut response = client
                .request(request.method, request.url)
                .headers(request.headers)
                .body(request.body)
                .send()
                .await
                .map_err(|error| named(&error, secure))?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let mut body = BytesMut::new();
            // One byte more than is allowed tells that it is too long.
            while body.len() <= ANSWER_BYTES_MAX
                && let Some(chunk) =
                    response.chunk().await.map_err(|error| LineError::Protocol(innermost(&error)))?
            {
                body.extend_from_slice(&chunk);
            }
            Ok(Reply { status, headers, body: body.freeze(), took: began.elapsed() })
        };
        tokio::time::timeout(within, exchange)
            .await
            .unwrap_or(Err(LineError::ReadTimeout(within.as_millis())))
    }
}

/// What failed, by the carrier's words for it. `secure`: the line was to be.
fn named(error: &reqwest::Error, secure: bool) -> LineError {
    let text = innermost(error);
    if !error.is_connect() {
        return LineError::Protocol(text);
    }
    for cause in causes(error) {
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return insecure(error);
        }
        match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(ErrorKind::ConnectionRefused) => return LineError::Refused(text),
            Some(ErrorKind::TimedOut) => return LineError::ConnectTimeout(CONNECT_WITHIN.as_millis()),
            // There was a connection, and the other side hung up in the middle of the handshake.
            Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) if secure => {
                return LineError::Tls(text);
            }
            _ => {}
        }
        if cause.to_string().contains("dns") {
            return LineError::Name(text);
        }
    }
    if error.is_timeout() {
        LineError::ConnectTimeout(CONNECT_WITHIN.as_millis())
    } else {
        LineError::Refused(text)
    }
}

/// What is wrong with a handshake.
fn insecure(error: &rustls::Error) -> LineError {
    use rustls::CertificateError as Wrong;
    let why = error.to_string();
    let rustls::Error::InvalidCertificate(wrong) = error else { return LineError::Tls(why) };
    // Source: Twilio, errors 11235 to 11237.
    let code = match wrong {
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => 11235,
        Wrong::Expired | Wrong::ExpiredContext { .. } => 11236,
        Wrong::UnknownIssuer => 11237,
        _ => return LineError::Tls(why),
    };
    LineError::Certificate { code, why }
}

/// The causes of an error, from the outermost on. What an input or output error carries is one of them, which `source` leaves
/// out.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| {
        let cause: &'e (dyn Error + 'static) = *cause;
        match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        }
    })
}

fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};
    use rustls::CertificateError;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A port at which everybody is answered `text`, and the line is closed.
    async fn answering(text: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _read = stream.read(&mut [0; 4096]).await;
                let _written = stream.write_all(text.as_bytes()).await;
            }
        });
        port
    }

    async fn ask(line: &HttpLine, url: String) -> Result<u16, u16> {
        let request = Outgoing {
            method: Method::POST,
            url: Url::parse(&url).unwrap(),
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
            answer_within: Duration::from_secs(30),
        };
        line.send(request).await.map(|reply| reply.status).map_err(|error| error.code())
    }

    #[tokio::test]
    async fn a_conversation_that_begins_without_tls_goes_on_with_it() {
        let plain = answering("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
        let silent = answering("").await;
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let line = HttpLine::to(&Url::parse(&format!("http://127.0.0.1:{plain}/")).unwrap()).unwrap();
        for (url, expected) in [
            (format!("http://127.0.0.1:{plain}/"), Ok(204)),
            // What answers there does not speak TLS.
            (format!("https://127.0.0.1:{plain}/"), Err(11220)),
            (format!("https://127.0.0.1:{silent}/"), Err(11220)),
            (format!("https://127.0.0.1:{nobody}/"), Err(11202)),
            (format!("http://127.0.0.1:{nobody}/"), Err(11202)),
            (format!("http://127.0.0.1:{silent}/"), Err(11206)),
        ] {
            assert_eq!(ask(&line, url.clone()).await, expected, "{url}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_certificate_has_its_own_number() {
        for (wrong, code) in [
            (CertificateError::NotValidForName, 11235),
            (CertificateError::Expired, 11236),
            (CertificateError::UnknownIssuer, 11237),
            (CertificateError::BadEncoding, 11220),
        ] {
            assert_eq!(insecure(&rustls::Error::InvalidCertificate(wrong.clone())).code(), code, "{wrong:?}");
        }
    }
}
