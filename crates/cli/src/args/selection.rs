//! Arguments that several commands share: which apps, and whether to ask and to wait.

use clap::Args;
use holdfast_control::selector::Selector;
use holdfast_control::views::Condition;
use holdfast_model::{Cause, PolicyName, TagFilter};

/// The named apps, those that match, or all.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true, args = [
    "apps", "all", "policy", "subscription", "resource_group", "tags", "patterns", "conditions", "cause",
])]
pub struct AppsArgs {
    /// ARM ids or short names, such as `shop` or `shop/staging`
    #[arg(value_name = "APP", conflicts_with = "all")]
    pub apps: Vec<String>,
    /// What the apps have in common.
    #[command(flatten)]
    pub matching: MatchArgs,
}

/// What apps have in common. Options of one kind are alternatives, but for tags; options of different kinds all apply.
#[derive(Debug, Clone, Args)]
pub struct MatchArgs {
    /// All apps of the fleet
    #[arg(long)]
    pub all: bool,
    /// Apps under this policy
    #[arg(long, value_name = "NAME")]
    pub policy: Vec<String>,
    /// Apps of this subscription
    #[arg(long, value_name = "ID")]
    pub subscription: Vec<String>,
    /// Apps of this resource group
    #[arg(long, value_name = "NAME")]
    pub resource_group: Vec<String>,
    /// Apps with this tag, such as `team=shop`, or `team` with any value; of several, an app has all
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<TagFilter>,
    /// Apps whose short name matches, such as `shop-*`
    #[arg(long = "match", value_name = "PATTERN")]
    pub patterns: Vec<String>,
    /// Apps in this condition, such as `failed` or `past_objective`
    #[arg(long = "state", value_name = "CONDITION")]
    pub conditions: Vec<Condition>,
    /// Apps whose last failure has this cause, such as `storage_refused`
    #[arg(long, value_name = "CAUSE")]
    pub cause: Vec<Cause>,
}

impl AppsArgs {
    /// Whether apps are named and nothing else is asked for.
    pub fn has_names_alone(&self) -> bool {
        Selector::from(self).has_names_alone()
    }
}

impl From<&AppsArgs> for Selector {
    fn from(args: &AppsArgs) -> Self {
        Self { names: args.apps.clone(), ..Self::from(&args.matching) }
    }
}

impl From<&MatchArgs> for Selector {
    fn from(args: &MatchArgs) -> Self {
        Self {
            names: Vec::new(),
            patterns: args.patterns.clone(),
            policies: args.policy.iter().map(PolicyName::new).collect(),
            subscriptions: args.subscription.iter().cloned().collect(),
            resource_groups: args.resource_group.iter().cloned().collect(),
            tags: args.tags.iter().cloned().collect(),
            conditions: args.conditions.iter().copied().collect(),
            causes: args.cause.iter().copied().collect(),
        }
    }
}

/// Whether a command that changes something at Azure asks before and waits after.
#[derive(Debug, Clone, Copy, Args)]
pub struct ChangeOptions {
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
    /// Wait for the end, and fail unless everything succeeds
    #[arg(long)]
    pub wait: bool,
}
