//! Processes of the program: start, signal, stop and observe them.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::wait::eventually;

/// The log line of a process that is ready.
const RUNNING: &str = "running; stop with";

/// The path of the program: next to the tests, or `HOLDFAST_BIN`.
pub(crate) fn holdfast() -> PathBuf {
    if let Some(path) = std::env::var_os("HOLDFAST_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).expect("tests lie in target/PROFILE/deps");
    let binary = profile.join("holdfast");
    let path = binary.display();
    assert!(
        binary.is_file(),
        "there is no {path}: build it with `cargo build -p holdfast`, or set HOLDFAST_BIN"
    );
    binary
}

/// A command of the program in `folder`, without the environment of the tests.
pub(crate) fn command(folder: &Path, arguments: &[&str], env: &BTreeMap<&str, String>) -> Command {
    let mut command = Command::new(holdfast());
    command.current_dir(folder).args(arguments).env_clear().env("PATH", "/usr/bin:/bin").envs(env);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A process of one role, across restarts.
pub(crate) struct Process {
    name: String,
    folder: PathBuf,
    env: BTreeMap<&'static str, String>,
    /// Arguments after the role.
    arguments: &'static [&'static str],
    child: Child,
    lives: u32,
}

impl Process {
    /// Starts the process. `name` is the role and a number, such as `worker-2`.
    pub(crate) fn start(name: &str, folder: &Path, env: &BTreeMap<&'static str, String>) -> Self {
        Self::start_with(name, &[], folder, env)
    }

    /// Starts the process with arguments after its role.
    pub(crate) fn start_with(
        name: &str,
        arguments: &'static [&'static str],
        folder: &Path,
        env: &BTreeMap<&'static str, String>,
    ) -> Self {
        let child = spawn((name, arguments), folder, env, 1);
        Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            env: env.clone(),
            arguments,
            child,
            lives: 1,
        }
    }

    /// The role and the number.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Starts the process again.
    pub(crate) fn start_again(&mut self) {
        self.lives += 1;
        self.child = spawn((&self.name, self.arguments), &self.folder, &self.env, self.lives);
    }

    /// Sends SIGKILL, and waits until the process has ended.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends a signal, such as `-STOP`.
    pub(crate) async fn signal(&self, signal: &str) {
        // A process that has ended needs no signal.
        let Some(id) = self.child.id() else { return };
        let sent = Command::new("kill").args([signal, &id.to_string()]).status().await.unwrap();
        assert!(sent.success());
    }

    /// Sends SIGTERM, waits for the end, and returns the exit code.
    pub(crate) async fn stop(&mut self, within: Duration) -> Option<i32> {
        self.signal("-TERM").await;
        let ended = tokio::time::timeout(within, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("{} does not stop: {}", self.name, self.log())).unwrap().code()
    }

    /// The log since the last start.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(log_path(&self.folder, &self.name, self.lives)).unwrap()
    }

    /// The address of the metrics, once they are served.
    pub(crate) fn listens_at(&self) -> Option<SocketAddr> {
        let log = self.log();
        let address = log.split("address=").nth(1)?;
        address.split_whitespace().next()?.parse().ok()
    }

    /// Waits until the process is ready.
    pub(crate) async fn runs(&mut self, within: Duration) {
        let what = format!("{} runs", self.name);
        eventually(&what, within, async || {
            if let Some(ended) = self.child.try_wait().unwrap() {
                panic!("{} ended by itself ({ended}): {}", self.name, self.log());
            }
            self.log().contains(RUNNING).then_some(())
        })
        .await;
    }

    /// Restarts the process if it ended by itself. Returns a description if it had been ready.
    ///
    /// A process that is still starting may end because a server is missing.
    pub(crate) fn revive(&mut self) -> Option<String> {
        let ended = self.child.try_wait().unwrap()?;
        let log = self.log();
        let had_worked = log.contains(RUNNING);
        let last_lines = log.lines().rev().take(3).collect::<Vec<_>>().join(" / ");
        println!("{} ended by itself ({ended}; had worked: {had_worked}): {last_lines}", self.name);
        self.start_again();
        had_worked.then(|| format!("{} ended by itself ({ended}): {last_lines}", self.name))
    }
}

fn log_path(folder: &Path, name: &str, life: u32) -> PathBuf {
    folder.join(format!("{name}.{life}.log"))
}

fn spawn(
    (name, arguments): (&str, &[&str]),
    folder: &Path,
    env: &BTreeMap<&'static str, String>,
    life: u32,
) -> Child {
    let role = name.split('-').next().unwrap();
    let log = File::create(log_path(folder, name, life)).unwrap();
    let mut command = command(folder, &[&[role, "--color", "never"], arguments].concat(), env);
    if !env.contains_key("HOLDFAST_LOG") {
        command.env("HOLDFAST_LOG", "info");
    }
    command.env("HOLDFAST_LISTEN", "127.0.0.1:0");
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// Fetches a path over HTTP/1.0, which needs no chunked decoding. Empty if the process has ended.
pub(crate) async fn fetched(address: SocketAddr, path: &str) -> String {
    let mut answer = Vec::new();
    if let Ok(mut stream) = TcpStream::connect(address).await {
        let _ = stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).await;
        let _ = stream.read_to_end(&mut answer).await;
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The logs of all processes in this folder, by file name.
pub(crate) fn logs(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.map(|path| (path.file_name().unwrap().display().to_string(), std::fs::read_to_string(path).unwrap()))
        .collect()
}
