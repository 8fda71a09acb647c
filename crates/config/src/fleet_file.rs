//! Reads a fleet file and reports every problem of it.

use std::fmt;
use std::path::Path;

use holdfast_model::Timestamp;
use toml::de::DeTable;

use crate::diagnostics::Diagnostics;
use crate::fleet::Fleet;
use crate::lapsed::Lapsed;
use crate::problem::{Problem, Severity};
use crate::secrets::Secrets;
use crate::section::{Section, top};
use crate::source::{Source, Unreadable, ValueSpans};
use crate::zone_data::ZoneData;
use crate::{apps, azure, drill, engine, policy, secrets, storage};

/// The result of checking a fleet file.
#[derive(Debug)]
pub struct Checked {
    /// The fleet; `None` when there is at least one error.
    pub fleet: Option<Fleet>,
    /// Errors and warnings, in the order of the file.
    pub problems: Vec<Problem>,
    /// With [`Secrets::Read`], the storages whose SAS has lapsed.
    pub lapsed: Vec<Lapsed>,
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

/// Reads and checks a fleet file.
pub fn check(path: &Path, secrets: Secrets, now: Timestamp) -> Result<Checked, Unreadable> {
    Ok(check_source(&Source::read(path)?, &ZoneData::find(), secrets, now))
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
    let fleet = read(&mut diagnostics, Section::new(top(), table.get_ref()), zones, secrets, now);
    let lapsed = std::mem::take(&mut diagnostics.lapsed);
    let problems = diagnostics.finish();
    let is_valid = problems.iter().all(|problem| problem.severity == Severity::Warning);
    Checked { fleet: fleet.filter(|_| is_valid), problems, lapsed }
}

/// `None` without a usable `[azure]` section.
fn read(
    diagnostics: &mut Diagnostics<'_>,
    mut file: Section<'_>,
    zones: &ZoneData,
    secrets: Secrets,
    now: Timestamp,
) -> Option<Fleet> {
    let clouds = azure::clouds(diagnostics, &mut file);
    let storages = storage::storages(diagnostics, &mut file, &clouds);
    let policies = policy::policies(diagnostics, &mut file, &storages, zones, now);
    let apps = apps::apps(diagnostics, &mut file, &policies, &clouds, now);
    let discover = apps::discover(diagnostics, &mut file, &policies, &clouds);
    drill::check(diagnostics, &apps, &clouds);
    let limits = engine::limits(diagnostics, &mut file);
    let engine = engine::engine(diagnostics, &mut file);
    let is_without_apps = !file.has("app") && !file.has("discover");
    file.finish(diagnostics);
    if is_without_apps {
        diagnostics.warning(&top(), "the fleet has no app: expected [[app]] or [[discover]] entries", None);
    }
    if secrets != Secrets::Leave {
        let targets = storages.iter().filter_map(|(name, found)| Some((name, found.value.as_ref()?)));
        secrets::check(diagnostics, targets, secrets, now);
    }
    let storages = storages.into_iter().filter_map(|(name, found)| Some((name, found.value?))).collect();
    let policies = policies.into_iter().filter_map(|(name, found)| Some((name, found.value?))).collect();
    (!clouds.is_empty()).then_some(Fleet { clouds, storages, policies, apps, discover, limits, engine })
}
