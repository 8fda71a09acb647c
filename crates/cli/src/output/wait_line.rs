//! The line that says what a command waits for, on stderr and only on a terminal.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use holdfast_control::pacing::{Wait, WaitObserver};
use holdfast_model::inert;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Output;

/// A shorter wait is not worth a line.
const SHOWN_FROM: Duration = Duration::from_secs(1);

/// Shows the latest wait until no call waits any more.
#[derive(Debug)]
pub struct WaitLine {
    bars: MultiProgress,
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    waiting: u32,
    line: Option<ProgressBar>,
}

impl Output {
    /// A line for the waits of calls to Azure.
    pub fn wait_line(&self) -> WaitLine {
        WaitLine { bars: self.bars.clone(), shown: Mutex::default() }
    }
}

impl WaitObserver for WaitLine {
    fn begins(&self, wait: &Wait) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.waiting += 1;
        if wait.duration < SHOWN_FROM {
            return;
        }
        let line = shown.line.get_or_insert_with(|| self.bars.add(line()));
        line.set_message(inert(&wait.to_string()).into_owned());
        line.tick();
    }

    fn ended(&self) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.waiting = shown.waiting.saturating_sub(1);
        if shown.waiting == 0
            && let Some(line) = shown.line.take()
        {
            line.finish_and_clear();
            self.bars.remove(&line);
        }
    }
}

fn line() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
