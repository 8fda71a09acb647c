//! The same job in Python: the Celery worker of `tests/peers/celery`, a process from outside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use holdfast_simulator::Client;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::bench_world::BenchWorld;
use crate::durable_servers::DurableServers;
use crate::options::Options;
use crate::throughput::{POLL, Round};

/// Transactions of a run: the intent, its acceptance and its end.
const STEPS: usize = 3;

/// The interpreter with the peer's packages; `None` where the comparison was not asked for.
pub(crate) fn interpreter() -> Option<PathBuf> {
    std::env::var_os("HOLDFAST_BENCH_CELERY").map(PathBuf::from)
}

/// Carries out as many runs as the other forms do, with this many worker processes.
pub(crate) async fn round(
    python: &Path,
    processes: usize,
    options: &Options,
    servers: &mut DurableServers,
) -> Round {
    let world = BenchWorld::new(options.runs, std::time::Duration::from_millis(1)).await;
    let database = servers.database().await;
    let Client { tenant, id, secret, .. } = Client::default();
    let apps: Vec<String> = world.apps().iter().map(ToString::to_string).collect();
    let config = json!({
        "database_url": database.remote,
        "amqp_url": servers.amqp(),
        "arm_url": world.url().as_str().trim_end_matches('/'),
        "token_url": world.url().join(&format!("{tenant}/oauth2/v2.0/token")).unwrap(),
        "client_id": id,
        "client_secret": secret.expose_secret(),
        "scope": holdfast_arm::PUBLIC_SCOPE,
        "storage_account_url": world.container_sas().expose_secret(),
        "apps": apps,
        "concurrency": processes,
        "first_poll_ms": POLL.first.as_millis(),
        "max_poll_ms": POLL.max.as_millis(),
    });
    let file = world.dir.path().join("celery.json");
    std::fs::write(&file, config.to_string()).unwrap();
    let before = database.wal_bytes().await;
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/celery");
    let mut command = Command::new(python);
    command.current_dir(&peer).args(["peer.py", "--config"]).arg(&file);
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let succeeded = result["outcomes"]["Succeeded"].as_u64();
    assert_eq!(succeeded, Some(options.runs as u64), "{result}");
    Round {
        seconds: result["seconds"].as_f64().unwrap(),
        steps: (options.runs * STEPS) as f64,
        wal_bytes: database.wal_bytes().await - before,
        duplicate_posts: world.duplicate_posts(),
        ..Round::default()
    }
}
