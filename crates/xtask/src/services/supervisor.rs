//! `xtask serve`: runs servers until its stdin closes.
//!
//! It writes one line of JSON once all servers are ready: facts by kind. Then it reads one command a line and answers
//! each with one line of JSON, `{"done": …}` or `{"error": …}`: `stop KIND`, `kill KIND`, `start KIND`, `pause KIND`,
//! `resume KIND`, `show` (answers with the facts) and `down`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::ops::ControlFlow;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::kind::Kind;
use super::server::{self, Server};
use super::{azurite, postgres, rabbitmq, random};

/// Run private servers until stdin closes; for tests that need servers of their own
#[derive(clap::Args)]
pub struct Options {
    /// The servers to run
    #[arg(required = true)]
    kinds: Vec<Kind>,
    /// An additional server setting, such as `consumer_timeout = 5000`, `plugin NAME`, `fsync=on` or `--loose`
    #[arg(long = "set", allow_hyphen_values = true)]
    settings: Vec<String>,
    /// Read commands from this socket instead of stdin
    #[arg(long)]
    control: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<()> {
    let name = format!("holdfast-{}", random::password()?);
    let folder = Folder(server::create_folder(&std::env::temp_dir(), &name)?);
    let mut servers = Servers::start(&options.kinds, &folder.0, &options.settings)?;
    let control = options.control.as_ref().map(|path| {
        UnixListener::bind(path).with_context(|| format!("failed to listen on {}", path.display()))
    });
    let control = control.transpose()?;
    writeln!(stdout(), "{}", servers.facts())?;
    let Some(listener) = control else {
        return servers.execute_all(stdin().lock(), stdout()).map(drop);
    };
    for caller in listener.incoming() {
        let caller = caller?;
        // The servers keep running when a caller disconnects.
        if matches!(
            servers.execute_all(BufReader::new(caller.try_clone()?), caller),
            Ok(ControlFlow::Break(()))
        ) {
            break;
        }
    }
    Ok(())
}

struct Servers(BTreeMap<&'static str, Server>);

impl Servers {
    /// Starts all servers at once: RabbitMQ takes seconds.
    fn start(kinds: &[Kind], folder: &Path, settings: &[String]) -> Result<Self> {
        thread::scope(|scope| {
            let spawn = |kind| (kind, scope.spawn(move || start(kind, folder, settings)));
            let threads: Vec<_> = kinds.iter().copied().map(spawn).collect();
            let started = threads.into_iter().map(|(kind, thread)| {
                let server =
                    thread.join().map_err(|_| anyhow!("the thread that starts {} panicked", kind.name()))?;
                Ok((kind.name(), server?))
            });
            Ok(Self(started.collect::<Result<_>>()?))
        })
    }

    fn facts(&self) -> Value {
        self.0.iter().map(|(name, server)| ((*name).to_owned(), server.facts().clone())).collect()
    }

    /// Executes commands until they end or `down` stops the servers (`Break`).
    fn execute_all(&mut self, commands: impl BufRead, mut answers: impl Write) -> Result<ControlFlow<()>> {
        for line in commands.lines() {
            let line = line?;
            if line == "down" {
                self.0.clear();
                writeln!(answers, "{}", json!({ "done": line }))?;
                return Ok(ControlFlow::Break(()));
            }
            let answer = match self.execute(&line) {
                Ok(answer) => answer,
                Err(error) => json!({ "error": format!("{error:#}") }),
            };
            writeln!(answers, "{answer}")?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn execute(&mut self, line: &str) -> Result<Value> {
        if line == "show" {
            return Ok(self.facts());
        }
        let (verb, name) = line.split_once(' ').context("a command is a verb and a server")?;
        let server = self.0.get_mut(name).with_context(|| format!("there is no server `{name}`"))?;
        match verb {
            "stop" => server.stop()?,
            "kill" => server.kill()?,
            "start" => server.start_again()?,
            "pause" => server.pause()?,
            "resume" => server.resume()?,
            _ => return Err(anyhow!("there is no command `{verb}`")),
        }
        Ok(json!({ "done": line }))
    }
}

fn start(kind: Kind, folder: &Path, settings: &[String]) -> Result<Server> {
    let spec = match kind {
        Kind::Postgres => postgres::spec(folder, settings),
        Kind::Rabbitmq => rabbitmq::spec(folder, settings),
        Kind::Azurite => azurite::spec(folder, settings),
    };
    Server::start(spec?)
}

/// The folder of all servers. Removed on drop, after the servers in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
