//! What happens to backups behind Holdfast's back: people in the portal, ransomware, moved subscriptions.

use holdfast_model::{AppId, BackupId, SubscriptionId};
use secrecy::ExposeSecret;

use super::agenda::ScheduledEvent;
use super::backup::{Backup, Deletion};
use super::{Azure, SiteState};
use crate::End;

impl Azure {
    /// The finished backups of an app that nothing deletes and whose blobs exist: those that it could be restored from.
    pub fn whole_backups(&self, app: &AppId) -> Vec<BackupId> {
        let Some(site) = self.sites.get(app) else { return Vec::new() };
        site.backups.values().filter(|backup| self.is_whole(backup)).map(|backup| backup.id).collect()
    }

    /// Whether an app has a finished backup of this number and blob that nothing deletes.
    pub fn has_backup(&self, app: &AppId, id: BackupId, blob: &str) -> bool {
        let backup = self.sites.get(app).and_then(|site| site.backups.get(&id));
        backup.is_some_and(|backup| is_there(backup) && format!("{}.zip", backup.name) == blob)
    }

    /// Deletes a finished backup and its blobs at once, as a person in the portal does. Returns whether there was one.
    pub fn take_away(&mut self, app: &AppId, id: BackupId) -> bool {
        let backup = self.sites.get(app).and_then(|site| site.backups.get(&id));
        let Some(backup) = backup.filter(|backup| backup.outcome.is_some() && backup.deletion.is_none())
        else {
            return false;
        };
        let (url, name) = (backup.storage_url.clone(), backup.name.clone());
        self.remove_blobs(&url, &name);
        self.forget_backup(app, id);
        true
    }

    /// Removes every blob of a container, as ransomware does. Returns how many there were.
    pub fn wipe_container(&mut self, account: &str, container: &str) -> usize {
        let blobs = self.storage.container_mut(account, container).map(std::mem::take);
        blobs.map_or(0, |blobs| blobs.len())
    }

    /// Deletes an app and creates it again. Its list is empty, its blobs stay, and its numbers begin again.
    pub fn recreate_site(&mut self, app: &AppId) {
        let Some(site) = self.sites.get(app) else { return };
        let (facts, first) = (site.facts.clone(), site.backups.keys().next().map(|id| id.0));
        self.remove_site(app);
        self.agenda.due.retain(|(_, due)| match due {
            ScheduledEvent::BackupEnds { app: of, .. }
            | ScheduledEvent::DeletionEnds { app: of, .. }
            | ScheduledEvent::BackupLeaves { app: of, .. } => of != app,
            ScheduledEvent::RestoreEnds { .. } | ScheduledEvent::ScheduleFires { .. } => true,
        });
        let fresh = SiteState { next_number: first, ..SiteState::new(facts, self.seed.wrapping_add(1)) };
        self.sites.insert(app.clone(), fresh);
    }

    /// Lets every call for a subscription answer 404, as after it moved to another tenant, or answer again.
    pub fn set_moved(&mut self, subscription: &SubscriptionId, is_moved: bool) {
        if is_moved {
            self.moved.insert(subscription.clone());
        } else {
            self.moved.remove(subscription);
        }
    }

    /// Lets the next `lists` lists of an app leave out its newer backups.
    pub fn shorten_lists(&mut self, app: &AppId, lists: u32) {
        if let Some(site) = self.sites.get_mut(app) {
            site.short_lists = lists;
        }
    }

    /// The number of backups that the next list of an app shows at most.
    pub(super) fn list_length(&mut self, app: &AppId) -> usize {
        let Some(site) = self.sites.get_mut(app).filter(|site| site.short_lists > 0) else {
            return usize::MAX;
        };
        site.short_lists -= 1;
        site.backups.len() / 2
    }

    fn is_whole(&self, backup: &Backup) -> bool {
        let is_restorable = backup
            .outcome
            .as_ref()
            .is_some_and(|outcome| matches!(outcome.end, End::Succeeded | End::UnknownWord | End::Partial));
        let Some(url) = self.storage.locate(backup.storage_url.expose_secret()) else { return false };
        let has = |suffix: &str| {
            self.storage.blob(&url.account, &url.container, &format!("{}.{suffix}", backup.name)).is_some()
        };
        is_restorable && is_there(backup) && has("zip") && has("xml")
    }
}

/// Whether it is finished, and nothing deletes it. A deletion that failed leaves it.
fn is_there(backup: &Backup) -> bool {
    let is_going = matches!(backup.deletion, Some(Deletion::UnderWay { .. } | Deletion::Lingers));
    backup.outcome.is_some() && !is_going
}

impl SiteState {
    /// The number of the next backup: the stamp's, or for a recreated app its own.
    pub(super) fn number(&mut self, of_stamp: BackupId) -> BackupId {
        let Some(number) = self.next_number else { return of_stamp };
        self.next_number = Some(number + 1);
        BackupId(number)
    }
}
