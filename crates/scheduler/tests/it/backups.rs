//! Existing backups in the store, and what people and workers do with them.

use std::time::Duration;

use holdfast_model::{
    App, BackupFacts, BackupId, CatalogEntry, Cause, NewRun, NewTask, OperatorAction, Outcome, Policy,
    RefreshReason, RefreshSas, Run, RunEvent, RunKind, SasFacts, SasRefresh, SasWindow, StateCode,
    StorageName, Task, Timestamp, Trigger, Wakeup, parse_timestamp,
};
use holdfast_store::{CatalogFilter, Committed, RunFilter, Store};

use crate::world::{World, app, app_id, gold};

/// Two in the morning of a day of the November in which these tests play.
pub fn night(day: u32) -> Timestamp {
    parse_timestamp(&format!("2026-11-{day:02}T02:00:00Z")).unwrap()
}

pub fn shop() -> App {
    app(app_id("shop"))
}

pub fn sas(fingerprint: &str, expiry: Timestamp) -> SasFacts {
    let window = SasWindow { start: None, expiry: Some(expiry) };
    SasFacts { fingerprint: fingerprint.to_owned(), window }
}

/// A request for a new SAS.
pub fn refresh(id: i64) -> Task {
    Task::RefreshSas(RefreshSas { backup: BackupId(id), reason: RefreshReason::Asked, old: None })
}

/// Whether the run has this subject.
pub fn does(what: &str) -> impl Fn(&Run) -> bool {
    move |run| run.task.subject().as_deref() == Some(what)
}

impl World {
    async fn record(&self, app: &App, action: OperatorAction) {
        let (id, now) = (self.run_id().await, self.store.now().await.unwrap());
        let actor = "the test".into();
        self.store
            .add_run(&NewRun::operator_action(id, app, &gold().policy_snapshot, action, actor, now))
            .await
            .unwrap();
    }

    /// Adds a good backup of the app in this storage to the catalog.
    pub async fn add_backup_in(&self, storage: &str, app: &App, id: i64, accepted_at: Timestamp) {
        let backup = BackupFacts {
            id: BackupId(id),
            blob: format!("b{id}.zip"),
            size_bytes: 1,
            accepted_at,
            finished_at: None,
            databases: Vec::new(),
        };
        self.record(app, OperatorAction::TakenOver { backup, storage: StorageName::new(storage) }).await;
    }

    /// Adds a good backup of the app with a long-lived SAS at Azure to the catalog.
    pub async fn add_backup(&self, app: &App, id: i64, accepted_at: Timestamp) {
        self.add_backup_in("weu", app, id, accepted_at).await;
        let lasting = sas("lasting", accepted_at + Duration::from_hours(24 * 365));
        self.request(app, refresh(id)).await;
        self.finish_refresh(&format!("refresh_sas {id}"), lasting).await;
    }

    pub async fn hold(&self, app: &App, id: i64) {
        self.record(app, OperatorAction::Held { blob: None, backup: BackupId(id), reason: "court".into() })
            .await;
    }

    pub async fn mark_lost(&self, app: &App, id: i64) {
        self.record(app, OperatorAction::Lost { backup: BackupId(id), detail: "removal".into() }).await;
    }

    /// Adds a run that a person requests.
    pub async fn request(&self, app: &App, task: Task) {
        let (id, now) = (self.run_id().await, self.store.now().await.unwrap());
        let what = NewTask { task, trigger: Trigger::Manual, actor: None };
        self.store.add_run(&NewRun::task(id, app, &gold().policy_snapshot, what, now)).await.unwrap();
    }

    /// The unfinished runs.
    /// The unfinished runs without catalog checks.
    pub async fn unfinished(&self) -> Vec<Run> {
        let runs = self.store.runs(&RunFilter::default()).await.unwrap();
        let is_check = |run: &Run| run.task.kind() == RunKind::CheckCatalog;
        runs.into_iter().filter(|run| run.state.code() != StateCode::Ended && !is_check(run)).collect()
    }

    /// The unfinished runs as text: app and subject.
    pub async fn unfinished_tasks(&self) -> Vec<String> {
        let told = |run: Run| format!("{}: {}", run.app.short_name(), run.task.subject().unwrap_or_default());
        let mut tasks: Vec<_> = self.unfinished().await.into_iter().map(told).collect();
        tasks.sort();
        tasks
    }

    async fn commit_to(&self, what: &str, events: Vec<RunEvent>) {
        let run = self.unfinished().await.into_iter().find(does(what)).unwrap();
        let wakeup = Wakeup { run_id: run.id, version: run.version, nonce: 0 };
        let committed = self.commit(wakeup, events, Duration::ZERO).await;
        assert!(matches!(committed, Committed::Done(_)));
    }

    /// Ends the unfinished run with this subject.
    pub async fn finish(&self, what: &str, well: bool) {
        let (outcome, cause) =
            if well { (Outcome::Succeeded, None) } else { (Outcome::Failed, Some(Cause::AppForbidden)) };
        let ended = RunEvent::Ended { outcome, cause, backup: None, verification: None };
        self.commit_to(what, vec![ended]).await;
    }

    /// Ends the unfinished refresh with this subject, with `new` as the stored SAS.
    pub async fn finish_refresh(&self, what: &str, new: SasFacts) {
        let run = self.unfinished().await.into_iter().find(does(what)).unwrap();
        let Task::RefreshSas(refresh) = run.task else { panic!("{what} refreshes nothing") };
        let refresh = SasRefresh {
            storage: run.policy_snapshot.storage,
            container: "https://acct.blob.core.windows.net/c".into(),
            reason: refresh.reason,
            old: refresh.old,
            new,
            backup: Some(refresh.backup),
        };
        let ended =
            RunEvent::Ended { outcome: Outcome::Succeeded, cause: None, backup: None, verification: None };
        self.commit_to(what, vec![RunEvent::SasRefreshed { refresh }, ended]).await;
    }

    /// Adds a run whose attempt failed and left this backup; the run retries, or is over.
    pub async fn fail_with_backup(&self, app: &App, backup: BackupFacts, cause: Cause, is_over: bool) {
        let id = self.add(app, Trigger::Manual).await;
        self.begin(Wakeup { run_id: id, version: 1, nonce: 0 }).await;
        let (number, detail) = (1, String::new());
        let retry_at = (!is_over).then_some(backup.accepted_at);
        let ended =
            RunEvent::AttemptEnded { number, status: None, cause, detail, backup: Some(backup), retry_at };
        let over = RunEvent::Ended {
            outcome: Outcome::Failed,
            cause: Some(cause),
            backup: None,
            verification: None,
        };
        let events = if is_over { vec![ended, over] } else { vec![ended] };
        let committed =
            self.commit(Wakeup { run_id: id, version: 2, nonce: 0 }, events, Duration::ZERO).await;
        assert!(matches!(committed, Committed::Done(_)));
    }

    /// Ends every unfinished deletion.
    pub async fn finish_deletions(&self) -> usize {
        let deletions: Vec<Run> =
            self.unfinished().await.into_iter().filter(|run| run.task.kind() == RunKind::Delete).collect();
        for run in &deletions {
            let what = run.task.subject().unwrap();
            self.finish(&what, true).await;
            let Task::Delete(delete) = &run.task else { panic!("{what} deletes nothing") };
            self.mark_lost(&app(run.app.clone()), delete.backup.0).await;
        }
        deletions.len()
    }

    pub async fn catalog(&self) -> Vec<CatalogEntry> {
        self.store.catalog(&CatalogFilter::default()).await.unwrap()
    }
}

/// `gold` with a change.
pub fn gold_with(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = gold();
    change(&mut policy);
    policy
}
