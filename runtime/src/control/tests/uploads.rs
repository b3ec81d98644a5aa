//! Components on their way to the disk.

use super::*;
use crate::digest::Digest;

fn short_limits() -> ControlLimits {
    ControlLimits {
        component_bytes_max: 100_000,
        upload_idle: Duration::from_millis(200),
        ..ControlLimits::default()
    }
}

impl Server {
    fn upload_head(&self, tenant: &str, digest: &Digest, more: &str) -> String {
        format!(
            "PUT /api/v1/tenants/{tenant}/components/{digest} HTTP/1.1\r\nauthorization: Bearer {}\r\n{more}\r\n",
            self.token
        )
    }

    async fn upload(&self, tenant: &str, digest: &Digest, bytes: &[u8]) -> Answer {
        let more = format!("content-type: application/wasm\r\ncontent-length: {}", bytes.len());
        self.raw(&self.upload_head(tenant, digest, &more), bytes).await
    }

    /// Names of the files that uploads left.
    fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.data.path().join("components")).unwrap();
        files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}

#[tokio::test]
async fn what_was_uploaded_is_there_for_its_tenant_and_for_no_other() {
    let server = Server::start_with(short_limits()).await;
    let bytes = vec![7; 90_000];
    let digest = Digest::of(&bytes);
    let first = server.upload("acme", &digest, &bytes).await;
    assert_eq!((first.status, first.json()), (201, json!({ "digest": digest.to_string(), "bytes": 90_000 })));
    assert_eq!(server.upload("acme", &digest, &bytes).await.status, 200);

    let seen = async |tenant: &str| {
        let path = format!("/api/v1/tenants/{tenant}/components/{digest}");
        server.operator("GET", &path, &Value::Null).await.status
    };
    assert_eq!((seen("acme").await, seen("other").await), (200, 404));
    let deploy = json!({ "digest": digest.to_string(), "settings": {} });
    let stolen = server.operator("POST", "/api/v1/tenants/other/handlers/ivr/revisions", &deploy).await;
    assert_eq!((stolen.status, stolen.problem().as_str()), (404, "not-found"));
    // Who has the bytes may have the component.
    assert_eq!(server.upload("other", &digest, &bytes).await.status, 201);
    assert_eq!(seen("other").await, 200);
    assert_eq!(server.files().len(), 1);
}

#[tokio::test]
async fn an_upload_that_is_not_what_it_says_leaves_nothing() {
    let server = Server::start_with(short_limits()).await;
    let digest = Digest::of(b"abc");
    let wasm = "content-type: application/wasm\r\n";
    let chunk =
        |bytes: usize| [format!("{bytes:x}\r\n").into_bytes(), vec![b'a'; bytes], b"\r\n".to_vec()].concat();
    let endless = chunk(100_001);
    struct Case<'a>(&'a str, String, &'a [u8], u16, &'a str);
    let cases = [
        Case("other bytes", format!("{wasm}content-length: 3"), b"abd", 422, "digest-mismatch"),
        Case("nothing", format!("{wasm}content-length: 0"), b"", 422, "digest-mismatch"),
        Case("announced too large", format!("{wasm}content-length: 100001"), b"", 413, "too-large"),
        Case(
            "too large unannounced",
            format!("{wasm}transfer-encoding: chunked"),
            &endless,
            413,
            "too-large",
        ),
        Case(
            "compressed",
            format!("{wasm}content-encoding: gzip\r\ncontent-length: 3"),
            b"abc",
            415,
            "unsupported-media-type",
        ),
        Case(
            "another type",
            "content-type: text/plain\r\ncontent-length: 3".into(),
            b"abc",
            415,
            "unsupported-media-type",
        ),
        Case("stops in the middle", format!("{wasm}content-length: 3"), b"ab", 408, "too-slow"),
    ];
    for Case(name, head, body, status, word) in cases {
        let answer = server.raw(&server.upload_head("acme", &digest, &head), body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, word), "{name}");
        assert_eq!(server.files(), Vec::<String>::new(), "{name}");
    }
    let unknown = server.upload("ghost", &digest, b"abc").await;
    assert_eq!(unknown.problem(), "not-found");

    // A client that hangs up: nothing is answered, and nothing left.
    let mut stream = server.connect().await;
    let head = server.upload_head("acme", &digest, &format!("{wasm}content-length: 3"));
    stream.write_all(format!("{head}host: a\r\n\r\nab").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = Answer::read(&mut stream).await;
    assert!(answer.status == 0 || answer.status == 400, "{}", answer.body);
    assert_eq!(server.files(), Vec::<String>::new());
}

#[tokio::test]
async fn a_tenant_over_its_quota_uploads_nothing() {
    let server = Server::start_with(short_limits()).await;
    server.operator("PATCH", "/api/v1/tenants/acme", &json!({ "quota": { "bytes": 0 } })).await;
    let answer = server.upload("acme", &Digest::of(b"abc"), b"abc").await;
    assert_eq!((answer.status, answer.problem().as_str()), (429, "quota-exceeded"));
}

#[tokio::test]
async fn who_is_refused_in_the_middle_of_an_upload_hears_why() {
    let server = Server::start().await;
    let bytes = vec![0; 8 << 20];
    let head = format!(
        "PUT /api/v1/tenants/acme/components/{} HTTP/1.1\r\ncontent-length: {}\r\n",
        Digest::of(b""),
        bytes.len()
    );
    let answer = server.raw(&head, &bytes).await;
    assert_eq!(answer.problem(), "unauthorized");
}

#[tokio::test]
async fn a_tenant_that_uploads_without_deploying_waits_and_others_do_not() {
    let limits = ControlLimits { upload_bytes_max: 200_000, ..short_limits() };
    let server = Server::start_with(limits).await;
    let component = |byte: u8| vec![byte; 90_000];
    for byte in [1, 2] {
        let bytes = component(byte);
        assert_eq!(server.upload("acme", &Digest::of(&bytes), &bytes).await.status, 201);
    }
    let third = component(3);
    let answer = server.upload("acme", &Digest::of(&third), &third).await;
    assert_eq!((answer.status, answer.problem().as_str()), (429, "quota-exceeded"));
    for part in ["acme", "180000", "200000", "deploy what was uploaded"] {
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
    assert_eq!(server.upload("other", &Digest::of(&third), &third).await.status, 201);
    let again = component(1);
    assert_eq!(server.upload("acme", &Digest::of(&again), &again).await.status, 200);
}
