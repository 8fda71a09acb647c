//! Text from outside, made harmless for terminals and logs.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text on one line, with each character that acts on a terminal as a visible escape such as `\u{1b}`.
///
/// These are control characters, with line breaks and tabs as `\n` and `\t`, and characters that have no width or
/// change the direction of writing. Names, logs and errors of Azure may contain them. JSON keeps the text as it is,
/// because JSON escapes it.
pub fn inert(text: &str) -> Cow<'_, str> {
    escaped(text, acts)
}

/// The same for a text of several lines, which keeps its line breaks and tabs.
pub fn inert_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| acts(c) && c != '\n' && c != '\t')
}

fn escaped(text: &str, acts: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&acts) {
        return Cow::Borrowed(text);
    }
    let mut inert = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' if acts(c) => inert.extend(c.escape_default()),
            c if acts(c) => {
                let _ = write!(inert, "{}", c.escape_unicode());
            }
            c => inert.push(c),
        }
    }
    Cow::Owned(inert)
}

/// Whether a character acts on the terminal, hides, or moves others: Unicode's `Cc`, `Cf`, `Zl`, `Zp`, and the
/// characters that are ignored by default.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_and_does_nothing() {
        for (text, shown) in [
            ("gold", "gold"),
            ("\u{1b}[2Jgold", "\\u{1b}[2Jgold"),
            ("a\u{9b}31mb", "a\\u{9b}31mb"),
            ("a\u{7}\u{8}\u{7f}\0", "a\\u{7}\\u{8}\\u{7f}\\u{0}"),
            ("ok\nshop  succeeded\r\tx", "ok\\nshop  succeeded\\r\\tx"),
            ("a\u{202e}b\u{2066}c\u{61c}", "a\\u{202e}b\\u{2066}c\\u{61c}"),
            ("a\u{200b}b\u{200d}\u{feff}\u{2060}", "a\\u{200b}b\\u{200d}\\u{feff}\\u{2060}"),
            ("a\u{2028}b\u{e0041}", "a\\u{2028}b\\u{e0041}"),
            ("İzmir-üretim グループ e\u{301} 🎉", "İzmir-üretim グループ e\u{301} 🎉"),
        ] {
            assert_eq!(inert(text), shown);
        }
    }

    #[test]
    fn a_text_of_several_lines_keeps_them() {
        assert_eq!(inert_lines("one\n\ttwo\r\u{1b}[0m"), "one\n\ttwo\\r\\u{1b}[0m");
        assert!(matches!(inert_lines("one\ntwo"), Cow::Borrowed(_)));
    }

    #[test]
    fn no_control_character_survives() {
        let all: String =
            (0..=u32::from(char::MAX)).filter_map(char::from_u32).filter(|c| c.is_control()).collect();
        assert!(!inert(&all).contains(char::is_control));
    }
}
