//! The page's own files, compiled in: it needs no folder and no network.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

const FILES: [(&str, &str, &str); 10] = [
    ("index.html", HTML, include_str!("www/index.html")),
    ("page.css", STYLE, include_str!("www/page.css")),
    ("timeline.css", STYLE, include_str!("www/timeline.css")),
    ("icon.svg", PICTURE, include_str!("www/icon.svg")),
    ("page.js", SCRIPT, include_str!("www/page.js")),
    ("dom.js", SCRIPT, include_str!("www/dom.js")),
    ("phone.js", SCRIPT, include_str!("www/phone.js")),
    ("messages.js", SCRIPT, include_str!("www/messages.js")),
    ("sound.js", SCRIPT, include_str!("www/sound.js")),
    ("timeline.js", SCRIPT, include_str!("www/timeline.js")),
];

pub(super) async fn index() -> Response {
    answer("index.html")
}

pub(super) async fn file(Path(name): Path<String>) -> Response {
    answer(&name)
}

fn answer(name: &str) -> Response {
    match FILES.iter().find(|(found, ..)| *found == name) {
        Some((_, kind, text)) => ([(CONTENT_TYPE, HeaderValue::from_static(kind))], *text).into_response(),
        None => (StatusCode::NOT_FOUND, "no such file; the page is at /\n").into_response(),
    }
}
