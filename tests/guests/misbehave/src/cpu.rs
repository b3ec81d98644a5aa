//! Against the limits of processor time and stack.

use hookswitch_sdk::log;
use std::hint::black_box;

/// Runs for ever.
pub fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Runs for ever and calls the host all the time.
pub fn spin_with_host_calls() {
    loop {
        log::debug("still here");
    }
}

/// Matches `(a+)+b` against many `a`, trying every way to part them: 2³⁰ of them.
pub fn backtrack() {
    let text = [b'a'; 30];
    let matched = groups(black_box(&text));
    log::info!("matched: {matched}");
}

/// Whether `text` is one or more groups of one or more `a`, then `b`.
fn groups(text: &[u8]) -> bool {
    let run = text.iter().take_while(|byte| **byte == b'a').count();
    (1..=run).rev().any(|length| {
        let rest = &text[length..];
        rest == b"b" || groups(rest)
    })
}

/// Takes 10 to 40 ms of an ordinary core, and then answers.
pub fn work_for_about_20_ms() {
    let mut state = black_box(1_u64);
    for _ in 0..10_000_000 {
        // Each step needs the one before, so it takes its 4 to 6 cycles.
        state = (state ^ (state >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    black_box(state);
}

/// Calls itself until the stack ends, with frames that are registers only.
pub fn recurse() {
    black_box(deeper(black_box(0), black_box(u64::MAX)));
}

fn deeper(depth: u64, end: u64) -> u64 {
    if depth == end {
        return 0;
    }
    // Not a tail call, nor a sum that could become a loop.
    deeper(depth + 1, end).rotate_left(5) ^ depth
}

/// Calls itself until the stack in linear memory ends.
pub fn recurse_with_large_frames() {
    black_box(deeper_in_memory(black_box(0)));
}

fn deeper_in_memory(depth: u64) -> u64 {
    let frame = black_box([depth; 512]);
    if depth == u64::MAX {
        return 0;
    }
    deeper_in_memory(depth + 1) ^ frame[(depth % 512) as usize]
}
