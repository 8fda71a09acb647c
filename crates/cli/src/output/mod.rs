//! Writes results to stdout and messages to stderr; nothing else writes there.

mod progress_bar;
mod screen;
mod table;
mod wait_line;

pub use holdfast_control::{age, bytes, until};
pub use screen::Screen;
pub use table::{Cell, Table, Tone, wrapped};

use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use crate::args::{Format, Global};

/// Writes results in the requested format.
#[derive(Debug, Clone)]
pub struct Output {
    format: Format,
    colored: bool,
    width: Option<u16>,
    /// The lines of progress on stderr; none where a program reads or there is no terminal.
    bars: MultiProgress,
}

#[expect(clippy::unused_self, reason = "only a command that was given the output writes")]
impl Output {
    /// The output that the command line asks for.
    pub fn new(global: &Global) -> Self {
        let colored = global.color.applies_to(&io::stdout());
        let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let bars = MultiProgress::new();
        if global.output == Format::Json {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { format: global.output, colored, width: width.filter(|_| io::stdout().is_terminal()), bars }
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
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, value)?;
        writeln!(out)?;
        out.flush()
    }

    /// Writes a table.
    pub fn table(&self, table: Table) -> io::Result<()> {
        self.text(&table.render(self.colored, self.width))
    }

    /// Writes text, with a newline at its end.
    pub fn text(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// Writes a message to stderr; a failure is ignored, because there is no other place to report it.
    pub fn message(&self, text: &str) {
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        // Bars are taken away while the message is written, and drawn again below it.
        let _ = self.bars.suspend(|| write!(io::stderr().lock(), "{text}{newline}"));
    }
}
