//! Clients that take their time, and a host that stops.

use super::*;

fn short_limits() -> ControlLimits {
    ControlLimits {
        head_within: Duration::from_millis(300),
        body_within: Duration::from_millis(300),
        ..ControlLimits::default()
    }
}

#[tokio::test]
async fn a_head_a_body_and_a_silence_have_their_time() {
    let server = Server::start_with(short_limits()).await;
    let body = format!(
        "POST /api/v1/tenants HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{",
        server.token
    );
    let cases: [(&str, &str, &[u16]); 4] = [
        ("silence", "", &[0]),
        ("a head that stops", "GET /livez HTTP/1.1\r\nhost: a\r\n", &[0, 408]),
        ("a body that stops", &body, &[408]),
        ("an idle connection", "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n", &[200]),
    ];
    for (name, sent, statuses) in cases {
        let mut stream = server.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        // Ends only because the server closes.
        let answer = Answer::read(&mut stream).await;
        assert!(statuses.contains(&answer.status), "{name}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn a_head_that_drips_is_not_held_open_by_its_drops() {
    let server = Server::start_with(short_limits()).await;
    let mut stream = server.connect().await;
    let began = std::time::Instant::now();
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nx: ").await.unwrap();
    while began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if stream.write_all(b"x").await.is_err() {
            return;
        }
    }
    panic!("still open after {PATIENCE:?}");
}

#[tokio::test]
async fn beyond_the_most_connections_clients_wait_and_are_served() {
    let limits = ControlLimits { connections_max: 3, ..ControlLimits::default() };
    let server = Server::start_with(limits).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        held.push(stream);
    }
    let waiting = server.raw("GET /livez HTTP/1.1\r\n", b"");
    let mut waiting = std::pin::pin!(waiting);
    assert!(timeout(Duration::from_millis(100), &mut waiting).await.is_err(), "no place is free");
    held.pop();
    assert_eq!(waiting.await.status, 200);
}

#[tokio::test]
async fn a_host_that_stops_finishes_what_runs_and_ends_streams() {
    let mut server = Server::start().await;
    let token = server.token.clone();
    // A request of which half is here, an idle connection, and a stream.
    let mut half = server.connect().await;
    let head = format!("POST /api/v1/tenants HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n");
    half.write_all(
        format!("{head}content-type: application/json\r\ncontent-length: 12\r\n\r\n{{\"id\":").as_bytes(),
    )
    .await
    .unwrap();
    let mut idle = server.connect().await;
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut byte = [0];
    idle.read_exact(&mut byte).await.unwrap();
    let mut stream = server.connect().await;
    stream
        .write_all(
            format!(
                "GET /api/v1/tenants/acme/logs HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n"
            )
            .as_bytes(),
        )
        .await
        .unwrap();
    stream.read_exact(&mut byte).await.unwrap();

    server.stop();
    assert!(Answer::read(&mut idle).await.body.ends_with("ok\n"));
    let ended = Answer::read(&mut stream).await;
    assert!(ended.body.ends_with("0\r\n\r\n"), "the stream ends properly: {}", ended.body);
    half.write_all(b"\"new\"}").await.unwrap();
    let answer = Answer::read(&mut half).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    timeout(PATIENCE, &mut server.served).await.expect("it stops").unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}
