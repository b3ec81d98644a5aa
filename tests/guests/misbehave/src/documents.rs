//! Against what a document may be.

/// A document like any other.
pub const ORDINARY: &str =
    r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say>I behave.</Say></Response>"#;

/// Longest document that may be answered, in bytes.
const BYTES_MAX: usize = 64 * 1024;

/// The document of this name.
pub fn named(name: &str) -> Option<String> {
    Some(match name {
        "largest-document" => of_bytes(BYTES_MAX),
        "huge-document" => of_bytes(BYTES_MAX + 1),
        "endless-document" => of_bytes(16 * BYTES_MAX),
        "empty" => String::new(),
        "blank" => " \n\t ".into(),
        "not-xml" => "Hello, caller!".into(),
        "unclosed" => "<Response><Say>Hello".into(),
        "wrong-root" => "<Answer><Say>Hello.</Say></Answer>".into(),
        "two-roots" => "<Response/><Response/>".into(),
        "outside-grammar" => r#"<Response><Say volume="11">Hello.</Say></Response>"#.into(),
        "unknown-verb" => "<Response><Teleport>+12025550123</Teleport></Response>".into(),
        "wrong-nesting" => "<Response><Dial><Say>Hello.</Say></Dial></Response>".into(),
        "doctype" => "<!DOCTYPE Response><Response><Say>Hello.</Say></Response>".into(),
        "external-entity" => {
            r#"<!DOCTYPE Response [<!ENTITY x SYSTEM "file:///etc/passwd">]><Response><Say>&x;</Say></Response>"#.into()
        }
        "unknown-entity" => "<Response><Say>&hello;</Say></Response>".into(),
        "billion-laughs" => billion_laughs(),
        "deep" => format!("<Response>{}{}</Response>", "<Say>".repeat(5_000), "</Say>".repeat(5_000)),
        "many-attributes" => many_attributes(),
        "control-character" => "<Response><Say>ding \u{7}</Say></Response>".into(),
        "not-utf8" => not_utf8(),
        _ => return None,
    })
}

fn of_bytes(bytes: usize) -> String {
    const FRAME: &str = "<Response><Say></Say></Response>";
    let text = "a".repeat(bytes - FRAME.len());
    format!("<Response><Say>{text}</Say></Response>")
}

fn billion_laughs() -> String {
    let mut entities = String::from(r#"<!ENTITY lol0 "lol">"#);
    for level in 1..10 {
        let inner = format!("&lol{};", level - 1).repeat(10);
        entities.push_str(&format!(r#"<!ENTITY lol{level} "{inner}">"#));
    }
    format!(r#"<?xml version="1.0"?><!DOCTYPE Response [{entities}]><Response><Say>&lol9;</Say></Response>"#)
}

fn many_attributes() -> String {
    let attributes: String = (0..3_000).map(|number| format!(r#" a{number}="{number}""#)).collect();
    format!("<Response><Say{attributes}>Hello.</Say></Response>")
}

/// A text whose bytes are no text, as a guest in another language might hand over.
fn not_utf8() -> String {
    let bytes = b"<Response><Say>\xff\xfe</Say></Response>".to_vec();
    // SAFETY: not kept: a `String` must be UTF-8. It is only moved to the host from here, nothing
    // in between looks at its characters, and the host's refusal is what this is for.
    unsafe { String::from_utf8_unchecked(bytes) }
}
