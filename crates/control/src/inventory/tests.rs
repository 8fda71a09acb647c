use std::collections::BTreeSet;

use holdfast_arm::Backup;
use holdfast_model::{
    App, AppId, BackupFacts, BackupId, BackupStatus, CatalogEntry, Origin, Removal, RunId, StorageName,
    Timestamp,
};

use super::inventory::beside;
use super::{Inventory, Item, MadeBy, Presence};

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).unwrap()
}

/// A backup of the catalog.
pub fn entry(id: i64, blob: &str, seconds: i64) -> CatalogEntry {
    let run = RunId::new(at(seconds), &mut fastrand::Rng::with_seed(1));
    let backup = BackupFacts {
        id: BackupId(id),
        blob: blob.to_owned(),
        size_bytes: 10,
        accepted_at: at(seconds),
        finished_at: None,
        databases: Vec::new(),
    };
    let app = AppId::new("s", "g", "shop", None);
    CatalogEntry::new(app, run, StorageName::new("weu"), backup, Origin::Succeeded)
}

/// A backup of Azure.
pub fn listed(id: i64, blob: &str, seconds: i64) -> Backup {
    Backup {
        name: Some(blob.trim_end_matches(".zip").to_owned()),
        blob_name: Some(blob.to_owned()),
        created: Some(at(seconds)),
        size_bytes: Some(10),
        ..Backup::new(BackupId(id), BackupStatus::Succeeded)
    }
}

/// An inventory of these backups.
pub fn inventory(entries: Vec<CatalogEntry>, backups: Vec<Backup>) -> Inventory {
    let id = AppId::new("s", "g", "shop", None);
    let app = App::new(id);
    Inventory { app, now: at(1_000), items: beside(entries, backups), being_deleted: BTreeSet::new() }
}

#[test]
fn each_backup_is_listed_once_with_its_presence() {
    let entries = vec![entry(1, "hf-a.zip", 10), entry(2, "hf-b.zip", 20)];
    // While a blob is written, Azure shows its name without `.zip`.
    let inventory = inventory(entries, vec![listed(2, "hf-b", 20), listed(3, "c.zip", 30)]);
    let presences: Vec<_> = inventory.items.iter().map(|item| (item.id.0, item.presence())).collect();
    assert_eq!(presences, [(3, Presence::OnlyInAzure), (2, Presence::Known), (1, Presence::Removed)]);
}

#[test]
fn a_lost_backup_stays_visible_for_a_week_whatever_azure_lists() {
    let lost = |id, blob: &str, good, seconds| {
        let removal = Some(Removal { at: at(seconds), deleted: false });
        CatalogEntry { removal, good, ..entry(id, blob, seconds) }
    };
    let mut leftover = lost(3, "hf-c.zip", false, 900);
    leftover.origin = Origin::Attempt;
    let deleted = Removal { at: at(900), deleted: true };
    let entries = vec![
        lost(1, "hf-a.zip", true, 900),
        lost(2, "hf-b.zip", true, 900),
        leftover,
        CatalogEntry { removal: Some(deleted), ..entry(4, "hf-d.zip", 900) },
        lost(5, "hf-e.zip", true, -7 * 24 * 3_600),
    ];
    let inventory = inventory(entries, vec![listed(2, "hf-b.zip", 900)]);
    assert_eq!(inventory.find(BackupId(2)).unwrap().presence(), Presence::Lost, "its blob is gone");
    let mut shown: Vec<_> = inventory.without_removed().items.iter().map(|item| item.id.0).collect();
    shown.sort_unstable();
    assert_eq!(shown, [1, 2]);
}

#[test]
fn another_blob_under_the_same_number_is_another_backup() {
    let inventory = inventory(vec![entry(1, "hf-a.zip", 10)], vec![listed(1, "hf-z.zip", 90)]);
    let presences: Vec<_> = inventory.items.iter().map(Item::presence).collect();
    assert_eq!(presences, [Presence::OnlyInAzure, Presence::Removed]);
    let found = inventory.find(BackupId(1)).unwrap();
    assert_eq!(found.blob(), Some("hf-z.zip"), "of two, the one that Azure has");
}

#[test]
fn the_creator_of_a_backup_comes_from_the_catalog_or_from_azure() {
    let mut schedules = listed(3, "shop_202611240200.zip", 30);
    schedules.scheduled = true;
    let mut taken_over = entry(4, "portal.zip", 40);
    taken_over.origin = Origin::TakenOver;
    let backups = vec![
        listed(1, "hf-a.zip", 10),
        listed(2, "portal-2.zip", 20),
        schedules,
        listed(4, "portal.zip", 40),
    ];
    let inventory = inventory(vec![taken_over, entry(5, "x.zip", 50)], backups);
    let made_by = |id| inventory.find(BackupId(id)).unwrap().made_by();
    assert_eq!(made_by(1), MadeBy::Holdfast, "of another store");
    assert_eq!(made_by(2), MadeBy::Others);
    assert_eq!(made_by(3), MadeBy::AzureSchedule);
    assert_eq!(made_by(4), MadeBy::Others);
    assert_eq!(made_by(5), MadeBy::Holdfast);
}
