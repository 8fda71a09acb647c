//! The commands in docs/operations.md.

use super::{help, read};

/// The commands that the page shows: lines of a terminal, and commands quoted in sentences.
fn commands(page: &str) -> Vec<String> {
    let typed = page.lines().filter_map(|line| line.strip_prefix("$ "));
    let quoted = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let ours = typed.chain(quoted).filter_map(|line| line.strip_prefix("holdfast "));
    // A placeholder must be a value that the program accepts.
    let filled = ours.map(|line| {
        let words = line.split(' ').map(|word| match word {
            "ID" => "019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10",
            other => other,
        });
        words.collect::<Vec<_>>().join(" ")
    });
    filled.collect()
}

#[test]
fn the_program_knows_every_command_of_the_page() {
    let commands = commands(&read("docs/operations.md"));
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        help(&command);
    }
}
