//! Azure's own schedules get another SAS before the one that Azure keeps with them lapses.

use std::time::Duration;

use holdfast_model::{
    Attempt, BackupName, FrequencyUnit, NativeSchedule, Outcome, Policy, Run, RunEvent, SasFacts,
    StorageName, Task, Trigger, Wakeup,
};

use crate::house::{gold_with, sas, shop};
use crate::maintenance::pass;
use crate::world::{World, at, fleet};

const HOUR: Duration = Duration::from_hours(1);

fn weekly() -> NativeSchedule {
    NativeSchedule {
        enabled: true,
        every: 7,
        unit: FrequencyUnit::Day,
        retention_days: 30,
        keep_at_least_one: true,
        start: None,
    }
}

fn scheduling() -> Policy {
    gold_with(|gold| gold.native_schedule = Some(weekly()))
}

/// A SAS that lapses so many hours after noon.
fn lasting(fingerprint: &str, hours: u32) -> SasFacts {
    sas(fingerprint, at("12:00") + hours * HOUR)
}

/// Somebody asks for the schedule, or for none.
async fn ask(world: &World, schedule: Option<NativeSchedule>) {
    world.ask(&shop(), Task::PushSchedule { schedule, databases: Vec::new(), renews: None }).await;
}

/// A worker carried out the run that is to do, and sent this SAS if any.
async fn done(world: &World, sent: Option<SasFacts>) -> Run {
    let run = world.to_do().await.remove(0);
    let attempt = |sas: &SasFacts| Attempt {
        number: 1,
        name: BackupName::of_attempt(&run.app, run.id, 1),
        begun_at: run.created_at,
        sas: sas.fingerprint.clone(),
        sas_expiry: sas.window.expiry,
        restored_before: None,
    };
    let mut events = Vec::new();
    if let Some(sas) = sent {
        events.push(RunEvent::AttemptStarted { attempt: attempt(&sas), sas: Some(sas) });
        events.push(RunEvent::Completed { backup: None, detail: None });
    }
    events.push(RunEvent::Ended {
        outcome: Outcome::Succeeded,
        cause: None,
        backup: None,
        verification: None,
    });
    world.commit(Wakeup { run_id: run.id, version: run.version }, events, Duration::ZERO).await;
    run
}

/// How many runs a look adds, after so many hours.
async fn added_after(world: &World, hours: u32) -> u64 {
    world.clock.advance(hours * HOUR);
    pass(world, fleet([shop()], scheduling())).await.added
}

#[tokio::test]
async fn another_sas_is_owed_some_hours_before_the_last_one_lapses() {
    let world = World::at("12:00");
    assert_eq!(added_after(&world, 0).await, 0, "nobody pushed a schedule");
    ask(&world, Some(weekly())).await;
    assert_eq!(added_after(&world, 0).await, 0, "it is under way");
    done(&world, Some(lasting("first", 48))).await;
    assert_eq!(added_after(&world, 41).await, 0);
    assert_eq!(added_after(&world, 2).await, 1);
    assert_eq!(added_after(&world, 0).await, 0, "it is asked for already");
    let run = world.to_do().await.remove(0);
    let renews = Some(lasting("first", 48));
    assert_eq!(run.task, Task::PushSchedule { schedule: Some(weekly()), databases: Vec::new(), renews });
    assert_eq!((run.trigger, &run.policy_snapshot.storage), (Trigger::Policy, &StorageName::new("weu")));
    done(&world, Some(lasting("second", 91))).await;
    assert_eq!(added_after(&world, 41).await, 0);
    assert_eq!(added_after(&world, 2).await, 1);
}

#[tokio::test]
async fn a_schedule_that_was_taken_away_or_whose_policy_asks_for_none_is_owed_nothing() {
    let world = World::at("12:00");
    ask(&world, Some(weekly())).await;
    done(&world, Some(lasting("first", 1))).await;
    assert_eq!(pass(&world, fleet([shop()], gold_with(|_| ()))).await.added, 0);
    ask(&world, None).await;
    done(&world, None).await;
    assert_eq!(added_after(&world, 48).await, 0);
}

#[tokio::test]
async fn a_push_that_found_all_as_wanted_leaves_the_word_to_the_one_before() {
    let world = World::at("12:00");
    for sent in [Some(lasting("first", 48)), None] {
        ask(&world, Some(weekly())).await;
        done(&world, sent).await;
    }
    assert_eq!(added_after(&world, 41).await, 0);
    assert_eq!(added_after(&world, 2).await, 1);
}

#[tokio::test]
async fn a_renewal_that_brought_no_other_sas_is_followed_by_another_a_day_later() {
    for brought in [None, Some(lasting("first", 1))] {
        let world = World::at("12:00");
        ask(&world, Some(weekly())).await;
        done(&world, Some(lasting("first", 1))).await;
        assert_eq!(added_after(&world, 0).await, 1);
        done(&world, brought).await;
        assert_eq!(added_after(&world, 23).await, 0);
        assert_eq!(added_after(&world, 2).await, 1);
    }
}

#[tokio::test]
async fn sas_that_are_short_are_replaced_no_more_often_than_they_are_looked_ahead_for() {
    let world = World::at("12:00");
    ask(&world, Some(weekly())).await;
    done(&world, Some(lasting("first", 1))).await;
    assert_eq!(added_after(&world, 0).await, 1);
    done(&world, Some(lasting("second", 2))).await;
    assert_eq!(added_after(&world, 5).await, 0);
    assert_eq!(added_after(&world, 2).await, 1);
}

#[tokio::test]
async fn a_renewal_that_failed_is_tried_again_a_day_later() {
    let world = World::at("12:00");
    ask(&world, Some(weekly())).await;
    done(&world, Some(lasting("first", 1))).await;
    assert_eq!(added_after(&world, 0).await, 1);
    for _ in 0..12 {
        world.over("push_schedule", false).await;
        assert_eq!(added_after(&world, 23).await, 0);
        assert_eq!(added_after(&world, 2).await, 1);
    }
}
