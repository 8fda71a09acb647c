//! The memory of this process, and the files that it creates.

/// Keeps other users from the files that this process creates, and everyone from its memory.
///
/// Files get the mode 0600 and folders 0700. The process leaves no core and cannot be traced by others of its user. A
/// system that refuses any of it still runs the program.
#[cfg(unix)]
pub fn harden() {
    use rustix::fs::Mode;
    use rustix::process::{Resource, Rlimit, setrlimit, umask};

    umask(Mode::RWXG | Mode::RWXO);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Nothing: the system has no such limits.
#[cfg(not(unix))]
pub fn harden() {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each test is a process of its own.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_leaves_no_core_and_its_files_are_its_own() {
        use std::os::unix::fs::PermissionsExt as _;

        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

        harden();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let core = getrlimit(Resource::Core);
        assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        std::fs::write(&path, "").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
