//! Which backups a request may delete, decided from the inventory alone.

use holdfast_model::{BackupFacts, BackupId, CatalogEntry};
use serde::{Deserialize, Serialize};

use crate::adoption::adoptable;
use crate::inventory::{Inventory, Item};

/// What a deletion may do beyond the usual.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Allowed {
    /// Whether to delete externally created backups.
    pub foreign: bool,
    /// Delete the only good backup that is left, or where there is none the last partial one.
    pub last: bool,
}

/// The backups that a deletion may delete.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Backups of the catalog.
    pub known: Vec<CatalogEntry>,
    /// Backups that others took, which are adopted first.
    pub foreign: Vec<BackupFacts>,
}

impl Selection {
    fn takes(&self, entry: &CatalogEntry) -> bool {
        self.known.iter().any(|known| known.backup == entry.backup)
    }
}

/// The backups to delete, or every reason why one of them may not be deleted.
pub(super) fn select(
    inventory: &Inventory,
    ids: &[BackupId],
    allowed: Allowed,
) -> Result<Selection, Vec<String>> {
    let (mut selection, mut refused) = (Selection::default(), Vec::new());
    let name = inventory.app.id.short_name();
    for (index, id) in ids.iter().enumerate() {
        if ids[..index].contains(id) {
            continue;
        }
        match inventory.find(*id) {
            Some(Item { entry: Some(entry), azure: Some(_), .. }) => match &entry.hold {
                Some(reason) => refused.push(format!(
                    "backup {id} is held: {reason}; `holdfast hold remove {name} --backup {id} --reason TEXT` removes the hold"
                )),
                None => selection.known.push(entry.clone()),
            },
            Some(Item { entry: Some(_), azure: None, .. }) => {
                refused.push(format!("backup {id} is no longer there"));
            }
            Some(Item { entry: None, azure: Some(backup), .. }) if allowed.foreign => match adoptable(backup) {
                Ok(facts) => selection.foreign.push(facts),
                Err(why) => refused.push(why),
            },
            Some(_) => {
                refused.push(format!("backup {id} is not in the catalog: give --foreign to delete it"));
            }
            None => refused.push(format!(
                "backup {id} is unknown: neither Azure nor the catalog has it; `holdfast backups list {name}` shows all"
            )),
        }
    }
    if let Some(last) = last(inventory, &selection).filter(|_| !allowed.last) {
        let which = if last.good { "the only good one left" } else { "partial, and the only one left" };
        refused.push(format!(
            "backup {} is {which}: without it the app cannot be restored; give --allow-last to delete it",
            last.backup.id
        ));
    }
    if refused.is_empty() { Ok(selection) } else { Err(refused) }
}

/// The newest good backup, if it is deleted, and the newest good backup afterwards.
pub(super) fn newest_good<'i>(
    inventory: &'i Inventory,
    selection: &Selection,
) -> Option<(BackupId, &'i CatalogEntry)> {
    let good: Vec<_> = restorable(inventory).filter(|entry| entry.good).collect();
    let newest =
        good.iter().max_by_key(|entry| entry.backup.accepted_at).filter(|entry| selection.takes(entry))?;
    let left =
        good.iter().filter(|entry| !selection.takes(entry)).max_by_key(|entry| entry.backup.accepted_at)?;
    Some((newest.backup.id, left))
}

/// A selected backup that the app counts on and that no remaining one stands in for; a good one before others.
fn last<'i>(inventory: &'i Inventory, selection: &Selection) -> Option<&'i CatalogEntry> {
    let (going, left): (Vec<_>, Vec<_>) = restorable(inventory).partition(|entry| selection.takes(entry));
    let is_last =
        |entry: &&CatalogEntry| entry.is_counted_on() && !left.iter().any(|other| other.stands_in_for(entry));
    going.into_iter().filter(is_last).min_by_key(|entry| !entry.good)
}

/// The backups of the catalog that the app can be restored from.
fn restorable(inventory: &Inventory) -> impl Iterator<Item = &CatalogEntry> {
    // A backup that is being deleted stands in for none.
    let stays = |item: &&Item| item.azure.is_some() && !inventory.being_deleted.contains(&item.id);
    inventory.items.iter().filter(stays).filter_map(|item| item.entry.as_ref())
}
