//! The arguments of the commands about the store: `store` and `migrate`.

use clap::{Args, Subcommand};

/// `holdfast store`
#[derive(Debug, Clone, Subcommand)]
pub enum StoreCommand {
    /// List the rows that cannot be read: every other command leaves them out
    #[command(after_help = "Example:\n  holdfast store check")]
    Check,
    /// Move a row that cannot be read out of its table; the audit records it, and the store keeps the row
    #[command(
        after_help = "Example:\n  holdfast store remove runs 01978e2c-7b5a-7000-8000-c0ffee000001 --reason \"written by a newer version\""
    )]
    Remove(RemoveRowArgs),
}

/// `holdfast store remove`
#[derive(Debug, Clone, Args)]
pub struct RemoveRowArgs {
    /// Its table, as `store check` shows it
    #[arg(value_name = "TABLE")]
    pub table: String,
    /// Its key, as `store check` shows it: one argument or several
    #[arg(value_name = "KEY", required = true)]
    pub key: Vec<String>,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub reason: String,
    /// Go on without a confirmation
    #[arg(long)]
    pub yes: bool,
}

/// `holdfast migrate`
#[derive(Debug, Clone, Args)]
pub struct MigrateArgs {}
