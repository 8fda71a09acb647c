//! Writes results to stdout and messages to stderr; nothing else writes there.

mod formats;
mod local_times;
mod progress_bar;
mod screen;
mod table;
mod wait_line;

pub use holdfast_control::{age, bytes, until};
pub use screen::Screen;
pub use table::{Cell, Table, Tone, wrapped};

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use holdfast_model::inert_lines;
use holdfast_telemetry::blanked;
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use crate::args::{Format, Global};

/// Writes results in the requested format.
#[derive(Debug, Clone)]
pub struct Output {
    format: Format,
    quiet: bool,
    utc: bool,
    colored: bool,
    width: Option<u16>,
    /// The lines of progress on stderr; none where a program reads or there is no terminal.
    bars: MultiProgress,
}

impl Output {
    /// The output that the command line asks for.
    pub fn new(global: &Global) -> Self {
        let colored = global.color.applies_to(&io::stdout());
        let width = fitting(&io::stdout(), &comfy_table::Table::new());
        let bars = MultiProgress::new();
        if global.output != Format::Table || global.quiet {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { format: global.output, quiet: global.quiet, utc: global.utc, colored, width, bars }
    }

    /// Whether results are documents, and not tables and text.
    pub fn is_document(&self) -> bool {
        matches!(self.format, Format::Json | Format::Jsonl | Format::Yaml)
    }

    /// Begins a new screen on a terminal.
    pub fn clear(&self) -> io::Result<()> {
        let is_screen = io::stdout().is_terminal() && self.format == Format::Table;
        if is_screen { write_out(b"\x1b[H\x1b[2J") } else { Ok(()) }
    }

    /// Writes a result: the document for programs, the screen for people.
    pub fn show(&self, document: &impl Serialize, screen: impl FnOnce() -> Screen) -> io::Result<()> {
        if self.is_document() {
            return self.document(document);
        }
        match screen() {
            Screen::Table(table) => self.table(table),
            Screen::Text(text) => self.text(&text),
        }
    }

    /// Writes a document.
    pub fn document(&self, value: &impl Serialize) -> io::Result<()> {
        let text = match self.format {
            Format::Jsonl => formats::lines(&serde_json::to_value(value)?),
            Format::Yaml => formats::yaml(&serde_json::to_value(value)?).map_err(io::Error::other)?,
            Format::Table | Format::Json | Format::Csv => with_newline(&serde_json::to_string_pretty(value)?),
        };
        write_out(text.as_bytes())
    }

    /// Writes a table.
    pub fn table(&self, table: Table) -> io::Result<()> {
        if self.format == Format::Csv {
            return write_out(&formats::csv(table.texts())?);
        }
        let table = table.map_texts(|text| self.local(text).into_owned());
        write_out(with_newline(&table.render(self.colored, self.width)).as_bytes())
    }

    /// Writes text, with a newline at its end. Beside a table for programs it is a message.
    pub fn text(&self, text: &str) -> io::Result<()> {
        if self.format == Format::Csv {
            self.message(text);
            return Ok(());
        }
        write_out(with_newline(&inert_lines(&self.local(text))).as_bytes())
    }

    /// Text for people, with its times in the zone of this machine unless they want UTC.
    pub fn local<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.utc { text.into() } else { local_times::localized(text, &chrono::Local) }
    }

    /// Writes a table to stderr.
    pub fn message_table(&self, table: Table) {
        if self.quiet {
            return;
        }
        let table = table.map_texts(|text| self.local(text).into_owned());
        let width = fitting(&io::stderr(), comfy_table::Table::new().use_stderr());
        let _ = io::stderr().lock().write_all(with_newline(&table.render(false, width)).as_bytes());
    }

    /// Writes a message to stderr, unless the options say `--quiet`.
    pub fn message(&self, text: &str) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// Writes an error to stderr; a failure is ignored, because there is no other place to report it.
    ///
    /// Secrets that this process holds are blanked: messages have texts of other programs.
    pub fn error(&self, text: &str) {
        let text = with_newline(&inert_lines(&self.local(text)));
        let text = blanked(&text).unwrap_or(text);
        // Bars are taken away while the message is written, and drawn again below it.
        let _ = self.bars.suspend(|| io::stderr().lock().write_all(text.as_bytes()));
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

/// Writes a line of data to stdout. Where the reader has left, that is an error: the line was not received.
pub fn write_line(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Fewest columns that a table is fitted to. On a narrower terminal its lines wrap.
const NARROWEST: u16 = 20;

/// The width to fit tables on a stream to; `None` where it is no terminal.
fn fitting(stream: &impl io::IsTerminal, table: &comfy_table::Table) -> Option<u16> {
    if !stream.is_terminal() {
        return None;
    }
    least(table.width(), std::env::var("COLUMNS").ok().as_deref())
}

/// The terminal's width, or `COLUMNS` where that is less or the terminal does not tell.
fn least(terminal: Option<u16>, columns: Option<&str>) -> Option<u16> {
    let columns = columns.and_then(|columns| columns.trim().parse().ok());
    let widths = [terminal, columns].into_iter().flatten();
    widths.filter(|width| *width >= NARROWEST).min()
}

#[cfg(test)]
mod tests {
    use super::least;

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
            assert_eq!(least(terminal, columns), width, "{terminal:?} {columns:?}");
        }
    }
}
