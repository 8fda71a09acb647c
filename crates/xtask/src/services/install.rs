//! Installing what tests run: Debian's packages for PostgreSQL, RabbitMQ, Prometheus and Chromium, npm's for Azurite and
//! Playwright, PyPI's SDK, Schemathesis and aiosmtpd.

use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use super::python::PythonEnvironment;
use super::{azure_sdk, azurite, browser, postgres, python, rabbitmq, schemathesis, smtp_server};
use crate::{step, terminal};

/// Debian runs this program to learn whether a newly installed service may start.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Prometheus' tool for rules.
pub const PROMTOOL: &str = "promtool";

/// The browser.
pub const CHROMIUM: &str = "chromium";

/// Installs every server and program that is missing. Packages of Debian need root.
pub fn all() -> Result<()> {
    let missing = missing_packages();
    if !missing.is_empty() {
        if !can_install() {
            bail!("{}", cannot_install(&missing));
        }
        apt_install(&missing).with_context(|| cannot_install(&missing))?;
    }
    // Each mostly waits for its registry.
    let (npm, sdk) = std::thread::scope(|scope| {
        let npm = scope.spawn(npm_install_missing);
        let sdk =
            azure_sdk::install().and_then(|()| schemathesis::install()).and_then(|()| smtp_server::install());
        (npm.join(), sdk)
    });
    npm.map_err(|_| anyhow!("the installation of npm's packages panicked"))??;
    sdk
}

/// Whether this user can install packages of Debian.
fn can_install() -> bool {
    // The folder of a process in /proc belongs to the user that runs it.
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) && runs("apt-get")
}

/// The packages of Debian that are needed and missing.
fn missing_packages() -> Vec<&'static str> {
    let has_python = [azure_sdk::environment(), schemathesis::environment(), smtp_server::environment()]
        .iter()
        .all(PythonEnvironment::is_installed);
    let missing = [
        ("postgresql", postgres::programs().is_none()),
        ("rabbitmq-server", rabbitmq::programs().is_none()),
        ("npm", (!azurite::program().is_file() || !browser::is_installed()) && !runs("npm")),
        ("chromium", !runs(CHROMIUM)),
        ("prometheus", !runs(PROMTOOL)),
        ("python3-venv", !has_python && !python::can_install()),
    ];
    missing.into_iter().filter(|(_, is_missing)| *is_missing).map(|(package, _)| package).collect()
}

fn cannot_install(missing: &[&str]) -> String {
    format!(
        "not installed: {}; run `apt-get install {}` as root (on other systems install the same programs), \
         or pass --without-services to skip the tests that need PostgreSQL, RabbitMQ or Azurite",
        missing.join(", "),
        missing.join(" ")
    )
}

fn apt_install(packages: &[&str]) -> Result<()> {
    terminal::line(&format!("installing {}", packages.join(", ")));
    let _policy = NoServiceStarts::install()?;
    if apt_get(&["install", "--yes", "--no-install-recommends"], packages).is_ok() {
        return Ok(());
    }
    // The usual cause: the package lists are missing or old.
    apt_get(&["update"], &[])?;
    apt_get(&["install", "--yes", "--no-install-recommends"], packages)
}

fn apt_get(arguments: &[&str], packages: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    // Waits for another installation that holds the lock.
    command.args(["--quiet=2", "--option=DPkg::Lock::Timeout=300"]).args(arguments).args(packages);
    step::output_of(command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null())).map(drop)
}

fn npm_install_missing() -> Result<()> {
    if !azurite::program().is_file() {
        npm_install(&[azurite::PACKAGE], &azurite::install_folder())?;
    }
    if !browser::is_installed() {
        npm_install(&browser::PACKAGES, &browser::install_folder())?;
    }
    Ok(())
}

fn npm_install(packages: &[&str], folder: &Path) -> Result<()> {
    let names = packages.join(", ");
    terminal::line(&format!("installing {names}"));
    // The rename at the end keeps an interrupted installation from counting as a complete one.
    let partial = folder.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)
            .with_context(|| format!("failed to remove an interrupted installation of {names}"))?;
    }
    fs::create_dir_all(&partial)?;
    let mut command = Command::new("npm");
    command.arg("install").args(packages).args(["--no-audit", "--no-fund", "--ignore-scripts"]);
    command.args(["--loglevel=error", "--prefix"]).arg(&partial);
    step::output_of(command.stdin(Stdio::null())).with_context(|| {
        format!("failed to install {names} with npm; pass --without-services to skip the tests that need it")
    })?;
    fs::rename(&partial, folder).with_context(|| format!("failed to rename the folder of {names}"))
}

fn runs(program: &str) -> bool {
    let mut ask = Command::new(program);
    ask.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

/// Keeps newly installed packages of Debian from starting their services, until it is dropped.
struct NoServiceStarts {
    created: bool,
}

impl NoServiceStarts {
    fn install() -> Result<Self> {
        let file = fs::File::options().write(true).create_new(true).mode(0o755).open(POLICY);
        match file {
            Ok(mut file) => {
                std::io::Write::write_all(&mut file, b"#!/bin/sh\nexit 101\n")?;
                Ok(Self { created: true })
            }
            // The machine has its own policy.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self { created: false }),
            Err(error) => Err(error).with_context(|| format!("failed to write {POLICY}")),
        }
    }
}

impl Drop for NoServiceStarts {
    fn drop(&mut self) {
        if self.created {
            let _ = fs::remove_file(POLICY);
        }
    }
}
