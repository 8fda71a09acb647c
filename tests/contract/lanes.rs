//! What the board shows, and in which order runs go.

use holdfast_model::{Priority, RunId};
use holdfast_store::{DueLane, DueLanes, LaneQuota};

use crate::bench::{Bench, LEASE, accepted, app, app_in, ask, no_limits, secs, started};

on_every_store!(
    nothing_goes_before_it_is_due,
    the_most_urgent_goes_first_and_then_the_longest_due,
    at_most_as_many_go_as_were_asked_for,
    what_is_handed_out_is_not_handed_out_again_within_its_lease,
    the_board_shows_each_lane_once_with_what_is_most_urgent_in_it,
    the_board_tells_when_next_something_is_due_or_a_lease_passes,
    an_empty_store_has_an_empty_board,
    a_lane_nobody_knows_gives_nothing,
);

async fn nothing_goes_before_it_is_due(bench: &Bench) {
    let run = bench.add(bench.scheduled(&app("shop"), bench.now() + secs(10))).await;
    bench.advance(9);
    assert_eq!(bench.take_beside(&run, 9, &no_limits()).await, []);
    bench.advance(1);
    assert_eq!(bench.take_beside(&run, 9, &no_limits()).await, [run.id]);
}

async fn the_most_urgent_goes_first_and_then_the_longest_due(bench: &Bench) {
    let start = bench.now();
    let mut expected = Vec::new();
    for (priority, due) in [
        (Priority::Retention, 0),
        (Priority::Scheduled, 3),
        (Priority::Scheduled, 1),
        (Priority::Restore, 9),
        (Priority::Manual, 2),
    ] {
        let mut new = bench.scheduled(&app(&format!("app{due}")), start + secs(due));
        new.run.priority = priority;
        expected.push((priority, due, bench.add(new).await));
    }
    expected.sort_by_key(|(priority, due, _)| (*priority, *due));
    bench.advance(60);
    let lane = expected[0].2.lane().unwrap();
    let first_two = bench.acquire(&[LaneQuota { lane: lane.clone(), most: 2 }], &no_limits()).await;
    let rest = bench.acquire(&[LaneQuota { lane, most: 9 }], &no_limits()).await;
    let taken: Vec<RunId> = first_two.iter().chain(&rest).map(|taken| taken.wakeup.run_id).collect();
    assert_eq!(taken, expected.iter().map(|(_, _, run)| run.id).collect::<Vec<_>>());
    assert_eq!((first_two[0].priority, first_two[0].wakeup.version), (Priority::Restore, 1));
}

async fn at_most_as_many_go_as_were_asked_for(bench: &Bench) {
    let mut run = None;
    for n in 0..5 {
        run = Some(bench.added(&app(&format!("app{n}"))).await);
    }
    let run = run.unwrap();
    assert_eq!(bench.take_beside(&run, 0, &no_limits()).await, []);
    assert_eq!(bench.take_beside(&run, 3, &no_limits()).await.len(), 3);
    assert_eq!(bench.take_beside(&run, 3, &no_limits()).await.len(), 2);
}

async fn what_is_handed_out_is_not_handed_out_again_within_its_lease(bench: &Bench) {
    let run = bench.added(&app("shop")).await;
    assert_eq!(bench.take_beside(&run, 1, &no_limits()).await, [run.id]);
    bench.advance(LEASE.as_secs() - 1);
    assert_eq!(bench.store.reclaim().await.unwrap(), 0);
    assert_eq!(bench.take_beside(&run, 1, &no_limits()).await, []);
    let board = bench.store.due_lanes().await.unwrap();
    assert_eq!((board.outstanding, board.lanes.len()), (1, 0));
}

async fn the_board_shows_each_lane_once_with_what_is_most_urgent_in_it(bench: &Bench) {
    let start = bench.now();
    let slow = bench.add(bench.scheduled(&app("slow"), start)).await;
    bench.advance(5);
    bench.add(bench.scheduled(&app("late"), start + secs(2))).await;
    let urgent = bench.added(&app("urgent")).await;
    bench.advance(1);
    bench.added(&app("urgent2")).await;
    let far = bench.added(&app_in("s2", "/p/1", "far")).await;
    let asked = bench.added(&app_in("s3", "/p/1", "asked")).await;
    bench.happen(asked.id, vec![started(&asked, bench.now())]).await;
    bench.happen(asked.id, vec![accepted(bench.now())]).await;
    bench.add(bench.scheduled(&app_in("s4", "/p/1", "future"), bench.now() + secs(1))).await;
    let board = bench.store.due_lanes().await.unwrap();
    let due = |lane, due_at| DueLane { lane, priority: Priority::Manual, due_at };
    let expected = [
        due(urgent.lane().unwrap(), start + secs(5)),
        due(far.lane().unwrap(), start + secs(6)),
        due(ask("s3"), start + secs(6)),
    ];
    assert_eq!(board.lanes, expected);
    assert_eq!(slow.lane(), urgent.lane());
}

async fn the_board_tells_when_next_something_is_due_or_a_lease_passes(bench: &Bench) {
    let now = bench.now();
    let next = async || bench.store.due_lanes().await.unwrap().next_at;
    let run = bench.added(&app("shop")).await;
    assert_eq!(next().await, None, "what is due now is not due next");
    bench.take_beside(&run, 1, &no_limits()).await;
    assert_eq!(next().await, Some(now + LEASE));
    bench.add(bench.scheduled(&app("later"), now + secs(30))).await;
    bench.add(bench.scheduled(&app_in("s2", "/p/1", "late"), now + secs(40))).await;
    assert_eq!(next().await, Some(now + secs(30)));
    bench.advance(30);
    assert_eq!(next().await, Some(now + secs(40)));
    bench.advance(10);
    assert_eq!(next().await, Some(now + LEASE));
    bench.advance(30);
    assert_eq!(next().await, None);
}

async fn an_empty_store_has_an_empty_board(bench: &Bench) {
    assert_eq!(bench.store.due_lanes().await.unwrap(), DueLanes { now: bench.now(), ..DueLanes::default() });
    assert_eq!(bench.store.now().await.unwrap(), bench.now());
    assert_eq!(bench.store.reclaim().await.unwrap(), 0);
}

async fn a_lane_nobody_knows_gives_nothing(bench: &Bench) {
    bench.added(&app("shop")).await;
    assert_eq!(bench.acquire(&[LaneQuota { lane: ask("s9"), most: 9 }], &no_limits()).await, []);
    assert_eq!(bench.acquire(&[], &no_limits()).await, []);
}
