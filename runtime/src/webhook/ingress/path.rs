//! Which paths are taken at all.
//!
//! Nothing is ever rewritten: the carrier signs the URL as it sends it, and a path that is read in one way by a proxy
//! and in another by us is how requests get past both. So a path with two readings is refused, and all others
//! stand for themselves, byte by byte:
//!
//! - empty segments (`//`) and dot segments (`.`, `..`), also percent-encoded;
//! - an escape that is broken, that hides `/`, `\` or a control character, or that does not spell UTF-8;
//! - `;`, `\`, and every byte that RFC 3986 does not allow in a path.
//!
//! Escapes are read once. `%252e` is the text `%2e`, and stays that.

use percent_encoding::percent_decode;

/// Bytes that may stand in a segment as they are: RFC 3986 `pchar` without `%` and without `;`.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let allowed = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,=:@";
    let mut i = 0;
    while i < allowed.len() {
        plain[allowed[i] as usize] = true;
        i += 1;
    }
    plain
};

/// Checks a path as received.
///
/// # Errors
/// What is wrong, as the end of a sentence about the URL.
pub(super) fn check(path: &[u8]) -> Result<(), &'static str> {
    // Nearly every path: plain segments, none of them empty.
    let mut before = 0;
    let plain = path.iter().all(|byte| {
        let good = if *byte == b'/' { before != b'/' } else { *byte != b'.' && PLAIN[*byte as usize] };
        before = *byte;
        good
    });
    if plain && path.first() == Some(&b'/') { Ok(()) } else { check_closely(path) }
}

fn check_closely(path: &[u8]) -> Result<(), &'static str> {
    let Some((b'/', mut rest)) = path.split_first().map(|(first, rest)| (*first, rest)) else {
        return Err("has no path that begins with /");
    };
    let mut escaped_beyond_ascii = false;
    // Of the segment so far: its length when decoded, and whether it is dots only.
    let (mut length, mut dots) = (0_usize, true);
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let decoded = match *byte {
            b'/' => {
                end_of_segment(length, dots)?;
                if length == 0 {
                    return Err("has an empty path segment (//)");
                }
                (length, dots) = (0, true);
                continue;
            }
            b'%' => {
                let (decoded, after) = escape(rest)?;
                rest = after;
                escaped_beyond_ascii |= !decoded.is_ascii();
                decoded
            }
            plain if PLAIN[plain as usize] => plain,
            b';' => return Err("has a ; in its path"),
            b'\\' => return Err("has a \\ in its path"),
            _ => return Err("has a character in its path that must be percent-encoded"),
        };
        length += 1;
        dots &= decoded == b'.';
    }
    end_of_segment(length, dots)?;
    if escaped_beyond_ascii && percent_decode(path).decode_utf8().is_err() {
        return Err("has escapes in its path that are not UTF-8");
    }
    Ok(())
}

fn end_of_segment(length: usize, dots: bool) -> Result<(), &'static str> {
    if dots && (length == 1 || length == 2) { Err("has a . or .. as a path segment") } else { Ok(()) }
}

/// The byte that two hex digits mean, and what follows them.
fn escape(rest: &[u8]) -> Result<(u8, &[u8]), &'static str> {
    let ([high, low], after) = rest.split_first_chunk::<2>().ok_or("has a broken escape in its path")?;
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or("has a broken escape in its path");
    let decoded = u8::try_from(digit(*high)? << 4 | digit(*low)?).unwrap_or_default();
    match decoded {
        b'/' | b'\\' => Err("has an escaped / or \\ in its path"),
        0..=0x1f | 0x7f => Err("has an escaped control character in its path"),
        decoded => Ok((decoded, after)),
    }
}

/// Checks a query: visible ASCII. Its escapes are for whoever reads the parameters.
///
/// # Errors
/// What is wrong, as the end of a sentence about the URL.
pub(super) fn check_query(query: &[u8]) -> Result<(), &'static str> {
    if query.iter().all(u8::is_ascii_graphic) {
        Ok(())
    } else {
        Err("has a character in its query that must be percent-encoded")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_two_readings_is_refused() {
        let refused = [
            "",
            "*",
            "x",
            "/../../x",
            "/..",
            "/.",
            "/./x",
            "/a/.",
            "/a/../b",
            "/%2e%2e/x",
            "/%2E%2e",
            "/.%2e/x",
            "/%2e",
            "//",
            "//x",
            "/x//",
            "/a//b",
            "/%2f",
            "/a%2Fb",
            "/%5c",
            "/\\x",
            "/%00",
            "/%0a",
            "/%1F",
            "/%7f",
            "/a;b",
            "/;",
            "/%",
            "/%2",
            "/%zz",
            "/%2g",
            "/a%",
            "/ö",
            "/a\"b",
            "/a<b",
            "/a{b}",
            "/a|b",
            "/a^b",
            "/a`b",
            "/a b",
            "/%ff",
            "/%c3%28",
            "/%ed%a0%80",
        ];
        for path in refused {
            assert!(check(path.as_bytes()).is_err(), "{path}");
        }
        let taken = [
            "/",
            "/a",
            "/a/",
            "/a/b/c",
            "/acme/ivr/voice/menu",
            "/...",
            "/.a",
            "/a.",
            "/a..b",
            "/..a",
            "/.../x",
            "/a%20b",
            "/caf%C3%A9",
            "/%252e%252e/x",
            "/%25",
            "/a:b@c",
            "/~x/$&'()*+,=",
            "/%3b",
            "/%e2%82%ac",
        ];
        for path in taken {
            assert_eq!(check(path.as_bytes()), Ok(()), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = check(&bytes);
            let _ = check_query(&bytes);
        }

        #[test]
        fn what_passes_holds_no_dot_segment_once_decoded(path in "(/[.%2eE/a]{0,4}){1,4}") {
            if check(path.as_bytes()).is_ok() {
                let decoded = percent_decode(path.as_bytes()).decode_utf8().unwrap();
                let inner: Vec<&str> = decoded.split('/').skip(1).collect();
                proptest::prop_assert!(inner.iter().all(|segment| *segment != "." && *segment != ".."), "{path}");
                proptest::prop_assert!(inner.iter().rev().skip(1).all(|segment| !segment.is_empty()), "{path}");
            }
        }
    }
}
