//! The fleet file of a process, looked at now and then.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use holdfast_store::sha256_hex;

/// What changes with every writing of a file.
type Stamp = (Option<SystemTime>, u64);

/// A file that is looked at now and then.
#[derive(Debug)]
pub struct WatchedFile {
    path: PathBuf,
    stamp: Option<Stamp>,
    sha256: Option<String>,
    /// The content that was there at the start or was submitted since.
    known: Option<String>,
    /// Whether the last look found the file as the one before.
    is_still: bool,
}

impl WatchedFile {
    /// The file as it is now.
    pub fn new(path: PathBuf) -> Self {
        let sha256 = hash(&path);
        Self { stamp: stamp(&path), known: sha256.clone(), sha256, path, is_still: true }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SHA-256 of its content; `None` while it cannot be read.
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    /// Looks at the file; returns whether its content is another than at the last look.
    pub fn look(&mut self) -> bool {
        let stamp = stamp(&self.path);
        if stamp == self.stamp {
            self.is_still = true;
            return false;
        }
        self.stamp = stamp;
        let before = std::mem::replace(&mut self.sha256, hash(&self.path));
        self.is_still = before == self.sha256;
        !self.is_still
    }

    /// Whether it has a new content, and nobody seems to write it any more.
    pub fn is_settled(&self) -> bool {
        self.is_still && self.sha256.is_some() && self.sha256 != self.known
    }

    /// The content is known from now on.
    pub fn submitted(&mut self) {
        self.known.clone_from(&self.sha256);
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let facts = fs::metadata(path).ok()?;
    Some((facts.modified().ok(), facts.len()))
}

fn hash(path: &Path) -> Option<String> {
    // As it is kept: a byte order mark is no part of the text.
    let bytes = fs::read(path).ok()?;
    Some(sha256_hex(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_settled_when_a_second_look_finds_the_new_content_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.toml");
        fs::write(&path, "one").unwrap();
        let mut file = WatchedFile::new(path.clone());
        assert!(!file.look() && !file.is_settled());
        fs::write(&path, "three").unwrap();
        assert!(file.look() && !file.is_settled());
        assert!(!file.look() && file.is_settled());
        file.submitted();
        assert!(!file.look() && !file.is_settled());
        fs::remove_file(&path).unwrap();
        assert!(file.look() && !file.is_settled());
        assert!(!file.look() && !file.is_settled());
        fs::write(&path, "three").unwrap();
        assert!(file.look());
        assert!(!file.look() && !file.is_settled(), "it is what it was");
    }
}
