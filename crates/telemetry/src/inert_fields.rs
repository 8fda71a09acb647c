//! Fields of log lines, in which foreign text is visible and does nothing.

use std::error::Error;
use std::fmt::{self, Debug};

use holdfast_model::inert;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// Formats the fields of spans and events as `tracing_subscriber` does, each value on one line and inert.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InertFields;

impl<'writer> FormatFields<'writer> for InertFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        Self::write_except("", writer, fields)
    }
}

impl InertFields {
    /// Writes the fields that `shown`, as this writes fields, does not have already.
    pub(crate) fn write_except(shown: &str, writer: Writer<'_>, fields: impl RecordFields) -> fmt::Result {
        let mut visitor = Visitor { writer, shown, is_first: true, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'shown, 'writer> {
    writer: Writer<'writer>,
    shown: &'shown str,
    is_first: bool,
    result: fmt::Result,
}

impl Visitor<'_, '_> {
    fn write(&mut self, name: &str, value: &str) {
        // What the `log` crate's bridge adds repeats the line's own metadata.
        if self.result.is_ok() && !name.starts_with("log.") && !self.is_shown(name, value) {
            self.result = self.try_write(name, value);
        }
    }

    /// Whether `shown` has the field, with or without quotes round its value.
    fn is_shown(&self, name: &str, value: &str) -> bool {
        let value = inert(value.trim_matches('"'));
        let is_end = |c: Option<char>| c.is_none_or(|c| c == ' ');
        let is_field = |field: String| {
            self.shown.match_indices(&field).any(|(at, field)| {
                is_end(self.shown[..at].chars().next_back())
                    && is_end(self.shown[at + field.len()..].chars().next())
            })
        };
        is_field(format!("{name}={value}")) || is_field(format!("{name}=\"{value}\""))
    }

    fn try_write(&mut self, name: &str, value: &str) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(' ')?;
        }
        let value = inert(value);
        match name.strip_prefix("r#").unwrap_or(name) {
            "message" => self.writer.write_str(&value),
            name if self.writer.has_ansi_escapes() => {
                write!(self.writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m{value}")
            }
            name => write!(self.writer, "{name}={value}"),
        }
    }
}

impl Visit for Visitor<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.write("message", value),
            name => self.write(name, &format!("{value:?}")),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut causes = Vec::new();
        let mut next = value.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        self.write(field.name(), &value.to_string());
        if !causes.is_empty() {
            self.write(&format!("{}.sources", field.name()), &format!("[{}]", causes.join(", ")));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::captured_log::CapturedLog;

    #[test]
    fn foreign_text_in_a_log_line_is_visible_and_does_nothing() {
        let lines = CapturedLog::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .fmt_fields(InertFields)
            .finish();
        let error = io::Error::other(io::Error::other("a\u{9b}b\nc"));
        tracing::subscriber::with_default(subscriber, || {
            let app = "shop\u{1b}[2J";
            let span = tracing::info_span!("step", app = %app);
            let _entered = span.enter();
            let blob = "x\u{202e}y";
            tracing::warn!(%blob, quoted = "a\nb", error = &error as &dyn Error, "azure said {app}\nINFO forged");
        });
        let text = lines.text();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(!text.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
        for part in [
            "azure said shop\\u{1b}[2J\\nINFO forged",
            "app=shop\\u{1b}[2J",
            "blob=x\\u{202e}y",
            "quoted=\"a\\nb\"",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
