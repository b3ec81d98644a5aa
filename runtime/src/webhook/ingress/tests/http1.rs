//! What HTTP/1 requests get. Names begin with the input's number in the attack corpus.

use super::*;

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It is closed, without a further answer.
    Closed,
    /// The next request on it is understood.
    InSync,
}
use Then::{Closed, InSync};

struct Case {
    name: &'static str,
    send: Vec<u8>,
    /// Statuses, in order.
    answers: &'static [u16],
    then: Then,
    /// Requests that reach the handler.
    runs: usize,
}

fn case(
    name: &'static str,
    send: impl Into<Vec<u8>>,
    answers: &'static [u16],
    then: Then,
    runs: usize,
) -> Case {
    Case { name, send: send.into(), answers, then, runs }
}

/// A request of this method and target, with these further header lines.
fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

fn post(lines: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}")
}

/// A request that nobody may answer, because it is part of the one before it.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

fn framing() -> Vec<Case> {
    let chunked = format!("0\r\n\r\n{SMUGGLED}");
    let lengths = [
        "+2",
        "-1",
        "0x2",
        "2,2",
        "12345678901234567890123",
        "",
        "1 0",
        "1_0",
        "2, 2",
        "99999999999999999999",
    ];
    let mut cases = vec![
        case(
            "H01 length then chunked",
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", &chunked),
            &[400],
            Closed,
            0,
        ),
        case(
            "H01 chunked then length",
            post("Transfer-Encoding: chunked\r\ncontent-LENGTH: 5\r\n", &chunked),
            &[400],
            Closed,
            0,
        ),
        case(
            "H01 pipelined: closed behind it",
            get("/", "") + &post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", &chunked),
            &[200, 200],
            Closed,
            2,
        ),
        case("H03 two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "abc"), &[400], Closed, 0),
        case(
            "H03 one length twice",
            post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"),
            &[200],
            InSync,
            1,
        ),
        case(
            "H07 chunked in 1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            &[400],
            Closed,
            0,
        ),
        case("H07 gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", &chunked), &[501], Closed, 0),
        case(
            "H07 chunked twice",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", &chunked),
            &[501],
            Closed,
            0,
        ),
        case("H07 chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n", &chunked), &[400], Closed, 0),
        case("H07 unknown coding", post("Transfer-Encoding: xchunked\r\n", &chunked), &[400], Closed, 0),
        case(
            "H07 space before the colon",
            post("Transfer-Encoding : chunked\r\n", &chunked),
            &[400],
            Closed,
            0,
        ),
        case(
            "chunked, as it should be",
            post("Transfer-Encoding: Chunked\r\n", "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nx-trailer: 1\r\n\r\n"),
            &[200],
            InSync,
            1,
        ),
        case(
            "H09 one long extension",
            post("Transfer-Encoding: chunked\r\n", &format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(20 << 10))),
            &[400],
            Closed,
            0,
        ),
        case(
            "H09 many extensions",
            post("Transfer-Encoding: chunked\r\n", &("1;e\r\nx\r\n".repeat(100_000) + "0\r\n\r\n")),
            &[400],
            Closed,
            0,
        ),
        case(
            "H09 chunk size beyond 64 bits",
            post("Transfer-Encoding: chunked\r\n", "11111111111111111\r\nx\r\n0\r\n\r\n"),
            &[400],
            Closed,
            0,
        ),
        case(
            "H09 chunk longer than it says",
            post("Transfer-Encoding: chunked\r\n", "1\r\nxx\r\n0\r\n\r\n"),
            &[400],
            Closed,
            0,
        ),
        case(
            "H09 chunk size with a sign",
            post("Transfer-Encoding: chunked\r\n", "+1\r\nx\r\n0\r\n\r\n"),
            &[400],
            Closed,
            0,
        ),
        case(
            "H33 chunked beyond the limit",
            post(
                "Transfer-Encoding: chunked\r\n",
                &("8000\r\n".to_owned() + &"x".repeat(0x8000) + "\r\n").repeat(40),
            ),
            &[413],
            Closed,
            0,
        ),
        case("H33 3 MB", post("Content-Length: 3000000\r\n", &"x".repeat(3_000_000)), &[413], Closed, 0),
        case(
            "H33 3 MB with Expect",
            post("Expect: 100-continue\r\nContent-Length: 3000000\r\n", ""),
            &[413],
            Closed,
            0,
        ),
        case("H33 one byte too many", post("Content-Length: 1048577\r\n", ""), &[413], Closed, 0),
        case("H33 just right", post("Content-Length: 1048576\r\n", &"x".repeat(1 << 20)), &[200], InSync, 1),
        case("H33 a terabyte", post("Content-Length: 1099511627776\r\n", ""), &[413], Closed, 0),
        case(
            "H37 unknown expectation",
            post("Expect: 200-ok\r\nContent-Length: 0\r\n", ""),
            &[417],
            Closed,
            0,
        ),
        case(
            "H37 two expectations",
            post("Expect: 100-continue\r\nExpect: x\r\nContent-Length: 0\r\n", ""),
            &[417],
            Closed,
            0,
        ),
        case(
            "H37 100-continue",
            post("Expect: 100-Continue\r\nContent-Length: 2\r\n", "ab"),
            &[100, 200],
            InSync,
            1,
        ),
        case("H39 GET with a body", get("/", "Content-Length: 4\r\n") + "abcd", &[200], InSync, 1),
        case(
            "H39 DELETE with a body",
            "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd",
            &[405],
            InSync,
            0,
        ),
        case(
            "H39 PUT with a body in many pieces",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n".to_owned() + &"x".repeat(400_000),
            &[405],
            InSync,
            0,
        ),
        case(
            "H39 PUT with too large a body",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n".to_owned()
                + &"x".repeat(3_000_000),
            &[413],
            Closed,
            0,
        ),
        case(
            "H39 HEAD with a body",
            "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd",
            &[405],
            InSync,
            0,
        ),
        case(
            "pipelined",
            get("/", "") + &post("Content-Length: 2\r\n", "ab") + &get("/empty", ""),
            &[200, 200, 204],
            InSync,
            3,
        ),
    ];
    for length in lengths {
        cases.push(case(
            "H05 length that is none",
            post(&format!("Content-Length: {length}\r\n"), "ab"),
            &[400],
            Closed,
            0,
        ));
    }
    cases
}

fn heads() -> Vec<Case> {
    let fields = |count: usize| (0..count).map(|i| format!("x-{i}: 1\r\n")).collect::<String>();
    let mut cases = vec![
        case("H11 folded line", get("/", "x: a\r\n b\r\n"), &[400], Closed, 0),
        case("H11 folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", &[400], Closed, 0),
        case("H13 NUL", get("/", "x: a\0b\r\n"), &[400], Closed, 0),
        case("H13 bare CR", get("/", "x: a\rb\r\n"), &[400], Closed, 0),
        case("H13 0x01", get("/", "x: a\x01b\r\n"), &[400], Closed, 0),
        case("H13 0x7f", get("/", "x: a\x7fb\r\n"), &[400], Closed, 0),
        case("H13 name with a space", get("/", "x y: 1\r\n"), &[400], Closed, 0),
        case("H13 no name", get("/", ": 1\r\n"), &[400], Closed, 0),
        case("H15 no Host", "GET / HTTP/1.1\r\n\r\n", &[400], Closed, 0),
        case("H15 two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", &[400], Closed, 0),
        case("H15 no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", &[200], Closed, 1),
        case("H17 URL and Host differ", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closed, 0),
        case("H17 URL and Host agree", "GET http://A/x HTTP/1.1\r\nHost: a\r\n\r\n", &[200], InSync, 1),
        case("H17 user name in the URL", "GET http://u@a/x HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closed, 0),
        case("H17 other scheme", "GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closed, 0),
        case("H19 CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Closed, 0),
        case("H19 TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Closed, 0),
        case("H19 GET *", get("*", ""), &[400], Closed, 0),
        case("H19 OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &[405], InSync, 0),
        case("H19 unknown", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Closed, 0),
        case("H19 lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Closed, 0),
        case("H19 17 bytes", format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(17)), &[400], Closed, 0),
        case(
            "H19 100 KB",
            format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(100_000)),
            &[400],
            Closed,
            0,
        ),
        case("H19 no method", " / HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closed, 0),
        case("H21 64 fields", get("/", &fields(63)), &[200], InSync, 1),
        case("H21 65 fields", get("/", &fields(64)), &[431], Closed, 0),
        case("H21 101 fields", get("/", &fields(100)), &[431], Closed, 0),
        case("H21 10,000 fields", get("/", &fields(10_000)), &[431], Closed, 0),
        case(
            "H21 one field of 20 KiB",
            get("/", &format!("x: {}\r\n", "x".repeat(20 << 10))),
            &[431],
            Closed,
            0,
        ),
        case(
            "H21 one field of 15 KiB",
            get("/", &format!("x: {}\r\n", "x".repeat(15 << 10))),
            &[200],
            InSync,
            1,
        ),
        case("H23 8 KiB", get(&format!("/{}", "x".repeat((8 << 10) - 1)), ""), &[200], InSync, 1),
        case("H23 8 KiB + 1", get(&format!("/{}", "x".repeat(8 << 10)), ""), &[414], Closed, 0),
        case(
            "H23 8 KiB + 1 of query",
            get(&format!("/?{}", "x".repeat((8 << 10) - 1)), ""),
            &[414],
            Closed,
            0,
        ),
        case("H23 70 KB", get(&format!("/{}", "x".repeat(70_000)), ""), &[414], Closed, 0),
        case("H27 0.9", "GET /\r\n", &[400], Closed, 0),
        case("H27 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", &[400], Closed, 0),
        case("H27 1.9", "GET / HTTP/1.9\r\nHost: a\r\n\r\n", &[400], Closed, 0),
        case("H27 not HTTP", "GET / ICAP/1.0\r\nHost: a\r\n\r\n", &[400], Closed, 0),
        case(
            "H27 a TLS greeting",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
            &[400],
            Closed,
            0,
        ),
        case(
            "H43 websocket",
            get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"),
            &[200],
            InSync,
            1,
        ),
        case(
            "H43 h2c",
            get("/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
            &[200],
            InSync,
            1,
        ),
        case("empty lines before a request", "\r\n\r\n".to_owned() + &get("/", ""), &[200], InSync, 1),
        case("asked to close", get("/", "Connection: close\r\n"), &[200], Closed, 1),
        case("1.0 asks to stay", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &[200], InSync, 1),
        case("query beyond ASCII", get("/?ü", ""), &[400], Closed, 0),
        case("a panic", get("/panic", ""), &[500], Closed, 1),
    ];
    let long_host = "a".repeat(4 << 10);
    for host in ["u@a/b", "", "a:99999", "[::1", &long_host, "bücher.example", "a b", "a,b"] {
        let send = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        cases.push(case("H17 malformed Host", send, &[400], Closed, 0));
    }
    for path in [
        "/../../x",
        "/%2e%2e/x",
        "//x",
        "/./x",
        "/%2f",
        "/a;b",
        "/%5c",
        "/a\\b",
        "/%00",
        "/%zz",
        "/x//",
        "/ü",
    ] {
        cases.push(case("H25 path with two readings", get(path, ""), &[400], Closed, 0));
    }
    cases.push(case("H25 double-encoded", get("/%252e%252e/x", ""), &[200], InSync, 1));
    cases
}

async fn check(case: Case) {
    let (name, sent) =
        (case.name, String::from_utf8_lossy(&case.send[..case.send.len().min(120)]).into_owned());
    // Nothing here is slow on purpose, but all cases run at once.
    let patient =
        IngressLimits { head_within: PATIENCE, body_within: PATIENCE, stall: PATIENCE, ..short_limits() };
    let server = Server::start(patient).await;
    let mut neighbour = server.client().await;
    assert!(neighbour.is_answered().await, "{name}: neighbour before");

    let is_head = case.send.starts_with(b"HEAD");
    let mut client = server.client().await;
    client.send(&case.send).await;
    let mut answers = Vec::new();
    while answers.len() < case.answers.len()
        && let Some(answer) = client.answer(!is_head).await
    {
        answers.push(answer.status);
    }
    assert_eq!(answers, case.answers, "{name}: {sent:?}");
    match case.then {
        Closed => {
            let more = client.answer(true).await;
            assert!(more.is_none(), "{name}: still open: {sent:?}: {more:?}");
        }
        InSync => assert!(client.is_answered().await, "{name}: out of sync: {sent:?}"),
    }
    assert_eq!(server.runs(), case.runs, "{name}: runs of {sent:?}");
    assert!(neighbour.is_answered().await, "{name}: neighbour after");
}

#[tokio::test]
async fn a_message_ends_where_it_says_or_is_refused() {
    all(framing().into_iter().map(check)).await;
}

#[tokio::test]
async fn a_head_has_one_meaning_or_is_refused() {
    all(heads().into_iter().map(check)).await;
}

#[tokio::test]
async fn a_refusal_says_what_was_wrong() {
    let cases = [
        ("PUT / HTTP/1.1\r\nHost: a\r\n\r\n", "allow: GET, POST", "method PUT is not answered here"),
        ("PUT / HTTP/1.1\r\nHost: a\r\n\r\n", "x-hookswitch-error: HS106", ""),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
            "x-hookswitch-error: HS107",
            "larger than 1048576",
        ),
        ("GET //x HTTP/1.1\r\nHost: a\r\n\r\n", "connection: close", "empty path segment"),
        ("GET / HTTP/1.1\r\n\r\n", "content-type: text/plain; charset=utf-8", "exactly one Host"),
    ];
    let server = Server::start(short_limits()).await;
    for (send, head, body) in cases {
        let mut client = server.client().await;
        client.send(send).await;
        let answer = client.answer(true).await.unwrap();
        assert!(answer.head.contains(head), "{send:?}: {}", answer.head);
        let text = String::from_utf8(answer.body).unwrap();
        assert!(text.contains(body), "{send:?}: {text}");
    }
}

#[tokio::test]
async fn a_request_reaches_the_handler_as_it_was_sent() {
    let server = Server::start(short_limits()).await;
    let mut client = server.client().await;
    client.send("POST /a/b%20c/%C3%A9?x=%2F&y HTTP/1.1\r\nHOST: Calls.Example.COM.:8080\r\nX-Y: z\r\nContent-Length: 3\r\n\r\na=b").await;
    assert_eq!(client.answer(true).await.unwrap().status, 200);
    let seen = server.last_seen();
    assert_eq!(seen.method, http::Method::POST);
    assert_eq!(seen.uri.as_str(), "/a/b%20c/%C3%A9?x=%2F&y");
    assert_eq!(seen.host.unwrap().as_str(), "calls.example.com:8080");
    assert_eq!(seen.headers["x-y"], "z");
    assert_eq!(seen.body, "a=b");
    assert_eq!(seen.client, seen.peer.ip());

    // In pieces, it is the same.
    for piece in ["PO", "ST / HTTP/1.1\r\nHo", "st: a\r\nContent-Len", "gth: 5\r\n\r\na=", "b", "cd"] {
        client.send(piece).await;
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(client.answer(true).await.unwrap().status, 200);
    assert_eq!(server.last_seen().body, "a=bcd");
}

#[tokio::test]
async fn h45_only_a_trusted_proxy_tells_of_forwarding() {
    const LINES: &str = "X-Forwarded-For: 198.51.100.7, 203.0.113.9, 127.0.0.2:4711\r\nX-Forwarded-Proto: http, HTTPS\r\n\
                         X-Forwarded-Host: evil.example, Calls.example\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\n\
                         X-Forwarded-Port: 1\r\nX-Forwarded: 1\r\n";
    let untrusting = Server::start(short_limits()).await;
    let mut client = untrusting.client().await;
    client.send(get("/", LINES)).await;
    assert_eq!(client.answer(true).await.unwrap().status, 200);
    let seen = untrusting.last_seen();
    assert_eq!(seen.forwarded, None);
    assert_eq!(seen.client, seen.peer.ip());
    let left: Vec<&str> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(left, ["host", "x-forwarded"], "{left:?}");

    let limits = IngressLimits { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..short_limits() };
    let trusting = Server::start(limits).await;
    let mut client = trusting.client().await;
    client.send(get("/", LINES)).await;
    assert_eq!(client.answer(true).await.unwrap().status, 200);
    let seen = trusting.last_seen();
    let forwarded = seen.forwarded.unwrap();
    assert_eq!(forwarded.proto, Some(http::uri::Scheme::HTTPS));
    assert_eq!(forwarded.host.unwrap().as_str(), "calls.example");
    assert_eq!(seen.client.to_string(), "203.0.113.9");
    for malformed in ["X-Forwarded-Proto: gopher\r\n", "X-Forwarded-Host: a/b\r\n", "X-Forwarded-Host: \r\n"]
    {
        let mut client = trusting.client().await;
        client.send(get("/", malformed)).await;
        assert_eq!(client.answer(true).await.unwrap().status, 400, "{malformed:?}");
    }
}
