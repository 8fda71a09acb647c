//! The spellings in which a secret may appear: raw, percent-encoded, in base64, and escaped for JSON. Pure.

use std::fmt::Write as _;

/// Characters of base64 that also depend on what stands before and after a text.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A shorter part of a base64 text is no proof of a secret.
const BASE64_MIN: usize = 10;

/// Every spelling of a secret, itself first and longer ones before those that they contain.
pub(crate) fn spellings(secret: &str) -> Vec<String> {
    let mut raws = vec![secret.to_owned()];
    let decoded = percent_decoded(secret);
    raws.extend(decoded.filter(|decoded| decoded != secret));
    let mut all = vec![secret.to_owned()];
    for raw in &raws {
        let once = percent_encoded(raw);
        let twice = percent_encoded(&once);
        all.extend([&once, &twice].map(|text| text.to_lowercase()));
        all.extend([twice, once, json_escaped(raw), raw.clone()]);
        all.extend((0..3).filter_map(|shift| base64_inside(raw.as_bytes(), shift)));
    }
    let mut seen = Vec::new();
    all.retain(|text| {
        let is_new = !seen.contains(text);
        seen.push(text.clone());
        is_new
    });
    // The first is the secret itself, by which it is known again.
    all[1..].sort_by_key(|text| std::cmp::Reverse(text.len()));
    all
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// As JSON writes it, and a debug print of a text.
fn json_escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('/', "\\/")
}

/// The part of a base64 text that is the same whatever stands around the bytes, which begin `shift` bytes after a
/// multiple of three.
fn base64_inside(bytes: &[u8], shift: usize) -> Option<String> {
    let padded: Vec<u8> = std::iter::repeat_n(0, shift).chain(bytes.iter().copied()).collect();
    let whole = padded.chunks_exact(3).flat_map(|three| {
        let number = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        [18, 12, 6, 0].map(|bits| char::from(BASE64[(number >> bits & 63) as usize]))
    });
    // The first letters depend on what stands before.
    let begins = [0, 2, 3][shift];
    let inside: String = whole.skip(begins).collect();
    (inside.len() >= BASE64_MIN).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By another program: `printf 'user:hunter2/hunter2+=' | base64`, and so on.
    #[test]
    fn a_secret_is_known_in_each_of_its_spellings() {
        let all = spellings("hunter2/hunter2+=");
        for text in [
            "hunter2/hunter2+=",
            "hunter2%2Fhunter2%2B%3D",
            "hunter2%2fhunter2%2b%3d",
            "hunter2%252Fhunter2%252B%253D",
            "hunter2\\/hunter2+=",
            "aHVudGVyMi9odW50ZXIyKz0=",
            "dXNlcjpodW50ZXIyL2h1bnRlcjIrPQ==",
            "dTpodW50ZXIyL2h1bnRlcjIrPQ==",
            "dXY6aHVudGVyMi9odW50ZXIyKz0=",
        ] {
            assert!(all.iter().any(|spelling| text.contains(spelling)), "{text}: {all:#?}");
        }
        assert_eq!(all[0], "hunter2/hunter2+=");
        assert!(!all.iter().any(|spelling| "nothing to hide".contains(spelling.as_str())));
        assert!(spellings("a%2Bb%2Bcdef").iter().any(|spelling| spelling == "a+b+cdef"));
        assert!(spellings("say\"hunter2\\").iter().any(|spelling| spelling == "say\\\"hunter2\\\\"));
    }
}
