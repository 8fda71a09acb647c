//! Arguments of `holdfast doctor`.

use clap::Args;

/// `holdfast doctor`
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Only this app, with every check of it: its ARM id or short name
    #[arg(value_name = "APP")]
    pub app: Option<String>,
}
