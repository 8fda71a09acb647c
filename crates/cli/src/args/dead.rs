//! What the commands about dead letters take.

use clap::{Args, Subcommand};

/// `holdfast dead`
#[derive(Debug, Clone, Subcommand)]
pub enum DeadCommand {
    /// List them, the oldest first
    #[command(after_help = "Example:\n  holdfast dead list --amqp-url env:AMQP_URL")]
    List,
    /// Show one, with what it says
    #[command(after_help = "Example:\n  holdfast dead show 5b1c9e0f2a7d4c63")]
    Show {
        /// Its id, as `list` tells it
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Send them again
    #[command(after_help = "Examples:\n  holdfast dead retry 5b1c9e0f2a7d4c63\n  holdfast dead retry --all")]
    Retry(PickArgs),
    /// Forget them: their runs come due again by themselves
    #[command(after_help = "Examples:\n  holdfast dead drop 5b1c9e0f2a7d4c63\n  holdfast dead drop --all")]
    Drop(PickArgs),
}

/// Which dead letters.
#[derive(Debug, Clone, Args)]
pub struct PickArgs {
    /// One, by its id
    #[arg(value_name = "ID", conflicts_with = "all", required_unless_present = "all")]
    pub id: Option<String>,
    /// All of them
    #[arg(long)]
    pub all: bool,
}
