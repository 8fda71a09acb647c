//! The audit: complete, in order and chained.

use holdfast_model::{Cause, Outcome, RunEvent};
use holdfast_store::{CheckpointStatus, Link, verify_chain};

use crate::fixture::{StoreFixture, app, attempt_ended, ended, secs, started};

on_every_store!(
    events_count_from_one_without_gaps_and_their_chain_holds,
    the_audit_is_read_in_pages,
    the_events_of_a_run_are_its_own_oldest_first,
    commits_at_once_leave_the_chain_whole,
    what_is_refused_leaves_no_event,
    the_record_of_checkpoints_has_only_the_destinations_of_the_last_one,
);

async fn events_count_from_one_without_gaps_and_their_chain_holds(fixture: &StoreFixture) {
    let mut hashes = vec![Link::origin().hash];
    for name in ["a", "b", "c"] {
        fixture.complete_backup(&app(name), 5, 5).await;
    }
    let audit = fixture.store.audit(0, 1_000).await.unwrap();
    assert_eq!(audit.len(), 15);
    for (event, seq) in audit.iter().zip(1..) {
        assert_eq!((event.link.seq, Some(&event.link.previous)), (seq, hashes.last()));
        hashes.push(event.link.hash.clone());
    }
    let rows = fixture.store.chain(0, 1_000).await.unwrap();
    assert_eq!(verify_chain(&rows, Link::origin()), Ok(audit[14].link.clone()));
}

async fn the_audit_is_read_in_pages(fixture: &StoreFixture) {
    fixture.complete_backup(&app("shop"), 5, 5).await;
    let all = fixture.store.audit(0, 99).await.unwrap();
    assert_eq!(fixture.store.audit(0, 2).await.unwrap(), all[..2]);
    assert_eq!(fixture.store.audit(2, 2).await.unwrap(), all[2..4]);
    assert_eq!(fixture.store.audit(5, 2).await.unwrap(), []);
    let page = fixture.store.chain(3, 9).await.unwrap();
    assert_eq!(verify_chain(&page, all[2].link.clone()), Ok(all[4].link.clone()));
}

async fn the_events_of_a_run_are_its_own_oldest_first(fixture: &StoreFixture) {
    let (one, two) = (fixture.add_manual(&app("a")).await, fixture.add_manual(&app("b")).await);
    fixture.commit_events(two.id, vec![started(&two, fixture.now())]).await;
    fixture.advance(5);
    let several = vec![
        started(&one, fixture.now()),
        attempt_ended(1, Cause::TimedOut),
        RunEvent::StartRefused { cause: Cause::SasUnusable, detail: "expired".into(), retry_at: None },
        ended(Outcome::Exhausted, None),
    ];
    fixture.commit_events(one.id, several.clone()).await;
    let events = fixture.store.events(one.id).await.unwrap();
    assert_eq!(events.iter().map(|event| event.event.clone()).collect::<Vec<_>>()[1..], several);
    assert!(events.iter().all(|event| event.run_id == one.id && event.app == one.app));
    assert_eq!((events[0].at, events[1].at), (fixture.now() - secs(5), fixture.now()));
}

async fn commits_at_once_leave_the_chain_whole(fixture: &StoreFixture) {
    let mut commits = tokio::task::JoinSet::new();
    for n in 0..24 {
        let run = fixture.add_manual(&app(&format!("app{n}"))).await;
        let change =
            fixture.change(run.clone(), vec![started(&run, fixture.now()), attempt_ended(1, Cause::Skipped)]);
        let store = fixture.store.clone();
        commits.spawn(async move { store.commit(&change).await.unwrap() });
    }
    commits.join_all().await;
    let rows = fixture.store.chain(0, 1_000).await.unwrap();
    assert_eq!(verify_chain(&rows, Link::origin()).unwrap().seq, 72);
}

async fn what_is_refused_leaves_no_event(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    let stale =
        holdfast_store::Change { from: 9, ..fixture.change(run.clone(), vec![started(&run, fixture.now())]) };
    fixture.store.commit(&stale).await.unwrap();
    assert_eq!(fixture.store.audit(0, 9).await.unwrap().len(), 1);
}

async fn the_record_of_checkpoints_has_only_the_destinations_of_the_last_one(fixture: &StoreFixture) {
    let status = |destination: &str| CheckpointStatus {
        destination: destination.to_owned(),
        checkpoint: None,
        written_at: None,
        failed_since: Some(fixture.now()),
        error: Some("the disk is full".to_owned()),
        due_at: fixture.now() + secs(60),
    };
    fixture.store.record_checkpoints(&[status("file:a"), status("stdout")]).await.unwrap();
    let written = CheckpointStatus {
        checkpoint: Some("{\"checkpoint\":1}".to_owned()),
        written_at: Some(fixture.now()),
        failed_since: None,
        error: None,
        ..status("file:a")
    };
    let both = [written, status("storage:audit")];
    fixture.store.record_checkpoints(&both).await.unwrap();
    assert_eq!(fixture.store.checkpoints().await.unwrap(), both);
    fixture.store.record_checkpoints(&[]).await.unwrap();
    assert_eq!(fixture.store.checkpoints().await.unwrap(), []);
}
