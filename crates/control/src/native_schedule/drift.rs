//! Compares Azure's own schedules with the policies.

use holdfast_model::{AppId, NativeSchedule, NewRun, OperatorAction, RunId, Timestamp, format_timestamp};
use holdfast_storage::Container;
use serde::Serialize;

use super::change::schedule_of;
use super::observe::{ObservedSchedule, observe};
use crate::app_resolver::{AppSelection, policy_snapshot};
use crate::storages::storage_named;
use crate::{ControlContext, Error};

/// How Azure's own schedule of an app differs from its policy.
#[derive(Debug, Serialize)]
pub struct ScheduleDrift {
    /// The app.
    pub app: AppId,
    /// Azure's schedule.
    pub found: Option<NativeSchedule>,
    /// Each difference, as text.
    pub drift: Vec<String>,
    /// Why Azure did not answer.
    pub error: Option<String>,
}

impl ScheduleDrift {
    /// Whether Azure answered and nothing differs.
    pub fn is_good(&self) -> bool {
        self.drift.is_empty() && self.error.is_none()
    }
}

/// Compares the schedules of the apps whose policies have one, and records the results in the audit.
pub async fn drift(
    context: &ControlContext<'_>,
    apps: &AppSelection,
    rng: &mut fastrand::Rng,
) -> Result<Vec<ScheduleDrift>, Error> {
    let (now, mut results, mut records) = (context.now, Vec::new(), Vec::new());
    for app in context.apps().select(apps).await? {
        let Some(wanted) = schedule_of(&app, context.fleet) else { continue };
        let found = match observe(&*context.arm, &app.id).await {
            Ok(found) => found,
            Err(error) => {
                let error = Some(error.to_string());
                results.push(ScheduleDrift { app: app.id, found: None, drift: Vec::new(), error });
                continue;
            }
        };
        let policy_snapshot = policy_snapshot(&app, context.fleet)?;
        let container = &storage_named(context.fleet, &policy_snapshot.storage)?.container;
        let drift = differences(wanted, found.as_ref(), container, now);
        let found = found.map(|found| found.schedule);
        let action = OperatorAction::Drift { found: found.clone(), drift: drift.clone() };
        records.push(NewRun::operator_action(
            RunId::new(now, rng),
            &app,
            &policy_snapshot,
            action,
            context.actor.clone(),
            now,
        ));
        results.push(ScheduleDrift { app: app.id, found, drift, error: None });
    }
    context.store.add_runs(&records).await?;
    Ok(results)
}

fn differences(
    wanted: &NativeSchedule,
    found: Option<&ObservedSchedule>,
    container: &Container,
    now: Timestamp,
) -> Vec<String> {
    let Some(ObservedSchedule { schedule, sas, container: theirs }) = found else {
        return vec!["Azure has no schedule".to_owned()];
    };
    let mut drift = wanted.drift(schedule);
    if let Some(theirs) = theirs.as_ref().filter(|theirs| *theirs != container) {
        drift.push(format!("it writes into {theirs} and should write into {container}"));
    }
    if let Some(expiry) = sas.as_ref().and_then(|sas| sas.window.expiry).filter(|expiry| *expiry <= now) {
        drift.push(format!("the SAS that Azure keeps with it expired at {}", format_timestamp(expiry)));
    }
    drift
}

#[cfg(test)]
mod tests {
    use holdfast_model::{FrequencyUnit, SasFacts, SasWindow};

    use super::*;

    fn wanted() -> NativeSchedule {
        NativeSchedule {
            enabled: true,
            every: 7,
            unit: FrequencyUnit::Day,
            retention_days: 30,
            keep_at_least_one: true,
            start: None,
        }
    }

    #[test]
    fn a_missing_schedule_another_container_and_an_expired_sas_are_drift() {
        let container = |name: &str| -> Container {
            format!("https://acct.blob.core.windows.net/{name}").parse().unwrap()
        };
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let observed = |name: &str, expiry: i64| ObservedSchedule {
            schedule: wanted(),
            sas: Some(SasFacts {
                fingerprint: "f".to_owned(),
                window: SasWindow { start: None, expiry: Some(at(expiry)) },
            }),
            container: Some(container(name)),
        };
        let drift =
            |found: Option<&ObservedSchedule>| differences(&wanted(), found, &container("backups"), at(100));
        assert_eq!(drift(Some(&observed("backups", 101))), Vec::<String>::new());
        assert_eq!(drift(None), ["Azure has no schedule"]);
        let both = drift(Some(&observed("other", 100)));
        assert!(both[0].starts_with("it writes into ") && both[1].contains("expired at 1970"), "{both:?}");
    }
}
