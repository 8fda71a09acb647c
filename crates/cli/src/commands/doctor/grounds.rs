//! What all apps share: credentials, storages, the store, the broker, scratch apps.

use std::path::Path;
use std::time::Duration;

use holdfast_arm::{Arm, ErrorKind as Azure};
use holdfast_model::{App, StorageName, Timestamp};
use holdfast_storage::{Error, Need, SasHealth, Storage};
use holdfast_store::Mode;

use super::finding::Finding;
use crate::context::Context;
use crate::output::age;
use crate::runtime::backends::broker;
use crate::runtime::clouds::{scope, section};
use crate::runtime::identities::Identities;
use holdfast_config::Fleet;
use holdfast_control::tier;
use holdfast_control::{longest_deadline, unusable};

/// Clocks may differ by this before somebody should know.
const SKEW_WARN: Duration = Duration::from_mins(2);
/// From here on, SAS begin or end at the wrong time: more than this is not allowed for.
const SKEW_FAIL: Duration = Duration::from_mins(5);

/// Does each `[azure]` section get a token?
pub async fn credentials(fleet: &Fleet, context: &Context) -> anyhow::Result<Vec<Finding>> {
    let identities = Identities::new(fleet, &context.clock)?;
    let mut found = Vec::new();
    for cloud in &fleet.clouds {
        let name = format!("[{}]", section(cloud));
        let tokens = identities.access(Some(&cloud.name))?.tokens;
        found.push(match tokens.token(&scope(&cloud.endpoint)).await {
            Ok(_) => Finding::ok("credential", name, "gets a token"),
            Err(error) => {
                Finding::fail("credential", name, error.to_string(), "check `credential` and the network")
            }
        });
    }
    Ok(found)
}

/// Is the store there, with this program's schema, and the broker?
pub async fn backends(context: &Context) -> Vec<Finding> {
    let place = context.place();
    let mut found = vec![match context.store(Mode::Read).await {
        Ok(store) => {
            store.close().await;
            Finding::ok("store", place, "is there, with this program's schema")
        }
        Err(error) => {
            let cure = store_cure(error.downcast_ref(), &context.global.store);
            Finding::fail("store", place, format!("{error:#}"), cure)
        }
    }];
    if context.global.amqp_url.is_some() {
        found.push(match broker(None, context).await {
            Ok(_) => Finding::ok("broker", "RabbitMQ", "is reached"),
            Err(error) => {
                Finding::fail("broker", "RabbitMQ", format!("{error:#}"), "check --amqp-url and the broker")
            }
        });
    }
    found
}

/// A store that is there and cannot be read is not made anew: it may be the only record of what there is.
fn store_cure(error: Option<&holdfast_store::Error>, file: &Path) -> &'static str {
    use holdfast_store::Error as Store;
    match error {
        Some(Store::OlderSchema { .. }) => "`holdfast migrate` brings it up to date",
        Some(Store::NewerSchema { .. }) => "use that version of holdfast, or a newer one",
        Some(Store::Open { .. }) if !file.exists() => {
            "`holdfast migrate` makes one; --store or --database-url names another"
        }
        _ => "keep what is there, and bring the store back from a copy: see docs/operations.md",
    }
}

/// Will each of these storages do for a backup that begins now?
pub async fn storages(
    names: impl Iterator<Item = &StorageName>,
    (fleet, storage): (&Fleet, &dyn Storage),
    context: &Context,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for name in names {
        let now = context.clock.now();
        let need = Need {
            now,
            until: now + longest_deadline(fleet, name),
            replace: None,
            reason: None,
            probe: true,
        };
        let health = storage.sas_health(name, &need).await;
        found.extend(of_storage(name, health, context.clock.now()));
    }
    found
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
    let mut found = vec![match unusable(&health).as_slice() {
        [] => Finding::ok("SAS", name.as_str(), format!("{says}: a blob was written and deleted")),
        faults => Finding::fail("SAS", name.as_str(), format!("{says}: {}", faults.join("; ")), cure),
    }];
    for warning in &health.warnings {
        found.push(Finding::warn("SAS", name.as_str(), format!("it {warning}"), "see docs/cli.md"));
    }
    match health.allows_key {
        Some(true) => found.push(Finding::ok("key access", name.as_str(), "is allowed")),
        Some(false) => found.push(Finding::fail(
            "key access",
            name.as_str(),
            "is switched off at the storage account, and App Service backups need it",
            "allow storage account key access",
        )),
        None => {}
    }
    found.extend(health.server_time.map(|theirs| clock(name, theirs, now)));
    found
}

/// Our clock against the storage's, which tells its own to the second.
fn clock(name: &StorageName, theirs: Timestamp, now: Timestamp) -> Finding {
    let apart = (theirs - now).abs().to_std().unwrap_or_default();
    let says = format!("{} s apart from this machine's", apart.as_secs());
    let cure = "set this machine's clock by NTP";
    match apart {
        apart if apart > SKEW_FAIL => Finding::fail("clock", name.as_str(), says, cure),
        apart if apart > SKEW_WARN => Finding::warn("clock", name.as_str(), says, cure),
        _ => Finding::ok("clock", name.as_str(), says),
    }
}

/// Is each scratch app there, and in no policy?
pub async fn scratch_apps(fleet: &Fleet, arm: &dyn Arm, apps: &[App]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (policy, into) in
        fleet.policies.values().filter_map(|policy| Some((&policy.name, &policy.drill.as_ref()?.into)))
    {
        let (name, check) = (into.short_name(), "drill");
        let enrolled = apps.iter().find(|app| app.id == *into).and_then(|app| app.policy.as_ref());
        found.push(match (enrolled, arm.site(into).await) {
            (Some(enrolled), _) => Finding::fail(
                check,
                name,
                format!("is the scratch app of {policy}, and is backed up under {enrolled}"),
                "exclude it from the [[discover]] rule, or name another",
            ),
            (None, Ok(site)) => match site.tier.as_deref().filter(|tier| !tier::allows_backups(tier)) {
                Some(tier) => Finding::fail(
                    check,
                    name,
                    format!("is the scratch app of {policy}, in the tier {tier}, which takes no restore"),
                    "move it to a Basic plan or better",
                ),
                None => Finding::ok(check, name, format!("is the scratch app of {policy}")),
            },
            (None, Err(error)) if *error.kind() == Azure::NotFound => Finding::fail(
                check,
                name,
                format!("is the scratch app of {policy}, and Azure has no such app"),
                "make it, or name another",
            ),
            (None, Err(error)) => Finding::fail(check, name, error.to_string(), "check the credential"),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_is_told_before_a_sas_is_refused_for_it() {
        let now = Timestamp::from_timestamp(1_000_000, 0).unwrap();
        let verdict = |seconds| {
            let theirs = now + chrono::TimeDelta::seconds(seconds);
            clock(&StorageName::new("weu"), theirs, now).verdict
        };
        assert_eq!(
            [0, 120, -121, 300, 301, -301].map(verdict),
            [Verdict::Ok, Verdict::Ok, Verdict::Warn, Verdict::Warn, Verdict::Fail, Verdict::Fail]
        );
    }
}
