//! The arguments of `report`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use holdfast_control::report::Month;
use holdfast_model::TagFilter;
use holdfast_storage::SecretRef;

/// `holdfast report`
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ReportArgs {
    /// What else to do with a report.
    #[command(subcommand)]
    pub command: Option<ReportCommand>,
    /// The month of UTC, such as 2026-11
    #[arg(long, value_name = "MONTH", required = true)]
    pub month: Option<Month>,
    /// Only apps of this policy; may be given several times
    #[arg(long, value_name = "NAME")]
    pub policy: Vec<String>,
    /// Only apps with this tag, such as `team=shop`, or `team` with any value; of several, an app has all
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<TagFilter>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = ReportForm::Html)]
    pub form: ReportForm,
    /// A new file for the report, and beside it one with the signature [default: the standard output, without one]
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// The private key that signs it: env:NAME or file:PATH [default: that of the checkpoints in the fleet file]
    #[arg(long, value_name = "REFERENCE", requires = "to")]
    pub key: Option<SecretRef>,
}

/// `holdfast report verify`
#[derive(Debug, Clone, Subcommand)]
pub enum ReportCommand {
    /// Verify the signature of a report, without a store
    #[command(after_help = "Example:\n  holdfast report verify november.html --public-key audit.pub.pem")]
    Verify(VerifyReportArgs),
}

/// `holdfast report verify`
#[derive(Debug, Clone, Args)]
pub struct VerifyReportArgs {
    /// The report
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The signature [default: FILE.sig]
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// A file with the public key; once for each key
    #[arg(long, value_name = "FILE", required = true)]
    pub public_key: Vec<PathBuf>,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// A page of its own.
    Html,
    /// A row for each app.
    Csv,
    /// One document.
    Json,
}
