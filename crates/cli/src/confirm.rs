//! Asks whoever sits at the terminal before something cannot be undone.

use std::io::{self, IsTerminal as _};

use crate::context::Context;
use holdfast_control::{Error, ErrorKind};

/// Goes on with `--yes`, or when somebody at the terminal writes `yes`; anything else is an error, and nothing was done.
pub fn agreed(question: &str, yes: bool, context: &Context) -> anyhow::Result<()> {
    written("yes", question, yes, context)
}

/// As [`agreed`], but whoever sits there must write `word`, such as the name of what will be lost.
pub fn written(word: &str, question: &str, yes: bool, context: &Context) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let failure = Error::new(ErrorKind::Invalid, "nobody is at a terminal here who could be asked");
        return Err(failure.help("give --yes to go on without being asked").into());
    }
    context.out.message(&format!("{question} Write `{word}` to go on:"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim() == word {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "nothing was done").into())
}
