//! The arguments of `init` and `import`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use holdfast_control::take_over::SasChoice;
use holdfast_model::SubscriptionId;

use super::values::subscription;

/// `holdfast init`
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Where to look.
    #[command(flatten)]
    pub look: LookArgs,
    /// What to write.
    #[command(flatten)]
    pub draft: DraftArgs,
    /// Take the `[azure]` sections of this fleet file instead of the login of `az login`
    #[arg(long, value_name = "PATH")]
    pub azure_from: Option<PathBuf>,
    /// Print the fleet file instead of writing it
    #[arg(long)]
    pub print: bool,
}

/// The apps that Azure is asked about.
#[derive(Debug, Clone, Args)]
pub struct LookArgs {
    /// Look in this subscription only; may be given several times
    #[arg(long, value_name = "ID", value_parser = subscription)]
    pub subscription: Vec<SubscriptionId>,
    /// Look at deployment slots too, with one call for each app
    #[arg(long)]
    pub slots: bool,
}

/// What is drafted of the apps.
#[derive(Debug, Clone, Args)]
pub struct DraftArgs {
    /// Where the SAS of storages come from
    #[arg(long, value_enum, default_value_t = SasKind::AccountKey)]
    pub sas: SasKind,
    /// Enroll apps without a native schedule too, once a day, into this container (without a SAS)
    #[arg(long, value_name = "URL")]
    pub container: Option<String>,
}

/// Where the SAS of storages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SasKind {
    /// Minted with a key of the storage account.
    AccountKey,
    /// Minted with a user delegation key.
    UserDelegation,
    /// Written by people.
    Url,
}

impl From<SasKind> for SasChoice {
    fn from(kind: SasKind) -> Self {
        match kind {
            SasKind::AccountKey => Self::AccountKey,
            SasKind::UserDelegation => Self::UserDelegation,
            SasKind::Url => Self::Url,
        }
    }
}

/// `holdfast import`
#[derive(Debug, Clone, Subcommand)]
pub enum ImportCommand {
    /// Print the policies and apps of Azure's own schedules, for the fleet file
    #[command(after_help = "Example:\n  holdfast import native --subscription 0a0a")]
    Native(ImportNativeArgs),
    /// Print the policies and apps of the `backup` blocks of a Terraform state, for a fleet file
    #[command(after_help = "Example:\n  holdfast import terraform-state terraform.tfstate")]
    TerraformState(ImportStateArgs),
    /// Print the apps of a table with the columns app, resource group, subscription and policy, for a fleet file
    #[command(after_help = "Example:\n  holdfast import csv apps.csv")]
    Csv(ImportCsvArgs),
}

/// `holdfast import native`
#[derive(Debug, Clone, Args)]
pub struct ImportNativeArgs {
    /// Where to look; without a subscription in those of the fleet file, else in all that the credential sees.
    #[command(flatten)]
    pub look: LookArgs,
    /// What to print.
    #[command(flatten)]
    pub draft: DraftArgs,
}

/// `holdfast import terraform-state`
#[derive(Debug, Clone, Args)]
pub struct ImportStateArgs {
    /// The state, as `terraform state pull` or `terraform show -json` prints it; `-` is stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What to print.
    #[command(flatten)]
    pub draft: DraftArgs,
}

/// `holdfast import csv`
#[derive(Debug, Clone, Args)]
pub struct ImportCsvArgs {
    /// The table; `-` is stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}
