//! Cargo subcommands that are installed on first use.

use anyhow::{Context, Result};

use crate::{step, terminal};

/// Makes `cargo SUBCOMMAND` available. Returns false if it is missing and `without_tools` allows that.
pub fn ensure(subcommand: &str, without_tools: bool) -> Result<bool> {
    if step::cargo_has(subcommand) {
        return Ok(true);
    }
    let package = format!("cargo-{subcommand}");
    if without_tools {
        terminal::line(&format!("{package} is not installed: NOT checked"));
        return Ok(false);
    }
    terminal::line(&format!("installing {package}"));
    // An optimized build takes twice as long to install and saves a second when it runs.
    step::run(&mut step::cargo(["install", &package, "--locked", "--quiet", "--debug"])).with_context(
        || {
            format!(
                "failed to install {package}; install it by hand, or pass --without-tools to skip its checks"
            )
        },
    )?;
    Ok(true)
}
