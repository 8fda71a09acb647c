//! An app as the fleet file names it, and as Azure describes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AppId, DatabaseRef, PolicyName, Tags};

/// An app of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its ARM id.
    pub id: AppId,
    /// The policy it follows; `None` for a discovered app without one.
    pub policy: Option<PolicyName>,
    /// The ARM id of its App Service plan in lower case, once Azure reported it. Apps of a plan share its machines.
    pub plan: Option<String>,
    /// The databases to back up with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<DatabaseRef>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Whether scheduled runs are suspended. The app keeps its policy.
    pub paused: bool,
}

impl App {
    /// An app without policy, plan, databases or tags, not paused.
    pub fn new(id: AppId) -> Self {
        Self { id, policy: None, plan: None, databases: Vec::new(), tags: Tags::default(), paused: false }
    }

    /// The unit of the plan's concurrency limit: the plan, or `group:GROUP` while the plan is unknown.
    pub fn plan_or_group(&self) -> String {
        self.plan.clone().unwrap_or_else(|| format!("group:{}", self.id.resource_group()))
    }
}

/// A site as Azure lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its ARM id.
    pub id: AppId,
    /// The region, as Azure writes it.
    pub location: String,
    /// The ARM id of the App Service plan, in lower case.
    pub plan: Option<String>,
    /// The kind, such as `app,linux` or `functionapp`.
    pub kind: Option<String>,
    /// The state, such as `Running` or `Stopped`.
    pub state: Option<String>,
    /// The tier, such as `Standard`, if the answer has it.
    pub tier: Option<String>,
    /// ARM's id of the operation in progress on the site.
    pub operation: Option<String>,
    /// The host names it serves.
    pub hosts: Vec<String>,
    /// The tags, with their names as written.
    pub tags: BTreeMap<String, String>,
}

impl Site {
    /// A site of which nothing but its id is known.
    pub fn new(id: AppId) -> Self {
        Self {
            id,
            location: String::new(),
            plan: None,
            kind: None,
            state: None,
            tier: None,
            operation: None,
            hosts: Vec::new(),
            tags: BTreeMap::new(),
        }
    }
}
