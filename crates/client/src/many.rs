//! Restores, drills and holds of many apps on a server: planned, and started.

use holdfast_control::Error;
use holdfast_control::holds::many::{HoldsPlan, ManyHolds};
use holdfast_control::restore::{ManyPlan, ManyRestores};
use holdfast_model::{RunKind, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::server::Server;
use crate::starts::Started;

/// What restores or drills of many apps will do.
#[derive(Debug, Deserialize)]
pub struct PlannedRestores {
    /// The id at the server that made the plan; empty for a plan of this process.
    #[serde(skip)]
    pub id: String,
    /// The store's time.
    pub as_of: Timestamp,
    /// The plan.
    #[serde(flatten)]
    pub plan: ManyPlan,
}

#[derive(Deserialize)]
struct BegunPlan {
    plan: String,
}

impl Server {
    /// Plans restores or drills of many apps, and waits until the plan is made.
    pub async fn plan_many(&self, request: &ManyRestores) -> Result<PlannedRestores, Error> {
        let calls = calls(request.kind());
        let BegunPlan { plan: id } = self.post(&[calls, "many", "plan"], request).await?;
        let planned: PlannedRestores = self.get_made(&[calls, "many", &id]).await?;
        Ok(PlannedRestores { id, ..planned })
    }

    /// Starts what is planned.
    pub async fn start_many(&self, planned: &PlannedRestores) -> Result<Started, Error> {
        let body = json!({ "plan": planned.id, "confirm": planned.plan.starts.len() });
        self.start(&[calls(planned.plan.kind), "many"], &body).await
    }

    /// Plans holds of many apps.
    pub async fn plan_holds(&self, request: &ManyHolds) -> Result<HoldsPlan, Error> {
        self.post(&["holds", "plan"], request).await
    }

    /// Adds or removes what is planned: so many holds.
    pub async fn change_holds(&self, request: &ManyHolds, reason: &str, count: usize) -> Result<(), Error> {
        let path: &[&str] = if request.release { &["holds", "many", "release"] } else { &["holds", "many"] };
        let body = json!({ "holds": request, "reason": reason, "confirm": count });
        self.act::<Value>(path, &body).await.map(drop)
    }
}

fn calls(kind: RunKind) -> &'static str {
    if kind == RunKind::Drill { "drills" } else { "restores" }
}
