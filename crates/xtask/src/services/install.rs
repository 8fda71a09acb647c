//! Getting the servers onto the machine, where that is allowed.

use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::{Kind, azurite, postgres, rabbitmq};
use crate::{say, step};

/// The Azurite that the tests are written for.
const AZURITE: &str = "azurite@3.37.0";
/// Debian asks this program whether a freshly installed service may start.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs what is missing, where that is allowed.
pub fn all() -> Result<()> {
    let missing = missing_packages(&Kind::ALL);
    if !missing.is_empty() {
        apt_install(&missing).with_context(|| without_packages(&missing))?;
    }
    if azurite::program().is_file() { Ok(()) } else { npm_install() }
}

/// Below `target`, so that a new clone starts afresh and `cargo clean` removes it.
pub fn azurite_folder() -> PathBuf {
    step::target_folder().join(AZURITE.replace('@', "-"))
}

/// Whether Debian's packages may be installed here.
pub fn allowed() -> bool {
    // A process's own folder in /proc belongs to the user it runs as.
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) && answers("apt-get")
}

/// What these servers lack, by the names in Debian.
pub fn missing_packages(kinds: &[Kind]) -> Vec<&'static str> {
    let package = |kind: &Kind| match kind {
        Kind::Postgres => postgres::programs().is_none().then_some("postgresql"),
        Kind::Rabbitmq => rabbitmq::programs().is_none().then_some("rabbitmq-server"),
        Kind::Azurite => (!azurite::program().is_file() && !answers("npm")).then_some("npm"),
    };
    kinds.iter().filter_map(package).collect()
}

pub fn without_packages(missing: &[&str]) -> String {
    format!(
        "not installed: {}; install by hand (on Debian `apt-get install {}`, as root), or pass --without-services \
         to leave out the tests that need PostgreSQL, RabbitMQ or Azurite",
        missing.join(", "),
        missing.join(" ")
    )
}

fn apt_install(packages: &[&str]) -> Result<()> {
    say::line(&format!("not installed: {}: installing", packages.join(", ")));
    let _quiet = NoServiceStarts::begin()?;
    if apt_get(&["install", "--yes", "--no-install-recommends"], packages).is_ok() {
        return Ok(());
    }
    // Most often the package lists are missing or old.
    apt_get(&["update"], &[])?;
    apt_get(&["install", "--yes", "--no-install-recommends"], packages)
}

fn apt_get(arguments: &[&str], packages: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    // Somebody else's installation is waited for.
    command.args(["--quiet=2", "--option=DPkg::Lock::Timeout=300"]).args(arguments).args(packages);
    step::output_of(command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null())).map(drop)
}

fn npm_install() -> Result<()> {
    say::line(&format!("not installed: {AZURITE}: installing"));
    let folder = azurite_folder();
    // Renamed when complete: an installation that was interrupted is not taken for one.
    let begun = folder.with_extension("begun");
    if begun.exists() {
        fs::remove_dir_all(&begun).context("failed to remove an interrupted installation of Azurite")?;
    }
    fs::create_dir_all(&begun)?;
    let mut command = Command::new("npm");
    command.args([
        "install",
        AZURITE,
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel=error",
        "--prefix",
    ]);
    step::output_of(command.arg(&begun).stdin(Stdio::null())).context(
        "Azurite is missing and could not be installed with npm; pass --without-services to leave out the tests \
         that need it",
    )?;
    fs::rename(&begun, &folder).context("failed to put Azurite in its place")
}

fn answers(program: &str) -> bool {
    let mut ask = Command::new(program);
    ask.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

/// While it lives, Debian's packages do not start the services they install. Ours run on ports of their own; the
/// system's would be in nobody's use, for ever.
struct NoServiceStarts {
    ours: bool,
}

impl NoServiceStarts {
    fn begin() -> Result<Self> {
        let made = fs::File::options().write(true).create_new(true).mode(0o755).open(POLICY);
        match made {
            Ok(mut file) => {
                std::io::Write::write_all(&mut file, b"#!/bin/sh\nexit 101\n")?;
                Ok(Self { ours: true })
            }
            // The machine has a policy already.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            Err(error) => Err(error).with_context(|| format!("failed to write {POLICY}")),
        }
    }
}

impl Drop for NoServiceStarts {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}
