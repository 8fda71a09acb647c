//! Running a supervisor: for one test run, or for a developer until `cargo xtask down`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::kind::Kind;
use super::{environment, install};
use crate::{step, terminal};

/// A supervisor and its servers. They stop on drop.
pub struct Session {
    supervisor: Child,
    facts: Option<Value>,
}

impl Session {
    /// Installs missing servers and starts all of them. They become ready in the background.
    pub fn start() -> Result<Self> {
        install::all()?;
        terminal::line("starting PostgreSQL, RabbitMQ and Azurite");
        let supervisor = supervisor()?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        Ok(Self { supervisor: supervisor.context("failed to start the servers")?, facts: None })
    }

    /// Waits until the servers are ready and returns their facts by kind.
    pub fn facts(&mut self) -> Result<Value> {
        if let Some(facts) = &self.facts {
            return Ok(facts.clone());
        }
        let facts = first_line(&mut self.supervisor)?;
        Ok(self.facts.insert(facts).clone())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // Drop cannot report an error.
        let _ = self.supervisor.wait();
    }
}

/// `cargo xtask up`: starts servers that outlive this command, and prints their variables.
pub fn up() -> Result<()> {
    if let Some(facts) = facts_of_up() {
        terminal::line("# the servers already run");
        return show(&facts);
    }
    install::all()?;
    let folder = state_folder();
    if folder.exists() {
        fs::remove_dir_all(&folder).context("failed to remove the state of earlier servers")?;
    }
    fs::create_dir_all(&folder).context("failed to create the folder for the servers' state")?;
    let mut command = supervisor()?;
    command.arg("--control").arg(control()).stdin(Stdio::null()).stdout(Stdio::piped());
    let log = folder.join("supervisor.log");
    let output = File::create(&log).context("failed to open the supervisor's log")?;
    let mut supervisor = command.stderr(output).spawn().context("failed to start the servers")?;
    let facts = first_line(&mut supervisor)
        .with_context(|| fs::read_to_string(&log).unwrap_or_default().trim().to_owned())?;
    show(&facts)
}

/// `cargo xtask down`: stops the servers of `up`.
pub fn down() -> Result<()> {
    if ask("down").is_none() {
        terminal::line("no servers run");
    }
    if state_folder().exists() {
        fs::remove_dir_all(state_folder()).context("failed to remove the servers' state")?;
    }
    Ok(())
}

/// The facts of the servers of `cargo xtask up`, if they run.
pub fn facts_of_up() -> Option<Value> {
    ask("show")
}

fn show(facts: &Value) -> Result<()> {
    for (name, value) in environment::variables(facts)? {
        terminal::line(&format!("export {name}='{value}'"));
    }
    Ok(())
}

fn supervisor() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("failed to find this program")?);
    command.arg("serve").args(Kind::ALL.map(Kind::name));
    // In its own process group Ctrl-C does not reach the supervisor: it sees its stdin close and stops the servers.
    command.process_group(0).current_dir(step::root());
    Ok(command)
}

fn first_line(supervisor: &mut Child) -> Result<Value> {
    let mut line = String::new();
    if let Some(stdout) = supervisor.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).context("failed to read the servers' facts")?;
    }
    if line.is_empty() {
        bail!("the servers did not start ({})", supervisor.wait()?);
    }
    serde_json::from_str(&line).context("failed to parse the servers' facts")
}

fn ask(command: &str) -> Option<Value> {
    let mut socket = UnixStream::connect(control()).ok()?;
    writeln!(socket, "{command}").ok()?;
    let mut answer = String::new();
    BufReader::new(socket).read_line(&mut answer).ok()?;
    serde_json::from_str(&answer).ok()
}

fn state_folder() -> PathBuf {
    step::target_folder().join("services")
}

fn control() -> PathBuf {
    state_folder().join("control")
}
