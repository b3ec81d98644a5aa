//! A connection for one tenant: look the name up once, check what came, connect to just that.
//!
//! The address that is checked is the one the socket goes to, so a name that answers differently the second time gains
//! nothing. The name stays in `Host` and in TLS.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower_service::Service;

use super::address::{self, Exception, Prohibited};
use super::limits::{CONNECT, CONNECT_ONE, LOOK_UP};
use super::{Error, Resolve};

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is looked at before and counted during a connection.
#[derive(Clone)]
pub struct Dial {
    pub resolve: Arc<dyn Resolve>,
    pub exceptions: Arc<[Exception]>,
    /// Of the tenant and of the host.
    pub look_ups: [Arc<Semaphore>; 2],
    pub connections: [Arc<Semaphore>; 2],
}

/// One place in each of two queues, the tenant's first: whoever waits for its own place holds none of the others'.
async fn places(of: &[Arc<Semaphore>; 2]) -> Option<[OwnedSemaphorePermit; 2]> {
    let [tenant, host] = of.each_ref().map(Arc::clone);
    // Closed by nobody.
    Some([tenant.acquire_owned().await.ok()?, host.acquire_owned().await.ok()?])
}

impl Dial {
    async fn connect(self, to: Uri) -> Result<TokioIo<Held>, Error> {
        let host = to.host().ok_or(Error::Url("has no host"))?.to_owned();
        let port = to.port_u16().unwrap_or(if to.scheme_str() == Some("https") { 443 } else { 80 });
        let addresses = self.addresses(&host).await?;
        let mut failed = None;
        let mut open = Vec::with_capacity(addresses.len());
        for address in addresses {
            let address = SocketAddr::new(address, port);
            match address::check(address, &self.exceptions) {
                Ok(()) => open.push(address),
                Err(why) => failed = Some(Error::Prohibited { host: host.clone(), address, why }),
            }
        }
        let places = places(&self.connections).await.ok_or(Error::NoWayOut)?;
        let last = open.len().saturating_sub(1);
        for (index, address) in open.into_iter().enumerate() {
            let patience = if index == last { CONNECT } else { CONNECT_ONE };
            match timeout(patience, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    self.not_ourselves(&host, address, &stream)?;
                    // A request is one write; what waits for more bytes only waits.
                    let _ = stream.set_nodelay(true);
                    return Ok(TokioIo::new(Held { stream, _places: places }));
                }
                Ok(Err(error)) => {
                    let refused = error.kind() == io::ErrorKind::ConnectionRefused;
                    failed = Some(Error::Connect {
                        address: address.to_string(),
                        why: error.to_string(),
                        refused,
                    });
                }
                Err(_) => failed = Some(Error::ConnectTimeout(patience)),
            }
        }
        Err(failed.unwrap_or(Error::NoAddress { host, why: "the resolver names none".to_owned() }))
    }

    /// The addresses of a host, at most four.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Error> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(literal) = bare.parse() {
            return Ok(vec![literal]);
        }
        let looked_up = timeout(LOOK_UP, async {
            let places = places(&self.look_ups).await.ok_or(Error::NoWayOut)?;
            let no_address = |why: String| Error::NoAddress { host: host.to_owned(), why };
            self.resolve.resolve(host.to_owned(), places).await.map_err(|error| no_address(error.to_string()))
        });
        let mut addresses =
            looked_up.await.map_err(|_| Error::NameTimeout { host: host.to_owned(), after: LOOK_UP })??;
        addresses.truncate(4);
        Ok(addresses)
    }

    /// A connection that ends on this machine is refused, whatever address of it was dialled: its control plane may
    /// listen there. Nothing has been sent yet.
    fn not_ourselves(&self, host: &str, address: SocketAddr, stream: &TcpStream) -> Result<(), Error> {
        let ours = stream.local_addr().is_ok_and(|local| local.ip() == address.ip());
        if ours && !address::is_excepted(address, &self.exceptions) {
            let why = Prohibited("this machine's own");
            return Err(Error::Prohibited { host: host.to_owned(), address, why });
        }
        Ok(())
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<Held>;
    type Error = Error;
    type Future = BoxFuture<Result<TokioIo<Held>, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().connect(to))
    }
}

/// A socket with the places that it takes.
pub struct Held {
    stream: TcpStream,
    _places: [OwnedSemaphorePermit; 2],
}

impl Connection for Held {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// [`Dial`] and TLS, within a time of their own: a server that stops in the middle of a handshake keeps nobody.
#[derive(Clone)]
pub struct Connect(pub HttpsConnector<Dial>);

impl Service<Uri> for Connect {
    type Response = MaybeHttpsStream<TokioIo<Held>>;
    type Error = Error;
    type Future = BoxFuture<Result<Self::Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move {
            // Looking up has its time, and so has everything after it.
            let patience: Duration = LOOK_UP + CONNECT;
            match timeout(patience, connecting).await {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(error)) => Err(read(&*error)),
                Err(_) => Err(Error::ConnectTimeout(patience)),
            }
        })
    }
}

/// What stands behind an error of a connector.
fn read(error: &(dyn std::error::Error + 'static)) -> Error {
    if let Some(own) = error.downcast_ref::<Error>() {
        return own.clone();
    }
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    // TLS wraps its own error in one of input and output, and the connector wraps that in another.
    let inner = inner.map(|inner| match inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(innermost) => innermost,
        None => inner,
    });
    let certificate = inner
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        .is_some_and(|error| matches!(error, rustls::Error::InvalidCertificate(_)));
    Error::Tls { why: inner.map_or_else(|| error.to_string(), ToString::to_string), certificate }
}
