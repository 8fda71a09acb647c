//! Everything that xtask prints goes through here.

/// Opens a section of the output.
pub fn heading(text: &str) {
    line(&format!("\n=== {text}"));
}

#[expect(clippy::print_stdout, reason = "a developer's command speaks on the terminal, not in a log")]
pub fn line(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a developer's command speaks on the terminal, not in a log")]
pub fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
