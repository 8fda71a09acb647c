//! Asks before something is overwritten.

use std::io::{IsTerminal as _, stdin};

use crate::args::Consent;
use crate::context::Context;
use crate::exit::{Exit, Failure};

/// What somebody who saw the plan wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Go on.
    Yes,
    /// A program asked for the plan alone.
    PlanOnly,
}

/// Waits for `word` to be typed, unless the command line says yes already.
pub fn ask(consent: Consent, word: &str, context: &Context) -> anyhow::Result<Said> {
    if consent.yes {
        return Ok(Said::Yes);
    }
    if context.out.is_json() {
        return Ok(Said::PlanOnly);
    }
    if !stdin().is_terminal() {
        let what = "nobody is there to confirm: the input is no terminal";
        return Err(Failure::new(Exit::Usage, what).help("--yes does it without asking").into());
    }
    context.out.message(&format!("type `{word}` to go on:"));
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    if line.trim() == word {
        return Ok(Said::Yes);
    }
    Err(Failure::new(Exit::Usage, "not confirmed: nothing was done").into())
}
