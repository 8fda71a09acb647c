use std::sync::Arc;

use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{
    App, AppId, Attempt, BackupFacts, BackupId, BackupName, Clock as _, ManualClock, NewBackup, NewRun,
    NewTask, Outcome, PolicyName, PolicySnapshot, Restore, Run, RunEvent, RunId, StorageName, Task, Trigger,
    Verification, parse_timestamp,
};
use holdfast_store::{Change, MemoryStore, Store, sha256_hex};

use super::*;
use crate::audit::{SigningKey, generate, read_pem, system_random};
use crate::signature::{FileSignature, InvalidSignature};

struct World {
    store: MemoryStore,
    clock: Arc<ManualClock>,
    rng: fastrand::Rng,
}

fn shop() -> App {
    App { policy: Some(PolicyName::new("gold")), ..App::new(AppId::new("0a0a", "g", "shop", None)) }
}

fn snapshot() -> PolicySnapshot {
    PolicySnapshot::new(StorageName::new("weu"), "acct")
}

impl World {
    fn at(text: &str) -> Self {
        let clock = Arc::new(ManualClock::new(parse_timestamp(text).unwrap()));
        Self { store: MemoryStore::new(clock.clone()), clock, rng: fastrand::Rng::with_seed(5) }
    }

    async fn miss(&mut self, tick: &str) {
        let missed = MissedTick { tick: parse_timestamp(tick).unwrap(), reason: MissReason::Overlap };
        let id = RunId::new(self.clock.now(), &mut self.rng);
        let run = NewRun::missed(id, &shop(), &snapshot(), &missed, self.clock.now());
        self.store.add_run(&run).await.unwrap();
    }

    async fn back_up(&mut self) {
        let now = self.clock.now();
        let backup = NewBackup { tick: Some(now), trigger: Trigger::Schedule, due_at: now };
        let new = NewRun::backup(RunId::new(now, &mut self.rng), &shop(), &snapshot(), backup, now);
        self.store.add_run(&new).await.unwrap();
        let name = BackupName::of_attempt(&new.run.app, new.run.id, 1, &mut self.rng);
        let attempt = Attempt {
            number: 1,
            name,
            begun_at: now,
            sas: String::new(),
            sas_expiry: None,
            restored_before: None,
        };
        let backup = BackupFacts {
            id: BackupId(7),
            blob: "shop.zip".into(),
            size_bytes: 5_000_000,
            accepted_at: now,
            finished_at: Some(now),
            databases: Vec::new(),
        };
        let ended = RunEvent::Ended {
            outcome: Outcome::Succeeded,
            cause: None,
            backup: Some(backup.clone()),
            verification: Some(Verification::Verified),
        };
        for event in [
            RunEvent::AttemptStarted { attempt, sas: None },
            RunEvent::Accepted { backup: BackupId(7), accepted_at: now, request_id: None },
            RunEvent::Completed { backup: Some(backup), detail: None },
            ended,
        ] {
            self.happen(new.run.id, event).await;
        }
    }

    async fn happen(&self, id: RunId, event: RunEvent) -> Run {
        let (at, run) = (self.clock.now(), self.store.load(id).await.unwrap().unwrap().run);
        let after = run.clone().after(&event, at).unwrap();
        let change = Change { from: run.version, run: after.clone(), events: vec![event], at };
        self.store.commit(&change).await.unwrap();
        after
    }

    async fn restore(&mut self) {
        let restore = Restore {
            source: shop().id,
            backup: Some(BackupId(7)),
            blob: "shop.zip".into(),
            new_in_plan: None,
            databases: Vec::new(),
            ignore_databases: false,
            ignore_conflicting_host_names: false,
        };
        let (now, actor) = (self.clock.now(), Some("ann <b>".into()));
        let asked = NewTask { task: Task::Restore(restore), trigger: Trigger::Manual, actor };
        let target = App::new(AppId::new("0a0a", "g", "copy", None));
        let run = NewRun::task(RunId::new(now, &mut self.rng), &target, &snapshot(), asked, now);
        self.store.add_run(&run).await.unwrap();
    }
}

async fn november() -> Report {
    let mut world = World::at("2026-11-30T12:00:00Z");
    world.miss("2026-11-01T00:00:00Z").await;
    world.miss("2026-10-31T23:59:00Z").await;
    world.back_up().await;
    world.restore().await;
    world.clock.set(parse_timestamp("2026-12-03T00:00:00Z").unwrap());
    world.miss("2026-12-01T00:00:00Z").await;
    build(&world.store, "2026-11".parse().unwrap(), ReportScope::default()).await.unwrap()
}

#[tokio::test]
async fn a_month_has_what_was_owed_done_kept_and_asked_for_in_it() {
    let report = november().await;
    let [app] = &report.apps[..] else { panic!("{:?}", report.apps) };
    assert_eq!((app.name.as_str(), app.owed, app.good, app.missed, app.failed), ("shop", 2, 1, 1, 0));
    assert_eq!((app.kept, app.deleted, app.lost), (1, 0, 0));
    let [act] = &app.restores[..] else { panic!("{:?}", app.restores) };
    assert_eq!((act.what.as_str(), act.outcome), ("restored backup 7 into copy", None));
    assert_eq!(act.who.as_deref(), Some("claimed \"ann <b>\""));
    let Totals { apps, owed, good, proven, whole } = report.totals;
    assert_eq!((apps, owed, good, proven, whole), (1, 2, 1, 0, 0));
    assert_eq!(report.audit.hash.len(), 64);
}

#[tokio::test]
async fn a_report_is_about_the_policies_that_were_asked_for() {
    let mut world = World::at("2026-11-30T12:00:00Z");
    world.back_up().await;
    let month = "2026-11".parse().unwrap();
    let of = async |policy: &str| {
        let scope = ReportScope { policies: [PolicyName::new(policy)].into(), ..ReportScope::default() };
        build(&world.store, month, scope).await.unwrap().apps.len()
    };
    assert_eq!((of("gold").await, of("silver").await), (1, 0));
}

#[test]
fn a_scope_has_the_apps_with_all_of_its_tags_under_one_of_its_policies() {
    let app = AppReport { policy: Some(PolicyName::new("gold")), ..AppReport::new(shop().id) };
    let tags = [("team", "shop"), ("env", "prod")].into_iter().collect();
    let scope = |policies: &[&str], tags: &[&str]| ReportScope {
        policies: policies.iter().map(|name| PolicyName::new(*name)).collect(),
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
    };
    assert!(
        scope(&[], &[]).has(&app, &tags) && scope(&["gold", "x"], &["Team=shop", "env"]).has(&app, &tags)
    );
    for other in [scope(&["x"], &["env"]), scope(&["gold"], &["team=web"]), scope(&[], &["team", "cost"])] {
        assert!(!other.has(&app, &tags), "{other:?}");
    }
    assert_eq!(scope(&["gold"], &["team=shop"]).describe(), "apps with the policy gold, the tag team=shop");
}

#[tokio::test]
async fn a_page_and_a_table_say_it_and_hold_no_markup_of_others() {
    let report = november().await;
    let page = html(&report);
    assert!(page.contains("1 of 2 owed backups are good") && page.contains(&report.audit.hash), "{page}");
    assert!(page.contains("ann &lt;b&gt;") && !page.contains("<b>") && !page.contains("<script"), "{page}");
    let table = String::from_utf8(csv(&report).unwrap()).unwrap();
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("month,app,name,policy,owed,good,"), "{table}");
    assert!(lines.next().unwrap().starts_with("2026-11,/subscriptions/0a0a/"), "{table}");
}

#[tokio::test]
async fn a_signature_holds_for_the_file_and_the_key_alone() {
    let report = november().await;
    let key = || -> SigningKey { read_pem(&generate(&system_random()).unwrap()).unwrap() };
    let (key, other) = (key(), key());
    let file = html(&report).into_bytes();
    let line = FileSignature::sign(report.as_file(sha256_hex(&file)), &key).line();
    let read = FileSignature::parse(&format!("{line}\n")).unwrap();
    let (ours, theirs) = (key.verifying_key().unwrap(), other.verifying_key().unwrap());
    assert_eq!(read.verify(&sha256_hex(&file), &[theirs.clone(), ours.clone()]), Ok(()));
    assert_eq!(read.signed.audit, report.audit);
    assert!(matches!(read.verify(&sha256_hex(&file), &[theirs]), Err(InvalidSignature::OtherKey(_))));
    assert!(matches!(
        read.verify(&sha256_hex(b"other"), std::slice::from_ref(&ours)),
        Err(InvalidSignature::Changed { .. })
    ));
    let changed = line.replace("2026-11\"", "2026-10\"");
    let changed = FileSignature::parse(&changed).unwrap();
    assert!(matches!(changed.verify(&sha256_hex(&file), &[ours]), Err(InvalidSignature::Signature(_))));
    assert_eq!(FileSignature::parse("{}"), Err(InvalidSignature::Form));
}

#[test]
fn a_month_is_a_year_and_two_digits() {
    assert_eq!("2026-02".parse::<Month>().unwrap().to_string(), "2026-02");
    for text in ["2026", "2026-13", "2026-2", "26-02", "2026-02-01", "+026-02", ""] {
        assert!(text.parse::<Month>().is_err(), "{text}");
    }
}
