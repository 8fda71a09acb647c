//! The start and the end of Azure's work on a backup.

use holdfast_model::{AppId, BackupId};
use secrecy::ExposeSecret;

use super::Azure;
use super::agenda::ScheduledEvent;
use super::backup::{Backup, Outcome};
use super::stamp::with_fraction;
use super::storage::{Manifest, WrittenBlobs};
use crate::End;

/// The largest archive. Archives are generated in memory, so even a fleet of large sites has small ones.
const ARCHIVE_BYTES_MAX: u64 = 16 << 20;
/// The log of a backup without its databases. No real one is known.
const DATABASES_DROPPED: &str =
    "The databases of this app are not in the backup: linked databases are no longer backed up.";

impl Azure {
    /// Counts an accepted backup as in progress.
    pub(super) fn now_under_way(&mut self, app: &AppId, backup: Backup) {
        let (plan, account) = self.places(app, &backup);
        let at_once = self.at_once_per_plan.entry(plan.clone()).or_default();
        *at_once += 1;
        let most = self.counters.most_at_once_per_plan.entry(plan).or_default();
        *most = (*most).max(*at_once);
        let at_once = self.at_once_per_account.entry(account.clone()).or_default();
        *at_once += 1;
        let most = self.counters.most_at_once_per_account.entry(account).or_default();
        *most = (*most).max(*at_once);
        self.agenda.add(backup.ends_at, ScheduledEvent::BackupEnds { id: backup.id, app: app.clone() });
        if let Some(site) = self.sites.get_mut(app) {
            site.backups.insert(backup.id, backup);
            let of_app = site.backups.values().filter(|backup| backup.is_under_way()).count() as u64;
            self.counters.most_at_once_per_app = self.counters.most_at_once_per_app.max(of_app);
        }
    }

    /// Counts a backup as no longer in progress.
    pub(super) fn no_longer_under_way(&mut self, app: &AppId, id: BackupId) {
        let Some(backup) = self.sites.get(app).and_then(|site| site.backups.get(&id)) else { return };
        let (plan, account) = self.places(app, backup);
        let places = [self.at_once_per_plan.get_mut(&plan), self.at_once_per_account.get_mut(&account)];
        for at_once in places.into_iter().flatten() {
            *at_once = at_once.saturating_sub(1);
        }
    }

    /// The plan and the storage account of a backup.
    fn places(&self, app: &AppId, backup: &Backup) -> (String, String) {
        let plan = self.sites.get(app).and_then(|site| site.facts.site.plan.clone());
        let url = self.storage.locate(backup.storage_url.expose_secret());
        (plan.unwrap_or_else(|| "none".to_owned()), url.map_or_else(|| "none".to_owned(), |url| url.account))
    }

    /// Ends a backup: writes its blobs, if its end leaves any and the SAS is valid now.
    pub(super) fn finish(&mut self, app: &AppId, id: BackupId) {
        self.no_longer_under_way(app, id);
        let Some(site) = self.sites.get_mut(app) else { return };
        let Some(backup) = site.backups.get_mut(&id) else { return };
        // A site changes a little from day to day.
        let website_size = site.facts.size_bytes * site.rng.u64(985..1_015) / 1_000;
        let archive_size = Self::size_of(website_size, backup.end);
        let mut outcome = Outcome {
            end: backup.end,
            log: log_of(backup.end, site.facts.size_bytes, self.config.app_bytes_max),
            finished: with_fraction(backup.ends_at, &mut site.rng),
            size_bytes: 0,
            website_size_bytes: website_size,
        };
        if backup.end.writes() {
            let databases = if backup.databases_dropped { Vec::new() } else { backup.databases.clone() };
            let manifest = Manifest { app: app.clone(), id, databases };
            let url = &backup.storage_url;
            match self.storage.write_backup(url, &backup.name, archive_size, manifest, backup.ends_at) {
                Ok(WrittenBlobs { overwritten }) => {
                    outcome.size_bytes = archive_size;
                    if backup.databases_dropped {
                        outcome.log = String::from(DATABASES_DROPPED);
                    }
                    self.counters.blobs_written += 2;
                    let of_requests = if backup.scheduled { 0 } else { overwritten };
                    self.counters.blobs_overwritten += of_requests;
                }
                Err(refusal) => {
                    outcome.end = if refusal.is_answer() { End::FailedStorage } else { End::FailedOther };
                    outcome.log = refusal.log();
                    self.counters.sas_failures += u64::from(refusal.is_answer());
                }
            }
        }
        self.counters.end(outcome.end);
        backup.outcome = Some(outcome);
    }

    /// A small site's archive is larger than the site (6,204 of 3,700 bytes in a recording).
    fn size_of(website_size: u64, end: End) -> u64 {
        let whole = (website_size * 6 / 5 + 1_800).min(ARCHIVE_BYTES_MAX);
        if end == End::Partial { whole * 3 / 5 } else { whole }
    }
}

/// The texts of storage and of the limit are those of public threads (azure-cli #15240, terraform #16295,
/// azure-docs); the others are ours, because none is published.
fn log_of(end: End, size_bytes: u64, size_max: u64) -> String {
    let gigabytes = |bytes: u64| bytes.div_ceil(1 << 30);
    match end {
        End::Succeeded | End::UnknownWord | End::UnknownWordForEver => String::new(),
        End::Partial => "Some files were in use and are not in the backup.".to_owned(),
        End::TimedOut => "The backup took too long and was given up.".to_owned(),
        End::Skipped => "Too many backups were asked for; this one was not made.".to_owned(),
        End::FailedStorage => super::storage::Refusal::Forbidden.log(),
        End::FailedOther => {
            "The backup failed for a reason that the simulated Azure keeps to itself.".to_owned()
        }
        End::TooLarge => {
            let limit = gigabytes(size_max);
            let size = gigabytes(size_bytes).max(limit + 2);
            format!(
                "The website + database size exceeds the {limit} GB limit for backups. Your content size is {size} GB."
            )
        }
    }
}
