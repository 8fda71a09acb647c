//! The arguments of `tokens`.

use std::time::Duration;

use clap::{Args, Subcommand};
use holdfast_access::Role;
use holdfast_model::{PolicyName, parse_duration};

/// `holdfast tokens`
#[derive(Debug, Clone, Subcommand)]
pub enum TokensCommand {
    /// Create an API token, and show it once
    #[command(
        after_help = "Examples:\n  holdfast tokens create --name ci --role operator --policy gold --expires-in 30d\n  holdfast tokens create --name ann --role admin"
    )]
    Create(CreateTokenArgs),
    /// List the API tokens, also those that were revoked
    #[command(after_help = "Example:\n  holdfast tokens list --output json")]
    List,
    /// Revoke an API token now, with the sessions that it began
    #[command(after_help = "Example:\n  holdfast tokens revoke ci")]
    Revoke {
        /// The name of the token
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// `holdfast tokens create`
#[derive(Debug, Clone, Args)]
pub struct CreateTokenArgs {
    /// Its name, which the audit has for what is done with it
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// What it may do: viewer, operator, restorer or admin
    #[arg(long, value_name = "ROLE")]
    pub role: Role,
    /// How long it lasts, at most 366d [default: 90d]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "90d", hide_default_value = true)]
    pub expires_in: Duration,
    /// A policy to whose apps its acts are limited; repeat it for more [default: all apps]
    #[arg(long = "policy", value_name = "POLICY", value_parser = |name: &str| Ok::<_, String>(PolicyName::new(name)))]
    pub policies: Vec<PolicyName>,
}
