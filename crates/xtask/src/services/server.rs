//! One private server: its processes, from start to end.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{family, ports};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How many looks a server gets to come up, or to go down: two minutes, for a machine that is busy compiling.
const LOOKS_MAX: u32 = 2_400;
/// A gentle stop may take this many looks before it is no longer gentle.
const GENTLE_LOOKS_MAX: u32 = 600;

/// What a kind of server has to say about itself.
pub struct Plan {
    /// As it stands in messages.
    pub name: &'static str,
    /// All its files; removed in the end.
    pub folder: PathBuf,
    /// Run one after the other, each in a process group of its own; the last one is the server.
    pub programs: Vec<Command>,
    /// Open once it serves, closed once it is down.
    pub ports: Vec<u16>,
    /// Succeeds once it serves, where open ports do not say so.
    pub probe: Option<Command>,
    /// The signal that asks it to end in good order.
    pub gentle: &'static str,
    /// Killed, it would leave more behind than its processes and its folder.
    pub must_stop: bool,
    /// What a test wants to know about it.
    pub facts: Value,
}

/// A server that can be started, stopped and killed any number of times. Dropped, it is ended and its folder removed.
pub struct Server {
    plan: Plan,
    running: Vec<Child>,
}

impl Server {
    pub fn start(plan: Plan) -> Result<Self> {
        let mut server = Self { plan, running: Vec::new() };
        server.start_again()?;
        Ok(server)
    }

    pub fn facts(&self) -> &Value {
        &self.plan.facts
    }

    pub fn start_again(&mut self) -> Result<()> {
        ensure!(self.running.is_empty(), "{} is running", self.plan.name);
        let log = File::options().create(true).append(true).open(self.log())?;
        for program in &mut self.plan.programs {
            program.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
            let child = program.process_group(0).spawn();
            self.running.push(child.with_context(|| format!("failed to start {}", self.plan.name))?);
        }
        for _ in 0..LOOKS_MAX {
            if self.serves()? {
                return Ok(());
            }
            self.still_runs()?;
            thread::sleep(LOOK);
        }
        bail!("{} does not come up:\n{}", self.plan.name, self.last_words())
    }

    /// Ends it in good order.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(child) = self.running.last_mut() {
            signal(child, self.plan.gentle);
            for _ in 0..GENTLE_LOOKS_MAX {
                if child.try_wait()?.is_some() {
                    break;
                }
                thread::sleep(LOOK);
            }
        }
        self.kill()
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) -> Result<()> {
        let members = family::stand_still(&self.leaders())?;
        family::signal(&members, "KILL");
        for mut child in self.running.drain(..) {
            child.wait()?;
        }
        // A leader may be gone before the rest of its family.
        for _ in 0..LOOKS_MAX {
            if !family::lives(&members)? && !self.plan.ports.iter().any(|port| ports::is_open(*port)) {
                return Ok(());
            }
            thread::sleep(LOOK);
        }
        bail!("{} does not go down", self.plan.name)
    }

    /// Stands it still, as a machine that hangs, or lets it go on.
    pub fn pause(&self, pause: bool) -> Result<()> {
        let leaders = self.leaders();
        if pause { family::stand_still(&leaders).map(drop) } else { family::go_on(&leaders) }
    }

    fn leaders(&self) -> Vec<u32> {
        self.running.iter().map(Child::id).collect()
    }

    fn serves(&mut self) -> Result<bool> {
        if !self.plan.ports.iter().all(|port| ports::is_open(*port)) {
            return Ok(false);
        }
        match &mut self.plan.probe {
            None => Ok(true),
            Some(probe) => Ok(probe.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success()),
        }
    }

    fn still_runs(&mut self) -> Result<()> {
        let mut ended = None;
        for child in &mut self.running {
            ended = ended.or(child.try_wait()?);
        }
        match ended {
            None => Ok(()),
            Some(status) => bail!("{} ended ({status}):\n{}", self.plan.name, self.last_words()),
        }
    }

    fn log(&self) -> PathBuf {
        self.plan.folder.join("output.log")
    }

    fn last_words(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What cannot be ended or removed now will not be by trying longer.
        let _ = if self.plan.must_stop { self.stop() } else { self.kill() };
        let _ = fs::remove_dir_all(&self.plan.folder);
    }
}

/// To the whole group: a server may be started by a script.
fn signal(child: &Child, signal: &str) {
    let kill = format!("kill -{signal} -{}", child.id());
    // An error means that it has ended.
    let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
}

/// Runs a program that prepares a server, silent unless it fails.
pub fn prepare(command: &mut Command) -> Result<()> {
    crate::step::output_of(command).map(drop)
}

/// A folder for all of a server's files, which others may pass through but not list.
pub fn folder(parent: &Path, name: &str) -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let folder = parent.join(name);
    let made = fs::DirBuilder::new().mode(0o711).create(&folder);
    made.with_context(|| format!("failed to make {}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, folder: &Path) -> Plan {
        let mut program = Command::new("sh");
        program.args(["-c", script]);
        Plan {
            name: "shell",
            folder: folder.to_owned(),
            programs: vec![program],
            ports: vec![],
            probe: Some(Command::new("true")),
            gentle: "TERM",
            must_stop: false,
            facts: Value::Null,
        }
    }

    fn own_folder() -> PathBuf {
        folder(&std::env::temp_dir(), &format!("holdfast-{}", super::super::secret::word().unwrap())).unwrap()
    }

    fn runs(pid: &str) -> bool {
        Command::new("sh")
            .args(["-c", &format!("kill -0 {pid}")])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    #[test]
    fn a_dropped_server_leaves_no_process_and_no_folder() {
        let folder = own_folder();
        let mut plan = shell("sleep 600 & echo $! > child; wait", &folder);
        plan.programs[0].current_dir(&folder);
        let mut probe = Command::new("test");
        probe.arg("-s").arg(folder.join("child"));
        plan.probe = Some(probe);
        let server = Server::start(plan).unwrap();
        let child = fs::read_to_string(folder.join("child")).unwrap();
        assert!(runs(child.trim()));
        drop(server);
        assert!(!folder.exists());
        // Somebody else reaps the grandchild, so it may be seen for a moment longer.
        for _ in 0..LOOKS_MAX {
            let state = fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
            if !runs(child.trim()) || state.contains(") Z ") {
                return;
            }
            thread::sleep(LOOK);
        }
        unreachable!("the grandchild lives on");
    }

    #[test]
    fn a_killed_server_is_gone_with_children_that_lead_groups_of_their_own() {
        let folder = own_folder();
        // `set -m` puts the child into a group of its own, as PostgreSQL does with its backends.
        let mut program = Command::new("bash");
        program.args(["-c", "set -m; sleep 600 & echo $! > child; exec sleep 600"]).current_dir(&folder);
        let mut plan = Plan { programs: vec![program], ..shell("", &folder) };
        let mut probe = Command::new("test");
        probe.arg("-s").arg(folder.join("child"));
        plan.probe = Some(probe);
        let mut server = Server::start(plan).unwrap();
        let child = fs::read_to_string(folder.join("child")).unwrap().trim().parse().unwrap();
        let child = std::collections::BTreeSet::from([child]);
        let stat = format!("/proc/{}/stat", child.first().unwrap());
        for paused in [true, false] {
            server.pause(paused).unwrap();
            let seen = || fs::read_to_string(&stat).unwrap().contains(") T ") == paused;
            assert!(
                (0..LOOKS_MAX).any(|_| seen() || {
                    thread::sleep(LOOK);
                    false
                }),
                "paused: {paused}"
            );
        }
        server.kill().unwrap();
        assert!(!family::lives(&child).unwrap());
    }

    #[test]
    fn a_server_that_ends_at_once_is_an_error_with_its_last_words() {
        let mut plan = shell("echo no such luck; exit 3", &own_folder());
        plan.probe = Some(Command::new("false"));
        let error = Server::start(plan).err().unwrap().to_string();
        assert!(error.contains("exit status: 3") && error.contains("no such luck"), "{error}");
    }

    #[test]
    fn a_stopped_server_starts_again() {
        let mut server = Server::start(shell("sleep 600", &own_folder())).unwrap();
        assert!(server.start_again().is_err());
        server.stop().unwrap();
        server.start_again().unwrap();
    }
}
