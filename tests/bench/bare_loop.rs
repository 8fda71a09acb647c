//! What the machine allows: the same HTTP calls, durable transactions and messages for each run, without an engine.
//!
//! Nothing is scheduled, limited, compared, chained or recovered. A run is lost when this program stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_arm::{
    Arm, ArmClient, BackupBody, Credential, NoopCallObserver, PUBLIC_SCOPE, Settings as ArmSettings,
};
use holdfast_model::{
    AppId, BackupId, BackupName, BackupStatus, Clock, Priority, RunId, SystemClock, Timestamp, Wakeup,
};
use holdfast_queue::{AmqpQueue, Config, Message, Queue};
use holdfast_simulator::Client;
use secrecy::SecretString;
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::bench_world::BenchWorld;
use crate::durable_servers::DurableServers;
use crate::options::Options;
use crate::throughput::{POLL, Round};

/// As many at once as in the measured fleet file.
const CONCURRENCY: usize = 64;
/// Transactions of a run: the intent, its acceptance and its end.
const STEPS: usize = 3;

const SCHEMA: &str = "CREATE TABLE runs (id bigint PRIMARY KEY, state text NOT NULL, backup_id bigint);
    CREATE TABLE audit (id bigserial PRIMARY KEY, run_id bigint NOT NULL, event text NOT NULL,
        at timestamptz NOT NULL DEFAULT now());";

/// Everything that one run needs.
struct Loop {
    arm: ArmClient,
    queue: AmqpQueue,
    pool: PgPool,
    apps: Vec<AppId>,
    container: SecretString,
    ended: AtomicUsize,
}

/// Carries out as many runs as the other forms do.
pub(crate) async fn round(options: &Options, servers: &mut DurableServers) -> Round {
    let world = BenchWorld::new(options.runs, Duration::from_millis(1)).await;
    let database = servers.database().await;
    let pool = PgPoolOptions::new().max_connections(20).connect(&database.remote).await.unwrap();
    sqlx::raw_sql(SCHEMA).execute(&pool).await.unwrap();
    sqlx::query("INSERT INTO runs (id, state) SELECT n, 'due' FROM generate_series(0, $1) AS n")
        .bind(i64::try_from(options.runs).unwrap() - 1)
        .execute(&pool)
        .await
        .unwrap();
    let prefix = format!("bare-{}", database.direct.rsplit('/').next().unwrap());
    let config = Config { prefetch: 64, prefix, ..Config::new(servers.amqp().into()) };
    let bare = Arc::new(Loop {
        arm: arm(&world),
        queue: AmqpQueue::connect(config).await.unwrap(),
        pool,
        apps: world.apps(),
        container: world.container_sas(),
        ended: AtomicUsize::new(0),
    });
    let before = database.wal_bytes().await;
    let clock = SystemClock::default();
    let publisher = Arc::clone(&bare);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { publisher.publish_all().await });
    for _ in 0..CONCURRENCY {
        let bare = Arc::clone(&bare);
        tasks.spawn(async move { while bare.step().await {} });
    }
    while bare.ended.load(Ordering::SeqCst) < options.runs {
        let _ = timeout(Duration::from_millis(20), std::future::pending::<()>()).await;
    }
    let seconds = clock.elapsed().as_secs_f64();
    tasks.abort_all();
    bare.queue.close().await;
    Round {
        seconds,
        steps: (options.runs * STEPS) as f64,
        wal_bytes: database.wal_bytes().await - before,
        duplicate_posts: world.duplicate_posts(),
        ..Round::default()
    }
}

fn arm(world: &BenchWorld) -> ArmClient {
    let Client { tenant, id, secret, .. } = Client::default();
    let url = world.url();
    let credential = Credential::ClientSecret { tenant, client_id: id, secret };
    let tokens = credential.source(Some(&url), PUBLIC_SCOPE).unwrap();
    let clock = Arc::new(SystemClock::default());
    let rng = fastrand::Rng::with_seed(1);
    ArmClient::over_http(ArmSettings::new(url), tokens, clock, Arc::new(NoopCallObserver), rng).unwrap()
}

/// A message about the run of this number; the version tells the step.
fn message(run: usize, version: i64) -> Message {
    let run_id: RunId = format!("00000000-0000-7000-8000-{run:012x}").parse().unwrap();
    Message::new(Wakeup { run_id, version, nonce: 0 }, Priority::Manual)
}

impl Loop {
    /// Publishes the first message of each run, a hundred at a time as the dispatcher does.
    async fn publish_all(&self) {
        let first: Vec<Message> = (0..self.apps.len()).map(|run| message(run, 1)).collect();
        for hundred in first.chunks(100) {
            self.queue.publish(hundred).await.unwrap();
        }
    }

    async fn step(self: &Arc<Self>) -> bool {
        let delivery = self.queue.receive().await.unwrap();
        let Wakeup { run_id, version, .. } = delivery.message.wakeup;
        let run = usize::from_str_radix(&run_id.tail(), 16).unwrap();
        if version == 1 {
            self.start(run).await;
        } else {
            self.poll(run).await;
        }
        delivery.ack().await.unwrap();
        true
    }

    async fn start(self: &Arc<Self>, run: usize) {
        self.write(run, "starting", None).await;
        let app = &self.apps[run];
        let mut rng = fastrand::Rng::with_seed(run as u64);
        let id = RunId::new(Timestamp::UNIX_EPOCH, &mut rng);
        let name = BackupName::of_attempt(app, id, 1, &mut rng);
        let body = BackupBody { name, storage_url: self.container.clone(), databases: Vec::new() };
        let backup = self.arm.backup(app, &body).await.unwrap();
        self.write(run, "polling", Some(backup.id)).await;
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let _ = timeout(POLL.first, std::future::pending::<()>()).await;
            let _ = this.queue.publish(&[message(run, 2)]).await;
        });
    }

    async fn poll(&self, run: usize) {
        let (backup,): (i64,) = sqlx::query_as("SELECT backup_id FROM runs WHERE id = $1")
            .bind(i64::try_from(run).unwrap())
            .fetch_one(&self.pool)
            .await
            .unwrap();
        let backup = self.arm.get_backup(&self.apps[run], BackupId(backup)).await.unwrap();
        assert_eq!(backup.status, BackupStatus::Succeeded);
        self.write(run, "ended", Some(backup.id)).await;
        self.ended.fetch_add(1, Ordering::SeqCst);
    }

    /// One durable transaction with a changed row and an event.
    async fn write(&self, run: usize, state: &str, backup: Option<BackupId>) {
        let run = i64::try_from(run).unwrap();
        let mut transaction = self.pool.begin().await.unwrap();
        sqlx::query("UPDATE runs SET state = $2, backup_id = coalesce($3, backup_id) WHERE id = $1")
            .bind(run)
            .bind(state)
            .bind(backup.map(|backup| backup.0))
            .execute(&mut *transaction)
            .await
            .unwrap();
        sqlx::query("INSERT INTO audit (run_id, event) VALUES ($1, $2)")
            .bind(run)
            .bind(state)
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
}
