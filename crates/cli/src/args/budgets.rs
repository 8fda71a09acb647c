//! The arguments of `budgets`.

use clap::Subcommand;
use holdfast_model::SubscriptionId;

/// `holdfast budgets`
#[derive(Debug, Clone, Subcommand)]
pub enum BudgetsCommand {
    /// Open the closed budgets of a subscription now
    #[command(after_help = "Example:\n  holdfast budgets reopen c5fc598e-707e-4291-a8f4-d74b451e8c20")]
    Reopen {
        /// The subscription, as `holdfast status` names it
        #[arg(value_name = "SUBSCRIPTION", value_parser = |text: &str| Ok::<_, String>(SubscriptionId::new(text)))]
        subscription: SubscriptionId,
    },
}
