//! One process works on a file.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::Error;

/// Says that this process, and no other, works on a store's file. The operating system lets go of it when the
/// process ends, however it ends.
#[derive(Debug)]
pub struct OneProcess {
    _held: File,
}

impl OneProcess {
    /// Takes the lock that lies beside the store's file, or answers [`Error::InUse`].
    pub fn lock(store: &Path) -> Result<Self, Error> {
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
