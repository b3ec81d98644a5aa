use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Method, header};

use super::super::retry::{Budget, backoff, changes, is_idempotent, retry_after};

#[test]
fn only_what_is_safe_to_repeat_is_repeated() {
    let cases = [
        (Method::GET, None, true),
        (Method::HEAD, None, true),
        (Method::OPTIONS, None, true),
        (Method::PUT, None, true),
        (Method::DELETE, None, true),
        (Method::POST, None, false),
        (Method::POST, Some(""), false),
        (Method::POST, Some("order-7"), true),
        (Method::PATCH, None, false),
        (Method::PATCH, Some("order-7"), false),
    ];
    for (method, key, repeated) in cases {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            headers.insert("idempotency-key", HeaderValue::from_static(key));
        }
        assert_eq!(is_idempotent(&method, &headers), repeated, "{method} {key:?}");
    }
    assert!(
        !changes(&Method::GET) && !changes(&Method::HEAD) && changes(&Method::PUT) && changes(&Method::POST)
    );
}

#[test]
fn the_server_may_ask_for_seconds_or_name_a_moment() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    let cases = [
        ("3", Some(3)),
        (" 3 ", Some(3)),
        ("0", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
        ("Thu, 01 Jan 1970 00:17:00 GMT", Some(20)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("-1", None),
        ("soon", None),
        ("1.5", None),
    ];
    for (value, seconds) in cases {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
        assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{value}");
    }
    assert_eq!(retry_after(&HeaderMap::new(), now), None);
}

#[test]
fn pauses_grow_and_lie_anywhere_below_their_bound() {
    for (attempt, most_ms) in [(1, 200), (2, 400), (3, 800), (1_000, 51_200)] {
        assert_eq!(backoff(attempt, 0), Duration::ZERO);
        assert_eq!(backoff(attempt, most_ms), Duration::from_millis(most_ms));
        assert_eq!(backoff(attempt, most_ms + 1), Duration::ZERO);
    }
}

#[test]
fn repeats_are_a_tenth_of_the_requests_and_a_few_saved_up() {
    let budget = Budget::default();
    let saved = std::iter::repeat_with(|| budget.take()).take_while(|taken| *taken).count();
    assert_eq!(saved, 20);
    let mut repeats = 0;
    for _ in 0..1_000 {
        budget.pay_in();
        repeats += u32::from(budget.take());
    }
    assert_eq!(repeats, 100);
    (0..10_000).for_each(|_| budget.pay_in());
    let saved = std::iter::repeat_with(|| budget.take()).take_while(|taken| *taken).count();
    assert_eq!(saved, 20);
}
