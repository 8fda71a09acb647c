//! Arguments of `holdfast doctor`.

use clap::Args;

/// `holdfast doctor`
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Only this app, with every check of it: its ARM id or short name
    #[arg(value_name = "APP")]
    pub app: Option<String>,
    /// Print the hosts and ports that this fleet talks to, and what each receives; sends nothing
    #[arg(long, conflicts_with = "app")]
    pub egress: bool,
}
