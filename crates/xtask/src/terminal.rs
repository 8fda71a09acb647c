//! All output of xtask.

/// Starts a section of the output.
pub fn heading(text: &str) {
    line(&format!("\n=== {text}"));
}

#[expect(clippy::print_stdout, reason = "a developer's command writes to the terminal, not to a log")]
pub fn line(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a developer's command writes to the terminal, not to a log")]
pub fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
