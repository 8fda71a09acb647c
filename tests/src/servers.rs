//! Private servers of one test, for tests that stop, kill or pause servers.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Private servers. They stop when this value is dropped or the test's process ends.
#[derive(Debug)]
pub struct Servers {
    guard: Child,
    answers: BufReader<ChildStdout>,
    facts: Value,
}

impl Servers {
    /// Starts servers of these kinds (`postgres`, `rabbitmq`, `azurite`) with further settings.
    /// `None` when tests run without servers.
    ///
    /// # Panics
    ///
    /// If a server does not start.
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

    /// A property of the server of this kind, such as `url` or `admin`.
    ///
    /// # Panics
    ///
    /// If the server has no such property.
    pub fn fact(&self, kind: &str, name: &str) -> &str {
        self.facts[kind][name].as_str().unwrap_or_else(|| panic!("no fact `{name}` of {kind}"))
    }

    /// Runs a command such as `kill rabbitmq`, and returns when it is done.
    /// `start` is done when the server accepts requests.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub fn tell(&mut self, command: &str) {
        let sent = self.guard.stdin.as_mut().map(|stdin| writeln!(stdin, "{command}"));
        assert!(matches!(sent, Some(Ok(()))), "the servers have ended");
        let answer = self.answer();
        assert!(answer["error"].is_null(), "`{command}` failed: {}", answer["error"]);
    }

    /// Runs `rabbitmqctl` on the private RabbitMQ. It takes several seconds.
    ///
    /// # Panics
    ///
    /// If the command fails.
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
        assert!(matches!(read, Ok(1..)), "the servers did not start, or have ended");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A runner that ends a slow test kills its process group. The guard needs its own group to stop the servers.
fn isolated(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}
