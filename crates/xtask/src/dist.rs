//! `cargo xtask dist`: the files of a release.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::{materials, step, terminal};

/// Files that the binary writes: its arguments, and the file's name.
const WRITTEN_BY_BINARY: [(&[&str], &str); 4] = [
    (&["completions", "bash"], "holdfast.bash"),
    (&["completions", "zsh"], "_holdfast"),
    (&["completions", "fish"], "holdfast.fish"),
    (&["man"], "holdfast.1"),
];

pub fn run() -> Result<()> {
    terminal::heading("build");
    step::run(&mut step::cargo(["build", "--profile", "dist", "--locked", "--package", "holdfast"]))?;

    terminal::heading("distribution");
    // `target/dist` is the folder of the build profile.
    let folder = step::target_folder().join("distribution");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("failed to empty the distribution's folder")?;
    }
    fs::create_dir_all(&folder).context("failed to create the distribution's folder")?;

    let binary = format!("holdfast{}", env::consts::EXE_SUFFIX);
    copy(&step::target_folder().join("dist").join(&binary), &folder.join(&binary))?;
    for name in ["LICENSE-APACHE", "LICENSE-MIT", "README.md"] {
        copy(&step::root().join(name), &folder.join(name))?;
    }
    for (arguments, name) in WRITTEN_BY_BINARY {
        let written = step::output_of(Command::new(folder.join(&binary)).args(arguments));
        if let Ok(text) = written
            && !text.is_empty()
        {
            fs::write(folder.join(name), text).with_context(|| format!("failed to write {name}"))?;
        } else {
            terminal::line(&format!("no {name}: the binary has no command `{}`", arguments.join(" ")));
        }
    }
    materials::write(&folder)?;
    write_checksums(&folder)?;
    terminal::line(&format!("written to {}", folder.display()));
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("failed to copy {}", from.display()))?;
    Ok(())
}

fn write_checksums(folder: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).context("failed to list the distribution's folder")? {
        names.push(entry.context("failed to list the distribution's folder")?.file_name());
    }
    names.sort();
    let sums = step::output_of(Command::new("sha256sum").args(&names).current_dir(folder))?;
    fs::write(folder.join("SHA256SUMS"), sums).context("failed to write SHA256SUMS")
}
