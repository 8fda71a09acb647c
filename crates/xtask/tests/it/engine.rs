//! A `docker` that has no engine: it writes down what it is told, and answers as one that has.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A command fails where a file `COMMAND-fails` stands beside the script. A container's port is the one that it was given.
const SCRIPT: &str = r#"#!/bin/sh
here=$(dirname "$0")
printf '%s\n' "$*" >> "$here/told"
case "$*" in
    "compose version --short") command=version ;;
    info) command=info ;;
    *) command=$6 ;;
esac
if [ -e "$here/$command-fails" ]; then echo "no such luck" >&2; exit 1; fi
case "$command" in
    version) echo 2.39.1 ;;
    port)
        case "$7 $8" in
            "postgres 5432") echo "127.0.0.1:$HOLDFAST_TEST_POSTGRES_PORT" ;;
            "rabbitmq 5672") echo "127.0.0.1:$HOLDFAST_TEST_RABBITMQ_PORT" ;;
            "rabbitmq 15672") echo "127.0.0.1:$HOLDFAST_TEST_RABBITMQ_ADMIN_PORT" ;;
            "azurite 10000") echo "127.0.0.1:$HOLDFAST_TEST_AZURITE_PORT" ;;
            *) exit 1 ;;
        esac ;;
    up)
        printf '%s' "$HOLDFAST_TEST_RABBITMQ_SETTINGS" > "$here/settings"
        printf '%s' "$HOLDFAST_TEST_POSTGRES_PASSWORD" > "$here/password" ;;
    logs) echo "the server's last words" ;;
esac
"#;

pub struct Engine {
    folder: TempDir,
}

impl Engine {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for program in ["docker", "podman"] {
            let program = folder.path().join(program);
            fs::write(&program, SCRIPT).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    /// From now on this command fails.
    pub fn fail(&self, command: &str) {
        fs::write(self.path(&format!("{command}-fails")), "").unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it was told after the words that name the project, and the project's name.
    pub fn told(&self) -> (Vec<String>, String) {
        let text = fs::read_to_string(self.path("told")).unwrap();
        let of_project = text.lines().filter_map(|line| line.split_once(" --project-name "));
        let split: Vec<_> = of_project.map(|(_, rest)| rest.split_once(' ').unwrap()).collect();
        let project = split[0].0.to_owned();
        assert!(split.iter().all(|(name, _)| *name == project), "one project: {text}");
        (split.into_iter().map(|(_, rest)| rest.to_owned()).collect(), project)
    }

    /// xtask on a machine with this engine.
    pub fn xtask(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast-xtask"));
        let path = std::env::var("PATH").unwrap();
        command.args(arguments).env("PATH", format!("{}:{path}", self.folder.path().display()));
        // What this test itself was told of servers does not hold there.
        command.env_remove("HOLDFAST_TEST_SERVE").env_remove("HOLDFAST_WITHOUT_SERVICES");
        command.env("HOLDFAST_TEST_COMPOSE", "1").env("CARGO_TARGET_DIR", self.path("target"));
        command
    }
}
