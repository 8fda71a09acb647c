//! Steps as seen from outside, for those who measure them and join them into traces.

use std::fmt;
use std::time::Duration;

use holdfast_queue::Message;

/// Sees every step of a worker pass. It is called in the midst of work, so it must neither block nor panic.
pub trait StepObserver: Send + Sync {
    /// The step that `message` asks for begins. Nobody has entered its `span` yet, so it can still be given a parent.
    fn begins(&self, message: &Message, span: &tracing::Span);

    /// A step is over, its message not yet acked.
    fn ended(&self, how: Ended, took: Duration);
}

/// How a step came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// The run moved.
    Done,
    /// The run had moved on already: the message was late or doubled.
    Dropped,
    /// It failed at our own end; its lease brings it back.
    Failed,
    /// A defect; its lease brings it back.
    Panicked,
}

impl Ended {
    /// The word in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// For workers that nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopStepObserver;

impl StepObserver for NoopStepObserver {
    fn begins(&self, _: &Message, _: &tracing::Span) {}

    fn ended(&self, _: Ended, _: Duration) {}
}
