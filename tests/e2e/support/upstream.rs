//! A server as handlers meet them: it answers, fails, is slow, or never ends, as the path says.
//!
//! Bytes are written by hand, because most of what it does no server library would do. Shared by the tests of the host's
//! own parts and by those that run guests.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method, path and query: `GET /ok?x=1`.
    pub line: String,
    /// The head without its first line, as it came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
    /// On which connection, from 0.
    pub connection: usize,
    /// When.
    pub at: Instant,
}

impl Seen {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    connections: usize,
    times: HashMap<String, u32>,
}

/// The server; ends when it is dropped.
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    /// On a free port of this machine.
    pub async fn start() -> Self {
        Self::start_through(|stream| async move { Some(stream) }).await
    }

    /// As [`Upstream::start`], behind whatever `through` makes of a connection: TLS.
    pub async fn start_through<S, F>(through: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let kept = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut tasks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (state, stream) = (Arc::clone(&kept), through(stream));
                let connection = {
                    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.connections += 1;
                    state.connections - 1
                };
                tasks.spawn(async move {
                    if let Some(stream) = stream.await {
                        let _closed = serve(stream, connection, &state).await;
                    }
                });
            }
        });
        Self { address, state, task }
    }

    /// What arrived so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn serve<S>(mut stream: S, connection: usize, state: &Mutex<State>) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(seen) = read(&mut stream, connection).await? {
        let path = seen.line.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
        let time = {
            let mut state = state.lock().unwrap();
            state.seen.push(seen.clone());
            let times = state.times.entry(path.clone()).or_default();
            *times += 1;
            *times
        };
        if !answer(&mut stream, &seen, &path, time).await? {
            break;
        }
    }
    Ok(())
}

/// Reads one request.
async fn read<S: AsyncRead + Unpin>(stream: &mut S, connection: usize) -> std::io::Result<Option<Seen>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let mut body = bytes.split_off(end + 4);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (first, head) = text.split_once("\r\n").unwrap_or((&text, ""));
    let line = first.trim_end_matches(" HTTP/1.1").to_owned();
    let mut seen = Seen { line, head: head.to_owned(), body: Vec::new(), connection, at: Instant::now() };
    let length = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    seen.body = body;
    Ok(Some(seen))
}

/// Does what the path says; whether the connection goes on. `time` is how often this path was asked for, from 1.
async fn answer<S>(stream: &mut S, seen: &Seen, path: &str, time: u32) -> std::io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let number = |at: usize| parts.get(at).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let full = |status: u32, headers: &str, body: &str| {
        format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
    };
    match parts.first().copied().unwrap_or_default() {
        // `/status/404`
        "status" => stream.write_all(full(number(1), "", "said").as_bytes()).await?,
        // `/flaky/2/503/…`: twice 503, then 200.
        "flaky" if time <= number(1) => stream.write_all(full(number(2), "", "").as_bytes()).await?,
        // `/busy/1`: 503 once, asking for one second.
        "busy" if time == 1 => {
            let headers = format!("retry-after: {}\r\n", number(1));
            stream.write_all(full(503, &headers, "").as_bytes()).await?;
        }
        // `/resets/1/…`: the connection breaks once.
        "resets" if time <= number(1) => return Ok(false),
        "garbage" => {
            stream.write_all(b"220 mail.example ESMTP\r\n").await?;
            return Ok(false);
        }
        "fat-head" => {
            let headers = format!("x-fat: {}\r\n", "a".repeat(60_000));
            stream.write_all(full(200, &headers, "").as_bytes()).await?;
        }
        "fields" => {
            let headers = "x-one: 1\r\n".repeat(1_000);
            stream.write_all(full(200, &headers, "").as_bytes()).await?;
        }
        // A document that leads back to itself.
        "circle" => {
            let body = "<Response><Redirect>/circle</Redirect></Response>";
            stream.write_all(full(200, "content-type: text/xml\r\n", body).as_bytes()).await?;
        }
        "silent" => tokio::time::sleep(Duration::from_secs(60)).await,
        // `/slow/300`: after so many milliseconds.
        "slow" => {
            tokio::time::sleep(Duration::from_millis(number(1).into())).await;
            stream.write_all(full(200, "", "at last").as_bytes()).await?;
        }
        "drip" => {
            stream.write_all(b"HTTP/1.1 200 Said\r\ncontent-length: 100000\r\n\r\n").await?;
            loop {
                stream.write_all(b".").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        "drip-head" => {
            stream.write_all(b"HTTP/1.1 200 Said\r\nx-slow: ").await?;
            loop {
                stream.write_all(b".").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        "endless" => {
            stream.write_all(b"HTTP/1.1 200 Said\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            loop {
                stream.write_all(b"4000\r\n").await?;
                stream.write_all(&[b'e'; 0x4000]).await?;
                stream.write_all(b"\r\n").await?;
            }
        }
        // `/redirect?to=http://…`
        "redirect" => {
            let to = seen.line.split_once("?to=").map(|(_, to)| to).unwrap_or_default();
            stream.write_all(full(302, &format!("location: {to}\r\n"), "").as_bytes()).await?;
        }
        "echo" => {
            let body = format!("{}\n{}", seen.line, String::from_utf8_lossy(&seen.body));
            stream.write_all(full(200, "", &body).as_bytes()).await?;
        }
        "json" => {
            let body = r#"{"name":"Ada","number":"+12025550123"}"#;
            stream.write_all(full(200, "content-type: application/json\r\n", body).as_bytes()).await?;
        }
        _ => stream.write_all(full(200, "", "hello").as_bytes()).await?,
    }
    stream.flush().await?;
    Ok(true)
}
