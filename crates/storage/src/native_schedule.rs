//! How Azure's own schedule of an app differs from what the fleet file asks for. Pure.

use chrono::TimeDelta;
use holdfast_model::{DatabaseFacts, DatabaseRef, NativeSchedule, SasFacts, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::{Container, Sas, check_sas};

/// The longest validity of a SAS that is no drift: two years.
const LONGEST_SAS: TimeDelta = TimeDelta::days(2 * 366);

/// Azure's own schedule of an app.
#[derive(Debug)]
pub struct ObservedSchedule {
    /// The schedule.
    pub schedule: NativeSchedule,
    address: Address,
    databases: Vec<DatabaseFacts>,
}

/// The storage address that Azure keeps with a schedule. Azure accepts any text.
#[derive(Debug)]
enum Address {
    /// Azure's answer has none.
    Unknown,
    /// A text that is no container's URL with a SAS, why, and the container that it names all the same.
    Unusable { why: &'static str, container: Option<Container> },
    /// A container's URL with a SAS.
    Usable { sas: Box<Sas>, container: Container },
}

impl Address {
    /// Reads the address that Azure returns.
    fn of(url: Option<&SecretString>) -> Self {
        let Some(url) = url else { return Self::Unknown };
        let (base, query) = match url.expose_secret().split_once('?') {
            Some((base, query)) => (base, Some(query)),
            None => (url.expose_secret(), None),
        };
        let unusable = |why| Self::Unusable { why, container: base.parse().ok() };
        if !base.contains("://") {
            return unusable("its storage address is no URL, so it writes nowhere");
        }
        match Sas::parse(url) {
            Err(_) if query.is_none() => unusable("its storage address has no SAS, so storage refuses it"),
            Err(_) => unusable("the SAS in its storage address cannot be read"),
            Ok(sas) => match sas.container().cloned() {
                Some(container) => Self::Usable { sas: Box::new(sas), container },
                None => unusable("its storage address is no URL of a container"),
            },
        }
    }
}

impl ObservedSchedule {
    /// A schedule as Azure returns it, with the storage address and the databases that Azure keeps with it.
    pub fn new(
        schedule: NativeSchedule,
        storage_url: Option<&SecretString>,
        databases: Vec<DatabaseFacts>,
    ) -> Self {
        Self { schedule, address: Address::of(storage_url), databases }
    }

    /// The facts of the SAS that Azure keeps with it, if the SAS can be used.
    pub fn sas(&self) -> Option<SasFacts> {
        if let Address::Usable { sas, .. } = &self.address { Some(sas.facts()) } else { None }
    }

    /// The container that it writes into, where its storage address names one, with a SAS or without.
    pub fn container(&self) -> Option<&Container> {
        match &self.address {
            Address::Usable { container, .. } => Some(container),
            Address::Unusable { container, .. } => container.as_ref(),
            Address::Unknown => None,
        }
    }

    /// The databases that it backs up with the app.
    pub fn databases(&self) -> &[DatabaseFacts] {
        &self.databases
    }

    /// What is wrong with its storage address and the SAS in it, as texts without the SAS.
    pub fn faults(&self, now: Timestamp) -> Vec<String> {
        address(&self.address, None, now)
    }
}

/// What the fleet file asks for.
#[derive(Debug, Clone, Copy)]
pub struct WantedSchedule<'a> {
    /// The policy's `native_schedule`; `None` where it has none, so that Azure should have none either.
    pub schedule: Option<&'a NativeSchedule>,
    /// The databases of the app.
    pub databases: &'a [DatabaseRef],
    /// The container of the policy's storage; `None` compares no container.
    pub container: Option<&'a Container>,
}

impl WantedSchedule<'_> {
    /// Each difference of Azure's schedule, as text.
    pub fn drift(&self, found: Option<&ObservedSchedule>, now: Timestamp) -> Vec<String> {
        let Some(found) = found else {
            return self.schedule.map(|_| "Azure has no schedule".to_owned()).into_iter().collect();
        };
        let (mut drift, container) = match self.schedule {
            Some(wanted) => (wanted.drift(&found.schedule), self.container),
            // A disabled schedule takes no backups.
            None if !found.schedule.enabled => return Vec::new(),
            None => (vec!["Azure has a schedule, and the policy has no `native_schedule`".to_owned()], None),
        };
        drift.extend(address(&found.address, container, now));
        drift.extend(self.databases_differ(&found.databases));
        drift
    }

    /// The databases that a schedule backs up without being asked to, or leaves out.
    fn databases_differ(&self, found: &[DatabaseFacts]) -> Vec<String> {
        let added = found.iter().filter(|found| !self.databases.iter().any(|ours| ours.is(found)));
        let added = added.map(|found| {
            format!("it backs up the database {}, which the fleet file does not list", found.name)
        });
        let missing = self.databases.iter().filter(|ours| !found.iter().any(|found| ours.is(found)));
        let missing = missing.map(|ours| format!("it does not back up the database {}", ours.name));
        added.chain(missing).collect()
    }
}

/// What is wrong with the address that Azure keeps with a schedule.
fn address(found: &Address, container: Option<&Container>, now: Timestamp) -> Vec<String> {
    let (sas, theirs) = match found {
        Address::Unknown => return Vec::new(),
        Address::Unusable { why, .. } => return vec![(*why).to_owned()],
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

#[cfg(test)]
mod tests {
    use holdfast_model::{FrequencyUnit, parse_timestamp};

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

    fn observed(url: Option<&str>, databases: Vec<DatabaseFacts>) -> ObservedSchedule {
        ObservedSchedule::new(wanted(), url.map(|url| url.to_owned().into()).as_ref(), databases)
    }

    const SIGNATURE: &str = "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmE%3D";
    const CONTAINER: &str = "https://acct.blob.core.windows.net/backups";

    fn drift(found: Option<&ObservedSchedule>) -> Vec<String> {
        let now = parse_timestamp("2026-11-28T12:00:00Z").unwrap();
        let (schedule, container) = (wanted(), CONTAINER.parse().unwrap());
        let wanted =
            WantedSchedule { schedule: Some(&schedule), databases: &[], container: Some(&container) };
        wanted.drift(found, now)
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
        let mut found = observed(None, Vec::new());
        let unwanted = WantedSchedule { schedule: None, databases: &[], container: None };
        let drift = |found: &ObservedSchedule| unwanted.drift(Some(found), Timestamp::UNIX_EPOCH);
        assert_eq!(drift(&found), ["Azure has a schedule, and the policy has no `native_schedule`"]);
        found.schedule.enabled = false;
        assert_eq!(drift(&found), Vec::<String>::new());
        assert_eq!(unwanted.drift(None, Timestamp::UNIX_EPOCH), Vec::<String>::new());
    }
}
