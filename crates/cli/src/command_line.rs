//! The command line of the process as people see it: help without the options of all commands, and names that complete.

use std::io::Write as _;

use clap::{Arg, Args as _, Command, CommandFactory as _, FromArgMatches as _};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use holdfast_control::freshness::CheckLevel;

use crate::args::{Cli, Global};
use crate::candidates;
use crate::exit::Exit;

/// What stands under the help of each command.
const FOOTER: &str = "`holdfast help global` shows the options of all commands.";

/// The command line; where it is wrong, or asks for help, what to end with after what was to say.
pub fn parse() -> Result<Cli, Exit> {
    let parsed = command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        if !error.use_stderr() {
            let _ = error.print();
            return Exit::Done;
        }
        if !asks_for_check() {
            let _ = error.print();
            return Exit::Usage;
        }
        // A monitoring system reads stdout, and takes 2 for a critical state.
        let text = error.to_string();
        let text = text.trim_start_matches("error: ").trim_end();
        let _ = writeln!(std::io::stdout(), "HOLDFAST UNKNOWN - {text}");
        Exit::Checked(CheckLevel::Unknown)
    })
}

/// Whether the command is `check`, whatever is wrong with its options.
fn asks_for_check() -> bool {
    let matches = command().ignore_errors(true).try_get_matches();
    matches.is_ok_and(|matches| matches.subcommand_name() == Some("check"))
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
    } else if is_called("POLICY") || matches!(arg.get_long(), Some("policy" | "with-policy")) {
        arg.add(ArgValueCandidates::new(candidates::policies))
    } else if arg.get_long() == Some("tag") {
        arg.add(ArgValueCompleter::new(candidates::tags))
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
