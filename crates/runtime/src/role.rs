//! Which loops a process runs.

/// The loops that a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `holdfast run`: all of them.
    All,
    /// `holdfast scheduler`: plans and dispatches.
    Scheduler,
    /// `holdfast worker`: executes what others dispatch.
    Worker,
    /// A command with `--wait`: dispatches and executes, and plans nothing.
    Follower,
}

impl Role {
    /// The name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "run",
            Self::Scheduler => "scheduler",
            Self::Worker => "worker",
            Self::Follower => "follower",
        }
    }

    /// Whether it plans due runs.
    pub fn plans(self) -> bool {
        matches!(self, Self::All | Self::Scheduler)
    }

    /// Whether it dispatches due runs.
    pub fn dispatches(self) -> bool {
        self != Self::Worker
    }

    /// Whether it executes steps.
    pub fn works(self) -> bool {
        self != Self::Scheduler
    }
}
