//! Confirmation at the terminal before a change that cannot be undone.

use std::io::{self, IsTerminal as _};

use holdfast_control::{Error, ErrorKind};
use holdfast_model::inert;

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
    context.out.message(&prompt(word, question));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim() == word {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "nothing was done").into())
}

/// The most characters of a question. Names from outside may be long enough to push it off the screen.
const QUESTION_MAX_CHARS: usize = 400;

/// The question on one line, in which names can hide nothing.
fn prompt(word: &str, question: &str) -> String {
    let question = inert(question);
    let shown = match question.char_indices().nth(QUESTION_MAX_CHARS) {
        Some((cut, _)) => format!("{}…", &question[..cut]),
        None => question.into_owned(),
    };
    format!("{shown} Type `{}` to go on:", inert(word))
}

#[cfg(test)]
mod tests {
    use super::prompt;

    #[test]
    fn a_name_cannot_hide_the_question() {
        let name = "shop\u{1b}[2K\r\u{1b}[8m\u{202e}\u{200b}\nReally? Type `no`";
        let shown = prompt("yes", &format!("Delete 1 backup of {name}?"));
        assert_eq!(shown.lines().count(), 1);
        assert!(!shown.chars().any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}')), "{shown:?}");
        assert!(shown.starts_with("Delete 1 backup of shop\\u{1b}[2K\\r"), "{shown}");
        let long = prompt("yes", &format!("Delete {}?", "x".repeat(100_000)));
        assert!(long.chars().count() < 500 && long.ends_with("… Type `yes` to go on:"), "{long}");
    }
}
