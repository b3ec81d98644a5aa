//! What HTTP/2 connections get, frame by frame, written by hand: no client library would send these.

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A window update that leaves no room for the window.
const OVERFLOW: [u8; 4] = [0x7f, 0xff, 0xff, 0xff];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `GET path` for `a`, in HPACK without compression.
fn get(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend(path.as_bytes());
    block.extend([0x01, 1, b'a']);
    block
}

/// One more field, never indexed.
fn field(name: &str, value: &str) -> Vec<u8> {
    let mut block = vec![0x10, u8::try_from(name.len()).unwrap()];
    block.extend(name.as_bytes());
    block.push(u8::try_from(value.len()).unwrap());
    block.extend(value.as_bytes());
    block
}

fn request(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
}

fn opening() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

/// Stream ids as a client gives them.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|n| n * 2 + 1)
}

/// What came back, up to the end of the connection or the first pause.
struct Seen {
    /// Kind, flags, stream and payload of each frame.
    frames: Vec<(u8, u8, u32, Vec<u8>)>,
    closed: bool,
}

impl Seen {
    fn has(&self, kind: u8) -> bool {
        self.frames.iter().any(|frame| frame.0 == kind)
    }

    /// The first byte of each answer's header block: 0x88 is `:status: 200` in HPACK.
    fn statuses(&self) -> Vec<u8> {
        self.frames.iter().filter(|frame| frame.0 == HEADERS).map(|frame| frame.3[0]).collect()
    }
}

/// Sends `bytes` and sees what comes of it; the pause that ends it is `quiet`.
async fn exchange(server: &Server, bytes: Vec<u8>, quiet: Duration) -> Seen {
    let stream = server.client().await.stream;
    let (mut reader, mut writer) = stream.into_split();
    let sending = tokio::spawn(async move {
        let _ = writer.write_all(&bytes).await;
        sleep(PATIENCE).await;
    });
    let (mut received, mut closed) = (Vec::new(), false);
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = timeout(quiet, reader.read(&mut buffer)).await {
        match read {
            Ok(0) | Err(_) => {
                closed = true;
                break;
            }
            Ok(count) => received.extend_from_slice(&buffer[..count]),
        }
    }
    sending.abort();
    let mut frames = Vec::new();
    let mut rest = received.as_slice();
    while rest.len() >= 9 {
        let length = usize::from(rest[0]) << 16 | usize::from(rest[1]) << 8 | usize::from(rest[2]);
        let stream = u32::from_be_bytes(rest[5..9].try_into().unwrap());
        let Some(payload) = rest.get(9..9 + length) else { break };
        frames.push((rest[3], rest[4], stream, payload.to_vec()));
        rest = &rest[9 + length..];
    }
    Seen { frames, closed }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// `GOAWAY`, then closed.
    GoAway,
    /// Closed, with or without a word.
    Closed,
}

struct Case {
    name: &'static str,
    send: Vec<u8>,
    expected: Expected,
    /// The most requests that may reach the handler.
    runs_max: usize,
}

fn floods() -> Vec<Case> {
    use Expected::{Closed, GoAway};
    let case = |name, frames: Vec<u8>, expected, runs_max| Case {
        name,
        send: [opening(), frames].concat(),
        expected,
        runs_max,
    };
    let slow = get("/slow");
    vec![
        case(
            "H53 requests opened and reset",
            streams(20_000)
                .flat_map(|id| [request(id, &slow), frame(RST_STREAM, 0, id, &[0, 0, 0, 8])].concat())
                .collect(),
            GoAway,
            2_000,
        ),
        case(
            "H57 errors that make us reset",
            streams(1_000)
                .flat_map(|id| {
                    let open = frame(HEADERS, END_HEADERS, id, &slow);
                    [open, frame(WINDOW_UPDATE, 0, id, &OVERFLOW)].concat()
                })
                .collect(),
            GoAway,
            200,
        ),
        case(
            "H57 errors behind a whole request",
            streams(1_000)
                .flat_map(|id| [request(id, &slow), frame(DATA, 0, id, &[1; 8])].concat())
                .collect(),
            GoAway,
            200,
        ),
        case("H55 pings", frame(PING, 0, 0, &[7; 8]).repeat(200_000), Closed, 0),
        case("H55 settings", frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]).repeat(200_000), Closed, 0),
        case("H55 priorities", frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]).repeat(300_000), Closed, 0),
        case(
            "H55 window updates",
            [
                frame(HEADERS, END_HEADERS, 1, &slow),
                frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]).repeat(300_000),
            ]
            .concat(),
            Closed,
            0,
        ),
        case(
            "H55 empty data",
            [frame(HEADERS, END_HEADERS, 1, &slow), frame(DATA, 0, 1, &[]).repeat(100_000)].concat(),
            GoAway,
            0,
        ),
        case("H55 window overflow", frame(WINDOW_UPDATE, 0, 0, &OVERFLOW), GoAway, 0),
        case(
            "H55 continuations",
            [
                frame(HEADERS, 0, 1, &slow),
                frame(CONTINUATION, 0, 1, &field("x", &"y".repeat(100))).repeat(5_000),
            ]
            .concat(),
            Closed,
            0,
        ),
        case("a frame beyond the size", frame(DATA, 0, 1, &[0; 20_000]), GoAway, 0),
        case("data on no stream", frame(DATA, 0, 0, &[0; 10]), GoAway, 0),
        case("an even stream", request(2, &slow), GoAway, 0),
        case("unknown compression index", request(1, &[0xff, 0xff, 0xff, 0x7f]), GoAway, 0),
        Case {
            name: "HTTP/1 after the preface",
            send: [PREFACE, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat(),
            expected: GoAway,
            runs_max: 0,
        },
    ]
}

async fn check(case: Case) {
    let Case { name, send, expected, runs_max } = case;
    let limits = IngressLimits { unanswered_bytes_max: 512 << 10, ..short_limits() };
    let server = Server::start(limits).await;
    let mut neighbour = server.client().await;
    assert!(neighbour.is_answered().await, "{name}: neighbour before");
    let seen = exchange(&server, send, Duration::from_secs(2)).await;
    assert!(seen.closed, "{name}: still open");
    if expected == Expected::GoAway {
        assert!(seen.has(GOAWAY), "{name}: no GOAWAY among {} frames", seen.frames.len());
    }
    assert!(server.runs() <= runs_max, "{name}: {} runs", server.runs());
    assert!(neighbour.is_answered().await, "{name}: neighbour after");
}

#[tokio::test]
async fn floods_and_nonsense_end_the_connection() {
    all(floods().into_iter().map(check)).await;
}

#[tokio::test]
async fn h55_answers_that_may_not_be_sent_end_the_connection() {
    // A window of nothing, and one that opens by a byte now and then.
    all([false, true].map(answers_that_may_not_be_sent)).await;
}

async fn answers_that_may_not_be_sent(opening_by_bytes: bool) {
    let server = Server::start(short_limits()).await;
    let mut neighbour = server.client().await;
    assert!(neighbour.is_answered().await);
    let mut client = server.client().await;
    let no_window = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    client.send([PREFACE, &no_window].concat()).await;
    client.send(streams(64).flat_map(|id| request(id, &get("/"))).collect::<Vec<u8>>()).await;
    let began = tokio::time::Instant::now();
    while opening_by_bytes && began.elapsed() < Duration::from_millis(600) {
        client.send(frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])).await;
        sleep(Duration::from_millis(250)).await;
    }
    while client.read_more().await {}
    assert!(began.elapsed() < Duration::from_millis(2_000), "{:?}", began.elapsed());
    assert!(neighbour.is_answered().await);
}

#[tokio::test]
async fn http2_requests_pass_the_same_filter() {
    let with = |name: &str, value: &str| [get("/"), field(name, value)].concat();
    let many: Vec<u8> = (0..65).flat_map(|n| field(&format!("x-{n}"), "1")).collect();
    let no_authority = get("/")[..5].to_vec();
    let put = [&[0x02, 3, b'P', b'U', b'T', 0x86, 0x84, 0x01, 1, b'a'][..]].concat();
    let cases = [
        ("as it should be", get("/"), Some(0x88)),
        ("Host agrees", with("host", "A"), Some(0x88)),
        // 0x8c is 400 in HPACK; other errors are spelled out, beginning with 0x48.
        ("Host differs", with("host", "b"), Some(0x8c)),
        ("no authority", no_authority, Some(0x8c)),
        ("two readings", get("/a/../b"), Some(0x8c)),
        ("unknown expectation", with("expect", "x"), Some(0x48)),
        ("65 fields", [get("/"), many].concat(), Some(0x48)),
        ("PUT", put, Some(0x48)),
        ("chunked", with("transfer-encoding", "chunked"), None),
        ("connection field", with("connection", "close"), None),
    ];
    all(cases.map(|(name, block, expected)| async move {
        let server = Server::start(short_limits()).await;
        let seen =
            exchange(&server, [opening(), request(1, &block)].concat(), Duration::from_millis(250)).await;
        match expected {
            Some(status) => assert_eq!(seen.statuses(), [status], "{name}"),
            None => {
                assert!(seen.statuses().is_empty() && (seen.has(RST_STREAM) || seen.has(GOAWAY)), "{name}")
            }
        }
        assert_eq!(server.runs(), usize::from(expected == Some(0x88)), "{name}");
    }))
    .await;
}

#[tokio::test]
async fn the_bodies_of_one_connection_share_its_memory() {
    let limits = IngressLimits { bodies_bytes_per_connection_max: 40_000, stall: PATIENCE, ..short_limits() };
    let server = Server::start(limits).await;
    let mut block = get("/");
    block[0] = 0x83; // POST
    // Together just below the window that a peer has before it is told of a larger one.
    let parts = streams(4).flat_map(|id| {
        [frame(HEADERS, END_HEADERS, id, &block), frame(DATA, 0, id, &[b'x'; 15_000])].concat()
    });
    let seen =
        exchange(&server, opening().into_iter().chain(parts).collect(), Duration::from_millis(250)).await;
    // 503, spelled out; those that fit are still waiting for the rest.
    let refused = seen.statuses().len();
    assert!((1..4).contains(&refused), "{refused} refused");
    assert_eq!(server.runs(), 0);
}

/// Acknowledges the server's pings, as a client does, until the server closes. Gives what was received.
async fn acknowledge_to_the_end(client: &mut Client, mut at_ping: Vec<u8>) -> Vec<u8> {
    while client.read_more().await {
        let ping = |head: &[u8]| head[..4] == [0, 0, 8, PING] && head[4] == 0;
        if let Some(at) = client.received.windows(9).position(ping) {
            let payload = client.received[at + 9..at + 17].to_vec();
            client.received[at + 4] = 1;
            client.send([std::mem::take(&mut at_ping), frame(PING, 1, 0, &payload)].concat()).await;
        }
    }
    std::mem::take(&mut client.received)
}

#[tokio::test]
async fn an_http2_answer_under_way_at_shutdown_arrives() {
    let server = Server::start(short_limits()).await;
    let mut client = server.client().await;
    client.send([opening(), request(1, &get("/slow"))].concat()).await;
    sleep(Duration::from_millis(30)).await;
    server.stop.send(()).unwrap();
    // Acknowledges the server's settings first.
    client.send(frame(SETTINGS, 1, 0, &[])).await;
    sleep(Duration::from_millis(60)).await;
    let received = acknowledge_to_the_end(&mut client, Vec::new()).await;
    assert!(received.windows(2).any(|two| two == b"ok"), "no answer");
    assert!(received.windows(9).any(|head| head[..4] == [0, 0, 8, GOAWAY]), "no GOAWAY");
    assert_eq!(server.served.await.unwrap(), 0);
}

#[tokio::test]
async fn an_http2_request_that_crosses_the_end_after_a_handover_is_answered() {
    let limits = IngressLimits { handed_over_last_call: Duration::from_secs(60), ..short_limits() };
    let server = Server::start(limits).await;
    let mut client = server.client().await;
    client.send([opening(), request(1, &get("/"))].concat()).await;
    client.send(frame(SETTINGS, 1, 0, &[])).await;
    sleep(Duration::from_millis(30)).await;
    let began = tokio::time::Instant::now();
    server.hand_over.send(()).unwrap();
    // Sent before the ping that comes with GOAWAY is acknowledged, so the server must take it.
    let received = acknowledge_to_the_end(&mut client, request(3, &get("/slow"))).await;
    let answers = received.windows(2).filter(|two| two == b"ok").count();
    assert_eq!((answers, server.runs.load(Relaxed)), (2, 2));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(server.served.await.unwrap(), 0);
}
