//! Writes results to stdout and messages to stderr; nothing else writes there.

mod progress_bar;
mod screen;
mod table;

pub use holdfast_control::{age, bytes, until};
pub use screen::Screen;
pub use table::{Cell, Table, Tone, wrapped};

use std::io::{self, IsTerminal as _, Write as _};

use holdfast_model::inert_lines;
use serde::Serialize;

use crate::args::{Format, Global};

/// Writes results in the requested format.
#[derive(Debug, Clone)]
pub struct Output {
    format: Format,
    colored: bool,
    width: Option<u16>,
}

#[expect(clippy::unused_self, reason = "only a command that was given the output writes")]
impl Output {
    /// The output that the command line asks for.
    pub fn new(global: &Global) -> Self {
        let colored = global.color.applies_to(&io::stdout());
        let columns = std::env::var("COLUMNS").ok();
        let width = if io::stdout().is_terminal() { comfy_table::Table::new().width() } else { None };
        let width = fitting(io::stdout().is_terminal(), width, columns.as_deref());
        Self { format: global.output, colored, width }
    }

    /// Whether results are JSON documents.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes a result: the document for programs, the screen for people.
    pub fn show(&self, document: &impl Serialize, screen: impl FnOnce() -> Screen) -> io::Result<()> {
        if self.is_json() {
            return self.json(document);
        }
        match screen() {
            Screen::Table(table) => self.table(table),
            Screen::Text(text) => self.text(&text),
        }
    }

    /// Writes one JSON document.
    pub fn json(&self, value: &impl Serialize) -> io::Result<()> {
        let mut document = serde_json::to_vec_pretty(value)?;
        document.push(b'\n');
        write_out(&document)
    }

    /// Writes a table.
    pub fn table(&self, table: Table) -> io::Result<()> {
        write_out(with_newline(&table.render(self.colored, self.width)).as_bytes())
    }

    /// Writes text, with a newline at its end.
    pub fn text(&self, text: &str) -> io::Result<()> {
        write_out(with_newline(&inert_lines(text)).as_bytes())
    }

    /// Writes a message to stderr; a failure is ignored, because there is no other place to report it.
    pub fn message(&self, text: &str) {
        let _ = io::stderr().lock().write_all(with_newline(&inert_lines(text)).as_bytes());
    }
}

fn with_newline(text: &str) -> String {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{newline}")
}

/// Writes to stdout. A reader that left, as in `holdfast status | head`, wants no more, and that is no failure: the
/// command goes on, and its exit code tells how it ended.
fn write_out(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Fewest columns that a table is fitted to. On a narrower terminal its lines wrap.
const NARROWEST: u16 = 20;

/// The width to fit tables to: the terminal's, or `COLUMNS` where that is less or the terminal does not tell.
fn fitting(is_terminal: bool, terminal: Option<u16>, columns: Option<&str>) -> Option<u16> {
    let columns = columns.and_then(|columns| columns.trim().parse().ok());
    let widths = [terminal, columns].into_iter().flatten().filter(|width| *width >= NARROWEST);
    widths.min().filter(|_| is_terminal)
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn tables_fit_the_terminal_and_a_width_that_cannot_be_is_ignored() {
        for (terminal, columns, width) in [
            (Some(60), None, Some(60)),
            (Some(60), Some("0"), Some(60)),
            (Some(60), Some("100"), Some(60)),
            (Some(100), Some("60"), Some(60)),
            (Some(0), Some("80"), Some(80)),
            (None, Some("nonsense"), None),
            (Some(3), Some("1"), None),
        ] {
            assert_eq!(fitting(true, terminal, columns), width, "{terminal:?} {columns:?}");
            assert_eq!(fitting(false, terminal, columns), None);
        }
    }
}
