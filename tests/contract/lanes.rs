//! Which lanes are due, and in which order their runs are acquired.

use holdfast_model::{Priority, RunId};
use holdfast_store::{DueLane, DueLanes, LaneQuota};

use crate::fixture::{LEASE, StoreFixture, accepted, app, app_in, no_limits, poll_lane, secs, started};

on_every_store!(
    nothing_goes_before_it_is_due,
    the_most_urgent_goes_first_and_then_the_longest_due,
    at_most_as_many_go_as_were_asked_for,
    what_is_handed_out_is_not_handed_out_again_within_its_lease,
    the_due_lanes_list_each_lane_once_with_what_is_most_urgent_in_it,
    the_due_lanes_say_when_next_something_is_due_or_a_lease_passes,
    an_empty_store_has_no_due_lanes,
    an_unknown_lane_gives_nothing,
);

async fn nothing_goes_before_it_is_due(fixture: &StoreFixture) {
    let run = fixture.add(fixture.scheduled(&app("shop"), fixture.now() + secs(10))).await;
    fixture.advance(9);
    assert_eq!(fixture.acquire_beside(&run, 9, &no_limits()).await, []);
    fixture.advance(1);
    assert_eq!(fixture.acquire_beside(&run, 9, &no_limits()).await, [run.id]);
}

async fn the_most_urgent_goes_first_and_then_the_longest_due(fixture: &StoreFixture) {
    let start = fixture.now();
    let mut expected = Vec::new();
    for (priority, due) in [
        (Priority::Retention, 0),
        (Priority::Scheduled, 3),
        (Priority::Scheduled, 1),
        (Priority::Restore, 9),
        (Priority::Manual, 2),
    ] {
        let mut new = fixture.scheduled(&app(&format!("app{due}")), start + secs(due));
        new.run.priority = priority;
        expected.push((priority, due, fixture.add(new).await));
    }
    expected.sort_by_key(|(priority, due, _)| (*priority, *due));
    fixture.advance(60);
    let lane = expected[0].2.lane().unwrap();
    let first_two = fixture.acquire(&[LaneQuota { lane: lane.clone(), most: 2 }], &no_limits()).await;
    let rest = fixture.acquire(&[LaneQuota { lane, most: 9 }], &no_limits()).await;
    let taken: Vec<RunId> = first_two.iter().chain(&rest).map(|taken| taken.wakeup.run_id).collect();
    assert_eq!(taken, expected.iter().map(|(_, _, run)| run.id).collect::<Vec<_>>());
    assert_eq!((first_two[0].priority, first_two[0].wakeup.version), (Priority::Restore, 1));
}

async fn at_most_as_many_go_as_were_asked_for(fixture: &StoreFixture) {
    let mut run = None;
    for n in 0..5 {
        run = Some(fixture.add_manual(&app(&format!("app{n}"))).await);
    }
    let run = run.unwrap();
    assert_eq!(fixture.acquire_beside(&run, 0, &no_limits()).await, []);
    assert_eq!(fixture.acquire_beside(&run, 3, &no_limits()).await.len(), 3);
    assert_eq!(fixture.acquire_beside(&run, 3, &no_limits()).await.len(), 2);
}

async fn what_is_handed_out_is_not_handed_out_again_within_its_lease(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    assert_eq!(fixture.acquire_beside(&run, 1, &no_limits()).await, [run.id]);
    fixture.advance(LEASE.as_secs() - 1);
    assert_eq!(fixture.store.reclaim().await.unwrap(), 0);
    assert_eq!(fixture.acquire_beside(&run, 1, &no_limits()).await, []);
    let due_lanes = fixture.store.due_lanes().await.unwrap();
    assert_eq!((due_lanes.outstanding, due_lanes.lanes.len()), (1, 0));
}

async fn the_due_lanes_list_each_lane_once_with_what_is_most_urgent_in_it(fixture: &StoreFixture) {
    let start = fixture.now();
    let slow = fixture.add(fixture.scheduled(&app("slow"), start)).await;
    fixture.advance(5);
    fixture.add(fixture.scheduled(&app("late"), start + secs(2))).await;
    let urgent = fixture.add_manual(&app("urgent")).await;
    fixture.advance(1);
    fixture.add_manual(&app("urgent2")).await;
    let far = fixture.add_manual(&app_in("s2", "/p/1", "far")).await;
    let asked = fixture.add_manual(&app_in("s3", "/p/1", "asked")).await;
    fixture.commit_events(asked.id, vec![started(&asked, fixture.now())]).await;
    fixture.commit_events(asked.id, vec![accepted(fixture.now())]).await;
    fixture.add(fixture.scheduled(&app_in("s4", "/p/1", "future"), fixture.now() + secs(1))).await;
    let due_lanes = fixture.store.due_lanes().await.unwrap();
    let due = |lane, due_at| DueLane { lane, priority: Priority::Manual, due_at };
    let expected = [
        due(urgent.lane().unwrap(), start + secs(5)),
        due(far.lane().unwrap(), start + secs(6)),
        due(poll_lane("s3"), start + secs(6)),
    ];
    assert_eq!(due_lanes.lanes, expected);
    assert_eq!(slow.lane(), urgent.lane());
}

async fn the_due_lanes_say_when_next_something_is_due_or_a_lease_passes(fixture: &StoreFixture) {
    let now = fixture.now();
    let next = async || fixture.store.due_lanes().await.unwrap().next_at;
    let run = fixture.add_manual(&app("shop")).await;
    assert_eq!(next().await, None, "`next_at` excludes what is due now");
    fixture.acquire_beside(&run, 1, &no_limits()).await;
    assert_eq!(next().await, Some(now + LEASE));
    fixture.add(fixture.scheduled(&app("later"), now + secs(30))).await;
    fixture.add(fixture.scheduled(&app_in("s2", "/p/1", "late"), now + secs(40))).await;
    assert_eq!(next().await, Some(now + secs(30)));
    fixture.advance(30);
    assert_eq!(next().await, Some(now + secs(40)));
    fixture.advance(10);
    assert_eq!(next().await, Some(now + LEASE));
    fixture.advance(30);
    assert_eq!(next().await, None);
}

async fn an_empty_store_has_no_due_lanes(fixture: &StoreFixture) {
    assert_eq!(
        fixture.store.due_lanes().await.unwrap(),
        DueLanes { now: fixture.now(), ..DueLanes::default() }
    );
    assert_eq!(fixture.store.now().await.unwrap(), fixture.now());
    assert_eq!(fixture.store.reclaim().await.unwrap(), 0);
}

async fn an_unknown_lane_gives_nothing(fixture: &StoreFixture) {
    fixture.add_manual(&app("shop")).await;
    assert_eq!(fixture.acquire(&[LaneQuota { lane: poll_lane("s9"), most: 9 }], &no_limits()).await, []);
    assert_eq!(fixture.acquire(&[], &no_limits()).await, []);
}
