use std::collections::BTreeSet;

use super::*;
use crate::services::random;

fn shell(script: &str, folder: &Path) -> ServerSpec {
    let mut program = Command::new("sh");
    program.args(["-c", script]);
    ServerSpec {
        name: "shell",
        folder: folder.to_owned(),
        programs: vec![program],
        ports: vec![],
        probe: Some(Command::new("true")),
        stop_signal: "TERM",
        must_stop: false,
        facts: Value::Null,
    }
}

fn new_folder() -> PathBuf {
    let name = format!("holdfast-{}", random::password().unwrap());
    create_folder(&std::env::temp_dir(), &name).unwrap()
}

/// Succeeds once the program has written its child's id to the file `child`.
fn child_is_known(folder: &Path) -> Command {
    let mut probe = Command::new("test");
    probe.arg("-s").arg(folder.join("child"));
    probe
}

fn eventually(condition: impl Fn() -> bool) -> bool {
    (0..CHECKS_MAX).any(|_| {
        condition() || {
            thread::sleep(CHECK_PAUSE);
            false
        }
    })
}

#[test]
fn a_dropped_server_leaves_no_process_and_no_folder() {
    let folder = new_folder();
    let mut spec = shell("sleep 600 & echo $! > child; wait", &folder);
    spec.programs[0].current_dir(&folder);
    spec.probe = Some(child_is_known(&folder));
    let server = Server::start(spec).unwrap();
    let child = fs::read_to_string(folder.join("child")).unwrap().trim().parse().unwrap();
    let child = BTreeSet::from([child]);
    assert!(process_tree::any_runs(&child).unwrap());
    drop(server);
    assert!(!folder.exists());
    assert!(eventually(|| !process_tree::any_runs(&child).unwrap()), "the grandchild still runs");
}

#[test]
fn a_kill_reaches_children_that_lead_their_own_process_groups() {
    let folder = new_folder();
    // `set -m` puts the child into its own group, as PostgreSQL does with its backends.
    let mut program = Command::new("bash");
    program.args(["-c", "set -m; sleep 600 & echo $! > child; exec sleep 600"]).current_dir(&folder);
    let mut spec = ServerSpec { programs: vec![program], ..shell("", &folder) };
    spec.probe = Some(child_is_known(&folder));
    let mut server = Server::start(spec).unwrap();
    let child = fs::read_to_string(folder.join("child")).unwrap().trim().parse().unwrap();
    let stat = format!("/proc/{child}/stat");
    let is_paused = || fs::read_to_string(&stat).unwrap().contains(") T ");
    server.pause().unwrap();
    assert!(eventually(is_paused));
    server.resume().unwrap();
    assert!(eventually(|| !is_paused()));
    server.kill().unwrap();
    assert!(!process_tree::any_runs(&BTreeSet::from([child])).unwrap());
}

#[test]
fn a_server_that_ends_at_once_is_an_error_with_the_end_of_its_log() {
    let mut spec = shell("echo no such luck; exit 3", &new_folder());
    spec.probe = Some(Command::new("false"));
    let error = Server::start(spec).err().unwrap().to_string();
    assert!(error.contains("exit status: 3") && error.contains("no such luck"), "{error}");
}

#[test]
fn a_stopped_server_starts_again() {
    let mut server = Server::start(shell("sleep 600", &new_folder())).unwrap();
    assert!(server.start_again().is_err());
    server.stop().unwrap();
    server.start_again().unwrap();
}
