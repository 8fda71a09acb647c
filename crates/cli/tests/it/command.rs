//! Runs the program in a separate folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A fleet file for commands that reach no server and read no secret: a storage, and the policy `gold`, whose table is last.
pub const FLEET: &str = r#"[azure]
credential = { kind = "azure_cli" }

[storage.weu]
container = "https://acct.blob.core.windows.net/backups"
sas = { mint = "account_key", key = "env:HOLDFAST_NOBODY_SETS_THIS" }

[policy.gold]
schedule = "30 2 * * *"
timezone = "Europe/Paris"
storage  = "weu"
"#;

/// A folder in which the program is run.
pub struct Place {
    folder: TempDir,
}

/// How a run of the program ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Runs `holdfast` with the words of `line`.
    pub fn run(&self, line: &str) -> Ended {
        Ended::from(command(self.folder.path(), line).output().unwrap())
    }

    /// Runs `holdfast` and reads its one JSON document.
    pub fn json(&self, line: &str) -> Value {
        let ended = self.run(&format!("{line} --output json"));
        serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}{}", ended.out, ended.err))
    }

    /// Runs `holdfast` with a closed stdout.
    pub fn run_unread(&self, line: &str) -> Ended {
        let mut child =
            command(self.folder.path(), line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        Ended::from(child.wait_with_output().unwrap())
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// `holdfast` in a folder, with none of the caller's settings.
pub fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.current_dir(folder).args(line.split_whitespace()).stdin(Stdio::null()).env("TZ", "UTC");
    for name in [
        "HOLDFAST_FLEET",
        "HOLDFAST_STORE",
        "HOLDFAST_LOG",
        "HOLDFAST_LISTEN",
        "HOLDFAST_SERVER",
        "HOLDFAST_TOKEN",
        "NO_COLOR",
        "COLUMNS",
    ] {
        command.env_remove(name);
    }
    command
}
