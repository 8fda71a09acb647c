//! Arguments of the commands that run until stopped, and of those that simulate.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use holdfast_console::{AllowedHosts, Entry, Listen, ListenerLimits, Transport};
use holdfast_control::Error;
use holdfast_identity::EntraApplication;
use url::Url;

/// `holdfast run`
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Maximum number of concurrent steps [default: `engine.concurrency` of the fleet file, 32]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: Option<u32>,
    /// Make a revision of the fleet file whenever it changes; without this, SIGHUP or `holdfast apply` does
    #[arg(long)]
    pub watch: bool,
    /// The address of its endpoints.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `holdfast scheduler`
#[derive(Debug, Clone, Args)]
pub struct SchedulerArgs {
    /// Make a revision of the fleet file whenever it changes; without this, SIGHUP or `holdfast apply` does
    #[arg(long)]
    pub watch: bool,
    /// The address of its endpoints.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Arguments of every process that runs until stopped.
#[derive(Debug, Clone, Args)]
pub struct ConsoleArgs {
    /// Serve the console, /metrics, /healthz and /readyz here; `none` for nowhere [default: 127.0.0.1:9464 for `run`, otherwise none]
    #[arg(long, env = "HOLDFAST_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<Listen>,
    /// Let --listen take an address that other machines reach: there is no login
    #[arg(long, env = "HOLDFAST_ALLOW_REMOTE", value_parser = clap::builder::FalseyValueParser::new())]
    pub allow_remote: bool,
    /// A name under which clients may ask, beside addresses and the machine's own name; repeat it for more
    #[arg(long = "allow-host", env = "HOLDFAST_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    pub allow_hosts: Vec<String>,
    /// Serve pages and API to logins by API token alone, also on this machine
    #[arg(long, env = "HOLDFAST_REQUIRE_LOGIN", value_parser = clap::builder::FalseyValueParser::new())]
    pub require_login: bool,
    /// Serve by TLS with this certificate chain, a PEM file, to clients that log in
    #[arg(long, env = "HOLDFAST_TLS_CERT", value_name = "PATH", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, a PEM file
    #[arg(long, env = "HOLDFAST_TLS_KEY", value_name = "PATH", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The proxy before it.
    #[command(flatten)]
    pub proxy: ProxyArgs,
    /// Logins by Entra ID.
    #[command(flatten)]
    pub entra: EntraArgs,
}

/// Arguments about logins by Entra ID.
#[derive(Debug, Clone, Args)]
pub struct EntraArgs {
    /// Let people and workloads of this tenant of Entra ID log in, by app roles: the tenant's id
    #[arg(long, env = "HOLDFAST_ENTRA_TENANT", value_name = "ID", requires_all = ["entra_client_id", "public_url"])]
    pub entra_tenant: Option<String>,
    /// The application (client) id of Holdfast in the tenant
    #[arg(long, env = "HOLDFAST_ENTRA_CLIENT_ID", value_name = "ID", requires = "entra_tenant")]
    pub entra_client_id: Option<String>,
    /// Its client secret, as env:NAME or file:PATH; none for a public client
    #[arg(
        long,
        env = "HOLDFAST_ENTRA_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "REFERENCE",
        requires = "entra_tenant"
    )]
    pub entra_client_secret: Option<String>,
    /// The address under which browsers reach the console: for links in notifications, and for logins by Entra ID
    #[arg(long, env = "HOLDFAST_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
}

impl EntraArgs {
    /// The application; `None` without logins by Entra ID.
    pub fn application(&self) -> Option<EntraApplication> {
        let ((tenant, client_id), public_url) =
            self.entra_tenant.clone().zip(self.entra_client_id.clone()).zip(self.public_url.clone())?;
        Some(EntraApplication {
            tenant,
            client_id,
            client_secret: self.entra_client_secret.clone(),
            public_url,
        })
    }
}

/// Arguments about a proxy that clients come through.
#[derive(Debug, Clone, Args)]
pub struct ProxyArgs {
    /// Serve clients that log in and come through a proxy that ends TLS and sets X-Forwarded-Proto
    #[arg(long, env = "HOLDFAST_BEHIND_PROXY", conflicts_with = "tls_cert", value_parser = clap::builder::FalseyValueParser::new())]
    pub behind_proxy: bool,
    /// Believe the login and the app roles that authentication of Container Apps puts into X-MS-CLIENT-PRINCIPAL
    #[arg(long, env = "HOLDFAST_CONTAINER_APPS_AUTH", requires = "behind_proxy", conflicts_with = "entra_tenant", value_parser = clap::builder::FalseyValueParser::new())]
    pub container_apps_auth: bool,
}

impl ConsoleArgs {
    /// What the listener allows. Reads the certificate.
    pub fn limits(&self) -> Result<ListenerLimits, Error> {
        let files = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        let (transport, requires_login) =
            (Transport::of(files, self.proxy.behind_proxy)?, self.require_login);
        let container_apps_auth = self.proxy.container_apps_auth;
        let entry = Entry { transport, requires_login, container_apps_auth };
        let mut hosts = self.allow_hosts.clone();
        if let Some(application) = self.entra.application() {
            entry.check_public_url(&application.public_url)?;
        }
        hosts.extend(self.entra.public_url.iter().filter_map(Url::host_str).map(ToOwned::to_owned));
        Ok(ListenerLimits { hosts: AllowedHosts::with_own_name(&hosts), entry, ..ListenerLimits::default() })
    }
}

/// `holdfast worker`
#[derive(Debug, Clone, Args)]
pub struct WorkerArgs {
    /// Maximum number of concurrent steps [default: `engine.concurrency` of the fleet file, 32]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: Option<u32>,
    /// The address of its endpoints.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `holdfast demo`
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Number of apps to generate
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub apps: u32,
    /// Number of subscriptions that hold them [default: one for each 100 apps, from 2 to 8]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub subscriptions: Option<u32>,
    /// Seed of the fleet and the faults
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Make the simulated Azure throttle, fail, lose answers and time out
    #[arg(long)]
    pub hostile: bool,
    /// Folder of the store and the fleet file [default: holdfast-demo]
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
    /// Serve the console here; `none` for nowhere [default: 127.0.0.1:9464, or a free port where that is taken]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<Listen>,
    /// Go on after the summary, with the console, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
}

/// `holdfast simulate`
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// Number of apps to generate
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub apps: u32,
    /// Number of subscriptions that hold them [default: one for each 100 apps, from 2 to 8]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub subscriptions: Option<u32>,
    /// Seed of the fleet and the faults
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Address to listen on; port 0 chooses a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Throttle, fail, lose answers and time out
    #[arg(long)]
    pub hostile: bool,
    /// Folder for fleet.toml and the files with its secrets
    #[arg(long, default_value = "holdfast-simulation", value_name = "PATH")]
    pub dir: PathBuf,
}
