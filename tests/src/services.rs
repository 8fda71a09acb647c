//! The addresses of the servers for tests.

/// The URL of a server, from the environment variable `variable`, which `cargo xtask test` sets.
///
/// `None` with `HOLDFAST_WITHOUT_SERVICES=1`: then the test prints that it tested nothing.
///
/// # Panics
///
/// If neither variable is set.
#[expect(clippy::print_stderr, reason = "a test's output is where its reader looks")]
pub fn service(variable: &str) -> Option<String> {
    if let Ok(url) = std::env::var(variable) {
        return Some(url);
    }
    assert!(
        std::env::var("HOLDFAST_WITHOUT_SERVICES").is_ok_and(|said| said == "1"),
        "{variable} is not set: run `cargo xtask test`, which starts the servers that tests need, \
         or set HOLDFAST_WITHOUT_SERVICES=1 to go without"
    );
    eprintln!("NOT TESTED: {variable} is not set, and HOLDFAST_WITHOUT_SERVICES=1 lets that pass");
    None
}
