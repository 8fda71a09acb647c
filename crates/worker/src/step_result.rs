//! How a step ended.

use std::fmt;

/// How a step ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stepped {
    /// The run moved.
    Done,
    /// The run does not exist, or has another version: the message was late or duplicated.
    Dropped,
    /// The run has no lease, or another one than the message: the message was forged, replayed, or came after its lease
    /// had lapsed.
    NotLeased,
    /// The run's state asks for no action: it has ended.
    NothingToDo,
    /// The worker was paused between the intent and its request for longer than the request may wait. The request was
    /// not sent.
    SendWindowLapsed,
    /// The process or its host stood still while the step loaded its run or prepared an attempt. No intent was committed.
    HostSuspended,
    /// The run's tenant, subscription or storage account has its share of the worker, and hangs. The run becomes due again
    /// soon.
    PutBack,
}

/// How a step ended, for an observer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepResult {
    /// The step ended without an error.
    Ended(Stepped),
    /// The step failed on Holdfast's side. The run becomes due again when its lease expires.
    Failed,
    /// The step panicked, which is a defect. The run becomes due again when its lease expires.
    Panicked,
}

impl Stepped {
    /// The label in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Dropped => "dropped",
            Self::NotLeased => "not_leased",
            Self::NothingToDo => "nothing_to_do",
            Self::SendWindowLapsed => "send_window_lapsed",
            Self::HostSuspended => "host_suspended",
            Self::PutBack => "put_back",
        }
    }
}

impl StepResult {
    /// The label in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ended(stepped) => stepped.as_str(),
            Self::Failed => "failed",
            Self::Panicked => "panicked",
        }
    }
}

impl fmt::Display for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
