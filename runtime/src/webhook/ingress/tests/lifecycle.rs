//! How connections begin and end, and what a shutdown does to them.

use super::*;

#[tokio::test]
async fn an_answer_under_way_at_shutdown_arrives() {
    let server = Server::start(short_limits()).await;
    let (mut idle, mut busy) = (server.client().await, server.client().await);
    let mut silent = server.client().await;
    assert!(idle.is_answered().await);
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(Duration::from_millis(30)).await;
    server.stop.send(()).unwrap();

    let answer = busy.answer(true).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"ok".as_slice()));
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert!(busy.is_closed().await && idle.is_closed().await && silent.is_closed().await);
    assert_eq!(server.served.await.unwrap(), 0);
    assert!(TcpStream::connect(server.address).await.is_err(), "still listening");
}

#[tokio::test]
async fn a_request_that_is_on_its_way_at_shutdown_is_answered() {
    let limits = IngressLimits {
        last_call: Duration::from_millis(200),
        head_within: Duration::from_secs(2),
        ..short_limits()
    };
    let server = Server::start(limits).await;
    let (mut idle, mut half) = (server.client().await, server.client().await);
    assert!(idle.is_answered().await);
    half.send("GET / HTTP/1.1\r\nHo").await;
    sleep(Duration::from_millis(30)).await;
    // In the accept queue, not accepted yet: nothing has been awaited since.
    let queued = std::net::TcpStream::connect(server.address).unwrap();
    server.stop.send(()).unwrap();
    queued.set_nonblocking(true).unwrap();
    let mut queued = Client { stream: TcpStream::from_std(queued).unwrap(), received: Vec::new() };
    queued.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(Duration::from_millis(220)).await;
    half.send("st: a\r\n\r\n").await;
    for client in [&mut idle, &mut queued, &mut half] {
        assert_eq!(client.answer(true).await.unwrap().status, 200);
        assert!(client.is_closed().await);
    }
    assert_eq!(server.served.await.unwrap(), 0);
}

#[tokio::test]
async fn what_never_ends_is_cut_and_counted() {
    let server = Server::start(short_limits()).await;
    let mut clients = [server.client().await, server.client().await];
    for client in &mut clients {
        client.send("GET /forever HTTP/1.1\r\nHost: a\r\n\r\n").await;
    }
    sleep(Duration::from_millis(30)).await;
    server.stop.send(()).unwrap();
    assert_eq!(server.served.await.unwrap(), 2);
    for client in &mut clients {
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn connections_are_counted_in_all_and_by_address() {
    let trusted = vec!["127.0.0.0/8".parse().unwrap()];
    let cases = [
        ("in all", IngressLimits { connections_max: 2, ..short_limits() }, 503),
        ("by address", IngressLimits { connections_per_address_max: 2, ..short_limits() }, 503),
        (
            "trusted",
            IngressLimits { connections_per_address_max: 2, trusted_proxies: trusted, ..short_limits() },
            200,
        ),
    ];
    for (name, limits, expected) in cases {
        let server = Server::start(limits).await;
        let (mut first, mut second) = (server.client().await, server.client().await);
        assert!(first.is_answered().await && second.is_answered().await, "{name}");
        let mut third = server.client().await;
        if expected == 200 {
            assert!(third.is_answered().await, "{name}");
            continue;
        }
        assert_eq!(third.answer(true).await.unwrap().status, expected, "{name}");
        assert!(first.is_answered().await, "{name}");
        // A place that is given back is taken again.
        drop(second);
        sleep(Duration::from_millis(50)).await;
        assert!(server.client().await.is_answered().await, "{name}");
    }
}

#[tokio::test]
async fn a_connection_ends_after_its_share_of_requests_or_when_it_is_old() {
    let limits = IngressLimits { requests_per_connection_max: 3, ..short_limits() };
    let server = Server::start(limits).await;
    let mut client = server.client().await;
    assert!(client.is_answered().await && client.is_answered().await);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(client.answer(true).await.unwrap().head.contains("connection: close"));
    assert!(client.is_closed().await);

    let idle = IngressLimits { idle_within: Duration::from_millis(200), ..short_limits() };
    let old = IngressLimits { connection_age: Duration::from_millis(200), ..short_limits() };
    for limits in [idle, old] {
        let server = Server::start(limits).await;
        let mut client = server.client().await;
        assert!(client.is_answered().await);
        let began = tokio::time::Instant::now();
        assert!(client.is_closed().await);
        let took = began.elapsed();
        // The other limit is five seconds and more.
        assert!(took > Duration::from_millis(150) && took < Duration::from_millis(4_000), "{took:?}");
    }
}

#[tokio::test]
async fn h41_a_connection_of_many_requests_takes_no_more_memory() {
    const BATCH: usize = 100;
    let server =
        Server::start(IngressLimits { requests_per_connection_max: u64::MAX, ..short_limits() }).await;
    let mut client = server.client().await;
    let batch = "POST /neighbour HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b".repeat(BATCH);
    let mut resident_kib = Vec::new();
    for round in 0..200 {
        client.send(&batch).await;
        for _ in 0..BATCH {
            assert_eq!(client.answer(true).await.unwrap().status, 200);
        }
        if round % 100 == 99 {
            resident_kib.push(resident());
        }
    }
    // Other tests run beside this one, so this only sees leaks that matter: 1 KiB per request would be 10 MiB.
    assert!(resident_kib[1] < resident_kib[0] + (60 << 10), "{resident_kib:?}");
    assert!(server.client().await.is_answered().await);
}

/// Resident memory of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let server = Server::start(short_limits()).await;
    let mut neighbour = server.client().await;
    let mut client = server.client().await;
    client.send("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.answer(true).await.unwrap();
    assert_eq!(answer.status, 500);
    assert!(answer.head.contains("x-hookswitch-error: HS212"), "{}", answer.head);
    assert!(neighbour.is_answered().await);
}

#[tokio::test]
async fn after_a_handover_open_connections_end_without_losing_a_request() {
    let limits = IngressLimits {
        handed_over_last_call: Duration::from_millis(1_500),
        handed_over_within: Duration::from_secs(3),
        head_within: Duration::from_secs(3),
        ..short_limits()
    };
    let server = Server::start(limits).await;
    let (mut pooled, mut busy, mut silent) =
        (server.client().await, server.client().await, server.client().await);
    let mut idle = server.client().await;
    for client in [&mut pooled, &mut busy, &mut idle] {
        assert!(client.is_answered().await);
    }
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(Duration::from_millis(30)).await;
    let began = tokio::time::Instant::now();
    server.hand_over.send(()).unwrap();
    assert!(busy.answer(true).await.unwrap().head.contains("connection: close"));
    assert!(busy.is_closed().await);

    // Far beyond the last call of a plain shutdown.
    sleep(Duration::from_millis(200)).await;
    for client in [&mut pooled, &mut silent] {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = client.answer(true).await.unwrap();
        assert!(answer.status == 200 && answer.head.contains("connection: close"), "{}", answer.head);
        assert!(client.is_closed().await);
    }
    // It is still open, so nobody has waited for it.
    assert!(
        timeout(Duration::from_millis(1), idle.is_closed()).await.is_err(),
        "an idle connection was in the way"
    );
    assert!(idle.is_closed().await);
    assert!(began.elapsed() >= Duration::from_millis(1_450), "{:?}", began.elapsed());
    assert_eq!(server.served.await.unwrap(), 0);
}

#[tokio::test]
async fn what_waits_in_the_queue_at_a_handover_is_the_other_process_s() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let other = listener.try_clone().unwrap();
    // Decided before the first connection is looked at.
    let handed_over = std::future::ready(Ending::HandedOver);
    let mut waiting = std::net::TcpStream::connect(address).unwrap();
    let respond = |_| async { panic!("it was not for this process") };
    let listener = TcpListener::from_std(listener).unwrap();
    assert_eq!(serve(listener, Arc::new(short_limits()), handed_over, respond).await, 0);

    let other = TcpListener::from_std(other).unwrap();
    let respond = |incoming: Incoming| act(incoming.uri.path().to_owned());
    let other = tokio::spawn(serve(other, Arc::new(short_limits()), std::future::pending::<()>(), respond));
    std::io::Write::write_all(&mut waiting, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    waiting.set_nonblocking(true).unwrap();
    let mut waiting = Client { stream: TcpStream::from_std(waiting).unwrap(), received: Vec::new() };
    assert_eq!(waiting.answer(true).await.unwrap().status, 200);
    other.abort();
}
