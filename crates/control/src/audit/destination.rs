//! Where checkpoints are written: places that take new text and keep the old.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use holdfast_storage::AppendContainer;

use super::checkpoint::{Checkpoint, Statement};

/// A place that checkpoints are written to.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Its name, as the fleet file writes it.
    fn name(&self) -> String;

    /// Appends a checkpoint, durably. The error says why it was not written.
    async fn append(&self, checkpoint: &Checkpoint) -> Result<(), String>;
}

/// A file with a checkpoint a line.
#[derive(Debug, Clone)]
pub struct CheckpointFile(pub PathBuf);

#[async_trait]
impl Destination for CheckpointFile {
    fn name(&self) -> String {
        format!("file:{}", self.0.display())
    }

    async fn append(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let (path, line) = (self.0.clone(), checkpoint.line());
        let appended = tokio::task::spawn_blocking(move || append(&path, &line)).await;
        let appended = appended.unwrap_or_else(|error| Err(io::Error::other(error)));
        appended.map_err(|error| format!("failed to write to {}: {error}", self.0.display()))
    }
}

/// Appends a line and waits until it is on the disk. A line that was cut off before it is ended first.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let before = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{before}{line}\n").as_bytes())?;
    file.sync_all()
}

/// A container that receives a new blob for each checkpoint.
#[derive(Debug)]
pub struct CheckpointContainer {
    /// The name of the storage.
    pub storage: String,
    /// Its container.
    pub container: AppendContainer,
}

#[async_trait]
impl Destination for CheckpointContainer {
    fn name(&self) -> String {
        format!("storage:{}", self.storage)
    }

    async fn append(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let Statement { at, .. } = checkpoint.statement;
        let name = blob_name(&checkpoint.statement);
        let content = format!("{}\n", checkpoint.line());
        self.container.create(&name, &content, at).await.map_err(|error| error.to_string())
    }
}

/// What the names of a fleet's blobs begin with.
pub fn blob_prefix(fleet: &str) -> String {
    format!("{fleet}/")
}

/// The name of a checkpoint's blob. The order of names is the order of events.
fn blob_name(statement: &Statement) -> String {
    let Statement { fleet, seq, at, .. } = statement;
    format!("{}{seq:012}-{}.json", blob_prefix(fleet), at.format("%Y%m%dT%H%M%S%3fZ"))
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::tests::{key, statement};
    use super::*;

    #[tokio::test]
    async fn a_file_keeps_what_it_has_and_ends_a_line_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let file = CheckpointFile(folder.path().join("checkpoints.jsonl"));
        let made = Checkpoint::sign(statement(1, "a"), &key());
        file.append(&made).await.unwrap();
        OpenOptions::new().append(true).open(&file.0).unwrap().write_all(b"{\"checkpoint\":1,").unwrap();
        file.append(&made).await.unwrap();
        let text = std::fs::read_to_string(&file.0).unwrap();
        assert_eq!(text, format!("{0}\n{{\"checkpoint\":1,\n{0}\n", made.line()));
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_named() {
        let file = CheckpointFile(PathBuf::from("/nowhere/checkpoints.jsonl"));
        let error = file.append(&Checkpoint::sign(statement(1, "a"), &key())).await.unwrap_err();
        assert!(error.starts_with("failed to write to /nowhere/checkpoints.jsonl: "), "{error}");
    }

    #[test]
    fn blobs_are_named_in_the_order_of_events() {
        assert_eq!(blob_name(&statement(7, "a")), "contoso/000000000007-20261129T020000000Z.json");
    }
}
