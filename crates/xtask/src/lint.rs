//! `cargo xtask lint`: every check that does not run Holdfast.

use std::process::Stdio;

use anyhow::Result;

use crate::{step, terminal, tidy, tools};

/// Check format, lints, docs, dependencies and the repository's own rules; reports all faults
#[derive(clap::Args)]
pub struct Options {
    /// Skip the checks of cargo-deny and cargo-machete where these are not installed
    #[arg(long)]
    without_tools: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let without_tools = options.without_tools;
    step::run_all([
        ("format", &|| step::run(&mut step::cargo(["fmt", "--all", "--check", "--", "--files-with-diff"]))),
        ("tidy", &tidy::run),
        ("dependencies", &|| dependencies(without_tools)),
        ("advisories", &|| advisories(without_tools)),
        ("unused dependencies", &|| unused_dependencies(without_tools)),
        ("clippy", &clippy),
        ("docs", &docs),
    ])
}

/// Warnings become errors behind `--`: RUSTFLAGS would rebuild every dependency.
fn clippy() -> Result<()> {
    step::run(&mut step::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn docs() -> Result<()> {
    let mut command = step::cargo(["doc", "--workspace", "--no-deps"]);
    step::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Layers, licences and sources, by the rules of deny.toml.
fn dependencies(without_tools: bool) -> Result<()> {
    if !tools::ensure("deny", without_tools)? {
        return Ok(());
    }
    // cargo-deny reads the manifests of every platform's dependencies; a build fetches only this platform's.
    step::run(&mut step::cargo(["fetch", "--locked", "--quiet"]))?;
    // deny.toml also allows arrows between layers that no crate uses yet.
    let check = ["deny", "--offline", "check", "--allow", "unused-wrapper", "bans", "licenses", "sources"];
    step::run(&mut step::cargo(check))
}

/// Known vulnerabilities. Passes with a message where the database of advisories cannot be fetched.
fn advisories(without_tools: bool) -> Result<()> {
    if !tools::ensure("deny", without_tools)? {
        return Ok(());
    }
    let mut fetch = step::cargo(["deny", "fetch", "db"]);
    let fetched = fetch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !fetched.is_ok_and(|status| status.success()) {
        terminal::line("the advisory database cannot be fetched: advisories are NOT checked");
        return Ok(());
    }
    step::run(&mut step::cargo(["deny", "--offline", "check", "advisories"]))
}

fn unused_dependencies(without_tools: bool) -> Result<()> {
    if !tools::ensure("machete", without_tools)? {
        return Ok(());
    }
    step::run(&mut step::cargo(["machete", "--skip-target-dir"]))
}
