//! A carrier's API that answers as a test says: well, badly, late, or not at all.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The one number of its account.
pub const OWN_NUMBER: &str = r#"{"sid":"PN00000000000000000000000000000009","phone_number":"+12025550199"}"#;

/// How a request is treated.
#[derive(Debug, Clone)]
pub enum Treat {
    /// With this status, these headers and this body; the request was carried out where the status says so.
    Answer(u16, &'static str, String),
    /// It is carried out, and nothing comes back.
    Hang,
    /// It is carried out, and the connection breaks.
    Reset,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `POST /2010-04-01/…`, with its query.
    pub line: String,
    /// Its body, as pairs.
    pub form: Vec<(String, String)>,
    /// Its headers, lower case.
    pub head: String,
}

impl Asked {
    /// A parameter of the body; empty where there is none.
    pub fn param(&self, name: &str) -> &str {
        self.form.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether it makes something: a call or a message.
    pub fn makes(&self) -> bool {
        self.line.starts_with("POST ")
            && (self.line.contains("/Calls.json") || self.line.contains("/Messages.json"))
    }
}

#[derive(Default)]
struct State {
    plan: VecDeque<Treat>,
    asked: Vec<Asked>,
    /// What was carried out, as the list of messages shows it.
    done: Vec<String>,
}

/// Listens until the test ends.
pub struct Stub {
    /// Where.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Stub {
    /// Answers well unless told otherwise.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(State::default())));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || drop(serve(stream, &state)));
            }
        });
        Self { address, state }
    }

    /// How the next requests that make or change something are treated, one after the other.
    pub fn plan(&self, treats: impl IntoIterator<Item = Treat>) {
        self.state.lock().unwrap().plan = treats.into_iter().collect();
    }

    /// Requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Calls and messages that were asked for so far.
    pub fn made(&self) -> usize {
        self.asked().iter().filter(|asked| asked.makes()).count()
    }

    /// Calls and messages that were carried out so far.
    pub fn done(&self) -> usize {
        self.state.lock().unwrap().done.len()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    let form: Vec<_> = form_urlencoded::parse(&body).into_owned().collect();
    let asked = Asked { line, form, head: head.to_ascii_lowercase() };
    let treat = {
        let mut state = state.lock().unwrap();
        state.asked.push(asked.clone());
        if asked.line.starts_with("GET ") {
            let list = format!(
                "{{\"messages\":[{}],\"incoming_phone_numbers\":[{OWN_NUMBER}]}}",
                state.done.join(",")
            );
            Treat::Answer(200, "", list)
        } else {
            let n = state.done.len() + 1;
            let planned = state.plan.pop_front();
            let sid = format!("SM{n:032x}");
            let json =
                format!("{{\"sid\":\"{sid}\",\"body\":{:?},\"date_created\":null}}", asked.param("Body"));
            let treat = planned.unwrap_or(Treat::Answer(201, "", json.clone()));
            if asked.makes() && matches!(&treat, Treat::Hang | Treat::Reset | Treat::Answer(201, ..)) {
                state.done.push(json);
            }
            treat
        }
    };
    match treat {
        Treat::Answer(status, headers, body) => {
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
            )
        }
        Treat::Hang => {
            // Until the other side gives up.
            let _ended = reader.read(&mut [0; 1]);
            Ok(())
        }
        Treat::Reset => Ok(()),
    }
}
