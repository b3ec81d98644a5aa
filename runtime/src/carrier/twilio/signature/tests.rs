//! All published vectors, and what they leave open.

use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../../../../tests/cases/twilio/signatures.json");

fn vectors(list: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(VECTORS).unwrap()[list].as_array().unwrap().clone()
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case[key].as_str().unwrap_or_else(|| panic!("{case} has no {key}"))
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// The one place where vectors touch the API.
fn check(case: &Value, keys: &Keys) -> Result<(), Mismatch> {
    let pairs: Vec<_> =
        case["headers"].as_object().unwrap().iter().map(|(n, v)| (n.as_str(), v.as_str().unwrap())).collect();
    let headers = headers(&pairs);
    let method = Method::from_bytes(text(case, "method").as_bytes()).unwrap();
    let content_type = headers.get(http::header::CONTENT_TYPE).map(|value| value.to_str().unwrap());
    let body = Body::read(&method, content_type, text(case, "body").as_bytes()).unwrap();
    verify(keys, &SignedRequest { url: text(case, "url"), headers: &headers, body: &body })
}

fn tokens(texts: &[&str]) -> Keys {
    Keys { tokens: texts.iter().map(|text| AuthToken::new(text).unwrap()).collect(), shared: Vec::new() }
}

#[test]
fn what_both_libraries_say_is_said() {
    let vectors = vectors("vectors");
    assert_eq!(vectors.len(), 109);
    for case in vectors {
        let id = text(&case, "id");
        let keys = tokens(&[text(&case, "auth_token")]);
        let verified = check(&case, &keys);
        assert_eq!(verified.is_ok(), case["expect"].as_bool().unwrap(), "{id}: {verified:?}");
        if let Some(signed) = case["string_to_sign"].as_str() {
            let body = Body::read(
                &Method::POST,
                case["headers"]["Content-Type"].as_str(),
                text(&case, "body").as_bytes(),
            )
            .unwrap();
            let parameters = if let Body::Form(form) = &body { sorted(form) } else { String::new() };
            let ours: Vec<_> =
                candidates(text(&case, "url")).iter().map(|url| format!("{url}{parameters}")).collect();
            assert!(ours.iter().any(|ours| ours == signed), "{id}: {ours:?}");
        }
    }
}

#[test]
fn shared_keys_sign_as_the_library_says() {
    let vectors = vectors("shared_key_vectors");
    assert_eq!(vectors.len(), 18);
    for case in vectors {
        let secret = text(&case, "secret");
        let settings = case["headers"]["X-Twilio-Webhooks-Signature-Settings"].as_str().unwrap_or_default();
        let id = if settings.contains("webhooks_sharedkey_") {
            "webhooks_sharedkey_01h455vb4pex5vsknk084sn02q"
        } else {
            "k"
        };
        let mut keys = tokens(&[secret]);
        keys.shared = vec![SharedKey::new("another", "whsk_0").unwrap(), SharedKey::new(id, secret).unwrap()];
        let verified = check(&case, &keys);
        assert_eq!(
            verified.is_ok(),
            case["expect"].as_bool().unwrap(),
            "{}: {verified:?}",
            text(&case, "id")
        );
    }
}

/// Where the libraries differ: what we do, and why.
#[test]
fn where_the_libraries_differ_the_text_of_the_url_decides() {
    const DECIDED: &[(&str, bool, &str)] = &[
        ("d-001", true, "the port is found after the brackets of an IPv6 address"),
        ("d-002", true, "nothing to decide"),
        ("d-003", false, "the carrier never signs user and password"),
        ("d-004", true, "user and password are never sent, so never signed"),
        ("d-005", true, "an apostrophe is signed as it stands"),
        ("d-006", false, "nothing is escaped that was not escaped"),
        ("d-007", false, "`+` and `%20` in a query are two texts"),
        ("d-008", true, "a lone `?` is part of the URL"),
        ("d-009", false, "a lone `?` is part of the URL"),
        ("d-010", false, "the host is signed in the case it was configured in"),
        ("d-011", true, "a scheme in capitals is signed in lower case, as both libraries do"),
        ("d-012", false, "nothing is escaped that was not escaped"),
        ("d-013", false, "nothing is escaped that was not escaped"),
        ("d-014", false, "dot segments are not resolved; ingress refuses them anyhow"),
        ("d-015", true, "the fragment is never sent, so never signed"),
        ("d-016", false, "the carrier never signs a fragment"),
        ("d-017", false, "an empty hash signs no body"),
        ("d-018", false, "a JSON body without hash is not signed"),
        ("d-019", true, "values are sorted by code point, which is UTF-8's order, not UTF-16's"),
        ("d-020", false, "no path and `/` are two texts"),
        ("d-021", false, "no path and `/` are two texts"),
        ("d-022", true, "a default port that is written out is tried as it stands"),
        ("d-023", false, "nothing is unescaped"),
    ];
    let vectors = vectors("library_differences");
    assert_eq!(vectors.len(), DECIDED.len());
    for (case, (id, genuine, why)) in vectors.iter().zip(DECIDED) {
        assert_eq!(text(case, "id"), *id);
        let verified = check(case, &tokens(&[text(case, "auth_token")]));
        assert_eq!(verified.is_ok(), *genuine, "{id}: {why}: {verified:?}");
    }
}

#[test]
fn a_signature_that_cannot_be_checked_is_refused_and_says_why() {
    const URL: &str = "https://h.example/voice";
    let token = AuthToken::new("12345").unwrap();
    let old = AuthToken::new("54321").unwrap();
    let key = SharedKey::new("k1", "12345").unwrap();
    let parameters = [("CallSid", "CA1"), ("Digits", "1")];
    let sha1 = sign(URL, parameters, &token);
    let sha256 = key.sign(&text_to_sign(URL, parameters));
    let none = || Keys::default();
    let both = || Keys { tokens: vec![old.clone(), token.clone()], shared: vec![key.clone()] };
    let only_token = || Keys { tokens: vec![token.clone()], shared: vec![] };
    let only_shared = || Keys { tokens: vec![], shared: vec![key.clone()] };
    let signed = |value: &str| (SIGNATURE_HEADER.as_str(), value.to_owned());
    let settings = |value: &str| (SETTINGS_HEADER.as_str(), value.to_owned());
    let digest = |algorithm| Some(Reason::Digest(algorithm));
    let (one, two) = (Algorithm::HmacSha1, Algorithm::HmacSha256);

    type Case<'a> = (&'a str, Keys, Vec<(&'a str, String)>, Option<Reason>);
    let cases: Vec<Case<'_>> = vec![
        ("genuine, second token of two", both(), vec![signed(&sha1)], None),
        (
            "genuine, shared key",
            both(),
            vec![signed(&sha256), settings("key=k1,algorithm=HMAC_SHA256")],
            None,
        ),
        (
            "genuine, shared key not named",
            both(),
            vec![signed(&sha256), settings("algorithm=HMAC_SHA256")],
            None,
        ),
        ("no token", none(), vec![signed(&sha1)], Some(Reason::NoKey(one))),
        ("no token, no signature", none(), vec![], Some(Reason::NoSignature)),
        ("only a shared key", only_shared(), vec![signed(&sha1)], Some(Reason::NoKey(one))),
        (
            "a header that switches the algorithm to a key there is not",
            only_token(),
            vec![signed(&sha256), settings("key=k1,algorithm=HMAC_SHA256")],
            Some(Reason::NoKey(two)),
        ),
        (
            "a named key that is not held",
            both(),
            vec![signed(&sha256), settings("key=k2,algorithm=HMAC_SHA256")],
            Some(Reason::UnknownKey("k2".into())),
        ),
        (
            "unknown algorithm",
            both(),
            vec![signed(&sha1), settings("algorithm=none")],
            Some(Reason::UnknownAlgorithm("none".into())),
        ),
        ("no header", only_token(), vec![], Some(Reason::NoSignature)),
        ("empty header", only_token(), vec![signed("")], Some(Reason::NoSignature)),
        ("two headers", only_token(), vec![signed(&sha1), signed(&sha1)], Some(Reason::SeveralSignatures(2))),
        ("two, one empty", only_token(), vec![signed(""), signed(&sha1)], Some(Reason::SeveralSignatures(2))),
        (
            "cut",
            only_token(),
            vec![signed(&sha1[..27])],
            Some(Reason::NotADigest { found: 27, algorithm: one }),
        ),
        (
            "too long",
            only_token(),
            vec![signed(&format!("{sha1}="))],
            Some(Reason::NotADigest { found: 29, algorithm: one }),
        ),
        (
            "not base64",
            only_token(),
            vec![signed(&"!".repeat(28))],
            Some(Reason::NotADigest { found: 28, algorithm: one }),
        ),
        (
            "SHA-256 without settings",
            both(),
            vec![signed(&sha256)],
            Some(Reason::NotADigest { found: 44, algorithm: one }),
        ),
        (
            "SHA-1 with settings",
            both(),
            vec![signed(&sha1), settings("algorithm=HMAC_SHA256")],
            Some(Reason::NotADigest { found: 28, algorithm: two }),
        ),
        ("another token", tokens(&["12346"]), vec![signed(&sha1)], digest(one)),
        (
            "another secret",
            Keys { tokens: vec![], shared: vec![SharedKey::new("k1", "x").unwrap()] },
            vec![signed(&sha256), settings("key=k1,algorithm=hmac_sha256")],
            digest(two),
        ),
    ];
    let body = Body::Form(Form::parse(b"Digits=1&CallSid=CA1").unwrap());
    for (name, keys, pairs, expected) in cases {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let headers = headers(&pairs);
        let found = verify(&keys, &SignedRequest { url: URL, headers: &headers, body: &body });
        assert_eq!(found.as_ref().err().map(|mismatch| &mismatch.reason), expected.as_ref(), "{name}");
        if let Err(Mismatch { reason: Reason::Digest(_), urls, parameters }) = found {
            assert_eq!(urls, [URL, "https://h.example:443/voice"]);
            assert_eq!(parameters, "CallSidCA1Digits1");
        }
    }
}

#[test]
fn a_json_webhook_cannot_be_sent_again_with_its_body_cut_off() {
    let token = AuthToken::new("12345").unwrap();
    let url = format!("https://h.example/status?bodySHA256={}", body_hash(b"{\"a\":1}"));
    let headers = headers(&[(SIGNATURE_HEADER.as_str(), &sign(&url, [], &token))]);
    let keys = Keys { tokens: vec![token], shared: vec![] };
    let form = Some("application/x-www-form-urlencoded");
    let cases: &[(Method, Option<&str>, &[u8], bool)] = &[
        (Method::POST, Some("application/json"), b"{\"a\":1}", true),
        (Method::POST, Some("application/json"), b"{\"a\":2}", false),
        (Method::POST, Some("application/json"), b"", false),
        (Method::POST, form, b"", false),
        (Method::POST, form, b"a=1", false),
        (Method::POST, None, b"", false),
        (Method::GET, None, b"", false),
    ];
    for (method, content_type, bytes, genuine) in cases {
        let body = Body::read(method, *content_type, bytes).unwrap();
        let verified = verify(&keys, &SignedRequest { url: &url, headers: &headers, body: &body });
        assert_eq!(verified.is_ok(), *genuine, "{method} {content_type:?}: {verified:?}");
    }
}

#[test]
fn secrets_are_neither_empty_nor_printed() {
    assert!(AuthToken::new("").is_err());
    assert!(SharedKey::new("k", "").is_err());
    let keys = Keys {
        tokens: vec![AuthToken::new("s3cret").unwrap()],
        shared: vec![SharedKey::new("k", "s3cret").unwrap()],
    };
    let printed = format!("{keys:?}");
    assert!(!printed.contains("s3cret") && printed.contains("[redacted]"), "{printed}");
}
