//! Servers that tests need.

/// The URL of the server that `variable` names; `cargo xtask test` starts it and sets the variable. Without it the test
/// fails, because a test that passes must have tested something. Whoever wants to go without says so with
/// `HOLDFAST_WITHOUT_SERVICES=1`: then it is `None`, and the test's output tells that nothing was tested.
///
/// # Panics
///
/// When there is neither.
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
