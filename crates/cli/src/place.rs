//! Where a command's request goes: to the server that the options name, else to the store here.

use holdfast_client::{LoginFile, Server, ServerAddress};
use holdfast_control::selector::{Selected, Selector, selected};
use holdfast_control::{Error, ErrorKind};
use holdfast_store::Mode;
use holdfast_telemetry::remember_secret;
use secrecy::SecretString;

use crate::args::{Command, ReportArgs, RunsCommand};
use crate::context::Context;

/// A request of a command, which the store here and a server answer alike.
pub trait Request {
    /// What is answered.
    type Answer;

    /// Answers it over the store and the fleet file.
    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer>;

    /// Lets a server answer it.
    async fn there(&self, server: &Server) -> Result<Self::Answer, Error>;
}

impl Request for Selector {
    type Answer = Selected;

    async fn here(&self, context: &Context) -> anyhow::Result<Selected> {
        let store = context.store(Mode::Read).await?;
        let selected = selected(&*store, self).await?;
        store.close().await;
        Ok(selected)
    }

    async fn there(&self, server: &Server) -> Result<Selected, Error> {
        server.selected(self).await
    }
}

impl Context {
    /// The answer to a request, from where the options say.
    pub async fn ask<R: Request>(&self, request: &R) -> anyhow::Result<R::Answer> {
        match self.server()? {
            Some(server) => Ok(request.there(&server).await?),
            None => request.here(self).await,
        }
    }

    /// The server that the options name, with the token of the environment or of `holdfast login`.
    pub fn server(&self) -> anyhow::Result<Option<Server>> {
        let Some(address) = self.address()? else { return Ok(None) };
        let given = std::env::var("HOLDFAST_TOKEN").ok().filter(|token| !token.trim().is_empty());
        let token = match given {
            Some(token) => Some(SecretString::from(token.trim())),
            None => self.login_file()?.token(&address)?,
        };
        Ok(Some(self.server_with(address, token)?))
    }

    /// A server with a token, which is blanked in every message.
    pub fn server_with(&self, address: ServerAddress, token: Option<SecretString>) -> Result<Server, Error> {
        if let Some(token) = &token {
            remember_secret(token);
        }
        Server::new(address, token, self.rng())
    }

    /// The address of the server that the options name.
    pub fn address(&self) -> Result<Option<ServerAddress>, Error> {
        let given = self.global.server.as_deref().filter(|url| !url.trim().is_empty());
        given.map(ServerAddress::parse).transpose()
    }

    /// The file of the logins of the user.
    #[expect(clippy::unused_self, reason = "only a command that was given its context reads it")]
    pub fn login_file(&self) -> Result<LoginFile, Error> {
        LoginFile::of_user(|name| std::env::var(name).ok())
    }

    /// The address of the server, for a command that only makes sense against one.
    pub fn required_address(&self) -> Result<ServerAddress, Error> {
        self.address()?.ok_or_else(no_server)
    }

    /// The same with the token.
    pub fn required_server(&self) -> anyhow::Result<Server> {
        Ok(self.server()?.ok_or_else(no_server)?)
    }

    /// Refuses a command that works on this machine alone where a server is named.
    pub fn require_place(&self, command: &Command) -> Result<(), Error> {
        let has_server = self.address()?.is_some();
        let Some(why) = local_work(command).filter(|_| has_server) else { return Ok(()) };
        let what = format!("this command {why}, and a server cannot do that");
        Err(Error::new(ErrorKind::Invalid, what)
            .help("run it on the machine of the store, without --server and HOLDFAST_SERVER"))
    }
}

fn no_server() -> Error {
    Error::new(ErrorKind::Invalid, "no server is named").help("give --server URL, or set HOLDFAST_SERVER")
}

/// What a command does on this machine alone; `None` for a command that a server can carry out.
fn local_work(command: &Command) -> Option<&'static str> {
    match command {
        Command::Run(_) | Command::Scheduler(_) | Command::Worker(_) => Some("carries out runs"),
        Command::Demo(_) | Command::Simulate(_) => Some("simulates Azure"),
        Command::Init(_) | Command::Import(_) => Some("writes a fleet file on this machine"),
        Command::Doctor(_) => Some("checks this machine and what it reaches"),
        Command::Migrate(_) | Command::Store(_) => Some("works on the store itself"),
        Command::Notify(_) => Some("works on the channels of a fleet file on this machine"),
        Command::Report(ReportArgs { command: None, .. }) | Command::Runs(RunsCommand::Follow(_)) => {
            Some("reads the audit of the store itself")
        }
        // Each other command asks where the options say: a new one is put here when it does.
        Command::Backup(_)
        | Command::Restore(_)
        | Command::Drill(_)
        | Command::Sas(_)
        | Command::Backups(_)
        | Command::Hold(_)
        | Command::Verify(_)
        | Command::Retention(_)
        | Command::NativeSchedule(_)
        | Command::Status(_)
        | Command::Check(_)
        | Command::History(_)
        | Command::Runs(_)
        | Command::Plan(_)
        | Command::Schedule(_)
        | Command::Config(_)
        | Command::Apply(_)
        | Command::Revisions(_)
        | Command::DeadLetters(_)
        | Command::Audit(_)
        | Command::Report(_)
        | Command::Apps(_)
        | Command::Policies(_)
        | Command::Budgets(_)
        | Command::Tokens(_)
        | Command::Approvals(_)
        | Command::Help(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Login
        | Command::Logout
        | Command::Whoami => None,
    }
}
