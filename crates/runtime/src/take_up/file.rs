//! The fleet file of a process, looked at now and then.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use holdfast_config::FleetText;
use holdfast_store::sha256_hex;

/// What changes with every writing of a file.
type Stamp = Option<(Option<SystemTime>, u64)>;

/// A fleet file that is looked at now and then, with the files that it includes.
#[derive(Debug)]
pub struct WatchedFile {
    path: PathBuf,
    /// The files, and the folders in which others may come.
    looked_at: Vec<PathBuf>,
    stamps: Vec<Stamp>,
    sha256: Option<String>,
    /// The content that was there at the start or was submitted since.
    known: Option<String>,
    /// Whether the last look found the file as the one before.
    is_still: bool,
}

impl WatchedFile {
    /// The file as it is now.
    pub fn new(path: PathBuf) -> Self {
        let looked_at = holdfast_config::looked_at(&path);
        let stamps = stamps(&looked_at);
        let sha256 = hash(&path);
        Self { looked_at, stamps, known: sha256.clone(), sha256, path, is_still: true }
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
        if stamps(&self.looked_at) == self.stamps {
            self.is_still = true;
            return false;
        }
        self.looked_at = holdfast_config::looked_at(&self.path);
        self.stamps = stamps(&self.looked_at);
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

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| fs::metadata(path).ok().map(|facts| (facts.modified().ok(), facts.len()));
    paths.iter().map(stamp).collect()
}

fn hash(path: &Path) -> Option<String> {
    // As it is kept: with the included files. What cannot be a fleet's is another content all the same.
    if let Ok(whole) = FleetText::read(path) {
        return Some(sha256_hex(whole.text.as_bytes()));
    }
    fs::read(path).ok().map(|bytes| sha256_hex(&bytes))
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

    #[test]
    fn an_included_file_that_comes_or_changes_is_a_new_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.toml");
        fs::create_dir(folder.path().join("apps")).unwrap();
        fs::write(folder.path().join("apps/a.toml"), "[[app]]\n").unwrap();
        fs::write(&path, "include = [\"apps/*.toml\"]\n").unwrap();
        let mut file = WatchedFile::new(path);
        assert!(!file.look());
        for (name, text) in [("apps/a.toml", "[[app]]\nid = \"1\"\n"), ("apps/b.toml", "[[app]]\n")] {
            fs::write(folder.path().join(name), text).unwrap();
            assert!(file.look(), "{name}");
            assert!(!file.look() && file.is_settled());
            file.submitted();
        }
    }
}
