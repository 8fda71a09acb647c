//! `cargo xtask lint`: everything that is checked without running Holdfast.

use anyhow::{Context, Result};

use crate::{say, step, tidy};

/// Check format, lints, docs, dependencies and our own rules; shows everything there is to mend
#[derive(clap::Args)]
pub struct Options {
    /// Pass even where cargo-deny is not installed
    #[arg(long)]
    without_deny: bool,
}

pub fn run(options: &Options) -> Result<()> {
    step::run_all([
        ("format", &|| step::run(&mut step::cargo(["fmt", "--all", "--check", "--", "--files-with-diff"]))),
        ("tidy", &tidy::run),
        ("dependencies", &|| dependencies(options.without_deny)),
        ("clippy", &clippy),
        ("docs", &docs),
    ])
}

/// Warnings become errors behind `--`, not through RUSTFLAGS, which would rebuild every dependency.
fn clippy() -> Result<()> {
    step::run(&mut step::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn docs() -> Result<()> {
    let mut command = step::cargo(["doc", "--workspace", "--no-deps"]);
    step::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn dependencies(without_deny: bool) -> Result<()> {
    if !step::cargo_has("deny") {
        if without_deny {
            say::line("cargo-deny is not installed: layers, licences and sources are NOT checked");
            return Ok(());
        }
        install_deny()?;
    }
    // cargo-deny reads the manifests of every platform's dependencies; a build fetches only this platform's.
    step::run(&mut step::cargo(["fetch", "--locked", "--quiet"]))?;
    // The layers say what may be: an arrow that no crate uses yet is no fault.
    let check = ["deny", "--offline", "check", "--allow", "unused-wrapper", "bans", "licenses", "sources"];
    step::run(&mut step::cargo(check))
}

fn install_deny() -> Result<()> {
    say::line("cargo-deny is not installed: installing it");
    step::run(&mut step::cargo(["install", "cargo-deny", "--locked", "--quiet"])).context(
        "cargo-deny is missing and could not be installed, so layers, licences and sources were not checked; \
         install it by hand, or pass --without-deny to do without",
    )
}
