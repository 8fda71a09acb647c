//! One private server: its processes, from start to stop.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{ports, process_tree};

/// The pause between two checks of a condition.
const CHECK_PAUSE: Duration = Duration::from_millis(50);
/// The limit for a server to start or to end: two minutes, for a machine that is busy compiling.
const CHECKS_MAX: u32 = 2_400;
/// The limit for a server to stop after its signal, 30 seconds; then it is killed.
const STOP_CHECKS_MAX: u32 = 600;

/// What a kind of server needs to run.
pub struct ServerSpec {
    /// The name in messages.
    pub name: &'static str,
    /// The folder of all its files. Removed when the server is dropped.
    pub folder: PathBuf,
    /// Started in this order, each in its own process group. The last one is the server.
    pub programs: Vec<Command>,
    /// Open when the server is ready, closed when it has ended.
    pub ports: Vec<u16>,
    /// Succeeds when the server is ready; `None` where open ports are enough.
    pub probe: Option<Command>,
    /// The signal that asks the server to stop.
    pub stop_signal: &'static str,
    /// Whether a kill would leave resources other than processes and files, such as shared memory.
    pub must_stop: bool,
    /// What tests can ask about the server, such as `url`.
    pub facts: Value,
}

/// A server that can be started, stopped and killed any number of times. Drop ends it and removes its folder.
pub struct Server {
    spec: ServerSpec,
    running: Vec<Child>,
}

impl Server {
    /// Starts the server and waits until it is ready.
    pub fn start(spec: ServerSpec) -> Result<Self> {
        let mut server = Self { spec, running: Vec::new() };
        server.start_again()?;
        Ok(server)
    }

    pub fn facts(&self) -> &Value {
        &self.spec.facts
    }

    /// Starts a stopped or killed server with the data that it has, and waits until it is ready.
    pub fn start_again(&mut self) -> Result<()> {
        ensure!(self.running.is_empty(), "{} already runs", self.spec.name);
        let log = File::options().create(true).append(true).open(self.log())?;
        for program in &mut self.spec.programs {
            program.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
            let child = program.process_group(0).spawn();
            self.running.push(child.with_context(|| format!("failed to start {}", self.spec.name))?);
        }
        for _ in 0..CHECKS_MAX {
            if self.is_ready()? {
                return Ok(());
            }
            self.check_running()?;
            thread::sleep(CHECK_PAUSE);
        }
        bail!("{} is not ready after two minutes:\n{}", self.spec.name, self.log_tail())
    }

    /// Asks the server to stop, and kills it when it does not.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(child) = self.running.last_mut() {
            signal_group(child, self.spec.stop_signal);
            for _ in 0..STOP_CHECKS_MAX {
                if child.try_wait()?.is_some() {
                    break;
                }
                thread::sleep(CHECK_PAUSE);
            }
        }
        self.kill()
    }

    /// Ends the server at once, as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        let members = process_tree::pause(&self.leaders())?;
        process_tree::signal(&members, "KILL");
        for mut child in self.running.drain(..) {
            child.wait()?;
        }
        // Other processes may run for a moment after their leader has ended.
        for _ in 0..CHECKS_MAX {
            let is_open = self.spec.ports.iter().any(|port| ports::is_open(*port));
            if !process_tree::any_runs(&members)? && !is_open {
                return Ok(());
            }
            thread::sleep(CHECK_PAUSE);
        }
        bail!("{} still runs two minutes after it was killed", self.spec.name)
    }

    /// Suspends the server's processes, as if its machine hung.
    pub fn pause(&self) -> Result<()> {
        process_tree::pause(&self.leaders()).map(drop)
    }

    /// Continues a paused server.
    pub fn resume(&self) -> Result<()> {
        process_tree::resume(&self.leaders())
    }

    fn leaders(&self) -> Vec<u32> {
        self.running.iter().map(Child::id).collect()
    }

    fn is_ready(&mut self) -> Result<bool> {
        if !self.spec.ports.iter().all(|port| ports::is_open(*port)) {
            return Ok(false);
        }
        match &mut self.spec.probe {
            None => Ok(true),
            Some(probe) => Ok(probe.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success()),
        }
    }

    fn check_running(&mut self) -> Result<()> {
        let mut ended = None;
        for child in &mut self.running {
            ended = ended.or(child.try_wait()?);
        }
        match ended {
            None => Ok(()),
            Some(status) => bail!("{} ended ({status}):\n{}", self.spec.name, self.log_tail()),
        }
    }

    fn log(&self) -> PathBuf {
        self.spec.folder.join("output.log")
    }

    /// The last 20 lines of the server's output.
    fn log_tail(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Drop cannot report an error, and a second try would not help.
        let _ = if self.spec.must_stop { self.stop() } else { self.kill() };
        let _ = fs::remove_dir_all(&self.spec.folder);
    }
}

/// Signals the whole process group, because a script may have started the server.
fn signal_group(child: &Child, signal: &str) {
    let kill = format!("kill -{signal} -{}", child.id());
    // An error means that the group has ended.
    let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
}

/// Runs a program that prepares a server. Its output is part of the error if it fails.
pub fn prepare(command: &mut Command) -> Result<()> {
    crate::step::output_of(command).map(drop)
}

/// Creates a folder for a server's files. Other users can open paths below it but not list it.
pub fn create_folder(parent: &Path, name: &str) -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let folder = parent.join(name);
    let created = fs::DirBuilder::new().mode(0o711).create(&folder);
    created.with_context(|| format!("failed to create {}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests;
