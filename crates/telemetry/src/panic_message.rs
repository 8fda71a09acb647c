//! The message of a panic, which may repeat texts from outside.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;

use holdfast_model::inert_lines;

use crate::known_secrets::blanked;

/// Writes panics without secrets, and without characters that act on a terminal.
pub fn install_panic_message() {
    std::panic::set_hook(Box::new(|panic| {
        let trace = Backtrace::capture();
        let trace = match trace.status() {
            BacktraceStatus::Captured => format!("\n{trace}"),
            _ => String::new(),
        };
        let text = harmless(&format!("{panic}{trace}"));
        // There is no other place to report a failure.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }));
}

fn harmless(text: &str) -> String {
    let text = inert_lines(&holdfast_arm::scrub(text)).into_owned();
    blanked(&text).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_panic_shows_no_secret_and_moves_no_cursor() {
        crate::remember_secret(&"p4n1cp4n1c".into());
        let text = harmless("panicked at x.rs:1:1:\n\u{1b}[2J?sig=abc&x p4n1cp4n1c");
        assert_eq!(text, "panicked at x.rs:1:1:\n\\u{1b}[2J?sig=[blanked]&x [blanked]");
    }
}
