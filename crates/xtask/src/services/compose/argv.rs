//! What is said to Compose: the arguments of each command, after `docker` or `podman`.

use std::path::Path;

use super::super::Kind;

/// How long servers may take to come up, their images being there already.
const COME_UP_S: &str = "120";
/// How long a gentle stop may take before it is no longer gentle.
const GENTLE_S: &str = "30";

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// Stands before every command: which file, and which project of those that may run beside each other.
pub fn of_project(file: &Path, project: &str) -> Vec<String> {
    words(&["compose", "--file", &file.display().to_string(), "--project-name", project])
}

/// Starts servers, those too that were stopped or killed, and returns once they are healthy. A container is kept if it
/// is there: it holds the server's data.
pub fn up(kinds: &[Kind]) -> Vec<String> {
    let mut up =
        words(&["up", "--detach", "--quiet-pull", "--no-recreate", "--wait", "--wait-timeout", COME_UP_S]);
    up.extend(kinds.iter().map(|kind| kind.name().to_owned()));
    up
}

/// What a guard's command is to Compose; `None` for a verb that there is not.
pub fn of_verb(verb: &str, kind: Kind) -> Option<Vec<String>> {
    match verb {
        "start" => Some(up(&[kind])),
        "stop" => Some(words(&["stop", "--timeout", GENTLE_S, kind.name()])),
        "kill" => Some(words(&["kill", kind.name()])),
        "pause" => Some(words(&["pause", kind.name()])),
        "resume" => Some(words(&["unpause", kind.name()])),
        _ => None,
    }
}

/// Asks which port of this machine leads to a container's.
pub fn port(kind: Kind, inside: u16) -> Vec<String> {
    words(&["port", kind.name(), &inside.to_string()])
}

/// The last words of all servers.
pub fn logs() -> Vec<String> {
    words(&["logs", "--no-color", "--tail", "20"])
}

/// Removes everything, and asks nobody to end in good order: nothing is kept.
pub fn down() -> Vec<String> {
    words(&["down", "--volumes", "--remove-orphans", "--timeout", "0"])
}

/// Runs a program beside the server. Without a terminal: a test has none.
pub fn exec(kind: Kind, program: &str) -> Vec<String> {
    words(&["exec", "--no-TTY", kind.name(), program])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_come_up_as_they_were_left() {
        let up = up(&[Kind::Postgres, Kind::Rabbitmq]).join(" ");
        assert_eq!(up, "up --detach --quiet-pull --no-recreate --wait --wait-timeout 120 postgres rabbitmq");
    }

    #[test]
    fn every_verb_of_the_guard_is_a_command_of_compose() {
        let of = |verb| of_verb(verb, Kind::Postgres).map(|words| words.join(" "));
        assert_eq!(of("start"), Some(up(&[Kind::Postgres]).join(" ")));
        assert_eq!(of("stop").as_deref(), Some("stop --timeout 30 postgres"));
        assert_eq!(of("kill").as_deref(), Some("kill postgres"));
        assert_eq!(of("pause").as_deref(), Some("pause postgres"));
        assert_eq!(of("resume").as_deref(), Some("unpause postgres"));
        assert_eq!(of("burn"), None);
    }

    #[test]
    fn a_command_names_its_file_and_its_project() {
        let all = of_project(Path::new("/a/tests.yml"), "holdfast-1").join(" ");
        assert_eq!(all, "compose --file /a/tests.yml --project-name holdfast-1");
        assert_eq!(port(Kind::Azurite, 10_000).join(" "), "port azurite 10000");
        assert_eq!(exec(Kind::Rabbitmq, "rabbitmqctl").join(" "), "exec --no-TTY rabbitmq rabbitmqctl");
        assert_eq!(down().join(" "), "down --volumes --remove-orphans --timeout 0");
        assert_eq!(logs().join(" "), "logs --no-color --tail 20");
    }
}
