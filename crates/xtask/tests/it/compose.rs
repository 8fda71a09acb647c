//! Sessions, from their start to their end.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::engine::Engine;

const UP: &str = "up --detach --quiet-pull --no-recreate --wait --wait-timeout 120";
const DOWN: &str = "down --volumes --remove-orphans --timeout 0";

/// `xtask serve`, and what it answers.
struct Guard {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Guard {
    fn start(engine: &Engine, arguments: &[&str]) -> (Self, Value) {
        let mut command = engine.xtask(&["serve"]);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut this = Self { child, answers };
        let facts = this.answer();
        (this, facts)
    }

    fn tell(&mut self, command: &str) -> Value {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn a_tests_own_servers_are_killed_stopped_paused_and_gone_with_it() {
    let engine = Engine::new();
    let (mut guard, facts) =
        Guard::start(&engine, &["rabbitmq", "postgres", "--set", "consumer_timeout = 500"]);
    assert_eq!(fs::read_to_string(engine.path("settings")).unwrap(), "consumer_timeout = 500");
    for command in ["kill rabbitmq", "start rabbitmq", "stop postgres", "start postgres"] {
        assert_eq!(guard.tell(command)["done"], command);
    }
    for command in ["pause postgres", "resume postgres"] {
        assert_eq!(guard.tell(command)["done"], command);
    }
    assert_eq!(guard.tell("show"), facts);
    assert_eq!(guard.tell("kill azurite")["error"], "there is no server `azurite`");
    assert_eq!(guard.tell("burn postgres")["error"], "there is no command `burn`");
    guard.end();
    let (told, _) = engine.told();
    let expected = [
        &format!("{UP} rabbitmq postgres"),
        "port rabbitmq 5672",
        "port rabbitmq 15672",
        "port postgres 5432",
        "kill rabbitmq",
        &format!("{UP} rabbitmq"),
        "stop --timeout 30 postgres",
        &format!("{UP} postgres"),
        "pause postgres",
        "unpause postgres",
        DOWN,
    ];
    assert_eq!(told, expected);
}

#[test]
fn rabbitmqctl_runs_in_the_container() {
    let engine = Engine::new();
    let (guard, facts) = Guard::start(&engine, &["rabbitmq"]);
    let broker = &facts["rabbitmq"];
    let mut ctl = Command::new(broker["ctl"].as_str().unwrap());
    for (name, value) in broker["env"].as_object().unwrap() {
        ctl.env(name, value.as_str().unwrap());
    }
    let path = engine.xtask(&[]).get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap().to_owned();
    assert!(ctl.env("PATH", path).args(["eval", "a b."]).status().unwrap().success());
    guard.end();
    let (told, _) = engine.told();
    assert_eq!(told[told.len() - 2], "exec --no-TTY rabbitmq rabbitmqctl eval a b.");
}

#[test]
fn servers_that_do_not_come_up_are_removed_and_their_last_words_told() {
    let engine = Engine::new();
    engine.fail("up");
    let output = engine.xtask(&["serve", "postgres"]).stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("the server's last words"), "{error}");
    assert!(error.contains("no such luck"), "{error}");
    let (told, _) = engine.told();
    assert_eq!(told, [&format!("{UP} postgres"), "logs --no-color --tail 20", DOWN]);
}

#[test]
fn a_command_that_fails_is_answered_so_and_the_servers_go_on() {
    let engine = Engine::new();
    engine.fail("kill");
    let (mut guard, _) = Guard::start(&engine, &["postgres"]);
    let error = guard.tell("kill postgres")["error"].as_str().unwrap().to_owned();
    let password = fs::read_to_string(engine.path("password")).unwrap();
    assert!(error.contains("no such luck") && !error.contains(&password), "{error}");
    assert_eq!(guard.tell("stop postgres")["done"], "stop postgres");
    guard.end();
}

#[test]
fn without_an_engine_whoever_asks_for_one_hears_what_is_missing() {
    let engine = Engine::new();
    engine.fail("info");
    for task in ["up", "test"] {
        let output = engine.xtask(&[task]).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{task}");
        for what in ["HOLDFAST_TEST_COMPOSE=1", "docker: no engine answers", "podman: no engine answers"] {
            assert!(error.contains(what), "{task}: {error}");
        }
    }
}

#[test]
fn a_setting_that_a_container_cannot_have_is_refused_before_anything_starts() {
    let engine = Engine::new();
    let setting = "listeners.ssl.1 = 127.0.0.1:5671";
    let serve = engine.xtask(&["serve", "rabbitmq", "--set", setting]).stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8(serve.stderr).unwrap();
    assert!(error.contains(setting) && error.contains("cannot be had under Compose"), "{error}");
    assert!(!fs::read_to_string(engine.path("told")).unwrap().contains("--project-name"));
}

#[test]
fn a_developers_servers_stay_up_until_they_are_taken_down() {
    let engine = Engine::new();
    let up = engine.xtask(&["up"]).output().unwrap();
    let exports = String::from_utf8_lossy(&up.stdout).into_owned();
    let control = engine.path("target/services/control");
    let shown = UnixStream::connect(&control).and_then(|mut socket| {
        writeln!(socket, "kill postgres\nstart postgres")?;
        BufReader::new(socket).lines().take(2).collect::<Result<Vec<_>, _>>()
    });
    let down = engine.xtask(&["down"]).output().unwrap();
    assert!(up.status.success() && down.status.success(), "{up:?} {down:?}");
    assert_eq!(shown.unwrap(), [r#"{"done":"kill postgres"}"#, r#"{"done":"start postgres"}"#]);
    let password = fs::read_to_string(engine.path("password")).unwrap();
    assert!(
        exports.contains(&format!(
            "export HOLDFAST_TEST_DATABASE_URL='postgres://postgres:{password}@127.0.0.1:"
        ))
    );
    for variable in
        ["AMQP_URL='amqp://holdfast:", "AMQP_ADMIN='http://holdfast:", "AZURITE_URL='http://127.0.0.1:"]
    {
        assert!(exports.contains(&format!("export HOLDFAST_TEST_{variable}")), "{variable}: {exports}");
    }
    assert!(exports.contains("export HOLDFAST_TEST_COMPOSE='1'"), "{exports}");
    let (told, project) = engine.told();
    assert_eq!(told[0], format!("{UP} postgres rabbitmq azurite"));
    assert_eq!(told[told.len() - 3..], ["kill postgres", &format!("{UP} postgres"), DOWN]);
    assert!(project.starts_with("holdfast-") && project.len() == "holdfast-".len() + 32, "{project}");
    assert!(!control.exists());
}
