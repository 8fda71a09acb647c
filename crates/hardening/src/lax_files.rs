//! Files with secrets or with the store that other users of the machine may read.

use std::path::Path;

/// The permissions of a file that other users may read or write, such as `0644`; `None` for any other file, and where
/// the system has no such permissions.
#[cfg(unix)]
pub fn lax_mode(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o006 != 0).then(|| format!("{:04o}", mode & 0o7777))
}

/// Always `None`: the system has no such permissions.
#[cfg(not(unix))]
pub fn lax_mode(_: &Path) -> Option<String> {
    None
}
