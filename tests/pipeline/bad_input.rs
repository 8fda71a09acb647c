//! Bad configuration ends a process with an error message and an exit code, and foreign messages become dead letters.

use std::time::Duration;

use holdfast_model::{Clock as _, SystemClock};
use holdfast_simulator::Faults;
use holdfast_tests::postgres::Database;
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Executor as _;
use url::Url;

use crate::faults::QUEUES;
use crate::fleet::{NEVER, Shape};
use crate::pipeline_world::{PipelineWorld, ServiceUrls, environment};
use crate::process::command;
use crate::secrets::Secrets;
use crate::store_against_azure::compare;
use crate::wait::eventually;

/// The password of the restricted users that tests create.
const PASSWORD: &str = "top-5ecret-word";

fn shape() -> Shape {
    Shape {
        apps: 10,
        every_kind: false,
        faults: Faults::none(),
        slow_answer: Duration::ZERO,
        lease: Duration::from_secs(8),
        call_timeout: Duration::from_secs(2),
    }
}

fn text(url: &SecretString) -> String {
    url.expose_secret().to_owned()
}

fn passwords(service_urls: &ServiceUrls) -> Vec<String> {
    let urls = [&service_urls.database, &service_urls.broker].map(|url| url.parse::<Url>().unwrap());
    urls.iter().filter_map(|url| url.password().map(str::to_owned)).collect()
}

async fn execute(database: &Database, sql: &str) {
    database.raw().await.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
}

/// A world on the shared database and broker. `None` when tests run without servers.
async fn world() -> Option<(PipelineWorld, VirtualHost, Database)> {
    let (broker, database) = (VirtualHost::new()?, Database::new().await?);
    let service_urls = ServiceUrls { database: text(&database.url()), broker: text(&broker.url()) };
    let world = PipelineWorld::new(shape(), &service_urls, &text(&database.url())).await;
    world.simulated.write(world.folder(), NEVER);
    Some((world, broker, database))
}

/// Starts a role with unusable URLs. Returns its exit code and output; it must end by itself soon.
async fn refused(world: &PipelineWorld, role: &str, service_urls: &ServiceUrls) -> (i32, String) {
    let mut process = command(world.folder(), &[role, "--color", "never"], &environment(service_urls));
    let ended = tokio::time::timeout(Duration::from_secs(30), process.output()).await;
    let ended = ended.unwrap_or_else(|_| panic!("a {role} with {service_urls:?} does not end")).unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!Secrets::new(passwords(service_urls)).are_in(&said), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    (ended.status.code().expect("it ends, and is not killed"), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used_ends_a_process_with_a_sentence() {
    let Some((world, broker, database)) = world().await else { return };
    // Roles of PostgreSQL are shared by all databases of the server.
    let stranger = format!("{}_stranger", database.name());
    execute(&database, &format!("CREATE ROLE {stranger} LOGIN PASSWORD '{PASSWORD}'")).await;
    let database_url = text(&database.url());
    let (address, _) = database_url.rsplit_once('/').unwrap();
    for (url, hint) in [
        (text(&database.url_as("postgres", PASSWORD)), "refuses the user's password"),
        (text(&database.url_as(&stranger, PASSWORD)), "lacks a privilege"),
        (format!("{address}/no_such_database"), "no database of this name"),
        (format!("postgres://holdfast:{PASSWORD}@127.0.0.1:1/x"), "cannot be reached"),
        (format!("mysql://holdfast:{PASSWORD}@127.0.0.1:1/x"), "not a PostgreSQL URL"),
    ] {
        let service_urls = ServiceUrls { database: url, broker: text(&broker.url()) };
        for role in ["scheduler", "worker"] {
            let (code, said) = refused(&world, role, &service_urls).await;
            assert_eq!(code, 3, "{said}");
            assert!(said.contains(hint), "expected `{hint}`: {said}");
        }
    }
    execute(&database, &format!("DROP ROLE {stranger}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_cannot_be_used_ends_a_process_with_a_sentence() {
    let Some((world, broker, database)) = world().await else { return };
    let wrong_password = broker.url_with(|url| url.set_password(Some(PASSWORD)).unwrap());
    let wrong_host = broker.url_with(|url| url.set_path("no-such-host"));
    for (url, hint) in [
        (text(&wrong_password), "wrong name or password"),
        (text(&broker.user("stranger", ["^$"; 3])), "needs the privileges"),
        (text(&wrong_host), "virtual host"),
        (format!("amqp://holdfast:{PASSWORD}@127.0.0.1:1/x"), "failed to reach the broker"),
        (format!("http://holdfast:{PASSWORD}@127.0.0.1:1/x"), "URL is invalid"),
    ] {
        let service_urls = ServiceUrls { database: text(&database.url()), broker: url };
        for role in ["scheduler", "worker"] {
            let (code, said) = refused(&world, role, &service_urls).await;
            assert_eq!(code, 3, "{said}");
            assert!(said.contains(hint), "expected `{hint}`: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_does_not_fit_ends_a_process_and_changes_nothing() {
    let Some((world, broker, database)) = world().await else { return };
    let Some(empty) = Database::new().await else { return };
    let at =
        |database: &Database| ServiceUrls { database: text(&database.url()), broker: text(&broker.url()) };
    let refuses = async |roles: &[&str], database: &Database, hint: &str| {
        for role in roles {
            let (code, said) = refused(&world, role, &at(database)).await;
            assert_eq!(code, 3, "{said}");
            assert!(said.contains(hint), "expected `{hint}`: {said}");
        }
    };
    refuses(&["scheduler", "worker"], &empty, "`holdfast migrate` makes one").await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'of times to come', true, '', 0)";
    execute(&database, newer).await;
    refuses(&["scheduler", "worker", "migrate"], &database, "newer holdfast (schema 9999").await;
    execute(&database, "DELETE FROM _sqlx_migrations WHERE version > 1").await;
    refuses(&["scheduler", "worker"], &database, "run `holdfast migrate` first").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_privileges_that_the_errors_ask_for_are_enough() {
    let (Some(broker), Some(database)) = (VirtualHost::new(), Database::new().await) else { return };
    let login = format!("{}_login", database.name());
    let service_urls = ServiceUrls {
        database: text(&database.url_as(&login, PASSWORD)),
        broker: text(&broker.user("login", [r"^holdfast(\..*)?$"; 3])),
    };
    let mut world = PipelineWorld::new(shape(), &service_urls, &text(&database.url())).await;
    world.simulated.write(world.folder(), NEVER);
    let app = database.grant().await.app;
    let create = format!("CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}' IN ROLE {app}");
    execute(&database, &create).await;
    world.start(1, 1).await;
    broker.tap_work();
    world.back_up_all().await;
    let mut died = world.ended(Duration::from_mins(5)).await;
    world.record_messages(&broker);
    let mut counters = compare(&world, SystemClock::default().now()).await;
    counters.unexpected.append(&mut died);
    counters.demand();
    assert_eq!(counters.outcomes["succeeded"], world.simulated.apps(), "{counters}");
    drop(world);
    execute(&database, &format!("DROP ROLE {login}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_messages_become_dead_letters_and_lose_no_run() {
    let Some((mut world, broker, _database)) = world().await else { return };
    world.start(1, 1).await;
    broker.tap_work();
    let strange = [
        "not even JSON \u{1F480}",
        "{}",
        r#"{"v":99,"run_id":"019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10","version":1,"new":"thing"}"#,
        r#"{"v":1,"run_id":17,"version":"one"}"#,
    ];
    for queue in QUEUES {
        for message in strange {
            broker.publish(queue, message.as_bytes());
        }
    }
    world.back_up_all().await;
    let mut died = world.ended(Duration::from_mins(5)).await;
    let letters = eventually("they are set aside", Duration::from_mins(2), async || {
        let letters = world.dead_letters().await;
        (letters.len() == strange.len() * QUEUES.len()).then_some(letters)
    })
    .await;
    let mut bodies = Vec::new();
    for (id, reason) in letters {
        assert_eq!(reason, "rejected");
        bodies.push(world.ask(&["dead-letters", "show", &id]).await["body"].as_str().unwrap().to_owned());
    }
    assert!(strange.iter().all(|message| bodies.iter().any(|body| body == message)), "{bodies:?}");
    world.record_messages(&broker);
    let mut counters = compare(&world, SystemClock::default().now()).await;
    counters.unexpected.append(&mut died);
    println!("{counters}");
    counters.demand();
    assert_eq!(counters.outcomes["succeeded"], world.simulated.apps(), "{counters}");
}
