//! Compares Azure's own schedules with the policies.

use chrono::TimeDelta;
use holdfast_model::{App, AppId, DatabaseFacts, NativeSchedule, NewRun, OperatorAction, RunId, Timestamp};
use holdfast_storage::{Container, check_sas};
use serde::Serialize;

use super::change::schedule_of;
use super::observe::{Address, ObservedSchedule, observe_all};
use crate::app_resolver::{AppSelection, policy_snapshot};
use crate::storages::storage_named;
use crate::{ControlContext, Error};

/// The longest validity of a SAS that is no drift: two years.
const LONGEST_SAS: TimeDelta = TimeDelta::days(2 * 366);

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

/// Compares the schedules of the apps with their policies, and records the results in the audit.
///
/// An app whose policy has no `native_schedule` has a result only where Azure has a schedule, or does not answer.
pub async fn drift(
    context: &ControlContext<'_>,
    apps: &AppSelection,
    rng: &mut fastrand::Rng,
) -> Result<Vec<ScheduleDrift>, Error> {
    let (now, mut results, mut records) = (context.now, Vec::new(), Vec::new());
    let mut apps = context.apps().select(apps).await?;
    apps.retain(|app| app.policy.is_some());
    for (app, found) in observe_all(&*context.arm, apps).await {
        let wanted = schedule_of(&app, context.fleet);
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                let error = Some(error.to_string());
                results.push(ScheduleDrift { app: app.id, found: None, drift: Vec::new(), error });
                continue;
            }
        };
        let policy_snapshot = policy_snapshot(&app, context.fleet)?;
        let container = &storage_named(context.fleet, &policy_snapshot.storage)?.container;
        let drift = differences(wanted, &app, found.as_ref(), Some(container), now);
        if wanted.is_none() && drift.is_empty() {
            continue;
        }
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

/// Each difference of an app's schedule from its policy, as text.
///
/// `wanted` is the policy's schedule; `None` where the policy has none, so that Azure should have none either.
pub(crate) fn differences(
    wanted: Option<&NativeSchedule>,
    app: &App,
    found: Option<&ObservedSchedule>,
    container: Option<&Container>,
    now: Timestamp,
) -> Vec<String> {
    let Some(found) = found else {
        return wanted.map(|_| "Azure has no schedule".to_owned()).into_iter().collect();
    };
    let mut drift = match wanted {
        Some(wanted) => wanted.drift(&found.schedule),
        // A disabled schedule takes no backups.
        None if !found.schedule.enabled => return Vec::new(),
        None => vec!["Azure has a schedule, and the policy has no `native_schedule`".to_owned()],
    };
    drift.extend(address(&found.address, container, now));
    drift.extend(databases(app, &found.databases));
    drift
}

/// What is wrong with the address that Azure keeps with a schedule.
fn address(found: &Address, container: Option<&Container>, now: Timestamp) -> Vec<String> {
    let (sas, theirs) = match found {
        Address::Unknown => return Vec::new(),
        Address::Unusable(why) => return vec![(*why).to_owned()],
        Address::Usable { sas, container } => (sas, container),
    };
    let other = container.filter(|ours| *ours != theirs);
    let other = other.map(|ours| format!("it writes into {theirs} and should write into {ours}"));
    let is_plain_http = theirs.to_string().starts_with("http://");
    let faults = check_sas(sas, now, now, is_plain_http).faults;
    let faults = faults.iter().map(|fault| format!("the SAS that Azure keeps with it {fault}"));
    let far = sas.window().expiry.filter(|expiry| *expiry > now + LONGEST_SAS);
    let far = far.map(|expiry| {
        format!(
            "the SAS that Azure keeps with it is valid until {}, so a leak of it is never over",
            expiry.date_naive()
        )
    });
    other.into_iter().chain(faults).chain(far).collect()
}

/// The databases that a schedule backs up without being asked to, or leaves out.
fn databases(app: &App, found: &[DatabaseFacts]) -> Vec<String> {
    let added = found.iter().filter(|found| !app.databases.iter().any(|ours| ours.is(found)));
    let added = added
        .map(|found| format!("it backs up the database {}, which the fleet file does not list", found.name));
    let missing = app.databases.iter().filter(|ours| !found.iter().any(|found| ours.is(found)));
    let missing = missing.map(|ours| format!("it does not back up the database {}", ours.name));
    added.chain(missing).collect()
}

#[cfg(test)]
mod tests {
    use holdfast_arm::FoundSchedule;
    use holdfast_model::{FrequencyUnit, parse_timestamp};

    use super::*;

    fn wanted() -> NativeSchedule {
        NativeSchedule::every(7, FrequencyUnit::Day)
    }

    fn observed(url: Option<&str>, databases: Vec<DatabaseFacts>) -> ObservedSchedule {
        let storage_url = url.map(|url| url.to_owned().into());
        ObservedSchedule::of(&FoundSchedule { schedule: wanted(), storage_url, databases })
    }

    const SIGNATURE: &str = "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmE%3D";
    const CONTAINER: &str = "https://acct.blob.core.windows.net/backups";

    fn drift(found: Option<&ObservedSchedule>) -> Vec<String> {
        let now = parse_timestamp("2026-11-28T12:00:00Z").unwrap();
        let app = App::new(AppId::new("s", "g", "shop", None));
        differences(Some(&wanted()), &app, found, Some(&CONTAINER.parse().unwrap()), now)
    }

    #[test]
    fn each_address_that_people_set_is_named() {
        let sas = |sp: &str, se: &str| format!("sv=2022-11-02&sr=c&sp={sp}&se={se}&sig={SIGNATURE}");
        let good = sas("rwdl", "2027-02-01");
        for (url, named) in [
            (format!("{CONTAINER}?{good}"), None),
            (format!("?{good}"), Some("is no URL")),
            (good.clone(), Some("is no URL")),
            (CONTAINER.to_owned(), Some("has no SAS")),
            (format!("{CONTAINER}?sv=2022-11-02"), Some("cannot be read")),
            (format!("{CONTAINER}?{}", sas("rwdl", "2026-11-01")), Some("expired at 2026-11-01")),
            (format!("{CONTAINER}?{}", sas("rwdl", "2295-01-01")), Some("valid until 2295-01-01")),
            (format!("{CONTAINER}?{}", sas("rl", "2027-02-01")), Some("lacks write and delete permission")),
            (format!("https://acct.blob.core.windows.net/other?{good}"), Some("it writes into ")),
        ] {
            let found = drift(Some(&observed(Some(&url), Vec::new())));
            assert_eq!(found.len(), usize::from(named.is_some()), "{url}: {found:?}");
            assert!(found.concat().contains(named.unwrap_or_default()), "{url}: {found:?}");
            assert!(!found.concat().contains(SIGNATURE), "{found:?}");
        }
        assert_eq!(drift(Some(&observed(None, Vec::new()))), Vec::<String>::new());
        assert_eq!(drift(None), ["Azure has no schedule"]);
    }

    #[test]
    fn databases_that_differ_from_the_fleet_file_are_named() {
        let added = DatabaseFacts { kind: "SqlAzure".into(), name: "orders".into() };
        let found = drift(Some(&observed(None, vec![added])));
        assert_eq!(found, ["it backs up the database orders, which the fleet file does not list"]);
    }

    #[test]
    fn a_schedule_that_no_policy_asks_for_is_named_while_it_is_enabled() {
        let app = App::new(AppId::new("s", "g", "shop", None));
        let mut found = observed(None, Vec::new());
        let drift =
            |found: &ObservedSchedule| differences(None, &app, Some(found), None, Timestamp::UNIX_EPOCH);
        assert_eq!(drift(&found), ["Azure has a schedule, and the policy has no `native_schedule`"]);
        found.schedule.enabled = false;
        assert_eq!(drift(&found), Vec::<String>::new());
        assert_eq!(differences(None, &app, None, None, Timestamp::UNIX_EPOCH), Vec::<String>::new());
    }
}
