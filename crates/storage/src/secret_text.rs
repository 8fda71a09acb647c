//! Decodes the content of a secret's file.

use secrecy::zeroize::Zeroizing;

/// The reason why bytes are not the text of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotText {
    /// UTF-16, as PowerShell and Notepad write it.
    Utf16,
    /// Neither UTF-8 nor UTF-16, or with a zero byte in it.
    Other,
}

/// The text of UTF-8 bytes. Zero bytes at the end do not count.
pub(crate) fn decoded(bytes: Vec<u8>) -> Result<String, NotText> {
    let mut bytes = Zeroizing::new(bytes);
    let has_utf16_mark = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let zeros = bytes.iter().take(end).filter(|byte| **byte == 0).count();
    // The other byte of each ASCII letter in UTF-16 is zero.
    if has_utf16_mark || (zeros > 0 && zeros * 3 >= end) {
        return Err(NotText::Utf16);
    }
    if zeros > 0 {
        return Err(NotText::Other);
    }
    bytes.truncate(end);
    String::from_utf8(std::mem::take(&mut *bytes)).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        NotText::Other
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_told_apart_with_and_without_its_mark() {
        for text in ["secret", "sv=2022-11-02&sig=eA", "x\r\n"] {
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for bytes in
                [[&[0xff, 0xfe], &*little].concat(), [&[0xfe, 0xff], &*big].concat(), little.clone(), big]
            {
                assert_eq!(decoded(bytes), Err(NotText::Utf16), "{text}");
            }
        }
    }

    #[test]
    fn zero_bytes_count_within_a_text_and_not_at_its_end() {
        assert_eq!(decoded(b"secret\0\0".to_vec()), Ok("secret".to_owned()));
        assert_eq!(decoded(b"a long\0secret".to_vec()), Err(NotText::Other));
        assert_eq!(decoded(b"secr\xe9t".to_vec()), Err(NotText::Other));
        assert_eq!(decoded(Vec::new()), Ok(String::new()));
    }
}
