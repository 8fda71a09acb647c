//! Microsoft's SDK for App Service, in a Python environment of its own: a client of the simulator.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{step, terminal};

/// The packages of PyPI, in the versions for which the test is written.
const PACKAGES: [&str; 2] = ["azure-mgmt-web==11.0.1", "requests==2.34.2"];
/// The name of the folder of the environment. It changes with the packages.
const FOLDER: &str = "azure-mgmt-web-11.0.1";
/// The file that is written last.
const COMPLETE: &str = "complete";

/// The interpreter of the environment, whether it is installed or not.
pub fn interpreter() -> PathBuf {
    folder().join("bin/python")
}

/// Whether the environment is whole. Its last file says so, because an interrupted installation has an interpreter too.
pub fn is_installed() -> bool {
    folder().join(COMPLETE).is_file()
}

fn folder() -> PathBuf {
    step::target_folder().join(FOLDER)
}

/// Whether Debian's `python3` can create an environment. Without the package `python3-venv` it cannot.
pub fn can_install() -> bool {
    let mut probe = Command::new("python3");
    probe.args(["-c", "import ensurepip, tomllib"]);
    probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// Installs the packages below `target`, so that `cargo clean` removes them.
pub fn install() -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    terminal::line(&format!("installing {}", PACKAGES.join(", ")));
    create().context(
        "failed to install Microsoft's SDK with Python's pip; pass --without-services to skip its test",
    )
}

/// An environment holds its own path, so it is created where it stays.
fn create() -> Result<()> {
    let folder = folder();
    if folder.exists() {
        fs::remove_dir_all(&folder).context("failed to remove an interrupted installation of the SDK")?;
    }
    let mut environment = Command::new("python3");
    environment.args(["-m", "venv"]).arg(&folder).stdin(Stdio::null());
    step::output_of(&mut environment)?;
    let mut pip = Command::new(interpreter());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
    step::output_of(pip.stdin(Stdio::null()))?;
    fs::write(folder.join(COMPLETE), "").context("failed to finish the installation of the SDK")
}
