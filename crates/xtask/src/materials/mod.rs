//! `cargo xtask materials`: what the program is made of.

mod notices;
mod packages;
mod sbom;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{step, terminal};

/// The name of the bill of materials.
const SBOM: &str = "holdfast.cdx.json";
/// The name of the notices.
const NOTICES: &str = "THIRD-PARTY-NOTICES.txt";

/// Write the CycloneDX bill of materials and the third-party notices, without a build
#[derive(clap::Args)]
pub struct Options {
    /// The folder for both files
    #[arg(long, default_value = "target/materials", value_name = "PATH")]
    out: PathBuf,
}

pub fn run(options: &Options) -> Result<()> {
    let folder = step::root().join(&options.out);
    fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
    write(&folder)?;
    terminal::line(&format!("written to {}", folder.display()));
    Ok(())
}

/// Writes both files into a folder.
pub fn write(folder: &Path) -> Result<()> {
    // Only the packages of this platform are in its program.
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let platform =
        step::output_of(Command::new(rustc).args(["--print", "host-tuple"]).current_dir(step::root()))?;
    let filter = ["metadata", "--format-version", "1", "--locked", "--filter-platform", platform.trim()];
    let metadata = step::output_of(&mut step::cargo(filter))?;
    let lock = fs::read_to_string(step::root().join("Cargo.lock")).context("failed to read Cargo.lock")?;
    let packages = packages::read(&metadata, &lock)?;
    let mut sbom = serde_json::to_string_pretty(&sbom::document(&packages))?;
    sbom.push('\n');
    fs::write(folder.join(SBOM), sbom).with_context(|| format!("failed to write {SBOM}"))?;
    let notices = notices::text(&packages)?;
    fs::write(folder.join(NOTICES), notices).with_context(|| format!("failed to write {NOTICES}"))
}
