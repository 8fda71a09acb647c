//! The options of all commands.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use holdfast_config::LoginCredential;

/// The options of all commands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Ask this server, the address of a running Holdfast, in place of a store here
    #[arg(long, global = true, env = "HOLDFAST_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// The fleet file, or a folder whose `*.toml` files are one fleet
    #[arg(long, global = true, env = "HOLDFAST_FLEET", default_value = "fleet.toml", value_name = "PATH")]
    pub fleet: PathBuf,
    /// The store's file
    #[arg(
        long,
        global = true,
        env = "HOLDFAST_STORE",
        default_value = "holdfast.sqlite",
        value_name = "PATH"
    )]
    pub store: PathBuf,
    /// PostgreSQL instead of the store's file: its URL, or better `env:NAME` or `file:PATH` with the URL
    #[arg(long, global = true, env = "HOLDFAST_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Log in to PostgreSQL with tokens of Entra: managed_identity, workload_identity, azure_cli, or azure.NAME of the fleet file
    #[arg(long, global = true, env = "HOLDFAST_DATABASE_CREDENTIAL", value_name = "CREDENTIAL")]
    pub database_credential: Option<LoginCredential>,
    /// RabbitMQ instead of the queue in this process: its URL, or better `env:NAME` or `file:PATH` with the URL
    #[arg(long, global = true, env = "HOLDFAST_AMQP_URL", hide_env_values = true, value_name = "URL")]
    pub amqp_url: Option<String>,
    /// Log in to RabbitMQ with tokens of OAuth 2, likewise
    #[arg(long, global = true, env = "HOLDFAST_AMQP_CREDENTIAL", value_name = "CREDENTIAL")]
    pub amqp_credential: Option<LoginCredential>,
    /// The scope of the tokens for RabbitMQ: its Application ID URI and `/.default`
    #[arg(long, global = true, env = "HOLDFAST_AMQP_SCOPE", value_name = "SCOPE")]
    pub amqp_scope: Option<String>,
    /// Hosts of the database and the broker that may be reached without verified TLS, separated by commas
    #[arg(long, global = true, env = "HOLDFAST_ALLOW_CLEARTEXT", value_name = "HOST", value_delimiter = ',')]
    pub allow_cleartext: Vec<String>,
    /// Who asks, for the audit [default: the user who is logged in]
    #[arg(long, global = true, env = "HOLDFAST_ACTOR", value_name = "NAME")]
    pub actor: Option<String>,
    /// Tables for people, or for programs: one document, the tables alone, or a line for each thing of a list
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// Show times in UTC, and not in the zone of this machine
    #[arg(long, global = true)]
    pub utc: bool,
    /// Write results and errors, and nothing else
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Log this level and above to stderr [default: warn; info for `run` and `simulate`]
    #[arg(long, global = true, value_enum, value_name = "LEVEL")]
    pub log: Option<Level>,
    /// The format of log lines
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Colours: `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// The format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// A line of JSON for each thing of a list.
    Jsonl,
    /// One YAML document.
    Yaml,
    /// The columns of the table.
    Csv,
}

/// The lowest level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Failures.
    Error,
    /// And warnings.
    Warn,
    /// And what happens.
    Info,
    /// And details.
    Debug,
    /// And everything else.
    Trace,
}

impl Level {
    /// The name in filter directives.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether text written to `stream` gets colours.
    pub fn applies_to(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
                stream.is_terminal()
                    && set("NO_COLOR").is_none()
                    && set("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}
