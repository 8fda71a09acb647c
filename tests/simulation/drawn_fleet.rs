//! What a seed draws: Azure's fault rates, and the fleet with its policy.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::schedule::Schedule;
use holdfast_model::{
    App, AppId, DatabaseKind, DatabaseRef, DrillRule, NativeSchedule, Overlap, Policy, PolicyName,
    PolicySnapshot, Retention, Retries, Retry, StorageName,
};
use holdfast_scheduler::FleetSnapshot;
use holdfast_simulator::Faults;

/// A rate up to `most`, and zero in half of the cases, so that seeds differ in their faults.
pub(crate) fn rate(rng: &mut fastrand::Rng, most: f64) -> f64 {
    if rng.bool() { rng.f64() * most } else { 0.0 }
}

pub(crate) fn faults(rng: &mut fastrand::Rng) -> Faults {
    Faults {
        timed_out: rate(rng, 0.2),
        skipped: rate(rng, 0.2),
        partial: rate(rng, 0.1),
        failed_storage: rate(rng, 0.1),
        failed_other: rate(rng, 0.1),
        too_large: rate(rng, 0.02),
        unknown_word: rate(rng, 0.1),
        unknown_word_for_ever: rate(rng, 0.02),
        lost_post_answer: rate(rng, 0.3),
        server_error_after_accept: rate(rng, 0.2),
        server_error_before: rate(rng, 0.1),
        throttle: rate(rng, 0.2),
        conflict: rate(rng, 0.1),
        slow: rate(rng, 0.1),
        refused: rate(rng, 0.1),
        garbage: rate(rng, 0.1),
        databases_dropped: rate(rng, 0.1),
        delete_failed: rate(rng, 0.3),
        deleted_lingers: rate(rng, 0.3),
        restore_failed: rate(rng, 0.2),
        gateway: rate(rng, 0.1),
        odd_refusal: rate(rng, 0.05),
        unreadable_list: rate(rng, 0.1),
    }
}

/// A connection string. It may appear in no row and no event.
pub(crate) const CONNECTION: &str = "Server=db;User=sa;Password=hunter2-of-the-simulation";

/// Some apps have a database.
fn databases(rng: &mut fastrand::Rng) -> Vec<DatabaseRef> {
    let database = DatabaseRef {
        kind: DatabaseKind::SqlAzure,
        name: "shop".into(),
        connection_string: Some("env:SHOP_DB".into()),
        connection_string_name: None,
    };
    if rng.u8(..3) == 0 { vec![database] } else { Vec::new() }
}

/// The native schedule of the policy. The operator pushes other ones.
pub(crate) const fn weekly() -> NativeSchedule {
    NativeSchedule::days(7)
}

fn policy(rng: &mut fastrand::Rng, account: &str, scratch: &AppId) -> Policy {
    let crontabs = ["*/20 * * * *", "0 * * * *", "15,45 * * * *", "30 2 * * *", "*/10 1-3 * * *"];
    let mut policy_snapshot = PolicySnapshot::new(StorageName::new("sim"), account);
    policy_snapshot.deadline = Duration::from_secs(rng.u64(1_200..5_000));
    // Derived, not drawn: another draw would change what every seed does.
    policy_snapshot.partial_is_good = policy_snapshot.deadline.as_secs().is_multiple_of(2);
    policy_snapshot.retries = Retries {
        timed_out: Retry::seconds(3, 60, 300),
        skipped: Retry::seconds(4, 120, 600),
        partial: Retry::seconds(rng.u32(1..3), 60, 300),
        transient: Retry::seconds(3, 60, 300),
        ..Retries::default()
    };
    Policy {
        name: PolicyName::new("gold"),
        schedule: Schedule {
            crontab: crontabs[rng.usize(..crontabs.len())].parse().unwrap(),
            timezone: holdfast_model::Zone::bundled("Europe/Paris").unwrap(),
            spread: Duration::from_secs(rng.u64(0..600)),
        },
        catch_up: Duration::from_secs(rng.u64(0..3_600)),
        overlap: if rng.bool() { Overlap::Skip } else { Overlap::Queue },
        recovery_point_objective: None,
        // Zero days, because no backup gets a day old; the minimum number to keep varies by seed.
        retention: Some(Retention { dry_run: false, ..Retention::new(0, rng.u32(1..4)) }),
        drill: Some(DrillRule {
            every: Duration::from_secs(rng.u64(3_600..10_000)),
            into: scratch.clone(),
            probe: Some(format!("https://sim/_site/{}", scratch.site())),
        }),
        native_schedule: Some(weekly()),
        policy_snapshot,
    }
}

/// A fleet of every simulated site but the last, in one policy. The last is the scratch app of drills.
pub(crate) fn fleet(
    simulated: &holdfast_simulator::Fleet,
    account: &str,
    rng: &mut fastrand::Rng,
) -> FleetSnapshot {
    let scratch = simulated.sites.last().unwrap().site.id.clone();
    let policy = policy(rng, account, &scratch);
    let of_fleet = simulated.sites.iter().filter(|site| site.site.id != scratch);
    let apps = of_fleet.map(|site| {
        let site = &site.site;
        let app = App {
            policy: Some(policy.name.clone()),
            plan: site.plan.clone(),
            databases: databases(rng),
            ..App::new(site.id.clone())
        };
        (app.id.clone(), app)
    });
    let apps = apps.collect();
    let policies = BTreeMap::from([(policy.name.clone(), policy)]);
    FleetSnapshot { apps, policies, ..FleetSnapshot::default() }
}
