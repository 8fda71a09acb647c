//! The arguments of `dead-letters`.

use clap::{Args, Subcommand};

/// `holdfast dead-letters`
#[derive(Debug, Clone, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, the oldest first
    #[command(after_help = "Example:\n  holdfast dead-letters list --amqp-url env:AMQP_URL")]
    List,
    /// Show one with its body
    #[command(after_help = "Example:\n  holdfast dead-letters show 5b1c9e0f2a7d4c63")]
    Show {
        /// Its id, as `list` shows it
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Send them again
    #[command(
        after_help = "Examples:\n  holdfast dead-letters retry 5b1c9e0f2a7d4c63\n  holdfast dead-letters retry --all"
    )]
    Retry(DeadLetterArgs),
    /// Remove them: their runs become due again by themselves
    #[command(
        after_help = "Examples:\n  holdfast dead-letters drop 5b1c9e0f2a7d4c63\n  holdfast dead-letters drop --all"
    )]
    Drop(DeadLetterArgs),
}

/// Which dead letters.
#[derive(Debug, Clone, Args)]
pub struct DeadLetterArgs {
    /// One, by its id
    #[arg(value_name = "ID", conflicts_with = "all", required_unless_present = "all")]
    pub id: Option<String>,
    /// All of them
    #[arg(long)]
    pub all: bool,
}
