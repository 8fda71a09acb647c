//! Installing what tests run: Debian's packages for PostgreSQL, RabbitMQ and Prometheus, npm's for Azurite, PyPI's SDK.

use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use super::{azure_sdk, azurite, postgres, python, rabbitmq};
use crate::{step, terminal};

/// Debian runs this program to learn whether a newly installed service may start.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Prometheus' tool for rules.
pub const PROMTOOL: &str = "promtool";

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
    let (azurite, sdk) = std::thread::scope(|scope| {
        let azurite = scope.spawn(|| if azurite::program().is_file() { Ok(()) } else { npm_install() });
        let sdk = azure_sdk::install();
        (azurite.join(), sdk)
    });
    azurite.map_err(|_| anyhow!("the installation of Azurite panicked"))??;
    sdk
}

/// Whether this user can install packages of Debian.
fn can_install() -> bool {
    // The folder of a process in /proc belongs to the user that runs it.
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) && runs("apt-get")
}

/// The packages of Debian that are needed and missing.
fn missing_packages() -> Vec<&'static str> {
    let missing = [
        ("postgresql", postgres::programs().is_none()),
        ("rabbitmq-server", rabbitmq::programs().is_none()),
        ("npm", !azurite::program().is_file() && !runs("npm")),
        ("prometheus", !runs(PROMTOOL)),
        ("python3-venv", !azure_sdk::environment().is_installed() && !python::can_install()),
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

fn npm_install() -> Result<()> {
    terminal::line(&format!("installing {}", azurite::PACKAGE));
    let folder = azurite::install_folder();
    // The rename at the end keeps an interrupted installation from counting as a complete one.
    let partial = folder.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).context("failed to remove an interrupted installation of Azurite")?;
    }
    fs::create_dir_all(&partial)?;
    let mut command = Command::new("npm");
    command.args(["install", azurite::PACKAGE, "--no-audit", "--no-fund", "--ignore-scripts"]);
    command.args(["--loglevel=error", "--prefix"]).arg(&partial);
    step::output_of(command.stdin(Stdio::null())).context(
        "failed to install Azurite with npm; pass --without-services to skip the tests that need servers",
    )?;
    fs::rename(&partial, &folder).context("failed to rename Azurite's folder")
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
