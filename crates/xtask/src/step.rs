//! Running other programs, above all cargo, from the root of the workspace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::terminal;

/// The root of the workspace: two folders above this crate's manifest.
pub fn root() -> &'static Path {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap_or(crate_folder)
}

/// The folder into which cargo builds.
pub fn target_folder() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// A command of the cargo that runs xtask, so that a `+toolchain` applies to every step.
///
/// It has no variable that describes the package xtask: build scripts depend on them, so each change between
/// `cargo xtask` and `cargo` would build ring and all that needs it again, and cargo-machete misreads its arguments.
pub fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    let of_xtask = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    for name in std::env::vars_os().map(|(name, _)| name).filter(of_xtask) {
        command.env_remove(name);
    }
    command
}

/// Whether cargo has the subcommand.
pub fn cargo_has(subcommand: &str) -> bool {
    let mut ask = cargo([subcommand, "--version"]);
    ask.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs the program and waits for it. Its output goes to the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let words = words(command);
    terminal::line(&format!("$ {words}"));
    let status = command.status().with_context(|| format!("failed to start `{words}`"))?;
    ensure!(status.success(), "`{words}` failed ({status})");
    Ok(())
}

/// Runs the program and returns its stdout. An error has its stderr.
pub fn output_of(command: &mut Command) -> Result<String> {
    let words = words(command);
    let output = command.output().with_context(|| format!("failed to start `{words}`"))?;
    if !output.status.success() {
        bail!("`{words}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{words}` wrote output that is not UTF-8"))
}

/// The command as a developer would type it, without the addresses of private servers.
fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let set = set.filter(|(name, _)| !name.to_string_lossy().starts_with("HOLDFAST_TEST_"));
    let set = set.map(|(name, value)| format!("{}='{}'", name.to_string_lossy(), value.to_string_lossy()));
    let typed = std::iter::once(program).chain(command.get_args());
    set.chain(typed.map(|word| word.to_string_lossy().into_owned())).collect::<Vec<_>>().join(" ")
}

/// Runs every step, also after a failure, so that one run shows everything to fix.
pub fn run_all<const N: usize>(steps: [(&str, &dyn Fn() -> Result<()>); N]) -> Result<()> {
    let mut failed = Vec::new();
    for (name, step) in steps {
        terminal::heading(name);
        if let Err(error) = step() {
            terminal::error(&error);
            failed.push(name);
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_as_a_developer_would_type_it() {
        let mut command = Command::new("/some/where/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        command.env("HOLDFAST_TEST_AMQP_URL", "amqp://one:secret@host");
        assert_eq!(words(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn steps_run_after_a_failed_one_and_the_error_names_it() {
        let ran = std::cell::Cell::new(false);
        let fails = || bail!("broken");
        let works = || {
            ran.set(true);
            Ok(())
        };
        let error = run_all([("first", &fails), ("second", &works)]).unwrap_err();
        assert_eq!(error.to_string(), "failed: first");
        assert!(ran.get());
    }

    #[test]
    fn the_root_is_the_workspaces_folder() {
        assert!(root().join("clippy.toml").is_file());
    }
}
