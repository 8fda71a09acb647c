//! `cargo xtask dist`: what a release consists of.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::{say, step};

/// What the binary can write about itself: its arguments, and the file they become.
const OFFERS: [(&[&str], &str); 4] = [
    (&["completions", "bash"], "holdfast.bash"),
    (&["completions", "zsh"], "_holdfast"),
    (&["completions", "fish"], "holdfast.fish"),
    (&["man"], "holdfast.1"),
];

pub fn run() -> Result<()> {
    say::heading("release build");
    // The release profile strips the symbols.
    step::run(&mut step::cargo(["build", "--release", "--locked", "--package", "holdfast"]))?;

    say::heading("dist");
    let folder = step::target_folder().join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("failed to empty the dist folder")?;
    }
    fs::create_dir_all(&folder).context("failed to make the dist folder")?;

    let binary = format!("holdfast{}", env::consts::EXE_SUFFIX);
    copy(&step::target_folder().join("release").join(&binary), &folder.join(&binary))?;
    for name in ["LICENSE-APACHE", "LICENSE-MIT", "README.md"] {
        copy(&step::root().join(name), &folder.join(name))?;
    }
    for (arguments, name) in OFFERS {
        let written = step::output_of(Command::new(folder.join(&binary)).args(arguments));
        if let Ok(text) = written
            && !text.is_empty()
        {
            fs::write(folder.join(name), text).with_context(|| format!("failed to write {name}"))?;
        } else {
            say::line(&format!("no {name}: the binary does not offer `{}`", arguments.join(" ")));
        }
    }
    write_checksums(&folder)?;
    say::line(&format!("ready in {}", folder.display()));
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("failed to copy {}", from.display()))?;
    Ok(())
}

fn write_checksums(folder: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).context("failed to list the dist folder")? {
        names.push(entry.context("failed to list the dist folder")?.file_name());
    }
    names.sort();
    let sums = step::output_of(Command::new("sha256sum").args(&names).current_dir(folder))?;
    fs::write(folder.join("SHA256SUMS"), sums).context("failed to write SHA256SUMS")
}
