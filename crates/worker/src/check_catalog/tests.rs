//! What checks read and record.

use std::collections::BTreeSet;

use holdfast_model::{
    BackupFacts, BackupId, BackupName, BackupStatus, CatalogEntry, MissingBackup, Origin, RunState, Timestamp,
};

use super::known::{Known, late_backups};
use super::schedule::{differences, record};
use super::selection::to_read;
use crate::fixtures::{at, backup, facts, moved, planned, rng, starting};

const DAY: i64 = 24 * 3_600;

fn entry(id: i64) -> CatalogEntry {
    let run = planned();
    let backup = BackupFacts { id: BackupId(id), blob: format!("b{id}.zip"), ..facts() };
    let storage = run.policy_snapshot.storage.clone();
    let entry = CatalogEntry::new(run.app.clone(), run.id, storage, backup, Origin::Succeeded);
    CatalogEntry { verified_at: Some(at(0)), ..entry }
}

fn read_on(known: &Known, state: &RunState, now: Timestamp) -> Vec<i64> {
    to_read(known, &[], state, now).iter().map(|stored| stored.backup.id.0).collect()
}

#[test]
fn an_app_with_many_backups_is_read_in_turn_and_what_is_new_or_missing_always() {
    let mut known = Known { entries: (1..=350).rev().map(entry).collect(), ..Known::default() };
    known.entries[349].verified_at = None;
    let missing = vec![MissingBackup { id: BackupId(50), blob: "b50.zip".into() }];
    let comparing = RunState::Comparing { missing, looks: 1 };
    let mut read = BTreeSet::new();
    for day in 0..7 {
        let of_day = read_on(&known, &comparing, at(day * DAY));
        assert_eq!(of_day.len(), 100);
        assert!([350, 50, 1].iter().all(|id| of_day.contains(id)), "{of_day:?}");
        read.extend(of_day);
    }
    assert_eq!(read.len(), 350, "all are read within a week");
    assert_eq!(read_on(&Known::default(), &RunState::Planned, at(0)), [0_i64; 0]);
}

#[test]
fn a_late_backup_has_the_name_of_a_run_that_has_ended() {
    let listed = |name: String| holdfast_arm::Backup { name: Some(name), ..backup(BackupStatus::Succeeded) };
    let run = starting();
    let ours = listed(BackupName::of_attempt(&run.app, run.id, 2, &mut rng()).to_string());
    let theirs = listed("hf-shop-0123456789-1".into());
    let unknown = [&ours, &theirs];
    assert!(late_backups(&unknown, std::slice::from_ref(&run)).is_empty(), "the run adopts it itself");
    let ended = holdfast_model::Run { state: RunState::action_recorded(), ..moved(run, []) };
    let late = late_backups(&unknown, &[ended]);
    assert_eq!(late.len(), 1, "a run of another store keeps its backup");
}

#[test]
fn a_schedule_is_recorded_while_it_differs_and_once_more_when_it_does_not() {
    let wanted = holdfast_model::NativeSchedule::days(7);
    let drift = differences(&wanted, None, None, at(0));
    assert_eq!(drift, ["Azure has no schedule"]);
    assert!(record(None, drift, false).is_some());
    assert!(record(None, Vec::new(), true).is_some());
    assert!(record(None, Vec::new(), false).is_none());
}
