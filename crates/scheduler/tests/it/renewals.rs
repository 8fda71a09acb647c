//! Renewals of the SAS of Azure's own schedules.

use std::time::Duration;

use holdfast_model::{
    Attempt, BackupName, Cause, NativeSchedule, Outcome, Policy, Run, RunEvent, SasFacts, StorageName, Task,
    Trigger, Wakeup,
};

use crate::backups::{gold_with, sas, shop};
use crate::maintenance::pass;
use crate::world::{World, at, fleet};

const HOUR: Duration = Duration::from_hours(1);

const fn weekly() -> NativeSchedule {
    NativeSchedule::days(7)
}

fn scheduling() -> Policy {
    gold_with(|gold| gold.native_schedule = Some(weekly()))
}

/// A SAS that expires `hours` after noon.
fn lasting(fingerprint: &str, hours: u32) -> SasFacts {
    sas(fingerprint, at("12:00") + hours * HOUR)
}

/// Requests the schedule, or its removal.
async fn request(world: &World, schedule: Option<NativeSchedule>) {
    world.request(&shop(), Task::PushSchedule { schedule, databases: Vec::new(), renews: None }).await;
}

/// Ends the unfinished run, which sent this SAS, well.
async fn done(world: &World, sent: Option<SasFacts>) -> Run {
    ended(world, sent, Outcome::Succeeded, None).await
}

/// Ends the unfinished run, which sent this SAS.
async fn ended(world: &World, sent: Option<SasFacts>, outcome: Outcome, cause: Option<Cause>) -> Run {
    let run = world.unfinished().await.remove(0);
    let attempt = |sas: &SasFacts| Attempt {
        number: 1,
        name: BackupName::of_attempt(&run.app, run.id, 1, &mut fastrand::Rng::with_seed(1)),
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
    events.push(RunEvent::Ended { outcome, cause, backup: None, verification: None });
    world.commit(Wakeup { run_id: run.id, version: run.version, nonce: 0 }, events, Duration::ZERO).await;
    run
}

/// The number of runs that a pass adds after so many hours.
async fn added_after(world: &World, hours: u32) -> u64 {
    world.clock.advance(hours * HOUR);
    pass(world, fleet([shop()], scheduling())).await.added
}

#[tokio::test]
async fn a_renewal_is_due_some_hours_before_the_last_sas_expires() {
    let world = World::at("12:00");
    assert_eq!(added_after(&world, 0).await, 0, "nobody pushed a schedule");
    request(&world, Some(weekly())).await;
    assert_eq!(added_after(&world, 0).await, 0, "it is under way");
    done(&world, Some(lasting("first", 48))).await;
    assert_eq!(added_after(&world, 41).await, 0);
    assert_eq!(added_after(&world, 2).await, 1);
    assert_eq!(added_after(&world, 0).await, 0, "it is asked for already");
    let run = world.unfinished().await.remove(0);
    let renews = Some(lasting("first", 48));
    assert_eq!(run.task, Task::PushSchedule { schedule: Some(weekly()), databases: Vec::new(), renews });
    assert_eq!((run.trigger, &run.policy_snapshot.storage), (Trigger::Policy, &StorageName::new("weu")));
    done(&world, Some(lasting("second", 91))).await;
    assert_eq!(added_after(&world, 41).await, 0);
    assert_eq!(added_after(&world, 2).await, 1);
}

#[tokio::test]
async fn a_schedule_that_was_removed_or_is_no_longer_in_the_policy_gets_no_renewal() {
    let world = World::at("12:00");
    request(&world, Some(weekly())).await;
    done(&world, Some(lasting("first", 1))).await;
    assert_eq!(pass(&world, fleet([shop()], gold_with(|_| ()))).await.added, 0);
    request(&world, None).await;
    done(&world, None).await;
    assert_eq!(added_after(&world, 48).await, 0);
}

#[tokio::test]
async fn after_a_push_that_changed_nothing_the_push_before_it_decides() {
    let world = World::at("12:00");
    for sent in [Some(lasting("first", 48)), None] {
        request(&world, Some(weekly())).await;
        done(&world, sent).await;
    }
    assert_eq!(added_after(&world, 41).await, 0);
    assert_eq!(added_after(&world, 2).await, 1);
}

#[tokio::test]
async fn a_renewal_without_a_new_sas_is_repeated_a_day_later() {
    for brought in [None, Some(lasting("first", 1))] {
        let world = World::at("12:00");
        request(&world, Some(weekly())).await;
        done(&world, Some(lasting("first", 1))).await;
        assert_eq!(added_after(&world, 0).await, 1);
        done(&world, brought).await;
        assert_eq!(added_after(&world, 23).await, 0);
        assert_eq!(added_after(&world, 2).await, 1);
    }
}

#[tokio::test]
async fn a_schedule_that_azure_shows_otherwise_keeps_the_sas_that_was_sent_and_is_renewed() {
    let world = World::at("12:00");
    request(&world, Some(weekly())).await;
    ended(&world, Some(lasting("first", 48)), Outcome::Failed, Some(Cause::ScheduleNotTaken)).await;
    assert_eq!(added_after(&world, 41).await, 0);
    assert_eq!(added_after(&world, 2).await, 1);
}

#[tokio::test]
async fn short_lived_sas_are_renewed_once_per_margin_at_most() {
    let world = World::at("12:00");
    request(&world, Some(weekly())).await;
    done(&world, Some(lasting("first", 1))).await;
    assert_eq!(added_after(&world, 0).await, 1);
    done(&world, Some(lasting("second", 2))).await;
    assert_eq!(added_after(&world, 5).await, 0);
    assert_eq!(added_after(&world, 2).await, 1);
}

#[tokio::test]
async fn a_renewal_that_failed_is_tried_again_a_day_later() {
    let world = World::at("12:00");
    request(&world, Some(weekly())).await;
    done(&world, Some(lasting("first", 1))).await;
    assert_eq!(added_after(&world, 0).await, 1);
    for _ in 0..12 {
        world.finish("push_schedule", false).await;
        assert_eq!(added_after(&world, 23).await, 0);
        assert_eq!(added_after(&world, 2).await, 1);
    }
}
