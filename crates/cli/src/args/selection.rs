//! Arguments that several commands share: which apps, and whether to ask and to wait.

use clap::Args;
use holdfast_control::AppSelection;

/// The named apps, or all.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct AppsArgs {
    /// ARM ids or short names
    #[arg(value_name = "APP")]
    pub apps: Vec<String>,
    /// All apps
    #[arg(long)]
    pub all: bool,
}

impl From<&AppsArgs> for AppSelection {
    fn from(args: &AppsArgs) -> Self {
        if args.all { Self::All } else { Self::Named(args.apps.clone()) }
    }
}

/// Whether a command that changes something at Azure asks before and waits after.
#[derive(Debug, Clone, Copy, Args)]
pub struct ChangeOptions {
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
    /// Wait for the end, and fail unless everything succeeds
    #[arg(long)]
    pub wait: bool,
}
