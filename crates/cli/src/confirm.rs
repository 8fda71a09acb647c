//! Confirmation at the terminal before a change that cannot be undone.

use std::io::{self, IsTerminal as _};

use holdfast_control::{Error, ErrorKind};

use crate::context::Context;

/// Returns with `--yes`, or when a person at the terminal types `yes`; fails otherwise.
pub fn agreed(question: &str, yes: bool, context: &Context) -> anyhow::Result<()> {
    written("yes", question, yes, context)
}

/// The same, but the person must type `word`, such as the name of the app that is replaced.
pub fn written(word: &str, question: &str, yes: bool, context: &Context) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let failure =
            Error::new(ErrorKind::Invalid, "the confirmation cannot be asked for: this is not a terminal");
        return Err(failure.help("give --yes to go on without a confirmation").into());
    }
    context.out.message(&format!("{question} Type `{word}` to go on:"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim() == word {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "nothing was done").into())
}
