//! Server-sent events, as far as we need them: names and data, line by line as they come.
//!
//! Pieces of the stream go in, whole events come out. Source: WHATWG HTML, "Interpreting an event stream".

/// Longest event that is kept, in bytes: many times a log line of the longest kind. What is longer is cut off.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened; `message` where the stream does not say.
    pub name: String,
    /// The data, its lines joined.
    pub data: String,
}

/// Reads a stream of events.
#[derive(Default)]
pub struct Parser {
    line: Vec<u8>,
    after_return: bool,
    name: String,
    data: Option<String>,
}

impl Parser {
    /// Takes the next piece of the stream and gives the events that it completes.
    pub fn feed(&mut self, piece: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in piece {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ if self.line.len() < EVENT_BYTES_MAX => self.line.push(byte),
                _ => {}
            }
        }
        events
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            let data = self.data.take()?;
            return Some(Event { name: if name.is_empty() { "message".to_owned() } else { name }, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => match &mut self.data {
                Some(data) if data.len() + value.len() < EVENT_BYTES_MAX => {
                    data.push('\n');
                    data.push_str(value);
                }
                Some(_) => {}
                None => self.data = Some(value.to_owned()),
            },
            // A comment (the host's sign of life), an id or a pause: we keep no place to go on from.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_the_stream_is_cut() {
        for (stream, expected) in [
            ("event: log\ndata: {\"a\":1}\n\n", &[("log", "{\"a\":1}")][..]),
            ("event:log\r\ndata:x\r\n\r\n", &[("log", "x")]),
            ("data: a\rdata: b\r\r", &[("message", "a\nb")]),
            (": alive\n\ndata: a\n\n", &[("message", "a")]),
            ("event: log\n\ndata: a\n\n", &[("message", "a")]),
            ("id: 7\nretry: 10\ndata\n\n", &[("message", "")]),
            ("data: é\n\ndata: unfinished\n", &[("message", "é")]),
            ("data:  two\n\n", &[("message", " two")]),
        ] {
            for size in [1, 2, 3, 1000] {
                let mut parser = Parser::default();
                let events: Vec<Event> =
                    stream.as_bytes().chunks(size).flat_map(|piece| parser.feed(piece)).collect();
                let found: Vec<_> =
                    events.iter().map(|event| (event.name.as_str(), event.data.as_str())).collect();
                assert_eq!(found, expected, "{stream:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn an_endless_line_takes_bounded_memory() {
        let mut parser = Parser::default();
        for _ in 0..40 {
            assert!(parser.feed(&[b'x'; 100_000]).is_empty());
        }
        assert!(parser.line.len() <= EVENT_BYTES_MAX);
        assert_eq!(parser.feed(b"\ndata: a\n\n").len(), 1);
    }
}
