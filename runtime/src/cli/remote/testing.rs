//! A host that is not there: answers as it was told and keeps what it was asked. And commands run against it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use clap::Parser as _;
use futures_util::{StreamExt as _, stream};
use tokio::net::TcpListener;

use super::{Console, RemoteCommand as _, RemoteError, Session, Surroundings};
use crate::cli::{Cli, Command};

/// One answer: the request it is for, its status, its type and its body.
#[derive(Clone)]
pub struct Answer {
    request: String,
    status: u16,
    kind: &'static str,
    body: Bytes,
    location: Option<&'static str>,
    /// Whether the connection breaks after the body.
    cut: bool,
}

/// JSON in answer to a request such as `GET token` (below `/api/v1/`).
pub fn json(request: &str, status: u16, body: &serde_json::Value) -> Answer {
    let kind = if status < 400 { "application/json" } else { "application/problem+json" };
    Answer {
        request: request.to_owned(),
        status,
        kind,
        body: body.to_string().into(),
        location: None,
        cut: false,
    }
}

/// Something else in answer to a request.
pub fn other(request: &str, status: u16, kind: &'static str, body: &str) -> Answer {
    Answer {
        request: request.to_owned(),
        status,
        kind,
        body: body.to_owned().into(),
        location: Some("https://else.test/"),
        cut: false,
    }
}

/// An answer in whose middle the host is killed.
pub fn cut(request: &str, kind: &'static str, body: &str) -> Answer {
    Answer { cut: true, ..other(request, 200, kind, body) }
}

/// A problem document.
pub fn problem(request: &str, status: u16, title: &str, detail: &str) -> Answer {
    let body = serde_json::json!({ "type": "urn:hookswitch:problem:x", "title": title, "status": status, "detail": detail });
    json(request, status, &body)
}

/// A host on a port of this machine.
pub struct FakeHost {
    /// Its control port.
    pub url: String,
    state: Arc<FakeState>,
}

struct FakeState {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<String>>,
}

impl FakeHost {
    /// Answers each request with the first answer that is for it, and keeps the last one for it.
    pub async fn start(answers: Vec<Answer>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), answers)
    }

    /// As [`start`](Self::start), on a port that is there.
    pub fn on(listener: TcpListener, answers: Vec<Answer>) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state =
            Arc::new(FakeState { answers: Mutex::new(answers.into()), asked: Mutex::new(Vec::new()) });
        let routes = axum::Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, state }
    }

    /// What it was asked, each with its body.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.asked.lock().unwrap())
    }
}

async fn answer(State(state): State<Arc<FakeState>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().unwrap().as_str();
    let request = format!("{} {}", parts.method, path.trim_start_matches("/api/v1/"));
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let token = parts.headers.get("authorization").map_or("", |value| value.to_str().unwrap());
    let asked = format!("{request} {}", String::from_utf8_lossy(&body));
    state.asked.lock().unwrap().push(format!(
        "{} [{}]",
        asked.trim_end(),
        token.trim_start_matches("Bearer ")
    ));
    let mut answers = state.answers.lock().unwrap();
    let for_it = |answer: &Answer| answer.request == request;
    let found = answers.iter().position(for_it);
    let answer = match found {
        Some(index) if answers.iter().filter(|answer| for_it(answer)).count() > 1 => {
            answers.remove(index).unwrap()
        }
        Some(index) => answers[index].clone(),
        None => problem("", 404, "There is no such thing", &request),
    };
    let mut response = Response::builder().status(answer.status).header("content-type", answer.kind);
    if let Some(location) = answer.location {
        response = response.header("location", location);
    }
    if !answer.cut {
        return response.body(Body::from(answer.body)).unwrap();
    }
    // Of unknown length, and sent before it breaks: whoever reads it notices that its end is missing.
    let end = async {
        tokio::task::yield_now().await;
        Err(io::Error::other("killed"))
    };
    let pieces = stream::once(std::future::ready(Ok(answer.body))).chain(stream::once(end));
    response.body(Body::from_stream(pieces)).unwrap()
}

/// What a command did.
pub struct Ran {
    /// How it ended.
    pub result: Result<(), RemoteError>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub notes: String,
}

/// A stream that keeps what is written, up to so many writes; then nobody reads it any more.
#[derive(Clone)]
pub struct Kept {
    text: Rc<RefCell<Vec<u8>>>,
    left: Rc<RefCell<usize>>,
}

impl Kept {
    fn new(writes_max: usize) -> Self {
        Self { text: Rc::default(), left: Rc::new(RefCell::new(writes_max)) }
    }

    fn text(&self) -> String {
        String::from_utf8(self.text.borrow().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Each print ends with one.
    fn flush(&mut self) -> io::Result<()> {
        let mut left = self.left.borrow_mut();
        *left = left.saturating_sub(1);
        if *left == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

/// A command line, in surroundings of its own.
pub struct Run<'a> {
    /// Behind `hookswitch`.
    pub args: Vec<&'a str>,
    /// Environment variables.
    pub variables: Vec<(&'static str, String)>,
    /// Standard input.
    pub input: &'static str,
    /// Prints after which nobody reads the output.
    pub prints_max: usize,
    /// How long a request is tried again.
    pub patience: Duration,
}

impl<'a> Run<'a> {
    /// Against a host, with the token `T`.
    pub fn new(host: &FakeHost, args: &[&'a str]) -> Self {
        let variables = vec![("HOOKSWITCH_CONTROL", host.url.clone()), ("HOOKSWITCH_TOKEN", "T".to_owned())];
        let patience = Duration::from_secs(10);
        Self { args: args.to_vec(), variables, input: "", prints_max: usize::MAX, patience }
    }

    /// Runs it as `main` does, but for the streams.
    pub async fn run(self) -> Ran {
        let (out, notes) = (Kept::new(self.prints_max), Kept::new(usize::MAX));
        let console = Console::new(out.clone(), notes.clone(), || "2026-05-04T12:00:00Z".parse().unwrap());
        let variables = self.variables;
        let surroundings = Surroundings {
            variables: Box::new(move |name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
            }),
            folder: "/nowhere".into(),
            input: RefCell::new(Box::new(self.input.as_bytes())),
            patience: self.patience,
        };
        let session = Session { console: &console, surroundings: &surroundings };
        let cli = Cli::try_parse_from(["hookswitch"].iter().chain(&self.args)).unwrap();
        let result = match cli.command {
            Command::Deploy(command) => command.run(&session).await,
            Command::Promote(command) => command.run(&session).await,
            Command::Rollback(command) => command.run(&session).await,
            Command::Status(command) => command.run(&session).await,
            Command::Revisions(command) => command.run(&session).await,
            Command::Delete(command) => command.run(&session).await,
            Command::Logs(command) => command.run(&session).await,
            Command::Config(command) => command.run(&session).await,
            Command::Number(command) => command.run(&session).await,
            Command::Tenant(command) => command.run(&session).await,
            Command::Token(command) => command.run(&session).await,
            Command::Context(command) => command.run(&session).await,
            _ => panic!("{:?} does not talk to a host", self.args),
        };
        Ran { result, out: out.text(), notes: notes.text() }
    }
}
