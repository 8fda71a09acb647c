//! What checks read and record.

use std::collections::BTreeSet;

use holdfast_arm::{Backup, ObservedBackups};
use holdfast_model::{
    BackupChange, BackupFacts, BackupId, BackupName, BackupStatus, CatalogEntry, Cause, DatabaseFacts,
    MissingBackup, Origin, RunEvent, RunState, Timestamp,
};

use super::changed::{changed, listed_as};
use super::known::{Known, late_backups};
use super::observed::Observed;
use super::schedule::record;
use super::selection::to_read;
use crate::deletions::may_have_taken_effect;
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
fn a_deletion_that_azure_accepted_or_may_have_accepted_may_have_taken_effect() {
    let lost = RunEvent::AnswerLost { detail: "reset".into() };
    let accepted = RunEvent::Accepted { backup: BackupId(7), accepted_at: at(0), request_id: None };
    let failed = |cause| RunEvent::AttemptEnded {
        number: 1,
        status: Some(BackupStatus::DeleteFailed),
        cause,
        detail: String::new(),
        backup: None,
        retry_at: None,
    };
    let attempt = starting().state.attempt().unwrap().clone();
    let started = RunEvent::AttemptStarted { attempt, sas: None };
    let unseen = RunEvent::Absent { looked_at: at(0) };
    for sent in [lost, accepted, unseen] {
        for cause in [Cause::DeleteFailed, Cause::AppNotFound, Cause::AnswerLost] {
            assert!(may_have_taken_effect(&[&started, &sent, &failed(cause)]), "{sent:?}, {cause}");
        }
    }
    assert!(may_have_taken_effect(&[&started, &failed(Cause::AnswerLost)]));
    assert!(!may_have_taken_effect(&[&started, &failed(Cause::Rejected)]), "azure refused it");
    let cause = Cause::AppNotFound;
    let throttled = RunEvent::Deferred { cause, detail: String::new(), until: at(0) };
    assert!(!may_have_taken_effect(&[&started, &throttled]), "azure did nothing");
    let refused = RunEvent::StartRefused { cause, detail: String::new(), retry_at: None };
    assert!(!may_have_taken_effect(&[&refused]), "no request was sent");
}

#[test]
fn a_late_backup_has_the_name_of_a_run_that_has_ended() {
    let listed = |name: String| Backup { name: Some(name), ..backup(BackupStatus::Succeeded) };
    let run = starting();
    let ours = listed(BackupName::of_attempt(&run.app, run.id, 2, &mut rng()).to_string());
    let theirs = listed("hf-shop-0123456789-1".into());
    let unknown = [&ours, &theirs];
    assert!(late_backups(&unknown, std::slice::from_ref(&run)).is_empty(), "the run adopts it itself");
    let ended = holdfast_model::Run { state: RunState::action_recorded(), ..moved(run, []) };
    let late = late_backups(&unknown, &[ended]);
    assert_eq!(late.len(), 1, "a run of another store keeps its backup");
}

/// What a look at one backup tells of its differences: those that the record follows, and those that last.
fn differences(entry: &CatalogEntry, listed: Backup) -> Option<(Vec<String>, Vec<String>)> {
    let observed = Observed {
        listed: ObservedBackups::of(vec![listed]),
        containers: [(entry.storage.clone(), "https://acct.blob.core.windows.net/backups".to_owned())].into(),
        ..Observed::default()
    };
    let listed = listed_as(entry, &observed)?;
    match changed(entry, listed, (&Known::default(), &observed), at(DAY))? {
        RunEvent::BackupChanged { updates, differences, .. } => Some((updates, differences)),
        other => panic!("{other:?}"),
    }
}

fn listed() -> Backup {
    Backup {
        id: BackupId(7),
        blob_name: Some("b7.zip".into()),
        created: Some(facts().accepted_at),
        ..succeeded()
    }
}

fn succeeded() -> Backup {
    Backup { name: None, ..backup(BackupStatus::Succeeded) }
}

#[test]
fn a_backup_that_azure_lists_otherwise_is_told_with_each_difference() {
    let database = |name: &str| vec![DatabaseFacts { kind: "MySql".into(), name: name.into() }];
    let mut entry = entry(7);
    entry.backup.databases = database("Shop");
    entry.backup.finished_at = Some(at(1));
    let as_recorded = Backup { databases: database("shop"), ..listed() };
    let host = |text: &str| Some(format!("https://{text}"));
    let same = [
        as_recorded.clone(),
        Backup { created: Some(at(60)), ..as_recorded.clone() },
        Backup { container: host("ACCT.blob.core.windows.net/backups"), ..as_recorded.clone() },
    ];
    for listed in same {
        assert_eq!(differences(&entry, listed.clone()), None, "{listed:?}");
    }
    let one = |listed: Backup| {
        let (updates, differences) =
            differences(&entry, listed.clone()).unwrap_or_else(|| panic!("no difference: {listed:?}"));
        let all = [updates, differences].concat();
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    };
    let changes = [
        (
            Backup { blob_name: Some("new.zip".into()), ..as_recorded.clone() },
            "its blob is new.zip and was b7.zip",
        ),
        (
            Backup { created: Some(at(7_200)), ..as_recorded.clone() },
            "it was created at 1970-01-01T02:00:00.000Z and was at 1970-01-01T00:00:00.000Z",
        ),
        (
            Backup { databases: database("blog"), ..as_recorded.clone() },
            "it holds MySql blog and held MySql Shop",
        ),
        (Backup { databases: Vec::new(), ..as_recorded.clone() }, "it holds no database and held MySql Shop"),
        (Backup { status: BackupStatus::Failed, ..as_recorded.clone() }, "azure calls it Failed"),
        (
            Backup { status: BackupStatus::DeleteInProgress, ..as_recorded.clone() },
            "azure calls it DeleteInProgress",
        ),
        (Backup { status: BackupStatus::from_word("Odd"), ..as_recorded.clone() }, "azure calls it Odd"),
        (
            Backup { container: host("other.blob.core.windows.net/backups"), ..as_recorded.clone() },
            "azure has it in https://other.blob.core.windows.net/backups, and storage `weu` is \
             https://acct.blob.core.windows.net/backups",
        ),
    ];
    for (listed, told) in changes {
        assert_eq!(one(listed), told);
    }
    let elsewhere = Backup { blob_name: Some("new.zip".into()), created: Some(at(9)), ..as_recorded };
    assert_eq!(differences(&entry, elsewhere), None, "the number is another backup's: this one is lost");
}

#[test]
fn a_difference_that_lasts_is_told_once_and_again_when_it_is_gone() {
    let mut entry = entry(7);
    let failed = Backup { status: BackupStatus::Failed, ..listed() };
    let (_, told) = differences(&entry, failed.clone()).unwrap();
    entry.change = Some(BackupChange { at: at(1), differences: told, good_once_verified: Some(true) });
    entry.good = false;
    assert_eq!(differences(&entry, failed), None);
    assert_eq!(differences(&entry, listed()), Some((Vec::new(), Vec::new())));
}

#[test]
fn a_schedule_is_recorded_while_it_differs_and_once_more_when_it_does_not() {
    assert!(record(None, vec!["Azure has no schedule".to_owned()], false).is_some());
    assert!(record(None, Vec::new(), true).is_some());
    assert!(record(None, Vec::new(), false).is_none());
}
