use holdfast_model::schedule::Schedule;
use holdfast_model::{
    App, AppId, BackupFacts, Delete, NewRun, NewTask, Overlap, PolicyName, PolicySnapshot, Restore,
    Retention, Run, RunId, StorageName, Task, Trigger,
};

use super::*;

const DAY: i64 = 86_400;

fn at(day: i64) -> Timestamp {
    Timestamp::from_timestamp(day * DAY, 0).unwrap()
}

fn shop() -> App {
    App::new(AppId::new("sub", "group", "shop", None))
}

/// Keeps the last good backup and reports or requests the other deletions.
fn policy(dry_run: bool) -> Policy {
    let schedule = Schedule {
        crontab: "0 0 * * *".parse().unwrap(),
        timezone: holdfast_model::Zone::UTC,
        spread: Duration::ZERO,
    };
    Policy {
        name: PolicyName::new("gold"),
        schedule,
        catch_up: Duration::ZERO,
        overlap: Overlap::Skip,
        recovery_point_objective: None,
        retention: Some(Retention { dry_run, ..Retention::new(0, 0) }),
        drill: None,
        native_schedule: None,
        policy_snapshot: PolicySnapshot::new(StorageName::new("weu"), "acct"),
    }
}

fn entry(id: i64, day: i64) -> CatalogEntry {
    let run = RunId::new(at(day), &mut fastrand::Rng::with_seed(1));
    let backup = BackupFacts {
        id: BackupId(id),
        blob: format!("b{id}.zip"),
        size_bytes: 1,
        accepted_at: at(day),
        finished_at: Some(at(day)),
        databases: Vec::new(),
    };
    CatalogEntry::new(shop().id, run, StorageName::new("weu"), backup, Origin::Succeeded)
}

fn run(task: Task) -> Run {
    let planned = NewTask { task, trigger: Trigger::Manual, actor: None };
    let id = RunId::new(at(9), &mut fastrand::Rng::with_seed(2));
    NewRun::task(id, &shop(), &policy(false).policy_snapshot, planned, at(9)).run
}

fn decide_at(day: i64, policy: &Policy, entries: &[CatalogEntry], unfinished: Vec<Run>) -> AppRetention {
    let unfinished = unfinished.into_iter().collect();
    let entries = entries.iter().collect();
    RetentionQuery { policy, entries, foreign: Vec::new(), unfinished: &unfinished, now: at(day) }.decide()
}

fn words(retention: &AppRetention) -> Vec<(i64, &'static str)> {
    retention.decisions.iter().map(|(id, decision)| (id.0, decision.as_str())).collect()
}

fn numbers(ids: &[BackupId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}

#[test]
fn a_backup_that_is_being_deleted_goes_and_replaces_no_other() {
    let entries = [entry(3, 3), entry(2, 2), entry(1, 1)];
    let delete =
        Task::Delete(Delete { backup: BackupId(3), blob: "b3.zip".into(), allow_last: true, rule: None });
    let retention = decide_at(10, &policy(false), &entries, vec![run(delete)]);
    assert_eq!(words(&retention), [(1, "delete"), (2, "last_good"), (3, "delete")]);
    assert_eq!(numbers(&retention.due), [1], "a deletion of 3 is requested already");
    assert_eq!(retention.expired, [BackupId(1)].into());
}

#[test]
fn a_backup_that_a_restore_reads_expires_but_its_deletion_is_not_due() {
    let restore = Restore {
        source: shop().id,
        backup: None,
        blob: "b1.zip".into(),
        new_in_plan: None,
        databases: Vec::new(),
        ignore_databases: true,
        ignore_conflicting_host_names: true,
    };
    let entries = [entry(3, 3), entry(2, 2), entry(1, 1)];
    let retention = decide_at(10, &policy(false), &entries, vec![run(Task::Restore(restore))]);
    assert_eq!(words(&retention), [(1, "delete"), (2, "delete"), (3, "last_good")]);
    assert_eq!(numbers(&retention.due), [2]);
}

#[test]
fn a_dry_run_decides_the_same_and_nothing_is_due() {
    let entries = [entry(2, 2), entry(1, 1)];
    let (dry, wet) = (policy(true), policy(false));
    let (dry, wet) = (decide_at(10, &dry, &entries, vec![]), decide_at(10, &wet, &entries, vec![]));
    assert_eq!((&dry.decisions, &dry.expired), (&wet.decisions, &wet.expired));
    assert_eq!((numbers(&dry.due), numbers(&wet.due)), (vec![], vec![1]));
}

#[test]
fn nothing_is_due_for_an_app_with_a_backup_newer_than_the_clock() {
    let entries = [entry(3, 20), entry(2, 2), entry(1, 1)];
    let retention = decide_at(10, &policy(false), &entries, vec![]);
    assert_eq!(retention.newer_than_clock, Some(BackupId(3)));
    assert_eq!(numbers(&retention.due), [0; 0]);
}

#[test]
fn a_foreign_backup_protects_the_number_it_shares_and_has_no_decision() {
    let entries = [entry(2, 2), entry(1, 1)];
    let (entries, unfinished) = (entries.iter().collect(), UnfinishedRuns::default());
    let foreign = vec![
        ForeignBackup { id: BackupId(1), accepted_at: at(3) },
        ForeignBackup { id: BackupId(9), accepted_at: at(3) },
    ];
    let policy = policy(false);
    let query = RetentionQuery { policy: &policy, entries, foreign, unfinished: &unfinished, now: at(10) };
    assert_eq!(words(&query.decide()), [(1, "same_number"), (2, "last_good")]);
}

#[test]
fn removed_backups_and_policies_without_retention_have_no_decision() {
    let removed =
        CatalogEntry { removal: Some(holdfast_model::Removal { at: at(3), deleted: true }), ..entry(3, 3) };
    let retention = decide_at(10, &policy(false), &[removed, entry(1, 1)], vec![]);
    assert_eq!(words(&retention), [(1, "last_good")]);
    let keeps_all = Policy { retention: None, ..policy(false) };
    assert_eq!(decide_at(10, &keeps_all, &[entry(1, 1)], vec![]), AppRetention::default());
}
