//! The arguments of `native-schedule`.

use clap::{Args, Subcommand};

use super::selection::{AppsArgs, ChangeOptions};

/// `holdfast native-schedule`
#[derive(Debug, Clone, Subcommand)]
pub enum NativeScheduleCommand {
    /// Set Azure's own schedule as the policy says; enabling one fires a backup at once
    #[command(
        after_help = "Examples:\n  holdfast native-schedule push shop\n  holdfast native-schedule push --all --yes --wait"
    )]
    Push(ChangeArgs),
    /// Show Azure's own schedules
    #[command(
        after_help = "Examples:\n  holdfast native-schedule show shop\n  holdfast native-schedule show --all"
    )]
    Show(AppsArgs),
    /// Compare Azure's own schedules with the policies, and fail when one differs
    #[command(after_help = "Example:\n  holdfast native-schedule drift --all --output json")]
    Drift(AppsArgs),
    /// Remove Azure's own schedules
    #[command(after_help = "Example:\n  holdfast native-schedule remove shop --yes --wait")]
    Remove(ChangeArgs),
}

/// `holdfast native-schedule push` and `holdfast native-schedule remove`
#[derive(Debug, Clone, Args)]
pub struct ChangeArgs {
    /// The apps.
    #[command(flatten)]
    pub apps: AppsArgs,
    /// Confirmation and waiting.
    #[command(flatten)]
    pub options: ChangeOptions,
}
