use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;

use super::super::world::{CameTo, Given, Pattern, Rule, World};
use super::super::{Client, Error};
use super::{LONG, Run};

fn rule(request: &str, given: Given, takes_ms: u64) -> Rule {
    Rule { request: request.parse().unwrap(), given, takes: Duration::from_millis(takes_ms) }
}

fn answer(status: u16, body: &'static str) -> Given {
    Given::Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(body.as_bytes()),
    }
}

/// A run into a world with these rules.
fn run(rules: Vec<Rule>, deadline: Duration) -> (Arc<World>, Run) {
    let world = Arc::new(World::new(rules));
    let client = Client::into_world(Arc::clone(&world));
    (world, Run::new(&client, "acme", &["https://a.example.com"], deadline))
}

fn came_to(world: &World) -> Vec<CameTo> {
    world.take_requested().into_iter().map(|one| one.came_to).collect()
}

#[test]
fn a_pattern_means_what_it_says() {
    for (pattern, url, fits) in [
        ("GET https://a.example.com/x", "https://a.example.com/x", true),
        ("GET https://a.example.com/x", "https://a.example.com/x?a=1", true),
        ("GET https://a.example.com/x", "https://a.example.com/xy", false),
        ("GET https://A.example.com:443/x", "https://a.example.com/x", true),
        ("GET https://a.example.com", "https://a.example.com/", true),
        ("GET https://a.example.com/x?a=1", "https://a.example.com/x?a=1", true),
        ("GET https://a.example.com/x?a=1", "https://a.example.com/x?a=2", false),
        ("GET https://a.example.com/x?a=*", "https://a.example.com/x?a=2", true),
        ("GET https://a.example.com/x/*", "https://a.example.com/x/y/z?a=1", true),
        ("GET https://a.example.com/x/*", "https://a.example.com/x", false),
        ("GET https://a.example.com*", "https://a.example.com.evil.test/", false),
        ("POST https://a.example.com/x", "https://a.example.com/x", false),
    ] {
        let read: Pattern = pattern.parse().unwrap();
        assert_eq!(read.fits("GET", url), fits, "{pattern} {url}");
    }
    for (text, why) in [
        ("https://a.example.com/", "has no method"),
        ("get https://a.example.com/", "method in capitals"),
        ("GET /x", "has no URL"),
        ("GET ftp://a.example.com/", "neither http://"),
        ("GET https://a.example.com/#x", "has a fragment"),
    ] {
        let problem = text.parse::<Pattern>().unwrap_err();
        assert!(problem.contains(why), "{text}: {problem}");
    }
}

#[tokio::test]
async fn answers_are_given_in_turn_and_the_longest_pattern_counts() {
    let rules = vec![
        rule("GET https://a.example.com/*", answer(200, "any"), 0),
        rule("GET https://a.example.com/x", answer(200, "first"), 0),
        rule("GET https://a.example.com/x", answer(200, "then"), 0),
    ];
    let (world, run) = run(rules, LONG);
    let mut heard = Vec::new();
    for path in ["x", "y", "x?a=1", "x"] {
        heard.push(run.get(&format!("https://a.example.com/{path}")).await.unwrap().1);
    }
    assert_eq!(heard, ["first", "any", "then", "then"]);
    assert_eq!(came_to(&world), [CameTo::Status(200); 4]);
    assert!(matches!(run.get("https://b.example.com/").await, Err(Error::NotAllowed { .. })));
    assert!(came_to(&world).is_empty(), "what is not allowed is not sent");
}

#[tokio::test]
async fn time_passes_without_being_waited_for() {
    let rules = vec![
        rule("GET https://a.example.com/slow", answer(200, "late"), 4_000),
        rule("GET https://a.example.com/never", Given::Timeout, 0),
    ];
    let (world, run) = run(rules, Duration::from_secs(10));
    let began = Instant::now();
    for _ in 0..2 {
        assert_eq!(run.get("https://a.example.com/slow").await.unwrap().1, "late");
    }
    // Of the ten seconds, less the handler's own, not two are left.
    assert!(matches!(run.get("https://a.example.com/slow").await, Err(Error::Timeout(_))));
    assert!(matches!(run.get("https://a.example.com/never").await, Err(Error::Timeout(_))));
    assert_eq!(came_to(&world), [CameTo::Status(200), CameTo::Status(200), CameTo::Timeout, CameTo::Timeout]);
    let (passed, real) = (world.take_passed(), began.elapsed());
    assert!(passed >= Duration::from_secs(9), "{passed:?}");
    assert!(real < Duration::from_secs(9), "{real:?}");
    assert!(run.log()[0].contains("200 after 4"), "{:?}", run.log());
}

#[tokio::test]
async fn what_is_repeated_on_a_host_is_repeated_here() {
    for (method, rules, expected) in [
        (Method::GET, vec![answer(503, "")], vec![CameTo::Status(503); 3]),
        (Method::GET, vec![answer(503, ""), answer(200, "")], vec![CameTo::Status(503), CameTo::Status(200)]),
        (Method::POST, vec![answer(503, "")], vec![CameTo::Status(503)]),
        // It did not get as far as being sent.
        (Method::POST, vec![Given::Refused], vec![CameTo::Refused; 3]),
        (Method::GET, vec![Given::Denied], vec![CameTo::Denied]),
        (Method::GET, vec![], vec![CameTo::Unanswered; 3]),
    ] {
        let shown = format!("{method} {rules:?}");
        let request = format!("{method} https://a.example.com/x");
        let (world, run) = run(rules.into_iter().map(|given| rule(&request, given, 0)).collect(), LONG);
        let request = Request::builder().method(method).uri("https://a.example.com/x");
        let _answer_or_not = run.send(request.body(Full::from("a body")).unwrap()).await;
        let requested = world.take_requested();
        assert!(requested.iter().all(|one| one.body == "a body"));
        assert_eq!(requested.iter().map(|one| one.came_to).collect::<Vec<_>>(), expected, "{shown}");
    }
}
