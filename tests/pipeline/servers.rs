//! Servers of a test's own, which it may kill: the program named by `HOLDFAST_TEST_SERVE` holds them.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Servers that live as long as this value.
pub(crate) struct Servers {
    guard: Child,
    answers: Lines<BufReader<ChildStdout>>,
    facts: Value,
}

impl Servers {
    /// Starts servers and waits until they serve; `None` where tests may pass without. Each setting is a line of their
    /// configuration.
    pub(crate) fn start(kinds: &[&str], settings: &[&str]) -> Option<Self> {
        let program = holdfast_tests::service("HOLDFAST_TEST_SERVE")?;
        let mut command = Command::new(program);
        command.arg("serve").args(kinds);
        command.args(settings.iter().flat_map(|setting| ["--set", setting]));
        let mut guard = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut answers = BufReader::new(guard.stdout.take().unwrap()).lines();
        let first = tokio::task::block_in_place(|| answers.next());
        let facts = first.expect("the servers come up").unwrap();
        Some(Self { guard, answers, facts: serde_json::from_str(&facts).unwrap() })
    }

    /// A fact of a server, such as its `url`.
    pub(crate) fn fact(&self, server: &str, name: &str) -> String {
        self.facts[server][name].as_str().expect("a fact that the servers tell").to_owned()
    }

    /// Where a server listens.
    pub(crate) fn port(&self, server: &str) -> u16 {
        self.facts[server]["port"].as_u64().unwrap().try_into().unwrap()
    }

    /// Carries out a command such as `kill rabbitmq`, and returns when it is done.
    pub(crate) fn tell(&mut self, command: &str) {
        let answer = tokio::task::block_in_place(|| {
            writeln!(self.guard.stdin.as_mut().unwrap(), "{command}").unwrap();
            self.answers.next().expect("the servers' guard lives").unwrap()
        });
        assert!(answer.contains("\"done\""), "`{command}`: {answer}");
    }

    /// Runs `rabbitmqctl`.
    pub(crate) async fn rabbitmqctl(&self, arguments: &[&str]) {
        let mut ctl = tokio::process::Command::new(self.fact("rabbitmq", "ctl"));
        let env = self.facts["rabbitmq"]["env"].as_object().unwrap();
        ctl.envs(env.iter().map(|(name, value)| (name, value.as_str().unwrap())));
        let done = ctl.args(arguments).output().await.unwrap();
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
