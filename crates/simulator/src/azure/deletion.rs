//! A deletion's life. It uses the SAS that is stored with the backup when the DELETE comes.

use holdfast_model::{AppId, BackupId};
use secrecy::{ExposeSecret, SecretString};

use super::agenda::ScheduledEvent;
use super::backup::{Backup, Deletion};
use super::sas;
use super::storage::Refusal;
use super::{Azure, backup};
use crate::{AcceptedDelete, DeleteEnd};

impl Azure {
    /// Accepts a deletion. A deletion in progress continues unchanged.
    pub(super) fn delete_backup(&mut self, app: &AppId, id: BackupId) {
        let Some(backup) = self.sites.get(app).and_then(|site| site.backups.get(&id)) else { return };
        if matches!(backup.deletion, Some(Deletion::UnderWay { .. } | Deletion::Lingers)) {
            self.counters.duplicate_deletes += 1;
            return;
        }
        let whole = self.whole_backups(app);
        let (was_whole, left) = (whole.contains(&id), whole.iter().filter(|other| **other != id).count());
        let (app_of, name) = (app.clone(), backup.name.clone());
        let accepted = AcceptedDelete { app: app_of, name, id, at: self.now, was_whole, left };
        let (url, ends_at, is_under_way) =
            (backup.storage_url.clone(), backup.ends_at, backup.is_under_way());
        self.counters.deletes += 1;
        self.accepted_deletes.push(accepted);
        if is_under_way {
            // Azure stops its work on the backup.
            self.agenda.strike_backup(ends_at, id, app);
            self.no_longer_under_way(app, id);
        }
        let refusal = self.storage.open(&url, sas::TO_DELETE, self.now).err().map(Refusal::log);
        let (faults, pace, now) = (self.config.faults, self.config.pace, self.now);
        let Some(site) = self.sites.get_mut(app) else { return };
        let set = site.script.deletes.pop_front();
        let drawn = faults.draw_delete(&mut site.rng);
        let takes = backup::spread(pace.delete_median, &mut site.rng);
        let end = set.unwrap_or(drawn);
        let failure = match (refusal, end) {
            (Some(log), _) => Some(log),
            (None, DeleteEnd::Failed) => Some("The backup could not be deleted. Try again later.".to_owned()),
            (None, DeleteEnd::Gone | DeleteEnd::Lingers) => None,
        };
        let lingers = end == DeleteEnd::Lingers;
        if let Some(backup) = site.backups.get_mut(&id) {
            backup.deletion = Some(Deletion::UnderWay { url, failure, lingers });
            self.agenda.add(now + takes, ScheduledEvent::DeletionEnds { id, app: app.clone() });
        }
    }

    /// Ends a deletion.
    pub(super) fn finish_deletion(&mut self, app: &AppId, id: BackupId) {
        let now = self.now;
        let Some(site) = self.sites.get_mut(app) else { return };
        let Some(backup) = site.backups.get_mut(&id) else { return };
        let Some(Deletion::UnderWay { url, failure, lingers }) = backup.deletion.take() else { return };
        if let Some(log) = failure {
            backup.deletion = Some(Deletion::Failed { log });
            self.counters.delete_failures += 1;
            return;
        }
        let name = backup.name.clone();
        backup.deletion = Some(Deletion::Lingers);
        self.remove_blobs(&url, &name);
        if lingers {
            let leaves_at = now + self.config.pace.delete_median * 30;
            self.agenda.add(leaves_at, ScheduledEvent::BackupLeaves { id, app: app.clone() });
        } else {
            self.forget_backup(app, id);
        }
    }

    /// Removes a backup from the list.
    pub(super) fn forget_backup(&mut self, app: &AppId, id: BackupId) {
        if let Some(site) = self.sites.get_mut(app) {
            site.backups.remove(&id);
        }
    }

    /// Removes a backup's archive and manifest from the container of its SAS.
    pub(super) fn remove_blobs(&mut self, url: &SecretString, name: &str) {
        let Some(url) = self.storage.locate(url.expose_secret()) else { return };
        for suffix in ["zip", "xml"] {
            self.storage.remove_blob(&url.account, &url.container, &format!("{name}.{suffix}"));
        }
    }
}

impl Backup {
    /// Whether it is in progress.
    pub(super) fn is_under_way(&self) -> bool {
        self.outcome.is_none() && self.deletion.is_none()
    }
}
