//! The command line as people see it: help without the options of all commands, and names that complete.

use std::path::PathBuf;

use clap::{Arg, Args, Command, CommandFactory as _};
use clap_complete::engine::ArgValueCandidates;

use super::{Cli, Global};
use crate::candidates;

/// What stands under the help of each command.
const FOOTER: &str = "`holdfast help global` shows the options of all commands.";

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

/// The command line that is parsed and that completions know.
pub fn command() -> Command {
    let hidden = |arg: Arg| if arg.is_global_set() { arg.hide(true) } else { arg };
    refined(Cli::command().mut_args(hidden))
}

/// The command with the footer and with candidates for its values, and so its subcommands.
fn refined(command: Command) -> Command {
    let after = command.get_after_help().map(|help| format!("{help}\n\n")).unwrap_or_default();
    let command = command.after_help(format!("{after}{FOOTER}")).mut_args(completed);
    command.mut_subcommands(refined)
}

fn completed(arg: Arg) -> Arg {
    let is_called = |name: &str| arg.get_value_names().is_some_and(|names| names.iter().any(|of| of == name));
    if is_called("APP") || arg.get_long() == Some("app") {
        arg.add(ArgValueCandidates::new(candidates::apps))
    } else if matches!(arg.get_long(), Some("policy" | "with-policy")) {
        arg.add(ArgValueCandidates::new(candidates::policies))
    } else {
        arg
    }
}

/// The help of a command; `None` where there is none of this name.
pub fn help(words: &[String]) -> Option<String> {
    let mut all = command();
    all.build();
    let mut found = &mut all;
    for word in words {
        found = found.find_subcommand_mut(word)?;
    }
    Some(found.render_long_help().to_string())
}

/// The options of all commands.
pub fn global_help() -> String {
    let template = "The options of all commands. An option wins over its variable.\n\n{all-args}";
    Global::augment_args(Command::new("holdfast"))
        .disable_help_flag(true)
        .help_template(template)
        .render_help()
        .to_string()
}
