//! Tells whoever waits for a restore how far it is: an app is stopped meanwhile.

use std::collections::BTreeMap;

use holdfast_model::{Run, RunId, RunState, StateCode, Timestamp};

use crate::context::Context;
use crate::output::age;

/// What has been told of runs.
#[derive(Debug, Default)]
pub struct Progress {
    told: BTreeMap<RunId, StateCode>,
}

impl Progress {
    /// Says of each restore and drill what it is doing now, where that is not what it did before.
    pub fn tell(&mut self, runs: &[Run], context: &Context) {
        for run in runs.iter().filter(|run| run.task.restore().is_some()) {
            let state = run.state.code();
            if self.told.insert(run.id, state) != Some(state) && !context.out.is_json() {
                context.out.message(&line(run, context.clock.now()));
            }
        }
    }
}

fn line(run: &Run, now: Timestamp) -> String {
    let doing = match &run.state {
        RunState::Planned => "waits for its turn".to_owned(),
        RunState::Starting { .. } => "asks Azure to begin".to_owned(),
        RunState::Settling { .. } => "looks for what Azure made of a request that got no answer".to_owned(),
        RunState::Polling { status, .. } => format!("Azure says {status}"),
        RunState::Following { operation, .. } => {
            format!("Azure is at work, operation {}", operation.rsplit('/').next().unwrap_or_default())
        }
        RunState::Verifying { .. } => "asks the app whether it answers".to_owned(),
        RunState::Waiting { cause, .. } => format!("waits to try again: {cause}"),
        RunState::Ended { outcome, .. } => outcome.as_str().to_owned(),
    };
    let (kind, name) = (run.task.kind(), run.app.short_name());
    format!("{kind} into {name}, asked for {}: {doing}", age(run.created_at, now))
}

#[cfg(test)]
mod tests {
    use holdfast_model::{App, AppId, BackupId, NewRun, Outcome, Restore, StorageName, Task, Terms, Trigger};

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
        let asked = (Task::Restore(restore), Trigger::Manual, None);
        let mut run = NewRun::task(run_id, &app, &Terms::new(StorageName::new("w"), "a"), asked, at(0)).run;
        assert_eq!(line(&run, at(30)), "restore into shop, asked for 30 s ago: waits for its turn");
        run.state =
            RunState::Ended { outcome: Outcome::Succeeded, cause: None, backup: None, verification: None };
        assert_eq!(line(&run, at(300)), "restore into shop, asked for 5 min ago: succeeded");
    }
}
