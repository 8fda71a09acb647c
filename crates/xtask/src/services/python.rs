//! Environments of Python with packages of PyPI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{step, terminal};

/// The file that is written last.
const COMPLETE: &str = "complete";

/// An environment below `target`, so that `cargo clean` removes it.
pub struct PythonEnvironment {
    folder: PathBuf,
}

impl PythonEnvironment {
    /// The environment in this folder, whether it is installed or not. The name changes with the packages.
    pub fn new(name: &str) -> Self {
        Self { folder: step::target_folder().join(name) }
    }

    /// Its interpreter.
    pub fn interpreter(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// Whether the environment is whole. Its last file says so, because an interrupted installation has an interpreter too.
    pub fn is_installed(&self) -> bool {
        self.folder.join(COMPLETE).is_file()
    }

    /// Installs what pip understands: packages, or `-r` and a file.
    pub fn install(&self, packages: &[&str]) -> Result<()> {
        if self.is_installed() {
            return Ok(());
        }
        terminal::line(&format!("installing {}", packages.join(" ")));
        remove(&self.folder)?;
        // An environment holds its own path, so it is created where it stays.
        let mut environment = Command::new("python3");
        environment.args(["-m", "venv"]).arg(&self.folder).stdin(Stdio::null());
        step::output_of(&mut environment)?;
        let mut pip = Command::new(self.interpreter());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
        step::output_of(pip.stdin(Stdio::null()))?;
        fs::write(self.folder.join(COMPLETE), "").context("failed to finish the installation")
    }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("failed to remove an interrupted installation")?;
    }
    Ok(())
}

/// Whether Debian's `python3` can create an environment. Without the package `python3-venv` it cannot.
pub fn can_install() -> bool {
    let mut probe = Command::new("python3");
    probe.args(["-c", "import ensurepip, tomllib"]);
    probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}
