//! Parses the command line of the process.

use std::io::Write as _;

use clap::FromArgMatches as _;
use holdfast_control::freshness::CheckLevel;

use super::{Cli, command};
use crate::exit::Exit;

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
