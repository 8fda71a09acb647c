//! What a restore would do, told before it is done.

use holdfast_model::{App, AppId, DatabaseRef, PolicySnapshot, SasFacts, Task, Timestamp, format_timestamp};
use serde::Serialize;

use super::source::Source;
use crate::output::{Cell, Table, Tone, age, bytes, wrapped};

/// What stays as it is in the target, whatever was backed up (docs: App Service backups).
pub const NEVER_RESTORED: [&str; 10] = [
    "virtual network integration",
    "private endpoints",
    "authentication",
    "managed identity",
    "custom domains",
    "TLS certificates",
    "scale-out",
    "diagnostics",
    "alerts",
    "deployment slots",
];

/// The lines of a plan have so many characters beside its names.
const WIDTH: usize = 104;

/// A restore that could be begun.
#[derive(Debug, Serialize)]
pub struct RestorePlan {
    /// `restore` or `drill`.
    pub kind: &'static str,
    /// Whose backup.
    pub source: AppId,
    /// The backup.
    pub backup: Source,
    /// The container it lies in.
    pub container: String,
    /// What was found there.
    pub blobs: Blobs,
    /// Where it goes.
    pub target: RestoreTarget,
    /// The databases that come back.
    pub databases: Vec<DatabaseRef>,
    /// Whether databases are left as they are.
    pub ignore_databases: bool,
    /// The URL that must answer after a drill.
    pub probe: Option<String>,
    /// The SAS that Azure would be given.
    pub sas: SasFacts,
    /// What stays as it is.
    pub never_restored: [&'static str; 10],
    /// What somebody should know before saying yes.
    pub warnings: Vec<String>,
    /// The run that does it.
    #[serde(skip)]
    pub run: Doing,
}

/// What a run is made from.
#[derive(Debug, Clone)]
pub struct Doing {
    /// The run's app: the target.
    pub app: App,
    /// Its policy snapshot.
    pub policy_snapshot: PolicySnapshot,
    /// What it does.
    pub task: Task,
}

/// What was found of a backup in its storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blobs {
    /// Archive and manifest.
    Present,
    /// The policy says that storage is out of reach.
    NotChecked,
}

/// Where a restore goes, as it is now.
#[derive(Debug, Serialize)]
pub struct RestoreTarget {
    /// The app.
    pub app: AppId,
    /// Whether it is there; a new one is made otherwise.
    pub exists: bool,
    /// Its tier.
    pub tier: Option<String>,
    /// `Running` and the like.
    pub state: Option<String>,
    /// The plan it is in, or is made in.
    pub plan: Option<String>,
    /// Whether what is there is replaced, all but what its `_backup.filter` names.
    pub is_replaced: bool,
    /// Whether it is stopped until Azure is done.
    pub is_stopped: bool,
}

impl RestorePlan {
    /// What somebody must type who wants it.
    pub fn word(&self) -> String {
        self.target.app.short_name()
    }

    /// What they are asked.
    pub fn question(&self) -> String {
        let word = self.word();
        if self.target.exists {
            format!("Everything in {word} will be replaced.")
        } else {
            format!("The app {word} will be made.")
        }
    }

    /// For people.
    pub fn table(&self, now: Timestamp) -> Table {
        let mut table = Table::new(["PLAN", ""]);
        let mut fact = |name: &str, value: String| table.row([name.into(), wrapped(&value, WIDTH).into()]);
        fact(self.kind, self.what(now));
        fact("from", format!("{} in {}, {}", self.backup.blob, self.container, self.found()));
        fact("into", self.whereto());
        if self.target.is_stopped {
            fact("meanwhile", format!("{} is stopped", self.word()));
        }
        fact("databases", self.which_databases());
        if let Some(probe) = &self.probe {
            fact("then asked", probe.clone());
        }
        fact("not restored", NEVER_RESTORED.join(", "));
        for warning in &self.warnings {
            table.row(["warning".into(), Cell::toned(wrapped(warning, WIDTH), Tone::Warn)]);
        }
        table
    }

    fn what(&self, now: Timestamp) -> String {
        let Source { id, taken_at, size_bytes, verified_at, .. } = &self.backup;
        let what = id.map_or_else(|| "a blob".to_owned(), |id| format!("backup {id}"));
        let taken = taken_at
            .map(|at| format!(", taken {} ({})", age(at, now), format_timestamp(at)))
            .unwrap_or_default();
        let size = size_bytes.map(|size| format!(", {}", bytes(size))).unwrap_or_default();
        let verified = verified_at.map_or_else(
            || ", not verified since".to_owned(),
            |at| format!(", found whole {}", age(at, now)),
        );
        format!("{what} of {}{taken}{size}{verified}", self.source.short_name())
    }

    fn found(&self) -> &'static str {
        match self.blobs {
            Blobs::Present => "there with its manifest",
            Blobs::NotChecked => "not looked for: the policy says `verify = false`",
        }
    }

    fn whereto(&self) -> String {
        let RestoreTarget { app, exists, tier, state, plan, .. } = &self.target;
        if !exists {
            let plan = plan.as_deref().and_then(|plan| plan.rsplit('/').next()).unwrap_or("its plan");
            return format!("{app}\nwhich is made new in {plan}");
        }
        let facts: Vec<&str> = [tier.as_deref(), state.as_deref()].into_iter().flatten().collect();
        format!(
            "{app}\n({}): everything in it is replaced, but for what its _backup.filter names",
            facts.join(", ")
        )
    }

    fn which_databases(&self) -> String {
        if self.ignore_databases && !self.backup.databases.is_empty() {
            return "are left as they are".to_owned();
        }
        if self.databases.is_empty() {
            return "none in the backup".to_owned();
        }
        let names: Vec<_> = self.databases.iter().map(|db| format!("{} ({})", db.name, db.kind)).collect();
        format!("{}: replaced too", names.join(", "))
    }
}
