//! Holding a guard: for a test run, or for a developer until `cargo xtask down`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::provider::{self, Provider};
use super::{Kind, exports, install};
use crate::{say, step};

/// A guard of our own and its servers.
pub struct Session {
    guard: Child,
    facts: Option<Value>,
}

impl Session {
    pub fn begin() -> Result<Self> {
        prepare()?;
        say::line("starting PostgreSQL, RabbitMQ and Azurite");
        let guard = guard()?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        Ok(Self { guard: guard.context("failed to start the servers")?, facts: None })
    }

    /// What the servers say about themselves, once they serve.
    pub fn facts(&mut self) -> Result<Value> {
        if let Some(facts) = &self.facts {
            return Ok(facts.clone());
        }
        let facts = first_line(&mut self.guard)?;
        Ok(self.facts.insert(facts).clone())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // The guard has nobody to tell that it failed; what it could not end stays.
        let _ = self.guard.wait();
    }
}

/// `cargo xtask up`
pub fn up() -> Result<()> {
    if let Some(facts) = facts_of_up() {
        say::line("# up already");
        return show(&facts);
    }
    prepare()?;
    let folder = state_folder();
    if folder.exists() {
        fs::remove_dir_all(&folder).context("failed to remove what is left of servers that are gone")?;
    }
    fs::create_dir_all(&folder).context("failed to make the folder of the servers' state")?;
    let mut command = guard()?;
    command.arg("--control").arg(control()).stdin(Stdio::null()).stdout(Stdio::piped());
    let log = File::create(folder.join("guard.log")).context("failed to open the guard's log")?;
    let mut guard = command.stderr(log).spawn().context("failed to start the servers")?;
    let facts = first_line(&mut guard).with_context(|| {
        fs::read_to_string(folder.join("guard.log")).unwrap_or_default().trim().to_owned()
    })?;
    show(&facts)
}

/// `cargo xtask down`
pub fn down() -> Result<()> {
    if ask("down").is_none() {
        say::line("nothing is up");
    }
    if state_folder().exists() {
        fs::remove_dir_all(state_folder()).context("failed to remove the servers' state")?;
    }
    Ok(())
}

/// The servers of `cargo xtask up`, if they run.
pub fn facts_of_up() -> Option<Value> {
    ask("show")
}

fn show(facts: &Value) -> Result<()> {
    for (name, value) in exports(facts)? {
        say::line(&format!("export {name}='{value}'"));
    }
    Ok(())
}

/// Sees to it that the guard finds its servers.
fn prepare() -> Result<()> {
    match provider::choose(&Kind::ALL)? {
        Provider::Native => install::all()?,
        Provider::Compose(engine) => {
            say::line(&format!("# the servers run in containers, by {}", engine.program()));
        }
    }
    Ok(())
}

fn guard() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("failed to find this program")?);
    command.arg("serve").args(Kind::ALL.map(Kind::name));
    // In a group of its own no Ctrl-C reaches it: it sees its stdin end, and takes the servers down in peace.
    command.process_group(0).current_dir(step::root());
    Ok(command)
}

fn first_line(guard: &mut Child) -> Result<Value> {
    let mut line = String::new();
    if let Some(stdout) = guard.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).context("failed to hear from the servers")?;
    }
    if line.is_empty() {
        bail!("the servers did not come up ({})", guard.wait()?);
    }
    serde_json::from_str(&line).context("failed to read what the servers say")
}

fn ask(question: &str) -> Option<Value> {
    let mut socket = UnixStream::connect(control()).ok()?;
    writeln!(socket, "{question}").ok()?;
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
