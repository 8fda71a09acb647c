//! What happened beside the backups: a deletion, a new SAS, a restore, a drill, and notes.

use std::time::Duration;

use holdfast_model::{
    Attempt, BackupId, BackupName, Cause, Clock, Delete, Drill, NewRun, NewTask, OperatorAction, Outcome,
    RefreshReason, RefreshSas, Restore, Run, RunEvent, SasFacts, SasRefresh, StorageName, Task, Trigger,
};
use holdfast_store::{CatalogFilter, Change, Committed, Store};

use crate::history::{History, app, policy_snapshot, window};

impl<S: Store> History<S> {
    /// After [`History::backups`]: of the backups of `shop` the oldest is deleted, the next gets a new SAS and is shown to
    /// bob, the latest is held, restored and drilled; that of `blog` is lost.
    pub async fn tasks_and_actions(&mut self) {
        let delete = Task::Delete(Delete {
            backup: BackupId(1),
            blob: "hf-1.zip".into(),
            allow_last: false,
            rule: None,
        });
        self.carried_out("shop", delete, None).await;
        self.new_sas().await;
        let restore = Restore {
            source: app("shop", None).id,
            backup: Some(BackupId(5)),
            blob: "hf-5.zip".into(),
            new_in_plan: Some("/plans/p1".into()),
            databases: Vec::new(),
            ignore_databases: true,
            ignore_conflicting_host_names: true,
        };
        self.carried_out("copy", Task::Restore(restore.clone()), None).await;
        let drill = Drill { restore, probe: Some("https://scratch.example/health".into()) };
        self.carried_out("scratch", Task::Drill(drill), Some(Cause::ProbeFailed)).await;
        self.note(
            "shop",
            OperatorAction::Held { blob: None, backup: BackupId(5), reason: "the audit of 2026".into() },
        )
        .await;
        self.note("shop", OperatorAction::Revealed { backup: BackupId(4) }).await;
        self.note(
            "blog",
            OperatorAction::Lost { backup: BackupId(3), detail: "the blob is not there".into() },
        )
        .await;
        self.note("shop", OperatorAction::Drift { found: None, drift: vec![] }).await;
        self.note("shop", OperatorAction::Drift { found: None, drift: vec!["azure has no schedule".into()] })
            .await;
        self.check().await;
    }

    /// A check of `shop` that finds its last backup changed, and verifies it.
    async fn check(&mut self) {
        let run = self.asked("shop", Task::CheckCatalog { schedule: None, databases: Vec::new() }).await;
        let (backup, blob) = (BackupId(5), "hf-5.zip".to_owned());
        let app = Some(app("shop", None).id);
        let of_app = self.store.catalog(&CatalogFilter { app, ..CatalogFilter::default() }).await.unwrap();
        let now = of_app.into_iter().find(|entry| entry.backup.id == backup).unwrap().backup;
        let (updates, differences) = (vec!["its blob is hf-5.zip and was hf-5".into()], Vec::new());
        let changed = RunEvent::BackupChanged { backup, blob: blob.clone(), now, updates, differences };
        let verified = RunEvent::BackupVerified { backup, blob, size_bytes: 400_000_002 };
        let ended =
            RunEvent::Ended { outcome: Outcome::Succeeded, cause: None, backup: None, verification: None };
        self.happen(run, vec![changed, verified, ended]).await;
    }

    pub async fn asked(&mut self, name: &str, task: Task) -> Run {
        let app = app(name, Some("gold"));
        let asked = NewTask { task, trigger: Trigger::Manual, actor: Some("alice".into()) };
        let new = NewRun::task(self.id(), &app, &policy_snapshot(), asked, self.clock.now());
        self.store.add_run(&new).await.unwrap();
        new.run
    }

    pub async fn note(&mut self, name: &str, action: OperatorAction) {
        let new = NewRun::operator_action(
            self.id(),
            &app(name, Some("gold")),
            &policy_snapshot(),
            action,
            "bob".into(),
            self.clock.now(),
        );
        self.store.add_run(&new).await.unwrap();
    }

    /// A deletion that a person asked for.
    pub async fn deletion(&mut self, name: &str, backup: BackupId, blob: &str) -> Run {
        self.asked(name, Task::Delete(Delete { backup, blob: blob.into(), allow_last: true, rule: None }))
            .await
    }

    /// Whether an attempt of the run can start.
    pub async fn begins(&self, run: &Run) -> bool {
        let event = self.started(run);
        let after = run.clone().after(&event, self.clock.now()).unwrap();
        let change = Change { from: run.version, run: after, events: vec![event], at: self.clock.now() };
        self.store.commit(&change).await.unwrap() != Committed::Stale
    }

    /// Asked for, done by Azure, and ended well, or for this cause.
    async fn carried_out(&mut self, name: &str, task: Task, cause: Option<Cause>) {
        let run = self.asked(name, task).await;
        let run = self.begun(run).await;
        self.clock.advance(Duration::from_secs(30));
        let outcome = if cause.is_none() { Outcome::Succeeded } else { Outcome::Failed };
        let ended = RunEvent::Ended { outcome, cause, backup: None, verification: None };
        self.happen(run, vec![RunEvent::Completed { backup: None, detail: None }, ended]).await;
    }

    async fn begun(&self, run: Run) -> Run {
        let name = BackupName::of_attempt(&run.app, run.id, 1, &mut fastrand::Rng::with_seed(1));
        let begun_at = self.clock.now();
        let attempt = Attempt {
            number: 1,
            name,
            begun_at,
            sas: String::new(),
            sas_expiry: None,
            restored_before: None,
        };
        self.happen(run, vec![RunEvent::AttemptStarted { attempt, sas: None }]).await
    }

    async fn new_sas(&mut self) {
        let (backup, reason) = (BackupId(4), RefreshReason::KeptBackup);
        let run = self.asked("shop", Task::RefreshSas(RefreshSas { backup, reason, old: None })).await;
        let run = self.begun(run).await;
        let new = SasFacts { fingerprint: "feedc0ffee00".into(), window: window(self.clock.now()) };
        let container = "https://acct.blob.core.windows.net/backups".to_owned();
        let (storage, backup) = (StorageName::new("weu"), Some(backup));
        let refresh = SasRefresh { storage, container, reason, old: None, new, backup };
        let ended =
            RunEvent::Ended { outcome: Outcome::Succeeded, cause: None, backup: None, verification: None };
        let done = vec![
            RunEvent::SasRefreshed { refresh },
            RunEvent::Completed { backup: None, detail: None },
            ended,
        ];
        self.happen(run, done).await;
    }
}
