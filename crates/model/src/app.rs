//! An app as the fleet file names it, and as Azure describes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AppId, DatabaseRef, PolicyName};

/// An app of the fleet and what it is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Which app.
    pub id: AppId,
    /// The policy it follows; `None` for an app that was found and is in no policy.
    pub policy: Option<PolicyName>,
    /// The ARM id of its App Service plan in lower case, once Azure told it. Apps of one plan share its machines.
    pub plan: Option<String>,
    /// The databases that are backed up with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<DatabaseRef>,
    /// Paused apps keep their policy and start no scheduled run.
    pub paused: bool,
}

impl App {
    /// An app of which no more is known than its id: in no policy, and not paused.
    pub fn new(id: AppId) -> Self {
        Self { id, policy: None, plan: None, databases: Vec::new(), paused: false }
    }

    /// What the app shares with others when it is backed up: its plan, or its resource group while the plan is
    /// unknown, because groups and plans mostly go together.
    pub fn plan_or_group(&self) -> String {
        self.plan.clone().unwrap_or_else(|| format!("group:{}", self.id.resource_group()))
    }
}

/// A site as Azure lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Which app.
    pub id: AppId,
    /// The region, as Azure writes it.
    pub location: String,
    /// The ARM id of the App Service plan, in lower case.
    pub plan: Option<String>,
    /// The kind, such as `app,linux` or `functionapp`.
    pub kind: Option<String>,
    /// `Running`, `Stopped` and the like.
    pub state: Option<String>,
    /// The tier, such as `Standard`, where the answer tells it.
    pub tier: Option<String>,
    /// The operation under way at it: ARM's id for it.
    pub operation: Option<String>,
    /// The host names it answers to.
    pub hosts: Vec<String>,
    /// The tags, with their names as written.
    pub tags: BTreeMap<String, String>,
}
