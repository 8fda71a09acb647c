//! The environment of a benchmark: a simulated Azure, its fleet file, due runs in a store, and the processes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_model::{
    App, AppId, Clock, NewBackup, NewRun, PolicyName, PolicySnapshot, PollPace, RunId, StorageName,
    SystemClock, Trigger,
};
use holdfast_simulator::{Azure, BucketSize, BucketSizes, Client, Config, Fleet, Pace, Server};
use holdfast_storage::{Container, mint};
use holdfast_store::Store;
use holdfast_tests::fleet_file::SimulatedAzure;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use url::Url;

/// Everything outside the measured processes.
pub(crate) struct BenchWorld {
    pub dir: tempfile::TempDir,
    pub azure: Arc<Mutex<Azure>>,
    server: Server,
    fleet: Fleet,
}

impl BenchWorld {
    /// `apps` apps whose backups take `duration`, on an Azure without faults or throttling.
    pub(crate) async fn new(apps: usize, duration: Duration) -> Self {
        let fleet = Fleet::generate(apps, 1);
        let bucket = BucketSize { capacity: 1_000_000, refill_per_second: 1_000_000 };
        let mut config = Config::new(fleet.clone());
        config.pace = Pace { backup_median: duration, listing_lag_max: Duration::ZERO, ..Pace::demo() };
        config.buckets = BucketSizes { reads: bucket, writes: bucket, deletes: bucket };
        let azure = Arc::new(Mutex::new(Azure::new(config, 1).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = Arc::new(SystemClock::default());
        let server = Server::start(listener, Arc::clone(&azure), clock, std::future::pending()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("secret", Client::default().secret.expose_secret());
        write("key", fleet.accounts[0].key.expose_secret());
        write("fleet.toml", &fleet_file(dir.path(), &server));
        Self { dir, azure, server, fleet }
    }

    /// The URL of the simulated Azure.
    pub(crate) fn url(&self) -> Url {
        self.server.url().parse().unwrap()
    }

    /// The apps.
    pub(crate) fn apps(&self) -> Vec<AppId> {
        self.fleet.apps().cloned().collect()
    }

    /// The container's URL with a SAS.
    pub(crate) fn container_sas(&self) -> SecretString {
        let container: Container =
            self.server.container_url(Fleet::ACCOUNT, Fleet::CONTAINER).parse().unwrap();
        let now = SystemClock::default().now();
        let (start, expiry) = (now - Duration::from_mins(5), now + Duration::from_hours(48));
        let query = mint(&self.fleet.accounts[0].key, &container, "rwdl", start, expiry).unwrap();
        let url = format!("{}?{}", container.url(), query.expose_secret());
        url.into()
    }

    /// Adds a due run of each app to the store.
    pub(crate) async fn fill(&self, store: &dyn Store, poll: PollPace) {
        let mut rng = fastrand::Rng::with_seed(1);
        let now = store.now().await.unwrap();
        let mut policy_snapshot = PolicySnapshot::new(StorageName::new("sim"), Fleet::ACCOUNT);
        policy_snapshot.poll = poll;
        let mut runs = Vec::new();
        for site in &self.fleet.sites {
            let id = RunId::new(now, &mut rng);
            let policy = Some(PolicyName::new("gold"));
            let app = App { policy, plan: site.site.plan.clone(), ..App::new(site.site.id.clone()) };
            let asked = NewBackup { tick: None, trigger: Trigger::Manual, due_at: now };
            runs.push(NewRun::backup(id, &app, &policy_snapshot, asked, now));
        }
        for some in runs.chunks(500) {
            store.add_runs(some).await.unwrap();
        }
    }

    /// Starts a process of a role. Its log has its name.
    pub(crate) fn spawn(&self, role: &str, name: &str, env: &[(&str, String)]) -> Process {
        let log = std::fs::File::create(self.dir.path().join(format!("{name}.log"))).unwrap();
        let child = Command::new(holdfast())
            .current_dir(self.dir.path())
            .args([role, "--log", "error"])
            .envs(env.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Process { child }
    }

    /// The number of POSTs beyond one for each attempt.
    pub(crate) fn duplicate_posts(&self) -> u64 {
        self.azure.lock().unwrap().counters().duplicate_posts
    }
}

/// The path of the binary of the same profile.
pub(crate) fn holdfast() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let path = this.parent().and_then(Path::parent).unwrap().join("holdfast");
    assert!(path.exists(), "{} is not there: run this with `cargo xtask bench`", path.display());
    path
}

/// A measured process, killed when dropped.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Peak resident memory, in MiB.
    pub(crate) fn peak_memory_mib(&self) -> f64 {
        self.memory_mib("VmHWM:")
    }

    /// Current resident memory, in MiB.
    pub(crate) fn memory_now_mib(&self) -> f64 {
        self.memory_mib("VmRSS:")
    }

    fn memory_mib(&self, field: &str) -> f64 {
        memory_mib(&self.child.id().to_string(), field)
    }

    /// The processor time so far. The kernel counts in hundredths of a second.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Whether the process still runs.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

/// A field of a process's memory, in MiB.
fn memory_mib(process: &str, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
}

/// The memory of this process since a moment.
pub(crate) struct ProcessMemory {
    before: f64,
}

impl ProcessMemory {
    /// Sets the kernel's record of the peak back to what is resident now.
    pub(crate) fn reset() -> Self {
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        Self { before: memory_mib("self", "VmRSS:") }
    }

    /// The peak since then, beyond what was resident then, in MiB.
    pub(crate) fn growth_mib(&self) -> f64 {
        memory_mib("self", "VmHWM:") - self.before
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fleet_file(dir: &Path, server: &Server) -> String {
    let (client, container) = (Client::default(), server.container_url(Fleet::ACCOUNT, Fleet::CONTAINER));
    let (tenant, client, url) = (&client.tenant, &client.id, &server.url());
    let azure = SimulatedAzure { tenant, client, url, container: &container, folder: dir }.tables();
    format!(
        r#"{azure}[policy.gold]
schedule = "0 0 1 1 *"
storage = "sim"
[limits]
reads = {{ capacity = 100000, per_second = 100000 }}
writes = {{ capacity = 100000, per_second = 100000 }}
per_plan = 10000
per_account = 10000
"#,
    )
}
