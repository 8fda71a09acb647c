//! The draft of a fleet file: what will be written, and what cannot be.

use holdfast_model::AppId;
use serde::Serialize;

/// The parts of a fleet file that take over what is there.
#[derive(Debug, Default, Serialize)]
pub struct FleetDraft {
    /// The storages.
    pub storages: Vec<DraftStorage>,
    /// The policies.
    pub policies: Vec<DraftPolicy>,
    /// The apps, each with its policy.
    pub apps: Vec<DraftApp>,
    /// The apps without a policy, and why.
    pub left_out: Vec<LeftOut>,
    /// What a person should know about apps.
    pub remarks: Vec<Remark>,
    /// The environment variables that the storages and databases read.
    pub secrets: Vec<SecretToSet>,
}

/// A `[storage.NAME]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DraftStorage {
    /// Its name.
    pub name: String,
    /// The URL of its container, or the pattern of the containers of apps.
    pub container: String,
    /// The value of `sas`, as TOML: it has a reference, and no secret.
    pub sas: String,
    /// What it refers to.
    pub secret: Option<SecretToSet>,
}

/// A `[policy.NAME]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DraftPolicy {
    /// Its name.
    pub name: String,
    /// What it comes from, for a comment.
    pub origin: String,
    /// The cron text, in UTC.
    pub schedule: String,
    /// The window over which its apps are spread; `None` for none.
    pub spread: Option<String>,
    /// The storage.
    pub storage: String,
    /// The greatest age of the latest good backup.
    pub recovery_point_objective: String,
    /// Days that backups are kept, and how many at least; `None` where they are kept forever.
    pub retention: Option<(u32, u32)>,
}

/// An `[[app]]` entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DraftApp {
    /// The app.
    pub app: AppId,
    /// Its policy.
    pub policy: String,
    /// The databases that its native schedule backs up.
    pub databases: Vec<DraftDatabase>,
}

/// A database of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DraftDatabase {
    /// Its kind, as Azure names it.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The reference to its connection string.
    pub connection_string: String,
}

/// An app that gets no policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The app.
    pub app: AppId,
    /// Why, as a fragment that continues after its name.
    pub why: String,
    /// Whether no policy would help, because Azure backs up no such app.
    pub never: bool,
}

/// What a person should know about an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The app.
    pub app: AppId,
    /// The remark, as a fragment that continues after its name.
    pub says: String,
}

/// An environment variable to set before the first backup.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SecretToSet {
    /// Its name.
    pub variable: String,
    /// What it holds.
    pub holds: String,
}
