//! The carrier's side of one host: signs what it sends.

use std::net::SocketAddr;

use bytes::Bytes;
use hookswitch::carrier::twilio::signature::{self, AuthToken};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Call, TOKEN};

/// Sends webhooks to a host.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where the host listens.
    pub address: SocketAddr,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Heard {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Heard {
    /// The revision that answered.
    pub fn revision(&self) -> &str {
        self.header("x-hookswitch-revision")
    }

    /// The code of what failed; empty where nothing did.
    pub fn code(&self) -> &str {
        self.header("x-hookswitch-error")
    }

    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII")).unwrap_or_default()
    }
}

impl Client {
    /// Of the host at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// A call that has not begun.
    pub fn call(&self, handler: &str) -> Call {
        Call::new(self.clone(), handler)
    }

    /// The URL of a path on this host.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Posts a signed form.
    pub async fn post(&self, path: &str, params: &[(&str, &str)]) -> Heard {
        self.post_with(path, params, &[]).await
    }

    /// Posts a signed form with more headers.
    pub async fn post_with(&self, path: &str, params: &[(&str, &str)], headers: &[(&str, &str)]) -> Heard {
        let token = AuthToken::new(TOKEN).expect("not empty");
        let signature = signature::sign(&self.url(path), params.iter().copied(), &token);
        let mut request = Request::post(path).header("x-twilio-signature", signature);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send_form(request, params).await
    }

    /// Posts a form with just these headers.
    pub async fn send_form(&self, request: http::request::Builder, params: &[(&str, &str)]) -> Heard {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("host", self.address.to_string());
        self.send(request.body(Full::new(Bytes::from(body))).expect("a request")).await
    }

    /// Sends a request on a connection of its own.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Heard {
        let stream = TcpStream::connect(self.address).await.expect("the host listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection");
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        drop(sender);
        connection.abort();
        Heard {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}
