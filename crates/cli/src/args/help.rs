//! The arguments of `help`, `completions` and `man`.

use std::path::PathBuf;

use clap::Args;

/// `holdfast help`
#[derive(Debug, Clone, Args)]
pub struct HelpArgs {
    /// The command, or `global`
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `holdfast completions`
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = ["bash", "elvish", "fish", "powershell", "zsh"])]
    pub shell: String,
}

/// `holdfast man`
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
}
