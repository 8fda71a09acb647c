//! The arguments of `approvals`.

use clap::{Args, Subcommand};
use holdfast_model::RunId;

/// `holdfast approvals`
#[derive(Debug, Clone, Subcommand)]
pub enum ApprovalsCommand {
    /// List what waits for a second person, and what was decided in the last week
    #[command(after_help = "Example:\n  holdfast approvals list --server https://holdfast.example")]
    List,
    /// Show what a request will do
    #[command(after_help = "Example:\n  holdfast approvals show 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10")]
    Show {
        /// The request's id
        #[arg(value_name = "ID")]
        id: RunId,
    },
    /// Confirm a request of another person, which starts it
    #[command(after_help = "Example:\n  holdfast approvals confirm 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10")]
    Confirm(AnswerArgs),
    /// Decline a request of another person
    #[command(
        after_help = "Example:\n  holdfast approvals decline 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10 --reason no"
    )]
    Decline(AnswerArgs),
    /// Withdraw a request of one's own
    #[command(after_help = "Example:\n  holdfast approvals withdraw 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10")]
    Withdraw(AnswerArgs),
}

/// An answer to a request.
#[derive(Debug, Clone, Args)]
pub struct AnswerArgs {
    /// The request's id
    #[arg(value_name = "ID")]
    pub id: RunId,
    /// Why, for the audit; who declines must say it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
}
