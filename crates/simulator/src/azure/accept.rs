//! Accepts a backup, requested by a call or by the native schedule.

use holdfast_model::{AppId, BackupId, DatabaseFacts, Timestamp};
use secrecy::SecretString;

use super::backup::{self, Backup};
use super::{Azure, SiteState, stamp};
use crate::End;

/// The request for a backup.
pub(super) struct BackupRequest {
    pub(super) name: String,
    pub(super) storage_url: SecretString,
    pub(super) databases: Vec<DatabaseFacts>,
    pub(super) correlation_id: String,
    pub(super) scheduled: bool,
}

/// The default name of a backup: the app and the time.
pub(super) fn default_name(app: &AppId, at: Timestamp) -> String {
    format!("{}_{}", app.short_name().replace('/', "_"), at.format("%Y%m%d%H%M"))
}

impl Azure {
    /// Accepts a backup and decides its end, except for the check of its SAS. `None` when the app does not exist.
    pub(super) fn accept(&mut self, app: &AppId, asked: BackupRequest) -> Option<BackupId> {
        let (now, id, pace) = (self.now, self.stamp.next_id(), self.config.pace);
        let site = self.sites.get_mut(app)?;
        let id = site.number(id);
        let set = site.script.ends.pop_front();
        let drawn = self.config.faults.draw_end(&mut site.rng);
        let too_large = site.facts.size_bytes > self.config.app_bytes_max;
        let over_the_day = site.count_of_day(now) && self.config.limits_backups_per_day;
        let end = match (too_large, over_the_day) {
            (_, true) => End::Skipped,
            (true, _) => End::TooLarge,
            _ => set.unwrap_or(drawn),
        };
        let (work, lag) = (backup::duration(&pace, end, &mut site.rng), site.rng.f64());
        let start_share = site.rng.f64() * 0.3;
        let has_databases = !asked.databases.is_empty();
        let dropped = has_databases && self.config.faults.draw_databases_dropped(&mut site.rng);
        let no_longer = has_databases && self.config.drop_databases_from.is_some_and(|from| from <= now);
        let backup = Backup {
            id,
            name: asked.name,
            storage_url: asked.storage_url,
            databases: asked.databases,
            databases_dropped: dropped || no_longer,
            scheduled: asked.scheduled,
            correlation_id: asked.correlation_id,
            created: stamp::with_fraction(now, &mut site.rng),
            listed_from: now + pace.listing_lag_max.mul_f64(lag),
            starts_at: now + work.mul_f64(start_share),
            ends_at: now + work,
            end,
            outcome: None,
            deletion: None,
            restored_at: None,
        };
        self.now_under_way(app, backup);
        Some(id)
    }
}

impl SiteState {
    /// Counts one more backup of the day in UTC: is it beyond the limit? Documented are 12 for Basic and Standard and
    /// 50 above them.
    fn count_of_day(&mut self, now: Timestamp) -> bool {
        let today = now.date_naive();
        if self.day != today {
            (self.day, self.backups_of_day) = (today, 0);
        }
        self.backups_of_day += 1;
        let tier = self.facts.site.tier.as_deref().unwrap_or("Standard").to_ascii_lowercase();
        let limit = if matches!(tier.as_str(), "basic" | "standard") { 12 } else { 50 };
        self.backups_of_day > limit
    }
}
