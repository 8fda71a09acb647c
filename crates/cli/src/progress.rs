//! Tells whoever waits for runs how far they are: each step of a restore, during which an app is stopped, and of all
//! runs what keeps them from going on.

use std::collections::BTreeMap;

use holdfast_model::{Cause, Run, RunEvent, RunId, RunState, StateCode, Timestamp};
use holdfast_store::{Error, Store};

use crate::context::Context;
use crate::output::{age, until};

/// What has been told of runs.
#[derive(Debug, Default)]
pub struct Progress {
    told: BTreeMap<RunId, Told>,
    advised: bool,
}

/// What has been told of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    version: i64,
    state: StateCode,
    /// Of its events, so many.
    events: usize,
}

impl Progress {
    /// Says what is new since the last look: of restores and drills what they are doing, and of all runs why they wait.
    pub async fn tell(&mut self, runs: &[Run], store: &dyn Store, context: &Context) -> Result<(), Error> {
        if context.out.is_json() {
            return Ok(());
        }
        for run in runs {
            let told = self.told.get(&run.id).copied();
            if told.is_some_and(|told| told.version == run.version) {
                continue;
            }
            let events = if is_held_up(run) { store.events(run.id).await? } else { Vec::new() };
            let seen = told.map_or(0, |told| told.events);
            let why = events.iter().skip(seen).filter_map(|event| hindrance(&event.event)).next_back();
            let state = run.state.code();
            let is_new = told.is_none_or(|told| told.state != state);
            if why.is_some() || (is_new && run.task.restore().is_some()) {
                let now = store.now().await?;
                context.out.message(&line(run, why.as_deref(), now));
            }
            self.advise(run, context);
            let events = seen.max(events.len());
            self.told.insert(run.id, Told { version: run.version, state, events });
        }
        Ok(())
    }

    /// Where to look further, once: what has to do with the fleet's ground may last until somebody mends it.
    fn advise(&mut self, run: &Run, context: &Context) {
        use Cause::{
            AppForbidden, CredentialRefused, DatabaseSecret, SasUnusable, StorageRefused, Unreachable,
        };
        let RunState::Waiting { cause, .. } = &run.state else { return };
        let is_ground = matches!(
            cause,
            Unreachable | CredentialRefused | SasUnusable | StorageRefused | AppForbidden | DatabaseSecret
        );
        if is_ground && !std::mem::replace(&mut self.advised, true) {
            context.out.message("help: `holdfast doctor` tries what this depends on, and says what to mend");
        }
    }
}

/// May something have kept it from going on?
fn is_held_up(run: &Run) -> bool {
    matches!(run.state, RunState::Waiting { .. } | RunState::Verifying { .. })
}

/// What kept a run from going on, in words.
fn hindrance(event: &RunEvent) -> Option<String> {
    match event {
        RunEvent::Deferred { cause, detail, .. }
        | RunEvent::StartRefused { cause, detail, .. }
        | RunEvent::AttemptEnded { cause, detail, .. } => Some(format!("{cause}: {detail}")),
        RunEvent::CheckFailed { detail } => Some(detail.clone()),
        _ => None,
    }
}

fn line(run: &Run, why: Option<&str>, now: Timestamp) -> String {
    let doing = match &run.state {
        RunState::Planned => "waits for its turn".to_owned(),
        RunState::Starting { .. } => "asks Azure to begin".to_owned(),
        RunState::Reconciling { .. } => {
            "looks for what Azure made of a request that got no answer".to_owned()
        }
        RunState::Polling { status, .. } => format!("Azure says {status}"),
        RunState::PollingOperation { operation, .. } => {
            format!("Azure is at work, operation {}", operation.rsplit('/').next().unwrap_or_default())
        }
        RunState::Verifying { .. } => {
            let asks =
                if run.task.restore().is_some() { "asks the app whether it answers" } else { "is checked" };
            why.map_or_else(|| asks.to_owned(), |why| format!("{why}; {}", again(run, now)))
        }
        RunState::Waiting { cause, .. } => {
            let why = why.map_or_else(|| cause.to_string(), str::to_owned);
            format!("{}: {why}", again(run, now))
        }
        RunState::Ended { outcome, .. } => outcome.as_str().to_owned(),
    };
    let (kind, name) = (run.task.kind(), run.app.short_name());
    let of = if run.task.restore().is_some() { "into" } else { "of" };
    format!("{kind} {of} {name}, asked for {}: {doing}", age(run.created_at, now))
}

fn again(run: &Run, now: Timestamp) -> String {
    format!("tries again {}", until(run.due_at, now))
}

#[cfg(test)]
mod tests {
    use holdfast_model::{
        App, AppId, BackupId, NewRun, NewTask, Outcome, PolicySnapshot, Restore, StorageName, Task, Trigger,
    };

    use super::*;

    #[test]
    fn each_state_is_told_in_words_with_azures_operation() {
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let id = AppId::new("s", "g", "shop", None);
        let app = App { id: id.clone(), policy: None, plan: None, databases: Vec::new(), paused: false };
        let restore = Restore {
            source: id,
            backup: Some(BackupId(1)),
            blob: "b.zip".into(),
            new_in_plan: None,
            databases: Vec::new(),
            ignore_databases: false,
            ignore_conflicting_host_names: false,
        };
        let run_id = RunId::new(at(0), &mut fastrand::Rng::with_seed(1));
        let asked = NewTask { task: Task::Restore(restore), trigger: Trigger::Manual, actor: None };
        let mut run =
            NewRun::task(run_id, &app, &PolicySnapshot::new(StorageName::new("w"), "a"), asked, at(0)).run;
        assert_eq!(line(&run, None, at(30)), "restore into shop, asked for 30 s ago: waits for its turn");
        run.state = RunState::Waiting { cause: Cause::Unreachable, next_attempt: 1, refused_sas: None };
        run.due_at = at(90);
        assert_eq!(
            line(&run, Some("unreachable: no token"), at(30)),
            "restore into shop, asked for 30 s ago: tries again in 60 s: unreachable: no token"
        );
        run.state =
            RunState::Ended { outcome: Outcome::Succeeded, cause: None, backup: None, verification: None };
        assert_eq!(line(&run, None, at(300)), "restore into shop, asked for 5 min ago: succeeded");
    }
}
