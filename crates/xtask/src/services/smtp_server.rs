//! aiosmtpd, in a Python environment of its own: a real SMTP server for the tests of e-mail.

use anyhow::{Context, Result};

use super::python::PythonEnvironment;

/// The package of PyPI, in the version for which the tests are written.
const PACKAGES: [&str; 1] = ["aiosmtpd==1.4.6"];

/// The environment with the package.
pub fn environment() -> PythonEnvironment {
    PythonEnvironment::new("aiosmtpd-1.4.6")
}

/// Installs the package.
pub fn install() -> Result<()> {
    environment()
        .install(&PACKAGES)
        .context("failed to install aiosmtpd with Python's pip; pass --without-services to skip its tests")
}
