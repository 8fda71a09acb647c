//! Reads a fleet file and reports every problem of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::time::Duration;

use holdfast_model::{Policy, StorageName, Timestamp};
use toml::de::DeTable;

use crate::checkpoint::CheckpointDestination;
use crate::diagnostics::Diagnostics;
use crate::fleet::{FileTags, Fleet, longest_deadline};
use crate::literal_secret::literal_secret;
use crate::policy::PoliciesRead;
use crate::problem::{Problem, Severity};
use crate::secrets::{Secrets, StorageInUse};
use crate::section::{Section, top};
use crate::source::{Source, Unreadable, ValueSpans};
use crate::unusable_storage::UnusableStorage;
use crate::zone_data::ZoneData;
use crate::{
    apps, azure, checkpoint, control, drill, engine, include, no_effect, notify, parts, policy, secrets,
    settings, shared_containers, storage, trusted_hosts,
};

/// The result of checking a fleet file.
#[derive(Debug)]
pub struct Checked {
    /// The fleet; `None` when there is at least one error.
    pub fleet: Option<Fleet>,
    /// Errors and warnings, in the order of the file.
    pub problems: Vec<Problem>,
    /// With [`Secrets::Read`], the storages whose secret is unusable.
    pub unusable: Vec<UnusableStorage>,
}

/// The problems of a fleet file with errors.
#[derive(Debug)]
pub struct Invalid(pub Vec<Problem>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| writeln!(f, "{problem}"))?;
        f.write_str(&summary(&self.0))
    }
}

impl std::error::Error for Invalid {}

/// Reads and checks a fleet file with those that it includes.
pub fn check(path: &Path, secrets: Secrets, now: Timestamp) -> Result<Checked, Unreadable> {
    Ok(check_source(&include::read(path)?, &ZoneData::find(), secrets, now))
}

/// The text of a fleet file, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetText {
    /// Its name in problems, such as the path of the file.
    pub name: String,
    /// The text.
    pub text: String,
}

impl FleetText {
    /// Reads a file with those that it includes, or a folder, unless it cannot be one of a fleet: it is too large, empty or no text.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        include::read(path).map(|Source { name, text }| Self { name, text })
    }

    /// Where it has a text that looks like a secret, such as `apps/eu.toml:3`.
    pub fn literal_secret(&self) -> Option<String> {
        let line = literal_secret(&self.text)?;
        let Self { name, text } = self.clone();
        let source = Source { name, text };
        let (file, line) = parts::line(&source, line);
        Some(format!("{}:{line}", file.as_ref().unwrap_or(&source.name)))
    }

    /// Checks it.
    pub fn check(&self, secrets: Secrets, now: Timestamp) -> Checked {
        let Self { name, text } = self.clone();
        check_source(&Source { name, text }, &ZoneData::find(), secrets, now)
    }
}

/// Checks the text of a fleet file that has no file yet. Reads no secret.
pub fn check_text(name: &str, text: &str, now: Timestamp) -> Checked {
    let source = Source { name: name.to_owned(), text: text.to_owned() };
    check_source(&source, &ZoneData::find(), Secrets::Leave, now)
}

/// The `[azure]` sections of a fleet file, as TOML, whatever the rest of the file is.
pub fn azure_sections(path: &Path) -> Result<String, Unreadable> {
    let Source { name, text } = include::read(path)?;
    let unreadable = |why: &str| Unreadable {
        what: format!("the [azure] section of {name} cannot be used: {why}"),
        help: "`holdfast config check` names each error of it",
    };
    let mut table: toml::Table = text.parse().map_err(|_| unreadable("the file is no TOML"))?;
    let azure = table.remove("azure").ok_or_else(|| unreadable("there is none"))?;
    toml::to_string(&toml::Table::from_iter([("azure".to_owned(), azure)]))
        .map_err(|_| unreadable("it cannot be written again"))
}

/// The counts of the problems, such as `2 errors, 1 warning`.
pub fn summary(problems: &[Problem]) -> String {
    let count = |severity, one: &str| match problems.iter().filter(|p| p.severity == severity).count() {
        0 => None,
        1 => Some(format!("1 {one}")),
        many => Some(format!("{many} {one}s")),
    };
    let parts = [count(Severity::Error, "error"), count(Severity::Warning, "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(crate) fn check_source(source: &Source, zones: &ZoneData, secrets: Secrets, now: Timestamp) -> Checked {
    let (table, syntax) = DeTable::parse_recoverable(&source.text);
    let mut diagnostics = Diagnostics::new(source, ValueSpans::of(table.get_ref()), &syntax);
    let fleet = read(&mut diagnostics, Section::new(top(), table.get_ref()), zones, secrets, now)
        .map(|fleet| Fleet { settings: settings::settings(source, table.get_ref()), ..fleet });
    let unusable = std::mem::take(&mut diagnostics.unusable);
    let problems = diagnostics.finish();
    let is_valid = problems.iter().all(|problem| problem.severity == Severity::Warning);
    Checked { fleet: fleet.filter(|_| is_valid), problems, unusable }
}

/// `None` without a usable `[azure]` section.
fn read(
    diagnostics: &mut Diagnostics<'_>,
    mut file: Section<'_>,
    zones: &ZoneData,
    secrets: Secrets,
    now: Timestamp,
) -> Option<Fleet> {
    include::check(diagnostics, &mut file);
    let clouds = azure::clouds(diagnostics, &mut file);
    let storages = storage::storages(diagnostics, &mut file, &clouds);
    let PoliciesRead { policies, effective, tags, extended } =
        policy::policies(diagnostics, &mut file, &storages, zones, now);
    let (apps, of_apps) = apps::apps(diagnostics, &mut file, &policies, &clouds, now);
    let rules = apps::discover(diagnostics, &mut file, &policies, &clouds);
    drill::check(diagnostics, &apps, &clouds);
    trusted_hosts::check(diagnostics, &clouds, &storages);
    let limits = engine::limits(diagnostics, &mut file);
    let engine = engine::engine(diagnostics, &mut file);
    let checkpoints = checkpoint::checkpoints(diagnostics, &mut file, &storages.keys().collect());
    let four_eyes = control::four_eyes(diagnostics, &mut file);
    let notifications = notify::notifications(diagnostics, &mut file, &policies, zones);
    let is_without_apps = !file.has("app") && !file.has("discover");
    file.finish(diagnostics);
    if is_without_apps {
        diagnostics.warning(&top(), "the fleet has no app: expected [[app]] or [[discover]] entries", None);
    }
    let receives: BTreeSet<&StorageName> =
        checkpoints.iter().flat_map(|found| &found.to).filter_map(CheckpointDestination::storage).collect();
    shared_containers::check(diagnostics, &apps, &policies, &storages, &receives);
    no_effect::check(diagnostics, (&rules, &apps), (&policies, &extended), &storages, &receives);
    if secrets != Secrets::Leave {
        let written: Vec<&Policy> = policies.values().filter_map(|found| found.value.as_ref()).collect();
        let in_use = storages.iter().filter_map(|(name, found)| {
            let longest = longest_deadline(written.iter().copied(), name);
            found.value.as_ref().map(|target| StorageInUse { name, target, longest })
        });
        // The SAS of a container for checkpoints alone needs fewer permissions than that of backups.
        let is_for_backups =
            |of: &StorageInUse<'_>| of.longest > Duration::ZERO || !receives.contains(of.name);
        let in_use: Vec<StorageInUse<'_>> = in_use.filter(is_for_backups).collect();
        secrets::check(diagnostics, &in_use, secrets, now);
    }
    let discover = rules.into_iter().map(|rule| rule.discover).collect();
    let storages = storages.into_iter().filter_map(|(name, found)| Some((name, found.value?))).collect();
    let policies = policies.into_iter().filter_map(|(name, found)| Some((name, found.value?))).collect();
    (!clouds.is_empty()).then_some(Fleet {
        clouds,
        storages,
        policies,
        effective,
        tags: FileTags { of_policies: tags, of_apps },
        apps,
        discover,
        limits,
        engine,
        checkpoints,
        four_eyes,
        settings: BTreeMap::new(),
        notifications,
    })
}
