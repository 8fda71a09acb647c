//! Microsoft's SDK for App Service, in a Python environment of its own: a client of the simulator.

use anyhow::{Context, Result};

use super::python::PythonEnvironment;

/// The packages of PyPI, in the versions for which the test is written.
const PACKAGES: [&str; 2] = ["azure-mgmt-web==11.0.1", "requests==2.34.2"];

/// The environment with the packages.
pub fn environment() -> PythonEnvironment {
    PythonEnvironment::new("azure-mgmt-web-11.0.1")
}

/// Installs the packages.
pub fn install() -> Result<()> {
    environment().install(&PACKAGES).context(
        "failed to install Microsoft's SDK with Python's pip; pass --without-services to skip its test",
    )
}
