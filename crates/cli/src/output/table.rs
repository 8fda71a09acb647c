//! Tables for people: plain columns, which `cut` and `grep` can read too.

use comfy_table::{Attribute, Color, ContentArrangement};
use holdfast_model::{inert, inert_lines};

/// A table with a header.
#[derive(Debug, Default)]
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// The text of a cell, which does nothing to a terminal, and its tone.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    tone: Tone,
}

/// The colour of a cell, where there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// No colour.
    Plain,
    /// Green.
    Good,
    /// Yellow: a warning.
    Warn,
    /// Red: a failure.
    Bad,
}

impl Cell {
    /// A cell of one line in a tone.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: inert(&text.into()).into_owned(), tone }
    }

    /// A cell of several lines in a tone.
    pub fn lines(text: &str, tone: Tone) -> Self {
        Self { text: inert_lines(text).into_owned(), tone }
    }

    /// A cell with the text, or with `-` where there is none.
    pub fn or_dash(text: Option<impl Into<String>>) -> Self {
        text.map_or_else(|| "-".into(), |text| Self::toned(text, Tone::Plain))
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

impl Table {
    /// A table without rows.
    pub fn new(header: impl IntoIterator<Item = &'static str>) -> Self {
        Self { header: header.into_iter().collect(), rows: Vec::new() }
    }

    /// A table with a line for each fact that has a value.
    pub fn of_facts<const N: usize>(title: &'static str, facts: [(&str, Option<String>); N]) -> Self {
        let mut table = Self::new([title, ""]);
        for (name, value) in facts {
            if let Some(value) = value {
                table.row([name.into(), value.into()]);
            }
        }
        table
    }

    /// The texts of the header and of each row.
    pub fn texts(&self) -> impl Iterator<Item = Vec<&str>> {
        let rows = self.rows.iter().map(|row| row.iter().map(|cell| cell.text.as_str()).collect());
        std::iter::once(self.header.clone()).chain(rows)
    }

    /// The table with each text of its rows changed.
    #[must_use]
    pub fn map_texts(mut self, change: impl Fn(&str) -> String) -> Self {
        for cell in self.rows.iter_mut().flatten() {
            cell.text = change(&cell.text);
        }
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text, without spaces at the ends of lines.
    pub fn render(self, colored: bool, width: Option<u16>) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        let header = self.header.iter().map(|text| {
            let cell = comfy_table::Cell::new(text);
            if colored { cell.add_attribute(Attribute::Bold) } else { cell }
        });
        table.set_header(header);
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| cell.styled(colored)));
        }
        if let Some(first) = table.column_mut(0) {
            first.set_padding((0, 1));
        }
        if colored {
            table.enforce_styling();
        }
        let lines: Vec<String> = table.lines().map(|line| trimmed(&line)).collect();
        lines.join("\n")
    }
}

/// The line without spaces at its end or before a final colour code: they would wrap on a narrow terminal.
fn trimmed(line: &str) -> String {
    let ends = ["\u{1b}[0m", "\u{1b}[39m"];
    let colored = ends.into_iter().find_map(|end| Some((line.strip_suffix(end)?, end)));
    let (text, end) = colored.unwrap_or((line, ""));
    format!("{}{end}", text.trim_end())
}

/// The text in lines of at most `width` characters.
///
/// A longer word, such as an ARM id, stays whole, so that it can be copied.
pub fn wrapped(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut begun = String::new();
        for word in line.split(' ') {
            let longer = begun.chars().count() + 1 + word.chars().count();
            if !begun.is_empty() && longer > width {
                lines.push(std::mem::take(&mut begun));
            }
            if !begun.is_empty() {
                begun.push(' ');
            }
            begun.push_str(word);
        }
        lines.push(begun);
    }
    lines.join("\n")
}

impl Cell {
    fn styled(&self, colored: bool) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(&self.text);
        let color = match self.tone {
            Tone::Plain => None,
            Tone::Good => Some(Color::Green),
            Tone::Warn => Some(Color::Yellow),
            Tone::Bad => Some(Color::Red),
        };
        color.filter(|_| colored).map_or(cell.clone(), |color| cell.fg(color))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_ends_in_spaces_with_colours_or_without() {
        for colored in [true, false] {
            let mut table = Table::new(["A", "B"]);
            table.row(["x".into(), Cell::toned("a long text", Tone::Good)]);
            let text = table.render(colored, None);
            assert!(text.lines().all(|line| !trimmed(line).contains("  \u{1b}[0m")), "{text:?}");
            assert!(text.lines().next().is_some_and(|header| header.len() < 30), "{text:?}");
        }
    }

    #[test]
    fn long_texts_break_between_words_and_never_inside_one() {
        assert_eq!(wrapped("alerts, deployment slots", 12), "alerts,\ndeployment\nslots");
        assert_eq!(wrapped("/subscriptions/0a0a is replaced", 11), "/subscriptions/0a0a\nis replaced");
        assert_eq!(wrapped("one\ntwo", 80), "one\ntwo");
    }

    #[test]
    fn foreign_text_is_shown_and_does_nothing() {
        let mut table = Table::new(["POLICY", "LAST"]);
        table.row(["\u{1b}[31mgold".into(), "ok\nshop  succeeded".into()]);
        table.row(["silver".into(), Cell::lines("one\n\u{9b}2J", Tone::Bad)]);
        let text = table.render(false, None);
        assert_eq!(
            text,
            "POLICY          LAST\n\\u{1b}[31mgold  ok\\nshop  succeeded\nsilver          one\n                \\u{9b}2J"
        );
    }

    #[test]
    fn a_table_fits_the_width_that_it_is_given() {
        for width in [40, 60, 80] {
            let mut table = Table::new(["APP", "POLICY", "NEXT", "LAST", "GOOD", "NOTES"]);
            table.row(
                ["shop", "gold", "in 5 h", "succeeded", "3 h ago", &"a long note ".repeat(9)].map(Cell::from),
            );
            let text = table.render(false, Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
        }
    }

    #[test]
    fn columns_are_aligned_and_colours_are_opt_in() {
        let mut table = Table::new(["APP", "LAST"]);
        table.row(["shop/staging".into(), Cell::toned("failed", Tone::Bad)]);
        table.row(["wiki".into(), Cell::toned("succeeded", Tone::Good)]);
        assert_eq!(
            table.render(false, None),
            "APP           LAST\nshop/staging  failed\nwiki          succeeded"
        );
    }
}
