//! Schemathesis, in a Python environment of its own: it asks the API what the API's description allows.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::python::PythonEnvironment;

/// The package of PyPI, in the version for which the test is written.
const PACKAGES: [&str; 1] = ["schemathesis==4.32.5"];

/// The environment with the package.
pub fn environment() -> PythonEnvironment {
    PythonEnvironment::new("schemathesis-4.32.5")
}

/// The program.
pub fn program() -> PathBuf {
    environment().interpreter().with_file_name("schemathesis")
}

/// Installs the package.
pub fn install() -> Result<()> {
    environment()
        .install(&PACKAGES)
        .context("failed to install Schemathesis with Python's pip; pass --without-services to skip its test")
}
