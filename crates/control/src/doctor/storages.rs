//! Checks the storages: their SAS, access by key, and clocks.

use std::time::Duration;

use holdfast_config::{Fleet, shared_containers};
use holdfast_model::{App, AppId, Clock, PolicyName, StorageName, Timestamp};
use holdfast_storage::{Error, SasHealth, Storage};

use super::finding::Finding;
use crate::sas::health;
use crate::times::age;
use crate::wording::unusable;

/// Largest difference of clocks that is no finding.
const SKEW_WARN: Duration = Duration::from_mins(2);
/// Largest difference of clocks that a SAS allows for.
const SKEW_FAIL: Duration = Duration::from_mins(5);

/// Checks each of these storages for a backup that starts now.
pub async fn check(
    names: impl Iterator<Item = &StorageName>,
    fleet: &Fleet,
    storage: &dyn Storage,
    clock: &dyn Clock,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in names {
        let judged = health(fleet, storage, name, clock.now()).await;
        findings.extend(of_storage(name, judged, clock.now()));
    }
    findings
}

/// Apps that share a container which their storage means for one app.
pub fn shared(fleet: &Fleet, apps: &[App]) -> Vec<Finding> {
    let storage_of = |name: &PolicyName| Some(fleet.policies.get(name)?.policy_snapshot.storage.clone());
    let finding = |(storage, sharing): (StorageName, Vec<AppId>)| {
        let names: Vec<String> = sharing.iter().map(AppId::to_string).collect();
        let says = format!("is the container of several apps: {}", names.join(", "));
        let cure = "add {resource_group} or {subscription} to `container` of the storage";
        Finding::warn("container", storage.as_str(), says, cure)
    };
    shared_containers(apps, storage_of).into_iter().map(finding).collect()
}

fn of_storage(name: &StorageName, health: Result<SasHealth, Error>, now: Timestamp) -> Vec<Finding> {
    let cure = "`holdfast sas check` says more; renew the SAS or the key, or open the storage's firewall";
    let health = match health {
        Ok(health) => health,
        Err(error) => return vec![Finding::fail("SAS", name.as_str(), error.to_string(), cure)],
    };
    let ends = health.facts.window.expiry.map(|expiry| {
        let word = if expiry <= now { "ended" } else { "ends" };
        format!(", {word} {}", age(expiry, now))
    });
    let says = format!("{} from {}{}", health.facts.fingerprint, health.origin, ends.unwrap_or_default());
    let mut findings = vec![match unusable(&health).as_slice() {
        [] => Finding::ok("SAS", name.as_str(), format!("{says}: a blob was written and deleted")),
        faults => Finding::fail("SAS", name.as_str(), format!("{says}: {}", faults.join("; ")), cure),
    }];
    for warning in &health.warnings {
        findings.push(Finding::warn("SAS", name.as_str(), format!("it {warning}"), "see docs/cli.md"));
    }
    match health.allows_key {
        Some(true) => findings.push(Finding::ok("key access", name.as_str(), "is allowed")),
        Some(false) => findings.push(Finding::fail(
            "key access",
            name.as_str(),
            "is switched off at the storage account, and App Service backups need it",
            "allow storage account key access",
        )),
        None => {}
    }
    findings.extend(health.server_time.map(|theirs| compare_clocks(name, theirs, now)));
    findings
}

/// Compares this machine's clock with the storage's, which has a resolution of one second.
fn compare_clocks(name: &StorageName, theirs: Timestamp, now: Timestamp) -> Finding {
    let apart = (theirs - now).abs().to_std().unwrap_or_default();
    let says = format!("{} s apart from this machine's", apart.as_secs());
    let cure = "set this machine's clock by NTP";
    match apart {
        apart if apart > SKEW_FAIL => Finding::fail("clock", name.as_str(), says, cure),
        apart if apart > SKEW_WARN => Finding::warn("clock", name.as_str(), says, cure),
        _ => Finding::ok("clock", name.as_str(), says),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::FindingSeverity as Severity;
    use super::*;

    #[test]
    fn a_wrong_clock_is_reported_before_a_sas_is_refused_for_it() {
        let now = Timestamp::from_timestamp(1_000_000, 0).unwrap();
        let severity = |seconds| {
            let theirs = now + chrono::TimeDelta::seconds(seconds);
            compare_clocks(&StorageName::new("weu"), theirs, now).severity
        };
        assert_eq!(
            [0, 120, -121, 300, 301, -301].map(severity),
            [Severity::Ok, Severity::Ok, Severity::Warn, Severity::Warn, Severity::Fail, Severity::Fail]
        );
    }
}
