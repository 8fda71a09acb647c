//! One project of Compose: servers that come and go together.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::super::{Kind, azurite, ports, postgres, rabbitmq, secret};
use super::engine::Engine;
use super::{argv, settings};
use crate::{say, step};

/// Servers in containers. Dropped, they are gone with all they kept.
pub struct Project {
    engine: Engine,
    /// Nobody else's.
    name: String,
    /// What `deploy/compose/tests.yml` asks for: every command reads the whole file.
    env: BTreeMap<&'static str, String>,
    facts: BTreeMap<&'static str, Value>,
}

impl Project {
    /// All at once. Files that a test wants go to `folder`.
    pub fn start(engine: Engine, kinds: &[Kind], folder: &Path, settings: &[String]) -> Result<Self> {
        let name = format!("holdfast-{}", secret::word()?);
        let mut project = Self { engine, name, env: environment(kinds, settings)?, facts: BTreeMap::new() };
        project.tell(&argv::up(kinds)).with_context(|| project.last_words())?;
        for kind in kinds {
            let mut facts = project.facts_of(*kind, folder)?;
            facts["compose"] = project.name.as_str().into();
            project.facts.insert(kind.name(), facts);
        }
        Ok(project)
    }

    pub fn facts(&self) -> Value {
        json!(self.facts)
    }

    /// Does what a guard's command says.
    pub fn carry_out(&self, verb: &str, kind: &str) -> Result<()> {
        let found = Kind::ALL.into_iter().find(|known| known.name() == kind && self.facts.contains_key(kind));
        let kind = found.with_context(|| format!("there is no server `{kind}`"))?;
        let arguments = argv::of_verb(verb, kind).with_context(|| format!("there is no command `{verb}`"))?;
        self.tell(&arguments).map(drop)
    }

    fn facts_of(&self, kind: Kind, folder: &Path) -> Result<Value> {
        match kind {
            Kind::Postgres => {
                let port = self.port(kind, 5432)?;
                Ok(json!({ "url": postgres::url(&self.env[POSTGRES_PASSWORD], port), "port": port }))
            }
            Kind::Rabbitmq => self.broker(folder),
            Kind::Azurite => Ok(azurite::facts(self.port(kind, 10_000)?)),
        }
    }

    fn broker(&self, folder: &Path) -> Result<Value> {
        let (port, admin) = (self.port(Kind::Rabbitmq, 5672)?, self.port(Kind::Rabbitmq, 15_672)?);
        let [url, admin] = rabbitmq::urls(&self.env[RABBITMQ_PASSWORD], [port, admin]);
        let ctl = folder.join("rabbitmqctl");
        let words = self.words(&argv::exec(Kind::Rabbitmq, "rabbitmqctl"));
        fs::write(&ctl, script(self.engine.program(), &words))?;
        fs::set_permissions(&ctl, fs::Permissions::from_mode(0o755))?;
        Ok(json!({ "url": url, "admin": admin, "port": port, "ctl": ctl, "env": self.env }))
    }

    /// Where a container's port is found on this machine.
    fn port(&self, kind: Kind, inside: u16) -> Result<u16> {
        let answer = self.tell(&argv::port(kind, inside))?;
        let port = answer.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        port.with_context(|| format!("failed to read the port of {} in `{}`", kind.name(), answer.trim()))
    }

    fn words(&self, arguments: &[String]) -> Vec<String> {
        let mut words = argv::of_project(&file(), &self.name);
        words.extend_from_slice(arguments);
        words
    }

    fn tell(&self, arguments: &[String]) -> Result<String> {
        let mut command = Command::new(self.engine.program());
        step::output_of(command.args(self.words(arguments)).envs(&self.env).stdin(Stdio::null()))
    }

    fn last_words(&self) -> String {
        let logs = self.tell(&argv::logs()).unwrap_or_default();
        format!("the servers do not come up:\n{}", logs.trim())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if let Err(error) = self.tell(&argv::down()) {
            say::error(&error.context(format!("failed to remove the containers of {}", self.name)));
        }
    }
}

const POSTGRES_PASSWORD: &str = "HOLDFAST_TEST_POSTGRES_PASSWORD";
const RABBITMQ_PASSWORD: &str = "HOLDFAST_TEST_RABBITMQ_PASSWORD";

fn file() -> PathBuf {
    step::root().join("deploy/compose/tests.yml")
}

/// The ports are chosen here, and not by the engine, which would choose anew for a server that is started again.
fn environment(kinds: &[Kind], settings: &[String]) -> Result<BTreeMap<&'static str, String>> {
    let of = |kind| if kinds.contains(&kind) { settings::text(kind, settings) } else { Ok(String::new()) };
    Ok(BTreeMap::from([
        (POSTGRES_PASSWORD, secret::word()?),
        ("HOLDFAST_TEST_POSTGRES_PORT", ports::free()?.to_string()),
        ("HOLDFAST_TEST_POSTGRES_SETTINGS", of(Kind::Postgres)?),
        (RABBITMQ_PASSWORD, secret::word()?),
        ("HOLDFAST_TEST_RABBITMQ_PORT", ports::free()?.to_string()),
        ("HOLDFAST_TEST_RABBITMQ_ADMIN_PORT", ports::free()?.to_string()),
        ("HOLDFAST_TEST_RABBITMQ_SETTINGS", of(Kind::Rabbitmq)?),
        ("HOLDFAST_TEST_AZURITE_PORT", ports::free()?.to_string()),
        ("HOLDFAST_TEST_AZURITE_SETTINGS", of(Kind::Azurite)?),
    ]))
}

/// A program that says these words, and then what it is told.
fn script(program: &str, words: &[String]) -> String {
    let quoted = words.iter().map(|word| settings::quoted(word)).collect::<Vec<_>>().join(" ");
    format!("#!/bin/sh\nexec {program} {quoted} \"$@\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_asks_for_the_variables_that_are_made_up_and_for_no_others() {
        let text = fs::read_to_string(file()).unwrap();
        let asked = text.split("${").skip(1).map(|rest| rest.split([':', '?', '}']).next().unwrap());
        let asked: std::collections::BTreeSet<_> = asked.collect();
        let made = environment(&Kind::ALL, &[]).unwrap();
        assert_eq!(asked, made.keys().copied().collect());
    }

    #[test]
    fn a_script_keeps_its_words_apart() {
        let words = ["--file".to_owned(), "/a b/tests.yml".to_owned()];
        assert_eq!(script("docker", &words), "#!/bin/sh\nexec docker '--file' '/a b/tests.yml' \"$@\"\n");
    }
}
