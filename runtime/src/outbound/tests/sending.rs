use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};

use super::super::limits::{BODY_RECEIVED_BYTES_MAX, BODY_SENT_BYTES_MAX, OPEN_MAX, REQUESTS_MAX};
use super::super::{Error, Patience};
use super::upstream::Upstream;
use super::{LONG, Names, Run, TenantId, client, read};

/// A server, and a run that may call it.
async fn with_server(deadline: Duration) -> (Upstream, super::Client, Run) {
    let upstream = Upstream::start().await;
    let client = client(&Names::of(&[]), &[&upstream.address.to_string()]);
    let run = Run::new(&client, "acme", &[&upstream.url("")], deadline);
    (upstream, client, run)
}

fn post(url: &str) -> http::request::Builder {
    Request::post(url)
}

#[tokio::test]
async fn a_request_arrives_as_it_was_made_and_the_log_keeps_its_secrets() {
    let (upstream, _client, run) = with_server(LONG).await;
    let request = post(&upstream.url("/echo/./a/../b?token=hunter2"))
        .header("authorization", "Bearer hunter2")
        .header("host", "evil.test")
        .body(Full::from("hello"))
        .unwrap();
    let (status, body) = read(run.send(request).await.unwrap()).await.unwrap();
    assert_eq!((status, body.as_str()), (200, "POST /echo/b?token=hunter2\nhello"));
    let seen = &upstream.seen()[0];
    assert_eq!(seen.header("host"), Some(upstream.address.to_string().as_str()));
    assert_eq!(seen.header("authorization"), Some("Bearer hunter2"));
    assert_eq!(seen.header("content-length"), Some("5"));
    assert!(seen.header("user-agent").is_some_and(|agent| agent.starts_with("hookswitch/")));
    assert!(run.invocation.end());
    let log = run.log();
    assert_eq!(log.len(), 1);
    assert!(log[0].starts_with(&format!("POST {}?…: 200 after ", upstream.url("/echo/b"))), "{log:?}");
    assert!(!log[0].contains("hunter2"));
}

#[tokio::test]
async fn what_is_not_in_the_list_is_refused_with_what_would_permit_it() {
    let (upstream, client, run) = with_server(LONG).await;
    let nobody = Run::new(&client, "acme", &[], LONG);
    assert!(matches!(nobody.get(&upstream.url("/ok")).await, Err(Error::NoList { .. })));
    let line = &nobody.log()[0];
    assert!(
        line.contains("[outbound]") && line.contains(&format!("allow = [\"{}\"]", upstream.url(""))),
        "{line}"
    );

    for url in ["https://api.example.com/", "http://127.0.0.1:1/", "http://localhost/"] {
        assert!(matches!(run.get(url).await, Err(Error::NotAllowed { .. })), "{url}");
    }
    for url in ["http://u:p@127.0.0.1/", "http://127.0.0.1:0/"] {
        assert!(matches!(run.get(url).await, Err(Error::Url(_) | Error::NotAllowed { .. })), "{url}");
    }
    assert!(upstream.seen().is_empty() && upstream.connections() == 0);
    assert!(!run.invocation.end());
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_and_so_is_one_that_changes_its_mind() {
    let upstream = Upstream::start().await;
    let port = upstream.address.port();
    let names = Names::of(&[
        ("metadata.test", &[&["169.254.169.254"]]),
        ("mapped.test", &[&["::ffff:169.254.169.254"]]),
        ("nat64.test", &[&["64:ff9b::a9fe:a9fe"]]),
        ("inside.test", &[&["127.0.0.1"]]),
        ("both.test", &[&["10.0.0.1", "127.0.0.1"]]),
        ("rebinding.test", &[&["127.0.0.1"], &["169.254.169.254"]]),
        ("empty.test", &[&[]]),
    ]);
    let url = |name: &str| format!("http://{name}.test:{port}/ok");
    let all: Vec<String> =
        ["metadata", "mapped", "nat64", "inside", "both", "rebinding", "empty", "nowhere"].map(url).into();
    let allow: Vec<&str> = all.iter().map(String::as_str).collect();

    let strict = client(&names, &[]);
    let run = Run::new(&strict, "acme", &allow, LONG);
    for name in ["metadata", "mapped", "nat64", "inside", "both"] {
        let error = run.get(&url(name)).await.unwrap_err();
        assert!(matches!(error, Error::Prohibited { .. }), "{name}: {error:?}");
    }
    for name in ["empty", "nowhere"] {
        assert!(matches!(run.get(&url(name)).await, Err(Error::NoAddress { .. })), "{name}");
    }
    assert_eq!(upstream.connections(), 0);
    assert!(run.log()[0].contains("where a provider keeps its machines' credentials"), "{:?}", run.log());

    // The first look-up leads to the server, which hangs up; the next one would lead elsewhere, and is checked anew.
    let lenient = client(&names, &[&upstream.address.to_string()]);
    let run = Run::new(&lenient, "acme", &[&format!("http://rebinding.test:{port}")], LONG);
    assert_eq!(run.get(&url("rebinding")).await.unwrap().0, 200);
    // Over the connection that was checked, whatever the name says by now.
    assert_eq!(run.get(&url("rebinding")).await.unwrap().0, 200);
    assert_eq!(upstream.connections(), 1);
    let later = Run::new(&lenient, "other", &[&format!("http://rebinding.test:{port}")], LONG);
    assert!(matches!(later.get(&url("rebinding")).await, Err(Error::Prohibited { .. })));
}

#[tokio::test]
async fn a_connection_is_kept_for_its_tenant_and_for_nobody_else() {
    let (upstream, client, run) = with_server(LONG).await;
    for _ in 0..3 {
        assert_eq!(run.get(&upstream.url("/ok")).await.unwrap().1, "hello");
    }
    let again = Run::new(&client, "acme", &[&upstream.url("")], LONG);
    assert_eq!(again.get(&upstream.url("/ok")).await.unwrap().1, "hello");
    assert_eq!(upstream.connections(), 1);
    let other = Run::new(&client, "other", &[&upstream.url("")], LONG);
    assert_eq!(other.get(&upstream.url("/ok")).await.unwrap().1, "hello");
    assert_eq!(upstream.connections(), 2);
    assert_eq!(upstream.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_log_tells_it() {
    let (upstream, _client, run) = with_server(LONG).await;
    assert_eq!(run.get(&upstream.url("/flaky/2/503/a?key=1")).await.unwrap().0, 200);
    let log = run.log();
    assert_eq!(log.len(), 3, "{log:?}");
    let shown = format!("GET {}?…: ", upstream.url("/flaky/2/503/a"));
    assert!(log.iter().all(|line| line.starts_with(&shown)), "{log:?}");
    assert!(
        log[0].contains("503 after ") && log[0].contains("trying again in ") && log[0].ends_with("(1 of 3)")
    );
    assert!(
        log[1].ends_with("(2 of 3)") && log[2].contains("200 after ") && log[2].ends_with("(3 of 3)"),
        "{log:?}"
    );

    // Three times is enough: the guest gets what the server says.
    assert_eq!(run.get(&upstream.url("/flaky/9/503/b")).await.unwrap().0, 503);
    assert_eq!(run.get(&upstream.url("/resets/2/c")).await.unwrap().0, 200);
    assert_eq!(run.get(&upstream.url("/flaky/2/500/d")).await.unwrap().0, 500);
    assert_eq!(upstream.seen().len(), 3 + 3 + 3 + 1);
}

#[tokio::test]
async fn what_may_have_changed_something_is_not_sent_twice() {
    let (upstream, _client, run) = with_server(LONG).await;
    let once = |path: &str| post(&upstream.url(path));
    for (request, status, times) in [
        (once("/flaky/1/503/a").body(Full::from("x")).unwrap(), 503, 1),
        (once("/flaky/1/503/b").header("idempotency-key", "7").body(Full::from("x")).unwrap(), 200, 2),
        (Request::put(upstream.url("/flaky/1/429/c")).body(Full::from("x")).unwrap(), 200, 2),
        (Request::patch(upstream.url("/flaky/1/503/d")).body(Full::from("x")).unwrap(), 503, 1),
        (
            Request::get(upstream.url("/flaky/1/503/e"))
                .header("x-hookswitch-retry", "off")
                .body(Full::default())
                .unwrap(),
            503,
            1,
        ),
    ] {
        let path = request.uri().path().to_owned();
        assert_eq!(run.send(request).await.unwrap().status(), status, "{path}");
        let seen = upstream.seen();
        let of_path: Vec<_> = seen.iter().filter(|seen| seen.line.ends_with(&path)).collect();
        assert_eq!(of_path.len(), times, "{path}");
        assert!(of_path.iter().all(|seen| seen.header("x-hookswitch-retry").is_none()), "{path}");
        // Each time whole.
        let body: &[u8] = if of_path[0].line.starts_with("GET") { b"" } else { b"x" };
        assert!(of_path.iter().all(|seen| seen.body == body), "{path}");
    }
    assert!(matches!(
        run.send(post(&upstream.url("/resets/1/f")).body(Full::from("x")).unwrap()).await,
        Err(Error::Broken(_))
    ));
    assert!(
        run.log().iter().any(|line| line.contains("a POST may be repeated when it has an Idempotency-Key"))
    );
    let wrong =
        Request::get(upstream.url("/ok")).header("x-hookswitch-retry", "5").body(Full::default()).unwrap();
    assert!(matches!(run.send(wrong).await, Err(Error::RetryHeader)));
}

#[tokio::test]
async fn a_post_that_was_never_sent_has_not_acted_and_is_tried_again() {
    // Somebody had this port a moment ago.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = client(&Names::of(&[]), &[&address.to_string()]);
    let run = Run::new(&client, "acme", &[&format!("http://{address}")], LONG);
    let request = post(&format!("http://{address}/x")).body(Full::from("x")).unwrap();
    let error = run.send(request).await.unwrap_err();
    assert!(matches!(error, Error::Connect { refused: true, .. }), "{error:?}");
    assert_eq!(run.log().len(), 3, "{:?}", run.log());
    assert!(!run.invocation.end());
}

#[tokio::test]
async fn a_server_that_asks_for_time_gets_it_or_is_left_alone() {
    let (upstream, client, run) = with_server(LONG).await;
    assert_eq!(run.get(&upstream.url("/busy/1/a")).await.unwrap().0, 200);
    let seen = upstream.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(1), "{:?}", seen[1].at - seen[0].at);

    let run = Run::new(&client, "acme", &[&upstream.url("")], Duration::from_millis(900));
    let began = Instant::now();
    assert_eq!(run.get(&upstream.url("/busy/5/b")).await.unwrap().0, 503);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(run.log()[0].contains("the server asks for 5000 ms, and "), "{:?}", run.log());
}

#[tokio::test]
async fn a_storm_of_repeats_stops_at_what_the_tenant_saved() {
    let (upstream, client, _) = with_server(LONG).await;
    let runs: Vec<Run> = (0..3).map(|_| Run::new(&client, "acme", &[&upstream.url("")], LONG)).collect();
    let mut sent = 0;
    for run in &runs {
        for number in 0..30 {
            assert_eq!(run.get(&upstream.url(&format!("/flaky/9/503/{number}"))).await.unwrap().0, 503);
            sent += 1;
        }
    }
    let repeats = upstream.seen().len() - sent;
    assert!((20..=20 + sent / 10).contains(&repeats), "{repeats} repeats of {sent} requests");
    assert!(runs[2].log().iter().any(|line| line.contains("this tenant's repeats are used up")));
    // Somebody else's are not.
    let other = Run::new(&client, "other", &[&upstream.url("")], LONG);
    assert_eq!(other.get(&upstream.url("/flaky/2/503/other")).await.unwrap().0, 200);
}

#[tokio::test]
async fn everything_ends_before_the_call_does() {
    let deadline = Duration::from_millis(600);
    for path in ["/silent", "/drip", "/drip-head", "/slow/5000"] {
        let (upstream, _client, run) = with_server(deadline).await;
        let began = Instant::now();
        let error = run.get(&upstream.url(path)).await.unwrap_err();
        assert!(matches!(error, Error::Timeout(_) | Error::BodyTimeout), "{path}: {error:?}");
        let log = run.log();
        assert!(log.last().is_some_and(|line| line.ends_with(&error.to_string())), "{path}: {log:?}");
        // The handler still has a tenth of the time to say something else.
        let took = began.elapsed();
        assert!(took >= deadline * 8 / 10 && took < deadline * 3, "{path}: {took:?}");
    }
    let (upstream, _client, run) = with_server(LONG).await;
    let began = Instant::now();
    let patience = Patience { head: Some(Duration::from_millis(100)), between: None };
    let request = Request::get(upstream.url("/silent")).body(Full::<Bytes>::default()).unwrap();
    assert!(matches!(run.invocation.clone().send(request, patience).await, Err(Error::Timeout(_))));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_of_its_own() {
    let (upstream, _client, run) = with_server(LONG).await;
    for path in ["/garbage", "/fat-head", "/fields"] {
        let error = run.get(&upstream.url(path)).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn bodies_have_a_bound_in_both_directions() {
    let (upstream, _client, run) = with_server(LONG).await;
    let response =
        run.send(Request::get(upstream.url("/endless")).body(Full::default()).unwrap()).await.unwrap();
    let mut body = response.into_body();
    let mut received = 0;
    let error = loop {
        match body.frame().await.expect("it has no end") {
            Ok(frame) => received += frame.into_data().map_or(0, |data| data.len() as u64),
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::ReceivedTooMuch);
    let log = run.log();
    assert!(
        log.len() == 2 && log[1].contains(": cut off, the bodies that an invocation receives"),
        "{log:?}"
    );
    assert!(
        received <= BODY_RECEIVED_BYTES_MAX && received + 0x10000 > BODY_RECEIVED_BYTES_MAX,
        "{received}"
    );
    // All together, not each.
    assert!(matches!(run.get(&upstream.url("/ok")).await, Err(Error::ReceivedTooMuch)));

    let half = vec![b'a'; usize::try_from(BODY_SENT_BYTES_MAX).unwrap() / 2 + 1];
    let body = || Full::from(half.clone());
    assert_eq!(
        run.send(post(&upstream.url("/status/204")).body(body()).unwrap()).await.unwrap().status(),
        204
    );
    let before = upstream.seen().len();
    let error = run.send(post(&upstream.url("/status/204")).body(body()).unwrap()).await.err();
    assert_eq!(error, Some(Error::SentTooMuch));
    assert_eq!(upstream.seen().len(), before);
}

#[tokio::test]
async fn an_invocation_makes_so_many_requests_and_has_so_many_open() {
    let (upstream, _client, run) = with_server(LONG).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..10_000 {
        let (invocation, url) = (run.invocation.clone(), upstream.url("/slow/50"));
        all.spawn(async move {
            let request = Request::get(url).body(Full::<Bytes>::default()).unwrap();
            read(invocation.send(request, Patience::default()).await?).await
        });
    }
    let results = all.join_all().await;
    let answered = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(answered, REQUESTS_MAX as usize);
    assert_eq!(
        results.iter().filter(|result| **result == Err(Error::TooManyRequests)).count(),
        10_000 - answered
    );
    // A place is free a moment before its connection is, so there may be a few more of these.
    assert!(upstream.connections() <= 2 * OPEN_MAX, "{} connections", upstream.connections());
    assert_eq!(
        run.log().iter().filter(|line| line.contains("an invocation may make 32 requests")).count(),
        1
    );
}

#[tokio::test]
async fn whoever_keeps_its_answers_waits_for_places_no_longer_than_the_call() {
    let (upstream, _client, run) = with_server(Duration::from_millis(700)).await;
    let mut kept = Vec::new();
    for _ in 0..OPEN_MAX {
        kept.push(
            run.send(Request::get(upstream.url("/drip")).body(Full::default()).unwrap()).await.unwrap(),
        );
    }
    assert!(matches!(run.get(&upstream.url("/ok")).await, Err(Error::TooManyOpen)));
}

#[tokio::test]
async fn a_tenant_that_moves_too_much_waits_for_its_turn_and_its_neighbour_does_not() {
    let (upstream, client, run) = with_server(Duration::from_secs(3)).await;
    assert_eq!(run.get(&upstream.url("/ok")).await.unwrap().0, 200);
    let tenant = client.tenant(&TenantId::new("acme").unwrap());
    tenant.received(1 << 30);
    let seen = upstream.seen().len();
    let refused = run.get(&upstream.url("/ok")).await;
    assert!(matches!(refused, Err(Error::TooFast(wait)) if wait > Duration::from_secs(30)), "{refused:?}");
    assert_eq!(upstream.seen().len(), seen, "nothing was sent");
    assert!(run.log().iter().any(|line| line.contains("more than 200 requests a second")), "{:?}", run.log());

    let other = Run::new(&client, "other", &[&upstream.url("")], LONG);
    assert_eq!(other.get(&upstream.url("/ok")).await.unwrap().0, 200);
}
