//! Replacements of SAS that Azure keeps with backups.

use holdfast_arm::{Error, ErrorKind};
use holdfast_model::{
    BackupId, Cause, Delete, Outcome, RefreshReason, RefreshSas, Run, RunEvent, SasRefresh, StorageName,
    Task, Trigger,
};

use super::replacement::Replacement;
use super::transitions::replaced;
use crate::fixtures::{assert_pause, at, ending, error, input, rng, run_of, sas};
use crate::next::Next;

const DELETE: BackupId = BackupId(7);

fn deletion() -> Run {
    let delete = Delete { backup: DELETE, blob: "b.zip".into(), allow_last: false, rule: None };
    run_of("shop", Task::Delete(delete), Trigger::Policy)
}

fn requested() -> SasRefresh {
    SasRefresh {
        storage: StorageName::new("weu"),
        container: "https://acct/backups".into(),
        reason: RefreshReason::BeforeDelete,
        old: None,
        new: sas(),
        backup: Some(DELETE),
    }
}

fn replace(run: &Run, answer: Result<(), Error>) -> Next {
    let storage_refresh = Some(SasRefresh { backup: None, ..requested() });
    replaced(&input(run, at(10)), Replacement { storage_refresh, requested: requested(), answer }, &mut rng())
}

#[test]
fn a_replaced_sas_is_recorded_and_the_deletion_goes_on_at_once() {
    let next = replace(&deletion(), Ok(()));
    let recorded: Vec<Option<BackupId>> = next
        .events
        .iter()
        .map(|event| match event {
            RunEvent::SasRefreshed { refresh } => refresh.backup,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((recorded, next.due_at), (vec![None, Some(DELETE)], at(10)));
    let refresh = RefreshSas { backup: DELETE, reason: RefreshReason::KeptBackup, old: None };
    let alone = replace(&run_of("shop", Task::RefreshSas(refresh), Trigger::Policy), Ok(()));
    assert_eq!(ending(&alone), Some((Outcome::Succeeded, None)));
}

#[test]
fn a_replacement_whose_answer_was_lost_is_repeated_and_records_only_the_storages_sas() {
    let next = replace(&deletion(), Err(error(ErrorKind::Ambiguous)));
    assert!(matches!(
        &next.events[..],
        [RunEvent::SasRefreshed { refresh }, RunEvent::Deferred { .. }] if refresh.backup.is_none()
    ));
    assert_pause(&next, at(10), 10);
    let gone = replace(&deletion(), Err(error(ErrorKind::NotFound)));
    assert_eq!(ending(&gone), Some((Outcome::Failed, Some(Cause::BackupNotFound))));
}
