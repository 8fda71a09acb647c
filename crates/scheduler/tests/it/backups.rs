//! Backups already taken, what people and workers do to them, and the runs that they are owed.

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

/// Somebody's wish for a new SAS.
pub fn refresh(id: i64) -> Task {
    Task::RefreshSas(RefreshSas { backup: BackupId(id), reason: RefreshReason::Asked, old: None })
}

/// Does the run do this, as its subject says it?
pub fn does(what: &str) -> impl Fn(&Run) -> bool {
    move |run| run.task.subject().as_deref() == Some(what)
}

impl World {
    async fn note(&self, app: &App, action: OperatorAction) {
        let (id, now) = (self.run_id().await, self.store.now().await.unwrap());
        let actor = "the test".to_owned();
        self.store
            .add_run(&NewRun::operator_action(id, app, &gold().policy_snapshot, action, actor, now))
            .await
            .unwrap();
    }

    /// A good backup of the app is in the catalog, in this storage.
    pub async fn keeps_in(&self, storage: &str, app: &App, id: i64, accepted_at: Timestamp) {
        let backup = BackupFacts {
            id: BackupId(id),
            blob: format!("b{id}.zip"),
            size_bytes: 1,
            accepted_at,
            finished_at: None,
            databases: Vec::new(),
        };
        self.note(app, OperatorAction::TakenOver { backup, storage: StorageName::new(storage) }).await;
    }

    /// A good backup of the app is in the catalog, and Azure keeps a SAS with it that lasts.
    pub async fn keeps(&self, app: &App, id: i64, accepted_at: Timestamp) {
        self.keeps_in("weu", app, id, accepted_at).await;
        let lasting = sas("lasting", accepted_at + Duration::from_hours(24 * 365));
        self.ask(app, refresh(id)).await;
        self.refreshed(&format!("refresh_sas {id}"), lasting).await;
    }

    pub async fn hold(&self, app: &App, id: i64) {
        self.note(app, OperatorAction::Held { backup: BackupId(id), reason: "court".into() }).await;
    }

    pub async fn lose(&self, app: &App, id: i64) {
        self.note(app, OperatorAction::Lost { backup: BackupId(id), detail: "removal".into() }).await;
    }

    /// Somebody asks for a run.
    pub async fn ask(&self, app: &App, task: Task) {
        let (id, now) = (self.run_id().await, self.store.now().await.unwrap());
        let what = NewTask { task, trigger: Trigger::Manual, actor: None };
        self.store.add_run(&NewRun::task(id, app, &gold().policy_snapshot, what, now)).await.unwrap();
    }

    /// The runs that have not ended.
    pub async fn to_do(&self) -> Vec<Run> {
        let runs = self.store.runs(&RunFilter::default()).await.unwrap();
        runs.into_iter().filter(|run| run.state.code() != StateCode::Ended).collect()
    }

    /// The same as text: the app and what is done to it.
    pub async fn owed(&self) -> Vec<String> {
        let told = |run: Run| format!("{}: {}", run.app.short_name(), run.task.subject().unwrap_or_default());
        let mut owed: Vec<_> = self.to_do().await.into_iter().map(told).collect();
        owed.sort();
        owed
    }

    async fn commit_to(&self, what: &str, events: Vec<RunEvent>) {
        let run = self.to_do().await.into_iter().find(does(what)).unwrap();
        let wakeup = Wakeup { run_id: run.id, version: run.version };
        let committed = self.commit(wakeup, events, Duration::ZERO).await;
        assert!(matches!(committed, Committed::Done(_)));
    }

    /// A worker carried it out, or could not.
    pub async fn over(&self, what: &str, well: bool) {
        let (outcome, cause) =
            if well { (Outcome::Succeeded, None) } else { (Outcome::Failed, Some(Cause::AppForbidden)) };
        let ended = RunEvent::Ended { outcome, cause, backup: None, verification: None };
        self.commit_to(what, vec![ended]).await;
    }

    /// A worker put this SAS in the place of the one that Azure kept.
    pub async fn refreshed(&self, what: &str, new: SasFacts) {
        let run = self.to_do().await.into_iter().find(does(what)).unwrap();
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

    /// A run of the app for a backup made this one, which does not count as good, and is to try again or is over.
    pub async fn makes_in_vain(&self, app: &App, backup: BackupFacts, cause: Cause, is_over: bool) {
        let id = self.add(app, Trigger::Manual).await;
        self.begin(Wakeup { run_id: id, version: 1 }).await;
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
        let committed = self.commit(Wakeup { run_id: id, version: 2 }, events, Duration::ZERO).await;
        assert!(matches!(committed, Committed::Done(_)));
    }

    /// Every deletion that is to do is done.
    pub async fn delete_all(&self) -> usize {
        let deletions: Vec<Run> =
            self.to_do().await.into_iter().filter(|run| run.task.kind() == RunKind::Delete).collect();
        for run in &deletions {
            let what = run.task.subject().unwrap();
            self.over(&what, true).await;
            let Task::Delete(delete) = &run.task else { panic!("{what} deletes nothing") };
            self.lose(&app(run.app.clone()), delete.backup.0).await;
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
