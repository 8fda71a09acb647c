//! Restores: accepted, in progress, finished.

use holdfast_model::{AppId, DatabaseFacts, fold_case};

use super::agenda::ScheduledEvent;
use super::restore::{Failure, Restore, RestoreRequest, Restored};
use super::sas;
use super::storage::Manifest;
use super::{Azure, SiteState, backup};
use crate::fleet::host_of;
use crate::{AcceptedRestore, FleetSite, RestoreEnd};

impl Azure {
    /// What was last restored into an app: the blob's name.
    pub fn content(&self, app: &AppId) -> Option<&str> {
        self.restored(app).map(|restored| restored.blob.as_str())
    }

    /// What was last restored into an app, and which backup that is.
    pub fn restored(&self, app: &AppId) -> Option<&Restored> {
        self.sites.get(app)?.content.as_ref()
    }

    /// Whether an operation on the app is in progress, so that no other may start.
    pub(super) fn is_busy(&self, app: &AppId) -> bool {
        self.restores.of_target(app).is_some()
            || self.sites.get(app).is_some_and(|site| site.under_way().is_some())
    }

    /// Accepts a restore and returns the operation's id; `None` when the app in the path does not exist.
    pub(super) fn accept_restore(&mut self, asked: RestoreRequest) -> Option<String> {
        let (now, operation) = (self.now, self.stamp.guid());
        let site = self.sites.get_mut(&asked.app)?;
        let set = site.script.restores.pop_front();
        let drawn = self.config.faults.draw_restore(&mut site.rng);
        let takes = backup::spread(self.config.pace.restore_median, &mut site.rng);
        let like = site.facts.clone();
        let (app, target, blob) = (asked.app.clone(), asked.target.clone(), asked.blob.clone());
        let taken_on = self.restores.taken_on.entry((target.clone(), blob.clone())).or_default();
        self.counters.restores_accepted += 1;
        self.counters.duplicate_restores += u64::from(*taken_on > 0);
        *taken_on += 1;
        self.restores.targets.insert(target.clone(), operation.clone());
        let restore = Restore { asked, end: set.unwrap_or(drawn), like, outcome: None };
        self.restores.by_operation.insert(operation.clone(), restore);
        self.agenda.add(now + takes, ScheduledEvent::RestoreEnds { operation: operation.clone() });
        let accepted = AcceptedRestore { app, target, blob, operation: operation.clone(), at: now };
        self.accepted_restores.push(accepted);
        Some(operation)
    }

    /// Ends a restore.
    pub(super) fn finish_restore(&mut self, operation: &str) {
        let Some(restore) = self.restores.by_operation.get(operation) else { return };
        let judged = self.judge_restore(restore).cloned();
        let asked = &restore.asked;
        let (target, blob) = (asked.target.clone(), asked.blob.clone());
        let made = made_after(&restore.like, asked);
        self.restores.targets.remove(&target);
        let outcome = match judged {
            Ok(manifest) => {
                self.fill(&target, blob, &manifest, made);
                Ok(())
            }
            Err(failure) => {
                self.counters.restore_failures += 1;
                if let Some(taken_on) = self.restores.taken_on.get_mut(&(target, blob)) {
                    *taken_on = taken_on.saturating_sub(1);
                }
                Err(failure)
            }
        };
        if let Some(restore) = self.restores.by_operation.get_mut(operation) {
            restore.outcome = Some(outcome);
        }
    }

    /// Checks whether it succeeds, with the state at its end.
    fn judge_restore(&self, restore: &Restore) -> Result<&Manifest, Failure> {
        let asked = &restore.asked;
        if restore.end == RestoreEnd::Failed {
            let message =
                "The restore failed for a reason that the simulated Azure keeps to itself.".to_owned();
            return Err(Failure { code: "InternalServerError", message });
        }
        let opened = self.storage.open(&asked.storage_url, sas::TO_READ, self.now);
        let url = opened.map_err(|refusal| Failure::because(refusal.log()))?;
        let manifest = self.storage.manifest(&url, &asked.blob).ok_or_else(|| {
            Failure::because("The container does not hold both the archive and the manifest of this backup.")
        })?;
        if self.sites.contains_key(&asked.target) && !asked.overwrite {
            return Err(Failure::because("The site to restore into exists, and it may not be overwritten."));
        }
        let production = production_of(&asked.target);
        if asked.target.slot().is_some() && !self.sites.contains_key(&production) {
            return Err(Failure::because("The site of the slot to restore into does not exist."));
        }
        if !asked.ignore_databases && sorted(&asked.databases) != sorted(&manifest.databases) {
            return Err(Failure::because("The databases do not match those in the backup."));
        }
        Ok(manifest)
    }

    /// Puts a backup into the target, which is created if it does not exist.
    fn fill(&mut self, target: &AppId, blob: String, manifest: &Manifest, made: FleetSite) {
        let (now, seed) = (self.now, self.seed);
        let site = self.sites.entry(target.clone()).or_insert_with(|| SiteState::new(made, seed));
        site.content = Some(Restored { blob, app: manifest.app.clone(), backup: manifest.id, at: now });
        let source = self.sites.get_mut(&manifest.app);
        if let Some(backup) = source.and_then(|site| site.backups.get_mut(&manifest.id)) {
            backup.restored_at = Some(now);
        }
    }
}

/// A new site, for the case that the target is not there.
fn made_after(like: &FleetSite, asked: &RestoreRequest) -> FleetSite {
    let mut made = like.clone();
    made.site.id = asked.target.clone();
    if let Some(plan) = &asked.plan {
        made.site.plan = Some(fold_case(plan));
    }
    made.site.tags.clear();
    made.site.hosts = vec![host_of(&asked.target)];
    made
}

fn production_of(app: &AppId) -> AppId {
    AppId::new(app.subscription().as_str(), app.resource_group(), app.site(), None)
}

/// The databases in lower case and in order, for a comparison.
fn sorted(databases: &[DatabaseFacts]) -> Vec<DatabaseFacts> {
    let lower = |DatabaseFacts { kind, name }: &DatabaseFacts| DatabaseFacts {
        kind: kind.to_ascii_lowercase(),
        name: name.to_ascii_lowercase(),
    };
    let mut sorted: Vec<_> = databases.iter().map(lower).collect();
    sorted.sort();
    sorted
}
