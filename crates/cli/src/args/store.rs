//! The arguments of the commands about the store: `audit` and `migrate`.

use clap::{Args, Subcommand};

/// `holdfast audit`
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Verify that no event was changed, removed or moved since it was written
    #[command(after_help = "Example:\n  holdfast audit verify")]
    Verify(VerifyArgs),
}

/// `holdfast audit verify`
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The last hash that an earlier check printed: only with it are events missed that were removed at the end. Where
    /// whole months were removed, the hash of their last event
    #[arg(long, value_name = "HASH")]
    pub since: Option<String>,
}

/// `holdfast migrate`
#[derive(Debug, Clone, Args)]
pub struct MigrateArgs {}
