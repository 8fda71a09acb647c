//! The folder of a demonstration.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use holdfast_control::{Error, ErrorKind};

/// Where a demonstration leaves its files when nothing else is said.
const DIR: &str = "holdfast-demo";
/// Tells the folder of an earlier demonstration, which may be cleared, from anything else, which may not.
const MARK: &str = "this-is-a-holdfast-demo";
/// What a demonstration leaves.
const FILES: [&str; 6] = [
    "fleet.toml",
    "client-secret",
    "storage-key",
    "holdfast.sqlite",
    "holdfast.sqlite-wal",
    "holdfast.sqlite-shm",
];

/// An empty folder: a new one, or that of an earlier demonstration, cleared. Nobody else's file is touched.
pub fn prepare(dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    let dir = dir.unwrap_or_else(|| Path::new(DIR)).to_owned();
    std::fs::create_dir_all(&dir).with_context(|| format!("failed to make the folder {}", dir.display()))?;
    let is_ours = dir.join(MARK).exists();
    let mut entries =
        std::fs::read_dir(&dir).with_context(|| format!("failed to look into {}", dir.display()))?;
    if !is_ours && entries.next().is_some() {
        let what = format!("the folder {} is not empty, and no demonstration left it", dir.display());
        return Err(Error::new(ErrorKind::Invalid, what).help("name another one with --dir").into());
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
