//! Words of a few, in tables that hold secrets too.

use super::reader::{Section, refused};
use super::report::{Found, Report};
use super::suggest::did_you_mean;

impl Section<'_> {
    /// One of `words`, which must be there. Another text is shown only where it is near to one of them: a quote that was
    /// forgotten joins it with the secret beside it.
    pub fn word(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        words: &[&'static str],
        expected: &str,
    ) -> Option<Found<&'static str>> {
        if !self.require(report, key, expected) {
            return None;
        }
        let (place, value) = self.value(key)?;
        let Some(text) = value.as_str() else { return refused(report, &place, expected, value) };
        if let Some(value) = words.iter().find(|word| **word == text) {
            report.show(&place);
            return Some(Found { value, place });
        }
        let near = did_you_mean(text, words.iter().copied());
        if near.is_empty() {
            report.error(&place, format_args!("`{}`: expected {expected}, found another text", place.key));
        } else {
            report.show(&place);
            report
                .error(&place, format_args!("`{}`: expected {expected}, found \"{text}\"{near}", place.key));
        }
        None
    }
}
