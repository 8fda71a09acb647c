//! Log lines for people: time, level, spans, target, message and fields.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::inert_fields::InertFields;

/// Formats events as `tracing_subscriber` does, without the fields that a span of the same line shows already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextEvents;

const BOLD: &str = "1";
const DIM: &str = "2";

impl<S> FormatEvent<S, InertFields> for TextEvents
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, InertFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        paint(&mut writer, DIM, &time)?;
        writer.write_char(' ')?;
        let level = *event.metadata().level();
        paint(&mut writer, color(level), &format!("{level:>5}"))?;
        writer.write_char(' ')?;
        // Without colours, because the fields are compared with it.
        let mut shown = String::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            paint(&mut writer, BOLD, span.name())?;
            if let Some(fields) = span.extensions().get::<FormattedFields<InertFields>>()
                && !fields.is_empty()
            {
                paint(&mut writer, BOLD, "{")?;
                writer.write_str(fields)?;
                paint(&mut writer, BOLD, "}")?;
                shown.push(' ');
                shown.push_str(&plain(fields));
            }
            paint(&mut writer, DIM, ":")?;
            writer.write_char(' ')?;
        }
        paint(&mut writer, DIM, event.metadata().target())?;
        paint(&mut writer, DIM, ":")?;
        writer.write_char(' ')?;
        InertFields::write_except(&shown, writer.by_ref(), event)?;
        writeln!(writer)
    }
}

fn color(level: Level) -> &'static str {
    match level {
        Level::ERROR => "31",
        Level::WARN => "33",
        Level::INFO => "32",
        Level::DEBUG => "34",
        Level::TRACE => "35",
    }
}

fn paint(writer: &mut Writer<'_>, code: &str, text: &str) -> fmt::Result {
    if writer.has_ansi_escapes() {
        write!(writer, "\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        writer.write_str(text)
    }
}

/// The text without the colours that [`InertFields`] gave it.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (at, part) in text.split('\u{1b}').enumerate() {
        let painted = part.find('m').filter(|_| at > 0);
        plain.push_str(painted.map_or(part, |end| &part[end + 1..]));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured_log::CapturedLog;

    /// What is logged, without its time.
    fn logged(colored: bool, log: impl FnOnce()) -> String {
        let lines = CapturedLog::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(colored)
            .fmt_fields(InertFields)
            .event_format(TextEvents)
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let text = lines.text();
        text.split_once(' ').unwrap().1.to_owned()
    }

    fn step() {
        let span = tracing::info_span!("step", run = 7, app = %"shop", attempt = tracing::field::Empty);
        let _entered = span.enter();
        span.record("attempt", 1);
        tracing::warn!(target: "holdfast::runs", app = "shop", run = 7, attempt = 2, policy = "gold", "backup failed");
    }

    #[test]
    fn a_field_of_the_span_is_not_repeated_unless_it_differs() {
        assert_eq!(
            logged(false, step),
            " WARN step{run=7 app=shop attempt=1}: holdfast::runs: backup failed attempt=2 policy=\"gold\"\n"
        );
        let colored = logged(true, step);
        assert_eq!((colored.matches("shop").count(), colored.matches("policy").count()), (1, 1), "{colored}");
    }

    #[test]
    fn a_line_outside_of_spans_has_all_its_fields() {
        let line = logged(false, || tracing::info!(app = "shop", n = 1, "seen"));
        assert_eq!(line, " INFO holdfast_telemetry::text_events::tests: seen app=\"shop\" n=1\n");
    }
}
