//! Every process takes up a revision of the fleet, however it was made, and none takes up a bad one.

use std::path::Path;
use std::time::Duration;

use holdfast_model::{Clock as _, RunKind, SystemClock};
use holdfast_simulator::Faults;
use holdfast_store::{RunFilter, Store as _};
use holdfast_tests::postgres::Database;
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::fleet::{NEVER, Shape};
use crate::pipeline_world::{PipelineWorld, ServiceUrls};
use crate::wait::eventually;

/// Within this, every process takes up a revision.
const TAKEN_UP: Duration = Duration::from_secs(10);
/// A watched file must lie still first, for one look more.
const WATCHED: Duration = Duration::from_secs(14);

/// Writes a file as an editor does: the whole text beside it, then renamed over it.
fn save(folder: &Path, text: &str) {
    let beside = folder.join(".fleet.toml.swp");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, folder.join("fleet.toml")).unwrap();
}

/// Waits until `status` names so many processes, and each under this revision.
async fn all_under(world: &PipelineWorld, revision: u64, count: usize, within: Duration) {
    eventually(&format!("all processes work by revision {revision}"), within, async || {
        let status = world.ask(&["status"]).await;
        let is_under =
            |process: &Value| process["revision"] == revision && process["revision_error"].is_null();
        let found = processes(&status);
        (found.len() == count && found.iter().all(is_under)).then_some(())
    })
    .await;
}

fn processes(status: &Value) -> &[Value] {
    status["processes"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_takes_up_what_is_applied_signalled_or_saved_and_keeps_its_fleet_from_a_bad_file() {
    let Some(broker) = VirtualHost::new() else { return };
    let Some(database) = Database::new().await else { return };
    let database_url = database.url().expose_secret().to_owned();
    let service_urls =
        ServiceUrls { database: database_url.clone(), broker: broker.url().expose_secret().to_owned() };
    let shape = Shape {
        apps: 12,
        every_kind: false,
        faults: Faults::none(),
        slow_answer: Duration::ZERO,
        lease: Duration::from_secs(30),
        call_timeout: Duration::from_secs(5),
    };
    let mut world = PipelineWorld::new(shape, &service_urls, &database_url).await;
    world.simulated.write(world.folder(), NEVER);
    let first = std::fs::read_to_string(world.folder().join("fleet.toml")).unwrap();
    let watched = tempfile::tempdir().unwrap();
    save(watched.path(), &first);
    world.start(1, 2).await;
    let mut watching = world.start_watching("scheduler-2", watched.path());
    watching.runs(Duration::from_mins(1)).await;
    world.processes.push(watching);
    let all = world.processes.len();

    // Its tick of today passed some minutes ago: a process that caught up with it would begin at once. The other
    // scheduler's file is bad meanwhile.
    save(watched.path(), "[policy.gold\n");
    let passed = (SystemClock::default().now() - Duration::from_mins(5)).format("%M %H * * *").to_string();
    let second = first.replace(NEVER, &passed);
    std::fs::write(world.folder().join("new.toml"), &second).unwrap();
    let applied = world.ask(&["apply", "--file", "new.toml", "--yes", "--reason", "release"]).await;
    assert_eq!(applied["revision"]["number"], 1, "{applied:#}");
    all_under(&world, 1, all, TAKEN_UP).await;
    eventually("the bad file is refused", WATCHED, async || {
        let status = world.ask(&["status"]).await;
        let mut notes = processes(&status).iter().filter_map(|process| process["file_note"].as_str());
        notes.any(|note| note.contains("its fleet file was refused")).then_some(())
    })
    .await;

    let third = second.replace("outstanding = 500", "outstanding = 400");
    std::fs::write(world.folder().join("fleet.toml"), &third).unwrap();
    world.processes[0].signal("-HUP").await;
    all_under(&world, 2, all, TAKEN_UP).await;
    save(watched.path(), &third.replace("outstanding = 400", "outstanding = 300"));
    all_under(&world, 3, all, WATCHED).await;
    let made = world.store.revisions(3).await.unwrap();
    let through: Vec<_> = made.iter().map(|head| head.by.through.as_deref()).collect();
    assert_eq!(through, [Some("watch"), Some("SIGHUP"), None], "{made:#?}");

    let mut due = world.store.runs(&RunFilter::default()).await.unwrap();
    due.retain(|run| run.task.kind() != RunKind::OperatorAction);
    assert_eq!(due, [], "nothing was due at once");
    let planned = world.ask(&["status"]).await;
    let apps = planned["apps"].as_array().unwrap();
    assert_eq!(apps.iter().filter(|app| app["next_tick"].is_string()).count(), shape.apps, "{planned:#}");
    assert_eq!(world.revive(), Vec::<String>::new());
}
