//! The arguments of `policies`.

use clap::{Args, Subcommand};

use super::fleet::PauseTerms;

/// `holdfast policies`
#[derive(Debug, Clone, Subcommand)]
pub enum PoliciesCommand {
    /// Pause the apps that are under a policy now
    #[command(after_help = "Example:\n  holdfast policies pause gold --for 8h --reason release")]
    Pause(PausePolicyArgs),
    /// End the pauses of the apps under a policy
    #[command(after_help = "Example:\n  holdfast policies resume gold --reason released")]
    Resume(ResumePolicyArgs),
}

/// `holdfast policies pause`
#[derive(Debug, Clone, Args)]
pub struct PausePolicyArgs {
    /// The policy
    #[arg(value_name = "POLICY")]
    pub policy: String,
    /// How long, and why.
    #[command(flatten)]
    pub terms: PauseTerms,
}

/// `holdfast policies resume`
#[derive(Debug, Clone, Args)]
pub struct ResumePolicyArgs {
    /// The policy
    #[arg(value_name = "POLICY")]
    pub policy: String,
    /// Why, for the audit
    #[arg(long, alias = "why", value_name = "TEXT")]
    pub reason: String,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
}
