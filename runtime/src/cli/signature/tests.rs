//! What the command says, case by case.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: SignatureArgs,
}

const URL: &str = "https://calls.example.com/acme/ivr/voice";
const BODY: &str = "CallSid=CA1&Digits=1&Body=a+%2B1+gr%C3%BC%C3%9F&Empty=&From=%2B12025550123";
const FORM: &str = "application/x-www-form-urlencoded";

fn given(url: &str, body: &str, token: &str, headers: &[(&str, &str)]) -> Given {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()));
    Given {
        url: url.to_owned(),
        method: Method::POST,
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
        auth_token: Some(token.to_owned()),
        shared_key: None,
    }
}

fn signed(token: &str, text: &str) -> String {
    AuthToken::new(token).unwrap().sign(text)
}

/// The text signed for `url` and [`BODY`].
fn text(url: &str) -> String {
    format!("{url}Bodya +1 grüßCallSidCA1Digits1EmptyFrom+12025550123")
}

#[test]
fn a_match_is_told_with_what_was_signed() {
    let token = "12345";
    let signature = signed(token, &text(URL));
    let findings = given(URL, BODY, token, &[("x-twilio-signature", &signature), ("content-type", FORM)])
        .find()
        .unwrap();
    assert!(!findings.is_refused());
    assert_eq!(
        findings.as_text(),
        format!(
            "expected  {signature}  (HMAC_SHA1)\nsigned    {}\ntried     {URL}\n          https://calls.example.com:443/acme/ivr/voice\n\
             given     {signature}  matches\n",
            text(URL)
        )
    );
    let json: serde_json::Value = serde_json::from_str(&findings.as_json()).unwrap();
    assert_eq!(
        (&json["matches"], &json["expected"], &json["reason"]),
        (&json!(true), &json!(signature), &json!(null))
    );
}

#[test]
fn without_a_header_it_says_what_the_signature_should_be() {
    // The carrier's own example.
    let url = "https://example.com/myapp.php?foo=1&bar=2";
    let body =
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212";
    let findings = given(url, body, "12345", &[("content-type", FORM)]).find().unwrap();
    assert_eq!(findings.expected, "L/OH5YylLD5NRKLltdqwSvS0BnU=");
    assert!(!findings.is_refused() && findings.hints.is_empty());
    let json: serde_json::Value = serde_json::from_str(&findings.as_json()).unwrap();
    assert_eq!((&json["matches"], &json["given"]), (&json!(null), &json!(null)));
}

#[test]
fn the_expected_signature_follows_the_carriers_rule_for_ports() {
    let cases = [
        ("https://h.example:8443/v", "https://h.example/v"),
        ("http://h.example:8080/v", "http://h.example:8080/v"),
        ("http://h.example/v", "http://h.example/v"),
        ("https://u:p@h.example/v#rc=2", "https://h.example/v"),
    ];
    for (url, signed) in cases {
        assert_eq!(given(url, "", "12345", &[]).find().unwrap().signed, signed);
    }
}

/// Signs what a mistaken party would, and expects the mistake to be named.
#[test]
fn the_usual_mistakes_are_named() {
    let url = "https://calls.example.com/acme/ivr/voice?lang=en&t=a+b";
    let sign = |text: &str| signed("12345", text);
    let hex = |signature: &str| -> String {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(signature).unwrap();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let here = sign(&text(url));
    let with_newline = format!("{BODY}\n");
    let sha256 = SharedKey::new("", "12345").unwrap().sign(&text(url));

    // What the request says (URL, body, token), the signature it has, and what the hint begins with.
    let cases: Vec<(&str, &str, &str, String, &str)> = vec![
        (
            url,
            BODY,
            "12345",
            sign(&text("http://calls.example.com/acme/ivr/voice?lang=en&t=a+b")),
            "the scheme were http (",
        ),
        (
            "http://calls.example.com/acme/ivr/voice?lang=en&t=a+b",
            BODY,
            "12345",
            here.clone(),
            "the scheme were https (",
        ),
        (
            url,
            BODY,
            "12345",
            sign(&text("https://calls.example.com/acme/ivr/voice/?lang=en&t=a+b")),
            "the path had a `/` at its end",
        ),
        (
            "https://calls.example.com/acme/ivr/voice/?lang=en&t=a+b",
            BODY,
            "12345",
            here.clone(),
            "the path had no `/` at its end",
        ),
        (
            "https://calls.example.com/edge/acme/ivr/voice?lang=en&t=a+b",
            BODY,
            "12345",
            here.clone(),
            "the path lacked its first part",
        ),
        (
            "https://Calls.Example.com/acme/ivr/voice?lang=en&t=a+b",
            BODY,
            "12345",
            here.clone(),
            "the host were in lower case",
        ),
        (url, BODY, "12345", sign(&text(URL)), "there were no query"),
        (
            url,
            BODY,
            "12345",
            sign(&text("https://calls.example.com/acme/ivr/voice?t=a+b")),
            "`lang=en` were not in the query",
        ),
        (
            url,
            BODY,
            "12345",
            sign(&text("https://calls.example.com/acme/ivr/voice?lang=en&t=a%20b")),
            "spaces in the query were `%20`",
        ),
        (
            "https://calls.example.com/a/../acme/ivr/voice?lang=en&t=a+b",
            BODY,
            "12345",
            here.clone(),
            "it were normalised as browsers do",
        ),
        (
            "https://calls.example.com/acme/ivr/voice?lang=%65n&t=a+b",
            BODY,
            "12345",
            here.clone(),
            "its escapes were decoded",
        ),
        (
            "https://calls.example.com/acme/ivr/voice?lang=en&t=a+b#rc=2",
            BODY,
            "12345",
            sign(&text("https://calls.example.com/acme/ivr/voice?lang=en&t=a+b#rc=2")),
            "the fragment were signed too",
        ),
        (
            "http://calls.example.com/acme/ivr/voice/?lang=en&t=a+b",
            BODY,
            "12345",
            here.clone(),
            "the scheme were https, and the path had no `/`",
        ),
        (url, BODY, "12345", sign(url), "the body were not signed"),
        (url, &with_newline, "12345", here.clone(), "the white space at the end of the body were left out"),
        (
            url,
            BODY,
            "12345",
            sign(&format!("{url}CallSidCA1Digits1Bodya +1 grüßEmptyFrom+12025550123")),
            "the parameters were signed in the order sent",
        ),
        (
            url,
            BODY,
            "12345",
            sign(&format!("{url}Bodya +1 grüßCallSidCA1Digits1From+12025550123")),
            "empty parameters were left out",
        ),
        (
            url,
            BODY,
            "12345",
            sign(&format!("{url}Bodya++1+grüßCallSidCA1Digits1EmptyFrom+12025550123")),
            "`+` in the body meant a plus",
        ),
        (
            url,
            BODY,
            "12345",
            sign(&format!("{url}Bodya+%2B1+gr%C3%BC%C3%9FCallSidCA1Digits1EmptyFrom%2B12025550123")),
            "the body were signed as sent, not decoded",
        ),
        (
            url,
            BODY,
            "12345",
            sign(&format!("{url}Bodya +1 grÃ¼Ã\u{9f}CallSidCA1Digits1EmptyFrom+12025550123")),
            "the body were decoded as Latin-1",
        ),
        (
            url,
            BODY,
            "12345",
            sign(&format!("{url}Bodya +1 grüßCallSidCA1Digits1EmptyFrom+12025550123langenta b")),
            "the parameters of the query were signed with",
        ),
        (url, "a=1&a=1", "12345", sign(&format!("{url}a1a1")), "repeated values counted each time"),
        (url, "a=+x+", "12345", sign(&format!("{url}ax")), "values had no white space around them"),
        (url, "a=%252B1", "12345", sign(&format!("{url}a+1")), "the body had been decoded twice"),
        (url, BODY, "12345\n", here.clone(), "the token had no white space or quotes around it"),
        (url, BODY, "\"12345\"", here.clone(), "the token had no white space or quotes around it"),
        (url, BODY, "12345", sha256, "`X-Twilio-Webhooks-Signature-Settings` said HMAC_SHA256"),
        (url, BODY, "12345", hex(&here), "the header were base64 instead of hex"),
        (url, BODY, "12345", here.trim_end_matches('=').to_owned(), "the header were written "),
        (url, BODY, "12345", format!("\"{here}\""), "the header were written "),
    ];
    for (url, body, token, signature, expected) in cases {
        let findings = given(url, body, token, &[("x-twilio-signature", &signature), ("content-type", FORM)])
            .find()
            .unwrap();
        assert!(findings.is_refused(), "{expected}");
        let expected = format!("it would match if {expected}");
        assert!(
            findings.hints.iter().any(|hint| hint.starts_with(&expected)),
            "{expected}: {:?}",
            findings.hints
        );
        assert!(findings.as_text().contains(&format!("hint      {expected}")), "{}", findings.as_text());
    }
}

#[test]
fn headers_of_a_proxy_are_tried() {
    let headers = [
        ("content-type", FORM),
        ("host", "app.internal:3000"),
        ("x-forwarded-host", "calls.example.com"),
        ("x-forwarded-prefix", "/edge"),
    ];
    let cases = [
        ("https://app.internal:3000/acme/ivr/voice", URL, "the host were that of `x-forwarded-host`"),
        (
            "http://app.internal:3000/acme/ivr/voice",
            URL,
            "the scheme were https, and the host were that of `x-forwarded-host`",
        ),
        (URL, "https://calls.example.com/edge/acme/ivr/voice", "the path began as `x-forwarded-prefix` says"),
    ];
    for (said, meant, expected) in cases {
        let signature = signed("12345", &text(meant));
        let headers: Vec<_> = headers.iter().copied().chain([("x-twilio-signature", &*signature)]).collect();
        let hints = given(said, BODY, "12345", &headers).find().unwrap().hints;
        assert!(hints.iter().any(|hint| hint.contains(expected)), "{expected}: {hints:?}");
    }
}

#[test]
fn a_json_body_is_told_apart_from_its_url() {
    let json = "application/json";
    let body = "{\"a\": 1}";
    let url = |hash: &str| format!("{URL}?bodySHA256={hash}");
    let hash = signature::body_hash(body.as_bytes());
    let cases = [
        (url(&hash), body.to_owned(), json, None),
        (url(&hash), format!("{body}\n"), json, Some("the white space at the end of the body were left out")),
        (url(&hash.to_uppercase()), body.to_owned(), json, Some("`bodySHA256` were in lower case")),
        (url(&hash), "{\"a\":1}".to_owned(), json, Some("writing it again changes it")),
        (URL.to_owned(), body.to_owned(), json, Some(&*hash)),
        (url(&hash), body.to_owned(), FORM, Some("the body were not signed, as that of a GET or of JSON")),
    ];
    for (url, body, content_type, hint) in cases {
        let signature = signed("12345", &url);
        let findings = given(
            &url,
            &body,
            "12345",
            &[("x-twilio-signature", &signature), ("content-type", content_type)],
        )
        .find()
        .unwrap();
        assert_eq!(findings.is_refused(), hint.is_some(), "{url} {body:?}");
        if let Some(hint) = hint {
            assert!(findings.hints.iter().any(|told| told.contains(hint)), "{hint}: {:?}", findings.hints);
        }
    }
}

#[test]
fn what_nothing_explains_is_said_too() {
    let findings = given(
        URL,
        BODY,
        "12345",
        &[("x-twilio-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="), ("content-type", FORM)],
    )
    .find()
    .unwrap();
    assert!(findings.is_refused());
    assert!(findings.hints[0].starts_with("no usual mistake explains it"), "{:?}", findings.hints);
}

#[test]
fn what_people_wrote_moves_no_cursor() {
    let text = given(URL, "Body=%1b[2J%0a", "12345", &[("content-type", FORM)]).find().unwrap().as_text();
    assert!(text.contains("Body\\u{1b}[2J\\n"), "{text}");
}

#[test]
fn arguments_are_checked() {
    let base = ["signature", "--url", URL, "--auth-token", "12345"];
    let cases: &[(&[&str], bool)] = &[
        (&base, true),
        (&["signature", "--url", URL, "--shared-key", "k1=whsk_1"], true),
        (&["signature", "--url", "/acme/ivr/voice", "--auth-token", "12345"], false),
        (&["signature", "--url", URL, "--shared-key", "k1"], false),
        (&["signature", "--url", URL, "--auth-token", "1", "--header", "no colon"], false),
        (&["signature", "--url", URL, "--auth-token", "1", "--header", "a b: c"], false),
        (&["signature", "--url", URL, "--auth-token", "1", "--method", "GE T"], false),
        (&["signature", "--auth-token", "1"], false),
    ];
    for (args, accepted) in cases {
        assert_eq!(Command::try_parse_from(*args).is_ok(), *accepted, "{args:?}");
    }
    let args = Command::try_parse_from(
        [&base[..], &["--body", "/nonexistent/body", "-H", "X-Twilio-Signature: x"]].concat(),
    )
    .unwrap()
    .args;
    assert!(Given::read(args).err().unwrap().starts_with("can't read the body from /nonexistent/body"));
    let shared_only = Given {
        auth_token: None,
        shared_key: Some(("k1".into(), "whsk_1".into())),
        ..given(URL, "", "", &[])
    };
    assert_eq!(shared_only.find().unwrap().algorithm, Algorithm::HmacSha256);
    let sha256_without_key =
        given(URL, "", "12345", &[("x-twilio-webhooks-signature-settings", "algorithm=HMAC_SHA256")]);
    assert!(sha256_without_key.find().err().unwrap().contains("shared key"));
}
