//! `xtask serve`: servers that live as long as somebody holds the guard's stdin.
//!
//! It writes one line of JSON once all of them serve: facts by kind. Then it takes one command a line and answers
//! each with one line of JSON, `{"done": …}` or `{"error": …}`: `stop KIND`, `kill KIND`, `start KIND`, `pause KIND`,
//! `resume KIND`, `show` (answers with the facts) and `down`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::compose::Project;
use super::provider::{self, Provider};
use super::server::{self, Server};
use super::{Kind, azurite, postgres, rabbitmq, secret};

/// Run private servers until stdin ends; for tests that need servers of their own
#[derive(clap::Args)]
pub struct Options {
    /// Which servers
    #[arg(required = true)]
    kinds: Vec<Kind>,
    /// A further setting of the server, such as `consumer_timeout = 5000`, `fsync=on` or `--loose`
    #[arg(long = "set", allow_hyphen_values = true)]
    settings: Vec<String>,
    /// Take commands on this socket, and go on when stdin has ended
    #[arg(long)]
    control: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<()> {
    let folder = Folder(server::folder(&std::env::temp_dir(), &format!("holdfast-{}", secret::word()?))?);
    let mut servers = Servers::start(&options.kinds, &folder.0, &options.settings)?;
    let control = options.control.as_ref().map(|path| {
        UnixListener::bind(path).with_context(|| format!("failed to listen on {}", path.display()))
    });
    let control = control.transpose()?;
    writeln!(stdout(), "{}", servers.facts())?;
    match control {
        None => servers.obey(stdin().lock(), stdout()).map(drop),
        Some(listener) => {
            for caller in listener.incoming() {
                let caller = caller?;
                // A caller that went away is no reason to take the servers down.
                if matches!(servers.obey(BufReader::new(caller.try_clone()?), caller), Ok(Told::Down)) {
                    break;
                }
            }
            Ok(())
        }
    }
}

/// What a caller's last word was.
enum Told {
    Down,
    Nothing,
}

enum Servers {
    Native(BTreeMap<&'static str, Server>),
    Composed(Project),
}

impl Servers {
    fn start(kinds: &[Kind], folder: &Path, settings: &[String]) -> Result<Self> {
        match provider::choose(kinds)? {
            Provider::Native => Self::start_native(kinds, folder, settings),
            Provider::Compose(engine) => Project::start(engine, kinds, folder, settings).map(Self::Composed),
        }
    }

    /// All at once: RabbitMQ takes its time.
    fn start_native(kinds: &[Kind], folder: &Path, settings: &[String]) -> Result<Self> {
        thread::scope(|scope| {
            let begin = |kind| (kind, scope.spawn(move || start(kind, folder, settings)));
            let threads: Vec<_> = kinds.iter().copied().map(begin).collect();
            let started = threads.into_iter().map(|(kind, thread)| {
                let server = thread.join().map_err(|_| anyhow!("starting {} failed", kind.name()))?;
                Ok((kind.name(), server?))
            });
            Ok(Self::Native(started.collect::<Result<_>>()?))
        })
    }

    fn facts(&self) -> Value {
        match self {
            Self::Native(servers) => {
                servers.iter().map(|(name, server)| ((*name).to_owned(), server.facts().clone())).collect()
            }
            Self::Composed(project) => project.facts(),
        }
    }

    fn obey(&mut self, commands: impl BufRead, mut answers: impl Write) -> Result<Told> {
        for line in commands.lines() {
            let line = line?;
            if line == "down" {
                *self = Self::Native(BTreeMap::new());
                writeln!(answers, "{}", json!({ "done": line }))?;
                return Ok(Told::Down);
            }
            let answer = match self.carry_out(&line) {
                Ok(answer) => answer,
                Err(error) => json!({ "error": format!("{error:#}") }),
            };
            writeln!(answers, "{answer}")?;
        }
        Ok(Told::Nothing)
    }

    fn carry_out(&mut self, line: &str) -> Result<Value> {
        if line == "show" {
            return Ok(self.facts());
        }
        let (verb, name) = line.split_once(' ').context("a command is a verb and a server")?;
        match self {
            Self::Native(servers) => {
                let server = servers.get_mut(name).with_context(|| format!("there is no server `{name}`"))?;
                tell(server, verb)?;
            }
            Self::Composed(project) => project.carry_out(verb, name)?,
        }
        Ok(json!({ "done": line }))
    }
}

fn tell(server: &mut Server, verb: &str) -> Result<()> {
    match verb {
        "stop" => server.stop(),
        "kill" => server.kill(),
        "start" => server.start_again(),
        "pause" => server.pause(true),
        "resume" => server.pause(false),
        _ => Err(anyhow!("there is no command `{verb}`")),
    }
}

fn start(kind: Kind, folder: &Path, settings: &[String]) -> Result<Server> {
    let plan = match kind {
        Kind::Postgres => postgres::plan(folder, settings),
        Kind::Rabbitmq => rabbitmq::plan(folder, settings),
        Kind::Azurite => azurite::plan(folder, settings),
    };
    Server::start(plan?)
}

/// Removed in the end, after the servers in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
