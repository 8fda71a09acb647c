//! Servers for one test alone: one that stops, kills or pauses them must not share them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Private servers; they end with this, and with the test's process however that ends.
#[derive(Debug)]
pub struct Servers {
    guard: Child,
    answers: BufReader<ChildStdout>,
    facts: Value,
}

impl Servers {
    /// Starts servers of these kinds (`postgres`, `rabbitmq`, `azurite`) with further settings; `None` where tests go
    /// without.
    ///
    /// # Panics
    ///
    /// When they do not come up.
    pub fn start(kinds: &[&str], settings: &[&str]) -> Option<Self> {
        let program = crate::service("HOLDFAST_TEST_SERVE")?;
        let mut command = Command::new(&program);
        command.arg("serve").args(kinds);
        for setting in settings {
            command.args(["--set", setting]);
        }
        isolated(&mut command);
        let mut guard = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {program}: {error}"));
        let stdout = guard.stdout.take().unwrap_or_else(|| unreachable!("stdout was asked for"));
        let mut this = Self { guard, answers: BufReader::new(stdout), facts: Value::Null };
        this.facts = this.answer();
        Some(this)
    }

    /// What the server of this kind says about itself, such as `url` or `admin`.
    ///
    /// # Panics
    ///
    /// When it says no such thing.
    pub fn fact(&self, kind: &str, name: &str) -> &str {
        self.facts[kind][name].as_str().unwrap_or_else(|| panic!("no fact `{name}` of {kind}"))
    }

    /// Does what a command says, such as `kill rabbitmq`, and returns when it is done. A server is started when it
    /// serves again.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn tell(&mut self, command: &str) {
        let told = self.guard.stdin.as_mut().map(|stdin| writeln!(stdin, "{command}"));
        assert!(matches!(told, Some(Ok(()))), "the servers are gone");
        let answer = self.answer();
        assert!(answer["error"].is_null(), "`{command}` failed: {}", answer["error"]);
    }

    /// Runs `rabbitmqctl` on the private RabbitMQ. It takes seconds.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn rabbitmqctl(&self, arguments: &[&str]) {
        let mut command = Command::new(self.fact("rabbitmq", "ctl"));
        let env = self.facts["rabbitmq"]["env"].as_object();
        for (name, value) in env.into_iter().flatten() {
            command.env(name, value.as_str().unwrap_or_default());
        }
        let output = command.args(arguments).output().unwrap_or_else(|error| panic!("rabbitmqctl: {error}"));
        assert!(output.status.success(), "rabbitmqctl {arguments:?}: {output:?}");
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        assert!(matches!(read, Ok(1..)), "the servers did not come up, or are gone");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A runner that ends a slow test kills its process group: the guard must live on to end its servers.
fn isolated(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}
