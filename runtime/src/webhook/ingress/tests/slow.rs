//! Clients that take their time, and those that vanish.

use super::*;

const LONG: &str =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// Sends `bytes` one by one until the server has enough of it; gives what it said, and how long it took.
async fn drip(
    address: SocketAddr,
    start: &'static str,
    bytes: &'static str,
    pause: Duration,
) -> (Option<u16>, Duration) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(start.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let began = tokio::time::Instant::now();
    let dripping = tokio::spawn(async move {
        for byte in bytes.bytes() {
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
            sleep(pause).await;
        }
        // Held open: it is the server who must end this.
        sleep(PATIENCE).await;
    });
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, reader.read_to_end(&mut said)).await.expect("never closed");
    dripping.abort();
    // An HTTP/2 connection says frames, and no status.
    let said = String::from_utf8_lossy(&said);
    let status = said.strip_prefix("HTTP/1.1 ").map(|rest| rest[..3].parse().unwrap());
    (status, began.elapsed())
}

#[tokio::test]
async fn h29_what_comes_too_slowly_is_given_up() {
    struct Case(&'static str, &'static str, &'static str, Option<u16>);
    let cases = [
        Case("silence", "", "", None),
        Case("a head byte by byte", "", "GET / HTTP/1.1\r\nHost: a\r\nx-long: aaaaaaaaaaaaaaaaaa", Some(408)),
        Case("a head that stops", "GET / HTTP/1.1\r\nHost: a\r\n", "", Some(408)),
        Case("an HTTP/2 preface byte by byte", "", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
        Case("an HTTP/2 preface and silence", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", None),
        Case(
            "a body byte by byte",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n",
            LONG,
            Some(408),
        ),
        Case(
            "a body that stops",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
            "",
            Some(408),
        ),
        Case(
            "chunks that stop",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n",
            "",
            Some(408),
        ),
    ];
    let server = Server::start(short_limits()).await;
    let mut neighbour = server.client().await;
    assert!(neighbour.is_answered().await);
    let address = server.address;
    let running = cases.map(|Case(name, start, bytes, expected)| async move {
        (name, expected, drip(address, start, bytes, Duration::from_millis(20)).await)
    });
    for (name, expected, (status, took)) in all(running).await {
        assert_eq!(status, expected, "{name}");
        assert!(took < Duration::from_millis(1_400), "{name}: {took:?}");
        assert!(took > Duration::from_millis(250), "{name}: {took:?}");
    }
    assert!(neighbour.is_answered().await);
    assert_eq!(server.runs(), 0);
}

#[tokio::test]
async fn a_slow_body_may_take_its_time_as_long_as_it_keeps_the_pace() {
    let limits =
        IngressLimits { body_within: Duration::from_secs(5), bytes_per_second_min: 1_000, ..short_limits() };
    let server = Server::start(limits).await;
    let mut client = server.client().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1500\r\n\r\n").await;
    for _ in 0..15 {
        client.send([b'x'; 100]).await;
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(client.answer(true).await.unwrap().status, 200);
}

#[tokio::test]
async fn h31_an_answer_that_is_not_taken_is_cut() {
    // A byte now and then does not count as taking it.
    all([None, Some(Duration::from_millis(50))].map(answer_not_taken)).await;
}

async fn answer_not_taken(a_byte_every: Option<Duration>) {
    let server = Server::start(short_limits()).await;
    let mut neighbour = server.client().await;
    assert!(neighbour.is_answered().await);
    let mut client = server.client().await;
    client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let began = tokio::time::Instant::now();
    while began.elapsed() < Duration::from_millis(700) {
        if a_byte_every.is_some() {
            let _ = client.stream.read(&mut [0]).await;
        }
        sleep(a_byte_every.unwrap_or(Duration::from_millis(50))).await;
    }
    let mut received = Vec::new();
    let _ = timeout(PATIENCE, client.stream.read_to_end(&mut received)).await.expect("never closed");
    assert!(received.len() < BIG_BYTES, "a byte every {a_byte_every:?}: all of it came");
    assert!(neighbour.is_answered().await);
}

#[tokio::test]
async fn a_large_answer_reaches_a_reader_who_rests_less_than_the_stall() {
    let limits = IngressLimits { stall: Duration::from_secs(2), ..short_limits() };
    let server = Server::start(limits).await;
    let mut client = server.client().await;
    client.send("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    sleep(Duration::from_millis(300)).await;
    let mut received = Vec::new();
    timeout(PATIENCE, client.stream.read_to_end(&mut received)).await.unwrap().unwrap();
    assert!(received.len() > BIG_BYTES);
}

#[tokio::test]
async fn h35_a_body_that_breaks_off_runs_nothing() {
    let server = Server::start(short_limits()).await;
    let mut neighbour = server.client().await;
    assert!(neighbour.is_answered().await);
    let broken = ["Content-Length: 10\r\n\r\nabcde", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"];
    for rest in broken {
        let mut client = server.client().await;
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{rest}")).await;
        client.stream.shutdown().await.unwrap();
        assert_eq!(client.answer(true).await.unwrap().status, 400, "{rest:?}");
        assert!(client.is_closed().await);

        let client = server.client().await.stream.into_std().unwrap();
        let mut stream = TcpStream::from_std(client).unwrap();
        stream.write_all(format!("POST / HTTP/1.1\r\nHost: a\r\n{rest}").as_bytes()).await.unwrap();
        stream.set_zero_linger().unwrap();
        drop(stream);
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!(server.runs(), 0);
    assert!(neighbour.is_answered().await);
}

#[tokio::test]
async fn a_peer_that_has_said_all_still_hears_the_answer() {
    let server = Server::start(short_limits()).await;
    let mut client = server.client().await;
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.answer(true).await.unwrap().status, 200);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn large_bodies_share_their_memory_and_small_ones_need_none() {
    let limits = IngressLimits {
        bodies_bytes_max: 150_000,
        body_within: Duration::from_secs(2),
        stall: Duration::from_secs(2),
        ..short_limits()
    };
    let server = Server::start(limits).await;
    let large = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{}", "x".repeat(90_000));
    let mut first = server.client().await;
    first.send(&large).await;
    sleep(Duration::from_millis(100)).await;
    let mut second = server.client().await;
    second.send(&large).await;
    assert_eq!(second.answer(true).await.unwrap().status, 503);

    let mut small = server.client().await;
    small.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b").await;
    assert_eq!(small.answer(true).await.unwrap().status, 200);
    first.send("x".repeat(10_000)).await;
    assert_eq!(first.answer(true).await.unwrap().status, 200);

    // What was held is free again.
    let mut third = server.client().await;
    third.send(large + &"x".repeat(10_000)).await;
    assert_eq!(third.answer(true).await.unwrap().status, 200);
}
