//! The arguments of `apply` and `revisions`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `holdfast apply`
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// The file to apply [default: --fleet]
    #[arg(short, long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// How it is applied.
    #[command(flatten)]
    pub options: RevisionOptions,
}

/// How a revision is made.
#[derive(Debug, Clone, Args)]
pub struct RevisionOptions {
    /// Why, for the audit
    #[arg(long, alias = "why", value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// How many apps may leave the fleet or their policy
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub allow_removals: usize,
    /// Only show what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
}

/// `holdfast revisions`
#[derive(Debug, Clone, Subcommand)]
pub enum RevisionsCommand {
    /// List the revisions, the newest first
    #[command(after_help = "Example:\n  holdfast revisions list")]
    List,
    /// Print the fleet file of a revision
    #[command(after_help = "Example:\n  holdfast revisions show 3")]
    Show {
        /// Its number
        #[arg(value_name = "NUMBER")]
        number: u64,
    },
    /// Show what one revision changes beside another
    #[command(after_help = "Example:\n  holdfast revisions diff 2 3")]
    Diff {
        /// The number of the one before
        #[arg(value_name = "FROM")]
        from: u64,
        /// The number of the one after
        #[arg(value_name = "TO")]
        to: u64,
    },
    /// Go back to a revision: its text becomes the newest one
    #[command(after_help = "Example:\n  holdfast revisions rollback 2 --reason mistake")]
    Rollback {
        /// Its number
        #[arg(value_name = "NUMBER")]
        number: u64,
        /// How it is made.
        #[command(flatten)]
        options: RevisionOptions,
    },
}
