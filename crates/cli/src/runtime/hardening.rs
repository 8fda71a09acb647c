//! What a process does at its start so that its memory and its files stay its own.

use std::ffi::OsString;

use url::Url;

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

/// Whether an argument of the command line holds a password, which every user of the machine sees in the list of
/// processes.
pub fn has_password(arguments: impl IntoIterator<Item = OsString>) -> bool {
    arguments.into_iter().any(|argument| {
        let Some(argument) = argument.to_str() else { return false };
        let Some(scheme) = argument.find("://") else { return false };
        // `--option=URL` and a bare URL.
        let start = argument[..scheme].rfind('=').map_or(0, |sign| sign + 1);
        let url = Url::parse(&argument[start..]);
        url.is_ok_and(|url| {
            let in_query = url.query_pairs().any(|(key, _)| matches!(&*key, "password" | "sig"));
            url.password().is_some_and(|password| !password.is_empty()) || in_query
        })
    })
}

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

    #[test]
    fn a_password_on_the_command_line_is_seen_in_each_form() {
        let has = |text: &str| has_password(text.split(' ').map(OsString::from));
        for line in [
            "holdfast status --database-url postgres://u:hunter2@db/x",
            "holdfast status --database-url=postgres://u:hunter2@db/x",
            "holdfast run --amqp-url amqps://u:hunter2@broker/%2f",
            "holdfast status --database-url postgres://db/x?user=u&password=hunter2",
        ] {
            assert!(has(line), "{line}");
        }
        for line in [
            "holdfast status --database-url env:HOLDFAST_DB",
            "holdfast status --database-url file:/run/secrets/url",
            "holdfast status --database-url postgres://u@db/x?sslmode=verify-full",
            "holdfast restore shop --probe https://shop.example/health?page=1",
            "holdfast hold shop 7 --reason a://b",
        ] {
            assert!(!has(line), "{line}");
        }
    }
}
