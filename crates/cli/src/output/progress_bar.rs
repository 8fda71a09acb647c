//! Progress bars on stderr.

use indicatif::{ProgressBar, ProgressStyle};

use super::Output;

impl Output {
    /// A progress bar to `length` on stderr; hidden where a program reads or there is no terminal.
    pub fn progress(&self, length: usize, template: &str) -> ProgressBar {
        if self.is_document() {
            return ProgressBar::hidden();
        }
        let bar = self.bars.add(ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX)));
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar
    }
}
