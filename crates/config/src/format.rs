//! Formats the text of a fleet file: spaces, indents and empty lines. Keys, values and comments stay, and keep their order. Pure.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Spaces of an indent.
const INDENT: usize = 4;

/// A token that is neither white space nor the end of a line.
#[derive(Debug, Clone, Copy)]
struct Word<'t> {
    kind: TokenKind,
    text: &'t str,
    /// Whether white space is before it.
    is_apart: bool,
}

/// Formats a text that is TOML. Formatting it again changes nothing.
pub fn format(text: &str) -> String {
    let mut layout = Layout::default();
    for line in lines(text) {
        layout.push(&line);
    }
    layout.finish()
}

/// The lines as words. A text of several lines is one word.
fn lines(text: &str) -> Vec<Vec<Word<'_>>> {
    let (source, mut lines, mut is_apart) = (Source::new(text), vec![Vec::new()], false);
    for token in source.lex() {
        let text = text.get(token.span().start()..token.span().end()).unwrap_or_default();
        match token.kind() {
            TokenKind::Newline => lines.push(Vec::new()),
            TokenKind::Whitespace | TokenKind::Eof => {}
            kind => {
                if let Some(line) = lines.last_mut() {
                    line.push(Word { kind, text, is_apart });
                }
            }
        }
        is_apart = token.kind() == TokenKind::Whitespace;
    }
    lines
}

/// The formatted lines so far.
#[derive(Debug, Default)]
struct Layout {
    lines: Vec<String>,
    /// For each bracket that is open, the line that opens it.
    open: Vec<usize>,
}

impl Layout {
    fn push(&mut self, line: &[Word<'_>]) {
        let Some(first) = line.first() else {
            // No empty line at the start, and one in place of several.
            if self.lines.last().is_some_and(|last| !last.is_empty()) {
                self.lines.push(String::new());
            }
            return;
        };
        if !self.open.is_empty() {
            return self.push_value(line);
        }
        if first.kind == TokenKind::LeftSquareBracket {
            self.separate();
            return self.lines.push(header(line));
        }
        self.push_value(line);
    }

    /// Puts an empty line before the comments that belong to the next header.
    fn separate(&mut self) {
        let is_comment = |line: &&String| line.starts_with('#');
        let comments = self.lines.iter().rev().take_while(is_comment).count();
        let at = self.lines.len() - comments;
        if at > 0 && self.lines.get(at - 1).is_some_and(|before| !before.is_empty()) {
            self.lines.insert(at, String::new());
        }
    }

    /// Adds a line of a key or inside of its value.
    fn push_value(&mut self, line: &[Word<'_>]) {
        let closed_first = line.iter().take_while(|word| is_close(word.kind)).count();
        let mut still_open =
            self.open.get(..self.open.len().saturating_sub(closed_first)).unwrap_or_default().to_vec();
        // Brackets that one line opens indent once.
        still_open.dedup();
        let mut text = " ".repeat(still_open.len() * INDENT);
        let mut before: Option<&Word<'_>> = None;
        for word in line {
            text.push_str(before.map_or("", |before| gap(before, word)));
            text.push_str(word.text);
            if is_open(word.kind) {
                self.open.push(self.lines.len());
            } else if is_close(word.kind) {
                self.open.pop();
            }
            before = Some(word);
        }
        self.lines.push(text);
    }

    fn finish(mut self) -> String {
        while self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

/// A header such as `[policy.gold]`, whose words are not spaced, with its comment.
fn header(line: &[Word<'_>]) -> String {
    let spaced = |word: &Word<'_>| {
        if word.kind == TokenKind::Comment { format!(" {}", word.text) } else { word.text.to_owned() }
    };
    line.iter().map(spaced).collect()
}

/// What stands between two words of a line.
fn gap(before: &Word<'_>, after: &Word<'_>) -> &'static str {
    match (before.kind, after.kind) {
        (_, TokenKind::Comment) => " ",
        (TokenKind::Dot, _)
        | (_, TokenKind::Dot | TokenKind::Comma)
        | (TokenKind::LeftCurlyBracket, TokenKind::RightCurlyBracket) => "",
        (TokenKind::Equals | TokenKind::Comma | TokenKind::LeftCurlyBracket, _)
        | (_, TokenKind::Equals | TokenKind::RightCurlyBracket) => " ",
        (TokenKind::LeftSquareBracket, _) | (_, TokenKind::RightSquareBracket) => "",
        // The date and the time of day of one value.
        _ if after.is_apart => " ",
        _ => "",
    }
}

fn is_open(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket)
}

fn is_close(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_indents_and_empty_lines_are_set_and_comments_stay() {
        let text = "\n\n#:schema fleet.schema.json\ninclude=[\"a.toml\",\n      \"b.toml\" ,# b\n]\n[ azure ]   # who\ncredential={kind=\"azure_cli\"}\n\n\n\
                    # nightly\n[policy . \"gold\"]\r\n\tschedule   =   \"0 2 * * *\"\r\nretry.timed_out = {attempts=3,first=\"5m\"}\n[[app]]\n\
                    databases = [{\n  type = \"MySql\",\n  name = 'a  b'\n}]\ntags = { }  \n\n\n";
        let wanted = "#:schema fleet.schema.json\ninclude = [\"a.toml\",\n    \"b.toml\", # b\n]\n\n[azure] # who\ncredential = { kind = \"azure_cli\" }\n\n\
                      # nightly\n[policy.\"gold\"]\nschedule = \"0 2 * * *\"\nretry.timed_out = { attempts = 3, first = \"5m\" }\n\n[[app]]\n\
                      databases = [{\n    type = \"MySql\",\n    name = 'a  b'\n}]\ntags = {}\n";
        assert_eq!(format(text), wanted);
        assert_eq!(format(wanted), wanted);
    }

    #[test]
    fn a_text_of_several_lines_a_date_and_a_number_stay_as_they_are() {
        let text = "a = \"\"\"\n  # no comment\n\n\n  [no.header]\"\"\"\nb = 1979-05-27 07:32:00\nc = -1.5\nd = [1.5, [2, 3], []]\n";
        assert_eq!(format(text), text);
    }
}
