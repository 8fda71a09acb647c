//! `cargo xtask tidy`: rules for the repository's files that neither rustfmt nor clippy can check.

mod circles;
mod code;
mod fault;
mod links;
mod manifests;
mod text;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use fault::Fault;

use crate::{step, terminal};

pub fn run() -> Result<()> {
    let root = step::root();
    let paths = files()?;
    let mut faults = Vec::new();
    for path in &paths {
        // A deleted file stays in git's list until the deletion is committed.
        if root.join(path).is_file() {
            let found = faults_of(root, path)?;
            faults.extend(found.into_iter().map(|(line, fault)| format!("{path}:{line}: {fault}")));
        }
    }
    let crates = paths.iter().filter_map(|path| path.strip_suffix("/Cargo.toml"));
    faults.extend(circles::faults(root, crates));
    for fault in &faults {
        terminal::line(fault);
    }
    ensure!(faults.is_empty(), "{} place(s) are not tidy", faults.len());
    terminal::line(&format!("{} files are tidy", paths.len()));
    Ok(())
}

fn faults_of(root: &Path, path: &str) -> Result<Vec<Fault>> {
    let read = || fs::read_to_string(root.join(path)).with_context(|| format!("failed to read {path}"));
    Ok(match Path::new(path).extension().and_then(|extension| extension.to_str()) {
        Some("rs") => {
            let text = read()?;
            text::whitespace(&text).chain(text::length(&text)).collect()
        }
        Some("md") => {
            let text = read()?;
            text::whitespace(&text).chain(links::broken(root, path, &text)).collect()
        }
        Some("toml") if path.ends_with("/Cargo.toml") => manifests::faults(root, path, &read()?),
        _ => Vec::new(),
    })
}

/// Every file that git tracks or would add, by its path from the root, with `/` between folders.
fn files() -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(step::root());
    let listed = step::output_of(&mut git)?;
    Ok(listed.split_terminator('\0').map(str::to_owned).collect())
}
