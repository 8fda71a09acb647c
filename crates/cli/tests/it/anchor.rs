//! The audit is anchored outside of the store: what its owner rewrites is found, and anyone may look.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use holdfast_model::{
    App, AppId, Clock, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName, SystemClock,
};
use holdfast_store::{ChainRow, Content, Link, Mode, SqliteStore, Store as _};
use serde_json::Value;

use crate::bad_rows::sql;
use crate::command::{Ended, FLEET, Place, command};
use crate::simulated::simulate;

const AUDIT: &str = r#"
[audit]
checkpoint = { every = "1s", to = ["file:checkpoints.jsonl"], key = "file:audit.pem", name = "contoso" }
"#;

const CHECKED: &str = "audit verify --checkpoints checkpoints.jsonl --public-key audit.pub.pem";

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn open(path: &Path, mode: Mode) -> SqliteStore {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    SqliteStore::open(path, clock, mode).await.unwrap()
}

/// Adds events to the store.
fn add_events(place: &Place, count: u64) {
    block(async {
        let store = open(&place.path("holdfast.sqlite"), Mode::Own).await;
        let app = App::new(AppId::new("s", "g", "shop", None));
        for seed in 0..count {
            let now = store.now().await.unwrap();
            let action = OperatorAction::Drift { found: None, drift: vec![format!("number {seed}")] };
            let id = RunId::new(now, &mut fastrand::Rng::with_seed(seed));
            let snapshot = PolicySnapshot::new(StorageName::new("weu"), "");
            let run = NewRun::operator_action(id, &app, &snapshot, action, "ann".into(), now);
            store.add_run(&run).await.unwrap();
        }
        store.close().await;
    });
}

/// A store with five events and that of who asked for a checkpoint, a key, and a checkpoint of the six.
fn anchored() -> Place {
    let place = Place::new();
    place.write("fleet.toml", &format!("{FLEET}{AUDIT}"));
    assert_eq!(place.run("migrate").code, 0);
    add_events(&place, 5);
    let made = place.run("audit keygen --out audit.pem");
    assert_eq!(made.code, 0, "{}", made.err);
    place.write("audit.pub.pem", &made.out);
    let done = place.run("audit checkpoint");
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(
        done.err.contains("a checkpoint of event 6 was written to file:checkpoints.jsonl"),
        "{}",
        done.err
    );
    place
}

/// The rows without those of `dropped`, with new numbers and hashes: a chain that holds.
fn rehashed(rows: Vec<ChainRow>, dropped: &[i64]) -> Vec<ChainRow> {
    let mut last = Link::origin();
    let kept = rows.into_iter().filter(|row| !dropped.contains(&row.link.seq));
    kept.map(|row| {
        last = last.then(&row.content());
        ChainRow { link: last.clone(), ..row }
    })
    .collect()
}

/// Rewrites the store's audit as its owner can, who drops the triggers first.
fn rewrite(place: &Place, dropped: &[i64]) {
    let rows =
        block(async { open(&place.path("holdfast.sqlite"), Mode::Read).await.chain(0, 999).await.unwrap() });
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let insert = |row: &ChainRow| {
        let Content { at, run_id, app, data, .. } = row.content();
        let texts = [at, run_id, app, data, &row.link.previous, &row.link.hash].map(text).join(", ");
        format!(
            "INSERT INTO audit_events (seq, at, run_id, app, data, previous, hash) VALUES ({}, {texts});",
            row.link.seq
        )
    };
    let inserts: String = rehashed(rows, dropped).iter().map(insert).collect();
    let guards =
        "DROP TRIGGER audit_events_stay; DROP TRIGGER audit_events_are_kept; DELETE FROM audit_events;";
    sql(place, &format!("{guards} {inserts}"));
}

fn refused(ended: &Ended, words: &str) {
    assert!(ended.code == 1 && ended.err.contains(words), "{}: {}{}", ended.code, ended.out, ended.err);
}

#[test]
fn an_owner_who_drops_two_events_and_computes_the_hashes_again_is_found() {
    let place = anchored();
    let whole = place.run(CHECKED);
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert!(whole.out.contains("1 checkpoint agrees with it; the latest, of 20"), "{}", whole.out);
    assert!(whole.out.contains("covers event 6; 0 newer events without a checkpoint"), "{}", whole.out);
    rewrite(&place, &[3, 4]);
    // The chain alone holds: only the rows that do not follow from it show the change.
    refused(&place.run("audit verify"), "rows do not follow from the audit's events");
    refused(&place.run(CHECKED), "the audit ends with event 4, and the checkpoint of ");
    add_events(&place, 9);
    refused(&place.run(CHECKED), "audit event 6 differs from the one that the checkpoint of ");
    // No checkpoint follows that would make the change look signed.
    refused(
        &place.run("audit checkpoint"),
        "the audit no longer has the event 6 that the last checkpoint covers",
    );
    let status = place.run("status").out;
    assert!(
        status.contains("no checkpoint of the audit could be written to file:checkpoints.jsonl"),
        "{status}"
    );
    assert_eq!(std::fs::read_to_string(place.path("checkpoints.jsonl")).unwrap().lines().count(), 1);
    let again = place.run("audit checkpoint --after-restore");
    assert_eq!(again.code, 0, "{}", again.err);
    refused(&place.run(CHECKED), "audit event 6 differs from the one");
}

#[test]
fn an_exported_audit_is_verified_without_a_store() {
    let place = anchored();
    assert_eq!(place.run("audit export --to events.jsonl").code, 0);
    let exported = std::fs::read_to_string(place.path("events.jsonl")).unwrap();
    assert_eq!(place.run("audit export").out, exported);
    let offline = format!("{CHECKED} --events events.jsonl --store nowhere.sqlite --fleet nowhere.toml");
    let whole = place.run(&offline);
    assert!(whole.code == 0 && whole.out.contains("1 checkpoint agrees"), "{}{}", whole.out, whole.err);
    place.write("events.jsonl", &exported.replacen("number 2", "number 9", 1));
    refused(&place.run(&offline), "audit event 3 was changed after it was written");
    let cut: Vec<&str> = exported.lines().take(5).collect();
    place.write("events.jsonl", &cut.join("\n"));
    refused(&place.run(&offline), "events were removed at its end");
    place.write("events.jsonl", "{}\n");
    let odd = place.run(&offline);
    assert!(odd.code == 2 && odd.err.contains("line 1 of events.jsonl is no audit event"), "{}", odd.err);
    assert_eq!(place.run("audit export --to events.jsonl").code, 1, "a file is not replaced");
    let signed = place.run("audit export --key file:audit.pem --to signed.jsonl");
    assert_eq!(signed.code, 0, "{}", signed.err);
    let known = "audit verify-export signed.jsonl --public-key audit.pub.pem --store nowhere.sqlite";
    assert!(place.run(known).out.starts_with("signed.jsonl holds: "), "{}", place.run(known).err);
    let whole = place.run(&format!("{CHECKED} --events signed.jsonl --store nowhere.sqlite"));
    assert!(whole.code == 0 && whole.out.contains("1 checkpoint agrees"), "{}{}", whole.out, whole.err);
}

#[test]
fn a_forged_a_changed_and_a_missing_checkpoint_are_refused() {
    let place = anchored();
    let whole = std::fs::read_to_string(place.path("checkpoints.jsonl")).unwrap();
    rewrite(&place, &[3, 4]);
    // The owner writes a checkpoint that fits the new chain, with a key of their own.
    let mallory = place.run("audit keygen --out mallory.pem").out;
    place.write("fleet.toml", &format!("{FLEET}{}", AUDIT.replace("audit.pem", "mallory.pem")));
    std::fs::remove_file(place.path("checkpoints.jsonl")).unwrap();
    assert_eq!(place.run("audit checkpoint").code, 0);
    refused(&place.run(CHECKED), "which is none of the given ones");
    let forged = std::fs::read_to_string(place.path("checkpoints.jsonl")).unwrap();
    let key = |line: &str| serde_json::from_str::<Value>(line).unwrap()["key"].as_str().unwrap().to_owned();
    place.write("checkpoints.jsonl", &forged.replace(&key(&forged), &key(&whole)));
    refused(&place.run(CHECKED), "the checkpoint was changed or forged");
    place.write("checkpoints.jsonl", "");
    refused(&place.run(CHECKED), "there is no checkpoint of the fleet `contoso`");
    place.write("checkpoints.jsonl", &whole.replace("\"seq\":6", "\"seq\": 6"));
    refused(&place.run(CHECKED), "it is not a checkpoint in the form of version 1");
    // A line that was cut off hides nothing else.
    place.write("checkpoints.jsonl", &format!("{{\"checkpoint\":1,\n{whole}"));
    let torn = place.run(CHECKED);
    assert!(torn.err.contains("line 1 of checkpoints.jsonl was cut off"), "{}", torn.err);
    refused(&torn, "the audit ends with event 5");
    place.write("audit.pub.pem", &mallory);
    refused(&place.run(CHECKED), "which is none of the given ones");
}

#[test]
fn an_auditor_verifies_with_a_file_and_a_folder_that_may_only_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let place = anchored();
    let mode = |name: &str, mode| {
        std::fs::set_permissions(place.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for name in ["holdfast.sqlite", "checkpoints.jsonl", "fleet.toml"] {
        mode(name, 0o444);
    }
    mode("", 0o555);
    let mut auditor = command(&place.path(""), CHECKED);
    if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        // Permissions do not bind the superuser.
        auditor.uid(65_534).gid(65_534);
    }
    let ended = Ended::from(auditor.output().unwrap());
    mode("", 0o755);
    assert!(ended.code == 0 && ended.out.contains("1 checkpoint agrees"), "{}{}", ended.out, ended.err);
}

#[test]
fn a_claimed_name_is_marked_and_the_user_and_the_machine_stand_beside_it() {
    let place = Place::new();
    place.write("fleet.toml", FLEET);
    assert_eq!(place.run("migrate").code, 0);
    sql(&place, "INSERT INTO budgets VALUES ('s', 'dance', 0, '2026-01-01T00:00:00.000Z', NULL)");
    let removed = place.run("store remove budgets s dance --reason odd --yes --actor ann");
    assert_eq!(removed.code, 0, "{}", removed.err);
    let event: Value = serde_json::from_str(&place.run("audit export").out).unwrap();
    let data: Value = serde_json::from_str(event["data"].as_str().unwrap()).unwrap();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let uid = std::fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap();
    assert_eq!((&data["actor"], &data["actor_host"]), (&"ann".into(), &host.trim().into()), "{data}");
    assert_eq!(data["actor_uid"], uid);
    let shown = place.run(&format!("runs show {}", event["run_id"].as_str().unwrap())).out;
    assert!(shown.contains(&format!("claimed \"ann\" (uid {uid} on {})", host.trim())), "{shown}");
}

#[test]
fn a_process_writes_checkpoints_on_its_schedule_and_tells_of_a_place_that_takes_none() {
    let place = Place::new();
    let audit = AUDIT.replace("\"file:checkpoints.jsonl\"", "\"stdout\", \"file:nowhere/checkpoints.jsonl\"");
    place.write("fleet.toml", &format!("{FLEET}{audit}"));
    assert_eq!(place.run("audit keygen --out audit.pem").code, 0);
    let mut run = command(&place.path(""), "run");
    run.env("HOLDFAST_NOBODY_SETS_THIS", "c3RvcmFnZSBrZXk=").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = run.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let written: Vec<Value> =
        lines.take(2).map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let status = place.json("status");
    child.kill().unwrap();
    let logged = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(written.iter().all(|line| line["fleet"] == "contoso"), "{written:?}");
    assert_ne!(written[0]["at"], written[1]["at"]);
    assert!(logged.contains("failed to write a checkpoint of the audit"), "{logged}");
    let of = |name: &str| {
        let all = status["checkpoints"].as_array().unwrap();
        all.iter().find(|status| status["destination"] == name).unwrap().clone()
    };
    assert!(of("stdout")["written_at"].is_string() && of("stdout")["error"].is_null(), "{status}");
    let failing = of("file:nowhere/checkpoints.jsonl");
    assert!(failing["failed_since"].is_string() && failing["written_at"].is_null(), "{status}");
}

#[test]
fn a_container_receives_a_new_blob_for_each_checkpoint_and_is_read_by_its_url() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 1 --seed 7");
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let audit = AUDIT.replace("file:checkpoints.jsonl", "storage:simulated");
    place.write("fleet.toml", &format!("{fleet}{audit}"));
    place.write("audit.pub.pem", &place.run("audit keygen --out audit.pem").out);
    let check = place.run("config check");
    assert_eq!(check.code, 0, "{}", check.out);
    assert_eq!(place.run("migrate").code, 0);
    add_events(&place, 1);
    for _ in 0..2 {
        let done = place.run("audit checkpoint");
        assert_eq!(done.code, 0, "{}", done.err);
    }
    let container =
        fleet.lines().find_map(|line| line.split_once("container = ")).unwrap().1.trim_matches('"');
    for from in ["storage:simulated", container] {
        let ended = place.run(&format!("audit verify --checkpoints {from} --public-key audit.pub.pem"));
        assert_eq!(ended.code, 0, "{from}: {}", ended.err);
        assert!(ended.out.contains("2 checkpoints agree with it"), "{from}: {}", ended.out);
    }
    let leaky = place.run(&format!("audit verify --checkpoints {container}?sig=hunter2"));
    assert!(leaky.code == 2 && !leaky.err.contains("hunter2"), "{}", leaky.err);
}
