//! Checkpoints read from files, folders and containers, and their signatures.

use std::collections::BTreeSet;
use std::path::Path;

use futures::{StreamExt as _, TryStreamExt as _};
use holdfast_model::Timestamp;
use holdfast_storage::AppendContainer;

use super::checkpoint::{Checkpoint, InvalidCheckpoint};
use super::key::VerifyingKey;
use crate::{Error, ErrorKind};

/// Blobs that are read at once.
const AT_ONCE: usize = 16;

/// Checkpoints, and where each was read.
#[derive(Debug, Default)]
pub struct CheckpointLines {
    lines: Vec<(String, Checkpoint)>,
    /// Lines that were cut off, as by a full disk.
    pub torn: Vec<String>,
}

impl CheckpointLines {
    /// Reads a file with a checkpoint a line, or each file of a folder.
    pub fn of_path(path: &Path) -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            let what = format!("the checkpoints {} cannot be read: {error}", path.display());
            Error::new(ErrorKind::NotFound, what)
        };
        let mut found = Self::default();
        let mut folders = vec![path.to_owned()];
        while let Some(next) = folders.pop() {
            if !next.is_dir() {
                let text = std::fs::read_to_string(&next).map_err(failed)?;
                found.add(&next.display().to_string(), &text)?;
                continue;
            }
            let inside = std::fs::read_dir(&next).map_err(failed)?;
            let inside: Result<Vec<_>, _> = inside.map(|entry| entry.map(|entry| entry.path())).collect();
            folders.extend(inside.map_err(failed)?);
        }
        Ok(found)
    }

    /// Reads every blob of a container whose name begins with `prefix`.
    pub async fn of_container(
        container: &AppendContainer,
        prefix: &str,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let names = container.list(prefix, now).await?;
        let read = async |name: String| {
            let text = container.read(&name, now).await?;
            Ok::<_, Error>((name, text.unwrap_or_default()))
        };
        let blobs = futures::stream::iter(names).map(read).buffered(AT_ONCE);
        let blobs: Vec<(String, String)> = blobs.try_collect().await?;
        let mut found = Self::default();
        blobs.iter().try_for_each(|(name, text)| found.add(name, text))?;
        Ok(found)
    }

    fn add(&mut self, origin: &str, text: &str) -> Result<(), Error> {
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let origin = format!("line {number} of {origin}");
            match Checkpoint::parse(line) {
                Ok(checkpoint) => self.lines.push((origin, checkpoint)),
                Err(InvalidCheckpoint::Torn) => self.torn.push(origin),
                Err(error) => return Err(Error::new(ErrorKind::Refused, format!("{origin}: {error}"))),
            }
        }
        Ok(())
    }

    /// The checkpoints of a fleet; where none is named, of the only fleet that is there.
    pub fn of_fleet(&self, name: Option<&str>) -> Result<(String, Vec<Checkpoint>), Error> {
        let names: BTreeSet<&str> =
            self.lines.iter().map(|(_, line)| line.statement.fleet.as_str()).collect();
        let all = || names.iter().copied().collect::<Vec<_>>().join(", ");
        let name = match (name, names.len()) {
            (Some(name), _) if names.contains(name) => name.to_owned(),
            (Some(name), _) => {
                let what = format!("there is no checkpoint of the fleet `{name}`");
                let help = if names.is_empty() {
                    "the file or container holds none: a checkpoint that was removed proves nothing"
                        .to_owned()
                } else {
                    format!("there are checkpoints of: {}", all())
                };
                return Err(Error::new(ErrorKind::Refused, what).help(help));
            }
            (None, 1) => names.iter().copied().collect(),
            (None, 0) => return Err(Error::new(ErrorKind::Refused, "there is no checkpoint")),
            (None, _) => {
                let what = format!("there are checkpoints of several fleets: {}", all());
                return Err(Error::new(ErrorKind::Invalid, what).help("name one with --name"));
            }
        };
        let of = self.lines.iter().filter(|(_, line)| line.statement.fleet == name);
        let of = of.map(|(_, line)| line.clone()).collect();
        Ok((name, of))
    }

    /// An error unless each checkpoint of the fleet is signed by one of the keys.
    pub fn require_signed(&self, fleet: &str, keys: &[VerifyingKey]) -> Result<(), Error> {
        let of_fleet = self.lines.iter().filter(|(_, line)| line.statement.fleet == fleet);
        let Some((origin, line)) = of_fleet.into_iter().find(|(_, line)| !line.is_signed_by(keys)) else {
            return Ok(());
        };
        let is_known = keys.iter().any(|key| key.id() == line.key);
        let what = if is_known {
            format!(
                "{origin}: the checkpoint was changed or forged: it is not what the key {} signed",
                line.key
            )
        } else {
            format!("{origin}: the checkpoint names the key {}, which is none of the given ones", line.key)
        };
        Err(Error::new(ErrorKind::Refused, what)
            .help("--public-key can be given several times, once for each key"))
    }
}
