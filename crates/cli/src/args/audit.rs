//! The arguments of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use holdfast_storage::SecretRef;

/// `holdfast audit`
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Verify that no event was changed, removed or moved since it was written
    #[command(
        after_help = "Examples:\n  holdfast audit verify\n  holdfast audit verify --checkpoints storage:audit --public-key audit.pub.pem\n  holdfast audit verify --events events.jsonl --checkpoints checkpoints.jsonl --public-key audit.pub.pem"
    )]
    Verify(VerifyArgs),
    /// Write events as lines of JSON, which can be signed, so that the audit can be verified without a database
    #[command(
        after_help = "Examples:\n  holdfast audit export --to events.jsonl\n  holdfast audit export --sign --person ann --to ann.jsonl"
    )]
    Export(ExportArgs),
    /// Verify a signed export, without a store
    #[command(after_help = "Example:\n  holdfast audit verify-export ann.jsonl --public-key audit.pub.pem")]
    VerifyExport(VerifyExportArgs),
    /// Sign a checkpoint of the audit now, and write it where the fleet file says
    #[command(after_help = "Example:\n  holdfast audit checkpoint")]
    Checkpoint(CheckpointArgs),
    /// Make the key that signs checkpoints
    #[command(after_help = "Example:\n  holdfast audit keygen --out audit.pem")]
    Keygen(KeygenArgs),
}

/// `holdfast audit verify`
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The last hash that an earlier check printed: only with it, or with checkpoints, are events missed that were removed
    /// at the end. Where whole months were removed, the hash of their last event
    #[arg(long, value_name = "HASH")]
    pub since: Option<String>,
    /// Compare with signed checkpoints: of a file, of a folder of files, of `storage:NAME`, of the URL of a storage's
    /// container, or of `env:NAME` with a container's URL and a SAS
    #[arg(long, value_name = "FILE|URL")]
    pub checkpoints: Option<String>,
    /// A file with the public key that the checkpoints are signed with; once for each key
    #[arg(long, value_name = "FILE", requires = "checkpoints")]
    pub public_key: Vec<PathBuf>,
    /// The name of the fleet in the checkpoints [default: of the fleet file, or the only one]
    #[arg(long, value_name = "NAME", requires = "checkpoints")]
    pub name: Option<String>,
    /// Verify an exported audit in place of the store's
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
}

/// `holdfast audit export`
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// A new file [default: the standard output]
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Sign it with the key of the fleet file's checkpoints; a server always signs
    #[arg(long)]
    pub sign: bool,
    /// Sign it with this private key: env:NAME or file:PATH
    #[arg(long, value_name = "REFERENCE")]
    pub key: Option<SecretRef>,
    /// Only what people did
    #[arg(long)]
    pub acts: bool,
    /// Only what this person did, by the claimed name
    #[arg(long, value_name = "NAME")]
    pub person: Option<String>,
    /// Only what people did about this app
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// Only this kind of act, such as `restore` or `held`
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
}

/// `holdfast audit verify-export`
#[derive(Debug, Clone, Args)]
pub struct VerifyExportArgs {
    /// The export
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A file with the public key; once for each key
    #[arg(long, value_name = "FILE", required = true)]
    pub public_key: Vec<PathBuf>,
}

/// `holdfast audit checkpoint`
#[derive(Debug, Clone, Args)]
pub struct CheckpointArgs {
    /// Sign the audit although it does not continue the last checkpoint: the store was restored from a copy
    #[arg(long)]
    pub after_restore: bool,
}

/// `holdfast audit keygen`
#[derive(Debug, Clone, Args)]
pub struct KeygenArgs {
    /// A new file for the private key, which only its owner can read
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
