//! Ten thousand requests at once. The SDK makes one after the other, so this speaks `wasi:http` itself.

use hookswitch_sdk::__private::bindings::imports::wasi::http::outgoing_handler;
use hookswitch_sdk::__private::bindings::imports::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, OutgoingRequest, Scheme,
};

const REQUESTS: usize = 10_000;
/// As many are awaited.
const KEPT: usize = 200;

fn begin(url: &str) -> Result<FutureIncomingResponse, ErrorCode> {
    let rest = url.trim_start_matches("http://");
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let request = OutgoingRequest::new(Fields::new());
    let _ = request.set_scheme(Some(&Scheme::Http));
    let _ = request.set_authority(Some(authority));
    let _ = request.set_path_with_query(Some(path));
    outgoing_handler::handle(request, None)
}

/// Begins them all, waits for the first ones and forgets the rest.
pub fn drop_and_go_on(url: &str) -> String {
    let mut kept = Vec::new();
    for number in 0..REQUESTS {
        if let Ok(answer) = begin(url)
            && number < KEPT
        {
            kept.push(answer);
        }
    }
    let mut answered = 0;
    for answer in kept {
        answer.subscribe().block();
        if let Some(Ok(Ok(answer))) = answer.get() {
            answered += usize::from(answer.status() == 200);
        }
    }
    format!("{answered} answered")
}

/// Begins them all and keeps them.
pub fn keep_all(url: &str) -> String {
    let kept: Vec<_> = (0..REQUESTS).map(|_| begin(url)).collect();
    format!("{} kept", kept.len())
}
