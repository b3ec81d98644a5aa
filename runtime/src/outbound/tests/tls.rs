use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::{Client, Error};
use super::upstream::Upstream;
use super::{LONG, Names, Run};

/// The server's side of TLS for `api.test`, which speaks this protocol.
fn acceptor(protocol: &str) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("certificates/api.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("certificates/api.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn server() -> Upstream {
    let acceptor = acceptor("http/1.1");
    Upstream::start_through(move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await.ok() }
    })
    .await
}

fn client(names: &Arc<Names>, trusting: bool) -> Client {
    let mut roots = RootCertStore::empty();
    if trusting {
        roots
            .add(CertificateDer::from_pem_slice(include_bytes!("certificates/authority.pem")).unwrap())
            .unwrap();
    }
    Client::with(vec!["127.0.0.1".parse().unwrap()], Arc::clone(names) as _, roots)
}

#[tokio::test]
async fn a_certificate_has_to_be_of_the_name_that_was_asked_for_and_of_somebody_trusted() {
    let upstream = server().await;
    let names = Names::of(&[("api.test", &[&["127.0.0.1"]]), ("other.test", &[&["127.0.0.1"]])]);
    let port = upstream.address.port();
    let (right, other) = (format!("https://api.test:{port}"), format!("https://other.test:{port}"));
    let allow = [right.as_str(), other.as_str()];

    let trusting = client(&names, true);
    let run = Run::new(&trusting, "acme", &allow, LONG);
    assert_eq!(run.get(&format!("{right}/ok")).await.unwrap().0, 200);
    assert_eq!(upstream.seen()[0].header("host"), Some(format!("api.test:{port}").as_str()));
    let error = run.get(&format!("{other}/ok")).await.unwrap_err();
    assert!(matches!(&error, Error::Tls { certificate: true, .. }), "{error:?}");

    let careful = client(&names, false);
    let error = Run::new(&careful, "acme", &allow, LONG).get(&format!("{right}/ok")).await.unwrap_err();
    assert!(matches!(&error, Error::Tls { certificate: true, .. }), "{error:?}");
    // Nobody whom we do not know has heard of the request, and it is not tried again.
    assert_eq!(upstream.seen().len(), 1);
    assert_eq!(upstream.connections(), 3);
}

#[tokio::test]
async fn a_server_that_speaks_http_2_is_spoken_to_in_it_over_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://api.test:{}", listener.local_addr().unwrap().port());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        let acceptor = acceptor("h2");
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let stream = acceptor.accept(stream).await.unwrap();
            let service = service_fn(|request: Request<Incoming>| async move {
                let said = format!("{:?} {}", request.version(), request.uri());
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(said))))
            });
            tokio::spawn(async move {
                let _closed = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    let client = client(&Names::of(&[("api.test", &[&["127.0.0.1"]])]), true);
    let run = Run::new(&client, "acme", &[&url], LONG);
    for _ in 0..3 {
        assert_eq!(run.get(&format!("{url}/x")).await.unwrap(), (200, format!("HTTP/2.0 {url}/x")));
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_server_that_stops_in_the_handshake_keeps_nobody_longer_than_connecting_may_take() {
    // It accepts and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let names = Names::of(&[("api.test", &[&["127.0.0.1"]])]);
    let url = format!("https://api.test:{}", address.port());
    let client = client(&names, true);
    let run = Run::new(&client, "acme", &[&url], Duration::from_millis(500));
    let began = Instant::now();
    let error = run.get(&format!("{url}/ok")).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error:?}");
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
}
