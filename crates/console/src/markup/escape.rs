//! How text becomes part of a page.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Safe};
use holdfast_model::inert_lines;

/// HTML made by this crate, with every text in it escaped.
pub type Markup = Safe<String>;

/// Escapes text for elements and quoted attributes.
///
/// What acts on a terminal, hides, or turns the direction of writing becomes a visible escape, as in logs.
#[derive(Debug, Clone, Copy, Default)]
pub struct InertHtml;

impl Escaper for InertHtml {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        write_escaped(&mut dest, &inert_lines(string))
    }

    fn write_escaped_char<W: Write>(&self, dest: W, c: char) -> fmt::Result {
        self.write_escaped_str(dest, c.encode_utf8(&mut [0; 4]))
    }
}

/// The text, escaped.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a String cannot fail.
    let _ = write_escaped(&mut out, &inert_lines(text));
    out
}

/// Our own advice as a sentence: what stands in backticks is code. Begins with a capital and ends with a full stop.
pub fn sentence(text: &str) -> Markup {
    let mut out = String::with_capacity(text.len() + 16);
    for (index, part) in text.split('`').enumerate() {
        let is_code = index % 2 == 1;
        out += if is_code { "<code>" } else { "" };
        out += &escaped(part);
        out += if is_code { "</code>" } else { "" };
    }
    if let Some(first) = out.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    if !out.ends_with(['.', '!', '?', '>']) {
        out.push('.');
    }
    Safe(out)
}

fn write_escaped(dest: &mut impl Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, special) = rest.split_at(at);
        dest.write_str(before)?;
        dest.write_str(match special.as_bytes()[0] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        })?;
        rest = &special[1..];
    }
    dest.write_str(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_what_hides_or_turns_text_are_shown_and_do_not_act() {
        let hostile = "<b title='\"'>&\u{202e}gpj\u{1b}[2J\u{200b}";
        let shown = "&lt;b title=&#39;&quot;&#39;&gt;&amp;\\u{202e}gpj\\u{1b}[2J\\u{200b}";
        assert_eq!(escaped(hostile), shown);
        assert_eq!(escaped("two\nlines, ünïcode"), "two\nlines, ünïcode");
        assert_eq!(sentence("ask `a<b` then").0, "Ask <code>a&lt;b</code> then.");
        assert_eq!(sentence("a ` b <").0, "A <code> b &lt;</code>");
        let mut written = String::new();
        InertHtml.write_escaped_char(&mut written, '<').unwrap();
        assert_eq!(written, "&lt;");
    }
}
