//! Azure's own schedules: set, executed, expired.

use std::time::Duration;

use holdfast_model::{AppId, BackupId, Timestamp};
use secrecy::SecretString;

use super::accept::{self, BackupRequest};
use super::agenda::ScheduledEvent;
use super::backup::Backup;
use super::schedule::Schedule;
use super::{Azure, SiteState, sas};

impl Azure {
    /// Puts a schedule in force. An enabled one fires at its start, or at once when that is past (azure-cli recording of
    /// 2023: the last execution was a second after the PUT).
    pub(super) fn set_schedule(&mut self, app: &AppId, schedule: Schedule) {
        self.counters.schedule_puts += 1;
        let (now, version) = (self.now, self.counters.schedule_puts);
        let Some(site) = self.sites.get_mut(app) else { return };
        if schedule.facts.enabled {
            let at_once = now + Duration::from_secs(1);
            let at = schedule.facts.start.filter(|start| *start > now).unwrap_or(at_once);
            self.agenda.add(at, ScheduledEvent::ScheduleFires { app: app.clone(), version });
        }
        site.schedule = Some(Schedule { version, ..schedule });
    }

    /// Starts a scheduled backup and removes what the schedule's retention no longer keeps.
    pub(super) fn fire_schedule(&mut self, app: &AppId, version: u64) {
        let now = self.now;
        let (busy, correlation_id) = (self.is_busy(app), self.stamp.guid());
        let Some(site) = self.sites.get_mut(app) else { return };
        let Some(schedule) = site.schedule.as_mut().filter(|schedule| schedule.version == version) else {
            return;
        };
        let again = |at| (at, ScheduledEvent::ScheduleFires { app: app.clone(), version });
        if busy {
            let (at, due) = again(now + Duration::from_mins(1));
            self.agenda.add(at, due);
            return;
        }
        schedule.last_execution = Some(now);
        let (at, due) = again(now + schedule.every());
        let asked = BackupRequest {
            name: accept::default_name(app, now),
            storage_url: schedule.storage_url.clone(),
            databases: schedule.databases.clone(),
            correlation_id,
            scheduled: true,
        };
        self.agenda.add(at, due);
        self.counters.scheduled_backups += 1;
        self.accept(app, asked);
        self.retire(app);
    }

    /// Azure's own retention: it removes scheduled backups only; others stay forever.
    fn retire(&mut self, app: &AppId) {
        let Some(site) = self.sites.get(app) else { return };
        for (id, url, name) in site.retired(self.now) {
            self.counters.retired_backups += 1;
            if self.storage.open(&url, sas::TO_DELETE, self.now).is_ok() {
                self.remove_blobs(&url, &name);
            }
            self.forget_backup(app, id);
        }
    }
}

impl SiteState {
    /// The scheduled backups that are past their days. 0 days means forever.
    fn retired(&self, now: Timestamp) -> Vec<(BackupId, SecretString, String)> {
        let Some(facts) = self.schedule.as_ref().map(|schedule| &schedule.facts) else { return Vec::new() };
        if facts.retention_days == 0 {
            return Vec::new();
        }
        let kept_for = Duration::from_hours(u64::from(facts.retention_days) * 24);
        let ended =
            |backup: &&Backup| backup.scheduled && backup.outcome.is_some() && backup.deletion.is_none();
        let last = self.backups.values().rev().find(|backup| ended(backup)).map(|backup| backup.id);
        let old = self.backups.values().filter(ended).filter(|backup| backup.created + kept_for <= now);
        let old = old.filter(|backup| !facts.keep_at_least_one || Some(backup.id) != last);
        old.map(|backup| (backup.id, backup.storage_url.clone(), backup.name.clone())).collect()
    }
}
