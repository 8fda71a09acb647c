//! A new revision of a large fleet, and a backup of all its apps.

use std::fmt::Write as _;
use std::process::{Command, Output};
use std::time::Duration;

use holdfast_model::{Clock, SystemClock};
use holdfast_store::{Mode, PgStore, Store};
use secrecy::SecretString;

use crate::bench_world::{BenchWorld, Process, holdfast};
use crate::durable_servers::DurableServers;
use crate::options::Options;
use crate::report::Applied;

const APPS: usize = 10_000;

/// Measures a scheduler and its workers. `None` without servers.
pub(crate) async fn measure(options: &Options) -> Option<Applied> {
    let mut servers = DurableServers::start(options.db_latency).await?;
    let database = servers.database().await;
    let world = BenchWorld::new(APPS, Duration::from_mins(1)).await;
    let store = PgStore::connect(&SecretString::from(database.direct.clone()), Mode::Own).await.unwrap();
    let head = std::fs::read_to_string(world.dir.path().join("fleet.toml")).unwrap();
    let text = with_apps(&head, &world);
    std::fs::write(world.dir.path().join("fleet.toml"), &text).unwrap();
    let changed = text.replacen("0 0 1 1 *", "30 3 * * *", 1);
    std::fs::write(world.dir.path().join("new.toml"), changed).unwrap();
    let env = [("HOLDFAST_DATABASE_URL", database.remote.clone()), ("HOLDFAST_AMQP_URL", servers.amqp())];
    let mut processes = vec![world.spawn("scheduler", "scheduler", &env)];
    processes.extend((0..options.workers).map(|n| world.spawn("worker", &format!("worker{n}"), &env)));
    until(&mut processes, async || store.status().await.unwrap().len() == APPS).await;
    until(&mut processes, async || store.processes().await.unwrap().len() > options.workers).await;

    let run = |line: &str| timed(&world, line, &env);
    let diff_seconds = run("apply --file new.toml --dry-run");
    let clock = SystemClock::default();
    let apply_seconds = run("apply --file new.toml --yes --reason bench");
    let is_taken_up = async || store.processes().await.unwrap().iter().all(|one| one.revision == Some(1));
    until(&mut processes, is_taken_up).await;
    let taken_up_seconds = clock.elapsed().as_secs_f64() - apply_seconds;
    let backup_seconds = run("backup --all --yes");
    Some(Applied { apps: APPS, diff_seconds, apply_seconds, taken_up_seconds, backup_seconds })
}

fn with_apps(head: &str, world: &BenchWorld) -> String {
    let mut text = head.to_owned();
    for app in world.apps() {
        writeln!(text, "[[app]]\nid = \"{app}\"\npolicy = \"gold\"").unwrap();
    }
    text
}

/// The seconds that a command takes.
fn timed(world: &BenchWorld, line: &str, env: &[(&str, String)]) -> f64 {
    let clock = SystemClock::default();
    let mut command = Command::new(holdfast());
    command.current_dir(world.dir.path()).args(line.split_whitespace());
    let Output { status, stderr, .. } =
        command.envs(env.iter().map(|(name, value)| (*name, value))).output().unwrap();
    assert!(status.success(), "{line}: {}", String::from_utf8_lossy(&stderr));
    clock.elapsed().as_secs_f64()
}

/// Asks again and again while the processes live.
async fn until(processes: &mut [Process], mut is_so: impl AsyncFnMut() -> bool) {
    while !is_so().await {
        assert!(processes.iter_mut().all(Process::lives), "a process ended by itself");
        let _ = tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>()).await;
    }
}
