//! The lock that gives a file to one process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{Error, Result};

/// Ownership of a store's file by this process. The operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct OneProcess {
    _held: File,
}

impl OneProcess {
    /// Takes the lock file beside the store's file. Fails with [`Error::InUse`] while another process has it.
    pub fn lock(store: &Path) -> Result<Self> {
        let mut path = store.as_os_str().to_owned();
        path.push(".lock");
        let wrong = |why: String| Error::Open { place: store.display().to_string(), why, source: None };
        let missing = store.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
        if let Some(folder) = missing {
            return Err(wrong(format!("the folder {} does not exist; make it first", folder.display())));
        }
        let cannot = |error: &std::io::Error| {
            wrong(format!("its lock file {} cannot be used: {error}", Path::new(&path).display()))
        };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| cannot(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _held: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(store.to_owned())),
            Err(TryLockError::Error(error)) => Err(cannot(&error)),
        }
    }
}
