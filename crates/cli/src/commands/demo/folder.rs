//! The folder of a demonstration.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use holdfast_control::{Error, ErrorKind};

/// The default folder.
const DIR: &str = "holdfast-demo";
/// Marks the folder of an earlier demonstration, which may be cleared.
const MARK: &str = "this-is-a-holdfast-demo";
/// The files of a demonstration.
const FILES: [&str; 6] = [
    "fleet.toml",
    "client-secret",
    "storage-key",
    "holdfast.sqlite",
    "holdfast.sqlite-wal",
    "holdfast.sqlite-shm",
];

/// Creates the folder, or clears that of an earlier demonstration.
///
/// Any other folder must be empty.
pub fn prepare(dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    let dir = dir.unwrap_or_else(|| Path::new(DIR)).to_owned();
    std::fs::create_dir_all(&dir)
        .with_context(|| format!("failed to create the folder {}", dir.display()))?;
    let is_ours = dir.join(MARK).exists();
    let mut entries = std::fs::read_dir(&dir).with_context(|| format!("failed to read {}", dir.display()))?;
    if !is_ours && entries.next().is_some() {
        let what =
            format!("the folder {} is not empty, and is not that of an earlier demonstration", dir.display());
        return Err(Error::new(ErrorKind::Conflict, what).help("name another one with --dir").into());
    }
    for file in FILES {
        match std::fs::remove_file(dir.join(file)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("failed to clear {}", dir.join(file).display()));
            }
            _ => {}
        }
    }
    std::fs::write(dir.join(MARK), "").with_context(|| format!("failed to write into {}", dir.display()))?;
    Ok(dir)
}
