use holdfast_model::{BackupId, BackupStatus, CatalogEntry, Origin};

use super::select::{Allowed, newest_good, select};
use crate::adoption;
use crate::inventory::Inventory;
use crate::inventory::tests::{entry, inventory, listed};

fn ids(ids: &[i64]) -> Vec<BackupId> {
    ids.iter().copied().map(BackupId).collect()
}

/// Two good backups, the second held, and one externally created backup.
fn shop() -> Inventory {
    let mut held = entry(2, "hf-b.zip", 20);
    held.hold = Some("lawsuit".into());
    let backups = [(1, "hf-a.zip", 10), (2, "hf-b.zip", 20), (3, "c.zip", 30)];
    let backups = backups.map(|(id, blob, at)| listed(id, blob, at)).into();
    inventory(vec![entry(1, "hf-a.zip", 10), held, entry(4, "hf-d.zip", 5)], backups)
}

#[test]
fn everything_that_forbids_a_deletion_is_reported_at_once() {
    let refused = select(&shop(), &ids(&[1, 2, 3, 4, 5]), Allowed::default()).unwrap_err();
    assert_eq!(
        refused,
        [
            "backup 2 is held: lawsuit; `holdfast hold remove shop --backup 2 --reason TEXT` removes the hold",
            "backup 3 is not in the catalog: give --foreign to delete it",
            "backup 4 is no longer there",
            "backup 5 is unknown: neither Azure nor the catalog has it; `holdfast backups list shop` shows all",
        ]
    );
}

#[test]
fn a_backup_that_is_named_twice_is_deleted_once() {
    let plan = select(&shop(), &ids(&[1, 1]), Allowed::default()).unwrap();
    assert_eq!(plan.known.iter().map(|entry| entry.backup.id).collect::<Vec<_>>(), ids(&[1]));
    assert!(plan.foreign.is_empty());
    let plan = select(&shop(), &ids(&[3]), Allowed { foreign: true, last: false }).unwrap();
    assert_eq!(plan.foreign.iter().map(|backup| backup.blob.as_str()).collect::<Vec<_>>(), ["c.zip"]);
}

#[test]
fn the_last_good_backup_is_deleted_only_when_that_is_allowed() {
    let shop = || {
        let mut partial = entry(2, "hf-b.zip", 20);
        partial.good = false;
        // A backup that Azure no longer has is no substitute.
        let gone = entry(3, "hf-c.zip", 30);
        inventory(
            vec![entry(1, "hf-a.zip", 10), partial, gone],
            vec![listed(1, "hf-a.zip", 10), listed(2, "hf-b.zip", 20)],
        )
    };
    let refused = select(&shop(), &ids(&[1]), Allowed::default()).unwrap_err();
    assert!(
        refused.len() == 1 && refused[0].starts_with("backup 1 is the only good one left"),
        "{refused:?}"
    );
    assert!(select(&shop(), &ids(&[1]), Allowed { last: true, foreign: false }).is_ok());
    assert!(select(&shop(), &ids(&[2]), Allowed::default()).is_ok(), "it is no good one");
}

#[test]
fn the_last_partial_backup_of_an_app_without_a_good_one_is_deleted_only_when_that_is_allowed() {
    let of = |origin: &[(i64, Origin)]| {
        let kept = |&(id, origin): &(i64, Origin)| {
            let (blob, seconds) = (format!("hf-{id}.zip"), 10 * id);
            (CatalogEntry { origin, good: false, ..entry(id, &blob, seconds) }, listed(id, &blob, seconds))
        };
        let (entries, backups) = origin.iter().map(kept).unzip();
        inventory(entries, backups)
    };
    let refused = select(&of(&[(1, Origin::Partial)]), &ids(&[1]), Allowed::default()).unwrap_err();
    assert!(refused.len() == 1 && refused[0].starts_with("backup 1 is partial, and the only one left"));
    assert!(select(&of(&[(1, Origin::Partial)]), &ids(&[1]), Allowed { last: true, foreign: false }).is_ok());
    let two = || of(&[(1, Origin::Partial), (2, Origin::Partial)]);
    assert!(select(&two(), &ids(&[2]), Allowed::default()).is_ok(), "the other is left");
    let refused = select(&two(), &ids(&[1, 2]), Allowed::default()).unwrap_err();
    assert!(refused.len() == 1 && refused[0].starts_with("backup 2 is partial"), "{refused:?}");
    assert!(
        select(&of(&[(1, Origin::Orphan)]), &ids(&[1]), Allowed::default()).is_ok(),
        "the app does not count on it"
    );
}

#[test]
fn only_whole_backups_that_the_catalog_does_not_know_are_adopted() {
    let mut partial = listed(4, "d.zip", 40);
    partial.status = BackupStatus::PartiallySucceeded;
    let shop = inventory(
        vec![entry(1, "hf-a.zip", 10)],
        vec![listed(1, "hf-a.zip", 10), listed(3, "c.zip", 30), partial],
    );
    assert_eq!(adoption::select(&shop, &ids(&[3, 3])).unwrap().len(), 1);
    assert_eq!(
        adoption::select(&shop, &ids(&[1, 4, 5])).unwrap_err(),
        [
            "backup 1 is in the catalog already",
            "backup 4 is PartiallySucceeded: only whole backups are adopted",
            "backup 5 is unknown: Azure does not list it; `holdfast backups list shop` shows what it lists",
        ]
    );
}

#[test]
fn a_backup_that_is_being_deleted_cannot_stand_in_for_the_last_good_one() {
    let mut shop = inventory(
        vec![entry(1, "hf-a.zip", 10), entry(2, "hf-b.zip", 20)],
        vec![listed(1, "hf-a.zip", 10), listed(2, "hf-b.zip", 20)],
    );
    assert!(select(&shop, &ids(&[2]), Allowed::default()).is_ok());
    shop.being_deleted.insert(BackupId(1));
    let refused = select(&shop, &ids(&[2]), Allowed::default()).unwrap_err();
    assert!(
        refused.len() == 1 && refused[0].starts_with("backup 2 is the only good one left"),
        "{refused:?}"
    );
}

#[test]
fn a_deletion_of_the_newest_good_backup_says_which_one_is_left() {
    let shop = inventory(
        vec![entry(1, "hf-a.zip", 10), entry(2, "hf-b.zip", 20)],
        vec![listed(1, "hf-a.zip", 10), listed(2, "hf-b.zip", 20)],
    );
    let left = |gone: &[i64]| {
        let plan = select(&shop, &ids(gone), Allowed { last: true, foreign: false }).unwrap();
        newest_good(&shop, &plan).map(|(newest, left)| (newest.0, left.backup.id.0))
    };
    assert_eq!([left(&[2]), left(&[1]), left(&[1, 2])], [Some((2, 1)), None, None]);
}
