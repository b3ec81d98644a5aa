//! Whatever is refused is refused with a problem document.

use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::*;

/// What is sent, and what is heard: name, method and path with header fields, body, status, word.
struct Case(&'static str, &'static str, &'static [u8], u16, &'static str);

const CASES: &[Case] = &[
    Case("no such path", "GET /nope HTTP/1.1\r\n", b"", 404, "not-found"),
    Case("no such path of the API", "GET /api/v1/nope HTTP/1.1\r\n", b"", 404, "not-found"),
    Case("a path that climbs", "GET /api/v1/tenants/../../x HTTP/1.1\r\n", b"", 404, "not-found"),
    Case("wrong method", "DELETE /livez HTTP/1.1\r\n", b"", 405, "method-not-allowed"),
    Case("wrong method of the API", "PUT /api/v1/tenants HTTP/1.1\r\n", b"", 405, "method-not-allowed"),
    Case("a method of nobody's", "BREW /api/v1/tenants HTTP/1.1\r\n", b"", 405, "method-not-allowed"),
    Case("no token", "GET /api/v1/tenants HTTP/1.1\r\n", b"", 401, "unauthorized"),
    Case(
        "unknown token",
        "GET /api/v1/tenants HTTP/1.1\r\nauthorization: Bearer hsw_x\r\n",
        b"",
        401,
        "unauthorized",
    ),
    Case(
        "empty token",
        "GET /api/v1/tenants HTTP/1.1\r\nauthorization: Bearer \r\n",
        b"",
        401,
        "unauthorized",
    ),
    Case(
        "other scheme",
        "GET /api/v1/tenants HTTP/1.1\r\nauthorization: Basic YTpi\r\n",
        b"",
        401,
        "unauthorized",
    ),
    Case(
        "two tokens",
        "GET /api/v1/tenants HTTP/1.1\r\nAUTH\r\nauthorization: Bearer x\r\n",
        b"",
        401,
        "unauthorized",
    ),
    Case(
        "bytes as a token",
        "GET /api/v1/tenants HTTP/1.1\r\nauthorization: Bearer \u{e4}\r\n",
        b"",
        401,
        "unauthorized",
    ),
    Case(
        "a tenant's name that climbs",
        "GET /api/v1/tenants/%2e%2e%2fx HTTP/1.1\r\nAUTH\r\n",
        b"",
        400,
        "malformed-request",
    ),
    Case("NUL in a name", "GET /api/v1/tenants/a%00 HTTP/1.1\r\nAUTH\r\n", b"", 400, "malformed-request"),
    Case("no UTF-8 in a name", "GET /api/v1/tenants/%ff HTTP/1.1\r\nAUTH\r\n", b"", 400, "malformed-request"),
    Case(
        "no digest",
        "GET /api/v1/tenants/acme/components/abc HTTP/1.1\r\nAUTH\r\n",
        b"",
        400,
        "malformed-request",
    ),
    Case(
        "no number",
        "DELETE /api/v1/tenants/acme/numbers/+0123 HTTP/1.1\r\nAUTH\r\n",
        b"",
        400,
        "malformed-request",
    ),
    Case("unknown query", "GET /api/v1/tokens?all=1 HTTP/1.1\r\nAUTH\r\n", b"", 400, "malformed-request"),
    Case(
        "query twice",
        "GET /api/v1/tokens?tenant=acme&tenant=other HTTP/1.1\r\nAUTH\r\n",
        b"",
        400,
        "malformed-request",
    ),
    Case(
        "limit 0",
        "GET /api/v1/tenants/acme/handlers/a/revisions?limit=0 HTTP/1.1\r\nAUTH\r\n",
        b"",
        400,
        "malformed-request",
    ),
    Case(
        "no media type",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\n",
        b"{}",
        415,
        "unsupported-media-type",
    ),
    Case(
        "a form",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\ncontent-type: application/x-www-form-urlencoded\r\n",
        b"id=a",
        415,
        "unsupported-media-type",
    ),
    Case(
        "gzip",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\ncontent-encoding: gzip\r\n",
        b"{}",
        415,
        "unsupported-media-type",
    ),
    Case(
        "no JSON",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{",
        400,
        "malformed-request",
    ),
    Case(
        "no body",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"",
        400,
        "malformed-request",
    ),
    Case(
        "a byte order mark",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"\xef\xbb\xbf{}",
        400,
        "malformed-request",
    ),
    Case(
        "a list in the place of an object",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"[\"zeta\", null, [], [], null, null]",
        400,
        "malformed-request",
    ),
    Case(
        "a list in the place of an object that may be left out",
        "POST /api/v1/tenants/acme/handlers/a/rollback HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b" [1]",
        400,
        "malformed-request",
    ),
    Case(
        "null in the place of an object that may be left out",
        "POST /api/v1/tenants/acme/handlers/a/rollback HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b" null ",
        404,
        "not-found",
    ),
    Case(
        "no UTF-8",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"id\": \"\xff\"}",
        400,
        "malformed-request",
    ),
    Case(
        "a key that nobody knows",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"id\": \"a\", \"ids\": 1}",
        400,
        "malformed-request",
    ),
    Case(
        "a key twice",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"id\": \"a\", \"id\": \"b\"}",
        400,
        "malformed-request",
    ),
    Case(
        "a number beyond all",
        "PATCH /api/v1/tenants/acme HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"quota\": {\"bytes\": 1e400}}",
        400,
        "malformed-request",
    ),
    Case(
        "a number that is too large",
        "PATCH /api/v1/tenants/acme HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"quota\": {\"bytes\": 9007199254740992}}",
        422,
        "invalid",
    ),
    Case(
        "a name that can't be",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"id\": \"../x\"}",
        422,
        "invalid",
    ),
    Case(
        "an empty secret",
        "PATCH /api/v1/tenants/acme HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"twilio_auth_tokens\": [\"\"]}",
        422,
        "invalid",
    ),
    Case(
        "a URL with a path",
        "PATCH /api/v1/tenants/acme HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"public_url\": \"https://a/b\"}",
        422,
        "invalid",
    ),
    Case(
        "an operator's token for a tenant",
        "POST /api/v1/tokens HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"scope\": \"operator\", \"tenant\": \"acme\"}",
        422,
        "invalid",
    ),
    Case(
        "a tenant's token for none",
        "POST /api/v1/tokens HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"scope\": \"read\"}",
        422,
        "invalid",
    ),
    Case(
        "neither a component nor settings",
        "POST /api/v1/tenants/acme/handlers/a/revisions HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{}",
        422,
        "invalid",
    ),
    Case(
        "a canary of nothing",
        "POST /api/v1/tenants/acme/handlers/a/revisions HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"settings\": {}, \"percent\": 0}",
        422,
        "invalid",
    ),
    Case(
        "a tenant twice",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nLENGTH\r\nJSON\r\n",
        b"{\"id\": \"acme\"}",
        409,
        "conflict",
    ),
    Case(
        "a body that is announced too large",
        "POST /api/v1/tenants HTTP/1.1\r\nAUTH\r\nJSON\r\ncontent-length: 1048577\r\n",
        b"",
        413,
        "too-large",
    ),
];

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let server = Server::start().await;
    for Case(name, head, body, status, word) in CASES {
        let head = head
            .replace("AUTH", &format!("authorization: Bearer {}", server.token))
            .replace("LENGTH", &format!("content-length: {}", body.len()))
            .replace("JSON", "content-type: application/json");
        let answer = server.raw(&head, body).await;
        assert_eq!(answer.status, *status, "{name}: {}", answer.body);
        assert_eq!(answer.problem(), *word, "{name}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_in_words_of_the_api() {
    let server = Server::start().await;
    let number =
        "\"abc\" is no number: expected E.164 such as +12025550123, or a short code of 3 to 8 digits";
    let tenant = "\"A b\" is not a tenant name: expected 1 to 63 of `a`–`z`, `0`–`9` and `-`, beginning with a letter or digit";
    let revisions = "/api/v1/tenants/acme/handlers/a/revisions";
    for (method, path, body, detail) in [
        ("GET", &*format!("{revisions}?limit=abc"), Value::Null, "limit is \"abc\": expected a whole number"),
        (
            "GET",
            "/api/v1/tenants/acme/outbox?limit=-1",
            Value::Null,
            "limit is \"-1\": expected a whole number",
        ),
        ("GET", "/api/v1/tokens?all=1", Value::Null, "there is no key `all`, expected `tenant`"),
        ("GET", "/api/v1/tenants/A%20b", Value::Null, tenant),
        (
            "GET",
            "/api/v1/tenants/%ff",
            Value::Null,
            "the tenant of the path is not UTF-8: expected letters and digits",
        ),
        ("DELETE", "/api/v1/tenants/acme/numbers/abc", Value::Null, number),
        ("POST", "/api/v1/tenants", json!(["zeta"]), "the body is a list: expected an object, { … }"),
        ("POST", "/api/v1/tenants", json!({ "id": 7 }), "id is a number: expected a text (line 1, column 7)"),
    ] {
        let answer = server.operator(method, path, &body).await;
        assert_eq!(answer.json()["detail"], detail, "{method} {path}");
    }
}

#[tokio::test]
async fn large_and_deep_json_is_refused_without_being_kept() {
    let server = Server::start().await;
    let head = format!(
        "POST /api/v1/tenants HTTP/1.1\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
        server.token
    );
    let deep = format!("{{\"id\": {}", "[".repeat(100_000));
    let answer = server.raw(&format!("{head}content-length: {}\r\n", deep.len()), deep.as_bytes()).await;
    assert_eq!(answer.problem(), "malformed-request");

    let mut chunked = Vec::new();
    for _ in 0..300 {
        chunked.extend_from_slice(b"1000\r\n");
        chunked.extend_from_slice(&[b' '; 0x1000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let answer = server.raw(&format!("{head}transfer-encoding: chunked\r\n"), &chunked).await;
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too-large"));
}

#[tokio::test]
async fn a_request_keeps_the_id_that_it_brings_if_a_log_can_bear_it() {
    let server = Server::start().await;
    for (brought, kept) in [("trace-17.a_b", true), ("a b", false), ("\"", false), (&"x".repeat(65), false)] {
        let answer = server.raw(&format!("GET /livez HTTP/1.1\r\nx-request-id: {brought}\r\n"), b"").await;
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(id == brought, kept, "{brought}: {id}");
    }
}

#[tokio::test]
async fn a_panic_and_an_endless_answer_become_problems() {
    let data = tempfile::tempdir().unwrap();
    let limits = ControlLimits { answer_within: Duration::from_millis(100), ..ControlLimits::default() };
    let api = Arc::new(Api::new(control(data.path(), limits).await));
    let routes = Router::new()
        .route("/panic", get(async || -> &str { panic!("on purpose") }))
        .route("/endless", get(std::future::pending::<&str>))
        .layer(axum::middleware::from_fn_with_state(api, request::around));
    let service = TowerToHyperService::new(routes);
    for (path, status, word) in [("/panic", 500, "internal"), ("/endless", 503, "still-running")] {
        let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        let response = service.call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!(parts.status, status, "{body}");
        assert!(body.contains(&format!("urn:hookswitch:problem:{word}")), "{body}");
        assert!(parts.headers.contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn what_operators_poll_is_there_without_a_token() {
    let server = Server::start().await;
    for (path, media_type, start) in [
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "up 1"),
        ("/livez", "text/plain; charset=utf-8", "ok"),
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/api/v1/openapi.json", "application/json", "{"),
    ] {
        let answer = server.raw(&format!("GET {path} HTTP/1.1\r\n"), b"").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(media_type)), "{path}");
        assert!(answer.body.starts_with(start), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let server = Server::start().await;
    let change = json!({
        "twilio_auth_tokens": ["s3cret-one", "s3cret-two"],
        "shared_keys": [{ "id": "k1", "secret": "s3cret-three" }],
        "public_url": "https://calls.example.com/",
    });
    let changed = server.operator("PATCH", "/api/v1/tenants/acme", &change).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let shown = server.operator("GET", "/api/v1/tenants/acme", &Value::Null).await;
    assert_eq!(shown.json()["twilio_auth_tokens"], 2);
    assert_eq!(shown.json()["shared_keys"], json!(["k1"]));
    assert_eq!(shown.json()["public_url"], "https://calls.example.com");
    for answer in [changed, shown, server.operator("GET", "/api/v1/tenants", &Value::Null).await] {
        assert!(!answer.body.contains("s3cret"), "{}", answer.body);
    }
    // What is left out stays, what is empty goes.
    let kept = server.operator("PATCH", "/api/v1/tenants/acme", &json!({ "public_url": "" })).await.json();
    assert_eq!((&kept["public_url"], &kept["twilio_auth_tokens"]), (&Value::Null, &json!(2)));
}

#[tokio::test]
async fn without_its_registry_a_host_stays_ready_says_so_and_heals() {
    let server = Server::start().await;
    let ready = async || server.raw("GET /readyz HTTP/1.1\r\n", b"").await;
    assert_eq!((ready().await.status, ready().await.body.as_str()), (503, "starting\n"));
    server.health.enter(Stage::Ready);
    assert_eq!((ready().await.status, ready().await.body.as_str()), (200, "ready\n"));

    let (file, aside) = (server.data.path().join("registry.db"), server.data.path().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    let answer = server.operator("GET", "/api/v1/tenants", &Value::Null).await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "unavailable"));
    assert!(answer.header("retry-after").is_some());
    let folder = server.data.path().to_string_lossy().into_owned();
    assert!(!answer.body.contains(&folder), "paths are the operator's: {}", answer.body);
    assert_eq!(ready().await.status, 200, "calls go on");
    assert!(ready().await.body.starts_with("ready\ndegraded: registry: "), "{}", ready().await.body);

    std::fs::rename(&aside, &file).unwrap();
    assert_eq!(server.operator("GET", "/api/v1/tenants", &Value::Null).await.status, 200);
    assert_eq!(ready().await.body, "ready\n");
    server.health.enter(Stage::Draining);
    assert_eq!((ready().await.status, ready().await.body.as_str()), (503, "draining\n"));
}
