//! Which backups a request may delete, decided before anything is written.

use holdfast_model::{BackupFacts, BackupId, CatalogEntry};

use crate::adoption::adoptable;
use crate::inventory::{Inventory, Item};

/// What a deletion may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed {
    /// Delete what Holdfast did not take.
    pub foreign: bool,
    /// Delete the only good backup that is left, or where there is none the last partial one.
    pub last: bool,
}

/// What will be done.
#[derive(Debug, Default)]
pub struct DeletionPlan {
    /// Backups of the catalog.
    pub known: Vec<CatalogEntry>,
    /// Backups that are taken over first.
    pub foreign: Vec<BackupFacts>,
}

impl DeletionPlan {
    fn takes(&self, entry: &CatalogEntry) -> bool {
        self.known.iter().any(|known| known.backup == entry.backup)
    }
}

/// The backups to delete, or every reason why some of them are not deleted: then none is.
pub fn deletion(
    inventory: &Inventory,
    ids: &[BackupId],
    allowed: Allowed,
) -> Result<DeletionPlan, Vec<String>> {
    let (mut plan, mut refused) = (DeletionPlan::default(), Vec::new());
    let name = inventory.app.id.short_name();
    for (index, id) in ids.iter().enumerate() {
        if ids[..index].contains(id) {
            continue;
        }
        match inventory.find(*id) {
            Some(Item { entry: Some(entry), azure: Some(_), .. }) => match &entry.hold {
                Some(reason) => refused.push(format!(
                    "backup {id} is held: {reason}; `holdfast hold remove {name} --backup {id} --reason TEXT` ends that"
                )),
                None => plan.known.push(entry.clone()),
            },
            Some(Item { entry: Some(_), azure: None, .. }) => {
                refused.push(format!("backup {id} is no longer there"));
            }
            Some(Item { entry: None, azure: Some(backup), .. }) if allowed.foreign => match adoptable(backup) {
                Ok(facts) => plan.foreign.push(facts),
                Err(why) => refused.push(why),
            },
            Some(_) => {
                refused.push(format!("backup {id} is not one of the catalog: give --foreign to delete it"));
            }
            None => refused.push(format!(
                "backup {id} is unknown: neither Azure nor the catalog has it; `holdfast backups list {name}` shows all"
            )),
        }
    }
    if let Some(last) = last(inventory, &plan).filter(|_| !allowed.last) {
        let which = if last.good { "the only good one left" } else { "partial, and all that is left" };
        refused.push(format!(
            "backup {} is {which}: without it the app cannot be brought back; --allow-last deletes it",
            last.backup.id
        ));
    }
    if refused.is_empty() { Ok(plan) } else { Err(refused) }
}

/// The newest good backup, where it goes and an older one is left to bring the app back to, and that one.
pub fn newest_good<'i>(
    inventory: &'i Inventory,
    plan: &DeletionPlan,
) -> Option<(BackupId, &'i CatalogEntry)> {
    let good: Vec<_> = there(inventory).filter(|entry| entry.good).collect();
    let newest =
        good.iter().max_by_key(|entry| entry.backup.accepted_at).filter(|entry| plan.takes(entry))?;
    let left = good.iter().filter(|entry| !plan.takes(entry)).max_by_key(|entry| entry.backup.accepted_at)?;
    Some((newest.backup.id, left))
}

/// The newest backup that would go though the app counts on it and nothing that stands in for it would be left; a good
/// one before others.
fn last<'i>(inventory: &'i Inventory, plan: &DeletionPlan) -> Option<&'i CatalogEntry> {
    let (going, left): (Vec<_>, Vec<_>) = there(inventory).partition(|entry| plan.takes(entry));
    let is_last =
        |entry: &&CatalogEntry| entry.is_counted_on() && !left.iter().any(|other| other.stands_in_for(entry));
    going.into_iter().filter(is_last).min_by_key(|entry| !entry.good)
}

/// The backups that can bring the app back.
fn there(inventory: &Inventory) -> impl Iterator<Item = &CatalogEntry> {
    // What is being deleted cannot stand in for it.
    let stays = |item: &&Item| item.azure.is_some() && !inventory.being_deleted.contains(&item.id);
    inventory.items.iter().filter(stays).filter_map(|item| item.entry.as_ref())
}
