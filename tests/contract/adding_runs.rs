//! Runs that are added many at once, and subjects that one run at a time is about.

use holdfast_model::{
    BackupId, Delete, Fold, NewRun, OperatorAction, Outcome, RunEvent, RunKind, Task, Trigger,
};
use holdfast_store::RunFilter;

use crate::fixture::{StoreFixture, app, ended, secs};

on_every_store!(
    runs_are_added_but_for_those_whose_tick_or_subject_is_taken,
    a_subject_is_free_again_when_its_run_has_ended,
    an_added_run_of_a_taken_subject_is_refused_in_words,
    concurrent_adders_of_one_run_add_it_once,
    a_run_that_is_there_already_keeps_all_from_being_added,
    runs_of_every_kind_come_back_as_they_were_made,
);

fn delete(id: i64) -> Task {
    Task::Delete(Delete { backup: BackupId(id), blob: format!("hf-{id}.zip"), allow_last: false, rule: None })
}

async fn runs_are_added_but_for_those_whose_tick_or_subject_is_taken(fixture: &StoreFixture) {
    let (shop, blog) = (app("shop"), app("blog"));
    let tick = fixture.now() + secs(60);
    fixture.add(fixture.scheduled(&shop, tick)).await;
    fixture.add_task(&shop, delete(1)).await;
    let of = |app, id| fixture.task_run(app, delete(id), Trigger::Policy);
    let new = [
        of(&shop, 1),
        of(&shop, 2),
        fixture.scheduled(&shop, tick),
        of(&blog, 1),
        of(&shop, 2),
        fixture.manual(&shop),
        fixture.manual(&shop),
    ];
    assert_eq!(fixture.store.add_runs(&new).await.unwrap(), 4);
    assert_eq!(fixture.store.add_runs(&[]).await.unwrap(), 0);
    let runs = fixture.store.runs(&RunFilter::default()).await.unwrap();
    assert_eq!(runs.len(), 6);
    let audit = fixture.store.audit(2, 99).await.unwrap();
    let added: Vec<_> = [1, 3, 5, 6].iter().map(|n| (new[*n].run.id, &new[*n].event)).collect();
    assert_eq!(audit.iter().map(|event| (event.run_id, &event.event)).collect::<Vec<_>>(), added);
}

async fn a_subject_is_free_again_when_its_run_has_ended(fixture: &StoreFixture) {
    let shop = app("shop");
    let run = fixture.add_task(&shop, delete(1)).await;
    let again = [fixture.task_run(&shop, delete(1), Trigger::Policy)];
    assert_eq!(fixture.store.add_runs(&again).await.unwrap(), 0);
    fixture.commit_events(run.id, vec![ended(Outcome::Failed, None)]).await;
    assert_eq!(fixture.store.add_runs(&again).await.unwrap(), 1);
}

async fn an_added_run_of_a_taken_subject_is_refused_in_words(fixture: &StoreFixture) {
    fixture.add_task(&app("shop"), delete(1)).await;
    let again = fixture.task_run(&app("shop"), delete(1), Trigger::Manual);
    let refusal = fixture.store.add_run(&again).await.unwrap_err();
    assert!(refusal.to_string().contains("another run for it is unfinished"), "{refusal}");
    assert_eq!(fixture.store.audit(0, 9).await.unwrap().len(), 1);
}

async fn concurrent_adders_of_one_run_add_it_once(fixture: &StoreFixture) {
    let mut adders = tokio::task::JoinSet::new();
    for n in 0..8 {
        let of = |id: i64| fixture.task_run(&app(&format!("app{id}")), delete(id), Trigger::Policy);
        let mut new: Vec<NewRun> = (0..20).map(of).collect();
        new.rotate_left(n);
        let store = fixture.store.clone();
        adders.spawn(async move { store.add_runs(&new).await.unwrap() });
    }
    assert_eq!(adders.join_all().await.into_iter().sum::<u64>(), 20);
    assert_eq!(fixture.store.runs(&RunFilter::default()).await.unwrap().len(), 20);
    let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
    assert_eq!(fixture.store.runs(&unfinished).await.unwrap().len(), 20);
    fixture.add_action(&app("app1"), OperatorAction::Revealed { backup: BackupId(1) }).await;
    assert_eq!(fixture.store.runs(&RunFilter::default()).await.unwrap().len(), 21);
    assert_eq!(fixture.store.runs(&unfinished).await.unwrap().len(), 20, "an operator action has ended");
    let of_kind = RunFilter { kind: Some(RunKind::OperatorAction), ..RunFilter::default() };
    assert_eq!(fixture.store.runs(&of_kind).await.unwrap().len(), 1);
}

async fn a_run_that_is_there_already_keeps_all_from_being_added(fixture: &StoreFixture) {
    let there = fixture.manual(&app("shop"));
    fixture.add(there.clone()).await;
    assert!(fixture.store.add_runs(&[fixture.manual(&app("blog")), there]).await.is_err());
    assert_eq!(fixture.store.audit(0, 9).await.unwrap().len(), 1);
}

async fn runs_of_every_kind_come_back_as_they_were_made(fixture: &StoreFixture) {
    let shop = app("shop");
    let push = Task::PushSchedule { schedule: None, databases: Vec::new(), renews: None };
    for new in
        [fixture.task_run(&shop, delete(1), Trigger::Policy), fixture.task_run(&shop, push, Trigger::Manual)]
    {
        let run = fixture.add(new).await;
        assert_eq!(fixture.read(run.id).await, run);
        let events = fixture.store.events(run.id).await.unwrap();
        let RunEvent::Planned { task, .. } = &events[0].event else { panic!("{events:?}") };
        assert_eq!(*task, run.task);
    }
    let noted = fixture.add_action(&shop, OperatorAction::Revealed { backup: BackupId(1) }).await;
    let row = fixture.read(noted.id).await;
    assert_eq!(row, noted);
    let events = fixture.store.events(noted.id).await.unwrap();
    let fold = Fold::of(events.iter().map(|event| &event.event)).unwrap();
    assert_eq!((fold.state, fold.failure_counts), (row.state, row.failure_counts));
}
