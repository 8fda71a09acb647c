//! Lists of runs in pages, and what people did.

use std::collections::BTreeSet;

use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{Cause, NewRun, OperatorAction, Outcome, Run, RunKind, Trigger};
use holdfast_store::{ActFilter, RunFilter, RunPlace};

use crate::fixture::{StoreFixture, app, ended, enrolled, policy_snapshot};

on_every_store!(
    runs_are_listed_by_outcome_cause_and_trigger,
    pages_of_runs_hold_each_run_once_although_many_were_planned_at_once,
    acts_are_what_people_asked_for_and_did_without_the_enrolments_of_a_fleet_file,
);

/// Runs of two apps: good, failed, exhausted, missed, partial and unfinished ones, manual and scheduled.
async fn fill(fixture: &StoreFixture) {
    let (shop, blog) = (app("shop"), app("blog"));
    fixture.complete_backup(&shop, 5, 30).await;
    for (app, outcome) in [(&shop, Outcome::Failed), (&blog, Outcome::Exhausted), (&shop, Outcome::Partial)] {
        let run = fixture.add_manual(app).await;
        fixture.commit_events(run.id, vec![ended(outcome, None)]).await;
    }
    let missed = MissedTick { tick: fixture.now(), reason: MissReason::TooLate };
    fixture.add(NewRun::missed(fixture.id(), &blog, &policy_snapshot(), &missed, fixture.now())).await;
    fixture.add_manual(&blog).await;
    fixture.add_action(&shop, OperatorAction::FleetFileChanged { sha256: "5a".into() }).await;
}

async fn list(fixture: &StoreFixture, filter: RunFilter) -> Vec<Run> {
    fixture.store.runs(&filter).await.unwrap()
}

async fn runs_are_listed_by_outcome_cause_and_trigger(fixture: &StoreFixture) {
    fill(fixture).await;
    let all = list(fixture, RunFilter::default()).await;
    assert_eq!(all.len(), 7);
    let outcome = |run: &Run| match &run.state {
        holdfast_model::RunState::Ended { outcome, cause, .. } => Some((*outcome, *cause)),
        _ => None,
    };
    let some = |outcomes: &[Outcome]| outcomes.iter().copied().collect::<BTreeSet<_>>();
    for outcomes in [
        some(&[]),
        some(&[Outcome::Succeeded]),
        some(&[Outcome::Failed, Outcome::Exhausted]),
        some(&[Outcome::Missed]),
        some(&[Outcome::Succeeded, Outcome::Partial]),
    ] {
        for cause in [None, Some(Cause::AzureFailed), Some(Cause::TooLate), Some(Cause::Busy)] {
            for trigger in [None, Some(Trigger::Schedule), Some(Trigger::Manual), Some(Trigger::Policy)] {
                for app in [None, Some(app("shop").id)] {
                    for kind in [None, Some(RunKind::Backup), Some(RunKind::OperatorAction)] {
                        let is_wanted = |run: &&Run| {
                            let ended = outcome(run);
                            (outcomes.is_empty() || ended.is_some_and(|(of, _)| outcomes.contains(&of)))
                                && (cause.is_none() || ended.is_some_and(|(_, of)| of == cause))
                                && trigger.is_none_or(|of| run.trigger == of)
                                && app.as_ref().is_none_or(|of| run.app == *of)
                                && kind.is_none_or(|of| run.task.kind() == of)
                        };
                        let wanted: Vec<Run> = all.iter().filter(is_wanted).cloned().collect();
                        let (outcomes, app) = (outcomes.clone(), app.clone());
                        let filter =
                            RunFilter { outcomes, cause, trigger, app, kind, ..RunFilter::default() };
                        assert_eq!(list(fixture, filter.clone()).await, wanted, "{filter:?}");
                    }
                }
            }
        }
    }
    // The cause for which a run waits is not its end.
    let unfinished = RunFilter { unfinished: true, cause: Some(Cause::Busy), ..RunFilter::default() };
    assert_eq!(list(fixture, unfinished).await, []);
}

async fn pages_of_runs_hold_each_run_once_although_many_were_planned_at_once(fixture: &StoreFixture) {
    fill(fixture).await;
    for filter in [
        RunFilter::default(),
        RunFilter { app: Some(app("shop").id), ..RunFilter::default() },
        RunFilter { outcomes: [Outcome::Failed, Outcome::Missed].into(), ..RunFilter::default() },
        RunFilter { trigger: Some(Trigger::Manual), ..RunFilter::default() },
        RunFilter { kind: Some(RunKind::OperatorAction), ..RunFilter::default() },
        RunFilter { unfinished: true, ..RunFilter::default() },
    ] {
        let whole = list(fixture, filter.clone()).await;
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = list(fixture, RunFilter { after, most: 2, ..filter.clone() }).await;
            let Some(last) = page.last() else { break };
            after = Some(RunPlace { created_at: last.created_at, id: last.id });
            paged.extend(page);
        }
        assert_eq!(paged, whole, "{filter:?}");
        assert!(!whole.is_empty());
    }
}

async fn acts_are_what_people_asked_for_and_did_without_the_enrolments_of_a_fleet_file(
    fixture: &StoreFixture,
) {
    assert_eq!(fixture.store.last_event().await.unwrap(), None);
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None), enrolled(&app("blog"), None)]).await;
    fixture.add_manual(&shop).await;
    fixture
        .add_task(&shop, holdfast_model::Task::CheckCatalog { schedule: None, databases: Vec::new() })
        .await;
    fixture.add_action(&shop, OperatorAction::FleetFileChanged { sha256: "5a".into() }).await;
    let acts = async |before, most| -> Vec<(i64, &'static str)> {
        let acts = fixture.store.acts(&ActFilter { before, most }).await.unwrap();
        acts.iter().map(|event| (event.link.seq, event.event.name())).collect()
    };
    // Two enrolments, a run that no person is named for, then these.
    let [requested, paused] = [(4, "planned"), (5, "action_recorded")];
    assert_eq!(acts(None, 10).await, [paused, requested]);
    assert_eq!(acts(None, 1).await, [paused]);
    assert_eq!(acts(Some(5), 10).await, [requested]);
    assert_eq!(acts(Some(4), 10).await, []);
    assert_eq!(acts(None, 0).await, []);
    assert_eq!(fixture.store.last_event().await.unwrap().unwrap().link.seq, 5);
}
