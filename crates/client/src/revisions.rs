//! The revisions of the fleet of a server.

use holdfast_control::Error;
use holdfast_control::revisions::{Change, FleetDiff, Order, Proposal, RevisionHead, RevisionView};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::query::Query;
use crate::reads::Listed;
use crate::server::Server;

#[derive(Deserialize)]
struct Applied {
    revision: RevisionHead,
}

impl Server {
    /// The newest revisions, without their texts.
    pub async fn revisions(&self) -> Result<Listed<RevisionHead>, Error> {
        self.get(&["revisions"], Query::default()).await
    }

    /// A revision with its text.
    pub async fn revision(&self, number: u64) -> Result<RevisionView, Error> {
        self.get(&["revisions", &number.to_string()], Query::default()).await
    }

    /// What one revision changes beside another.
    pub async fn compare_revisions(&self, from: u64, to: u64) -> Result<FleetDiff, Error> {
        let query = Query::default().with("from", Some(from));
        self.get(&["revisions", &to.to_string(), "changes"], query).await
    }

    /// Proposes the newest revision. Changes nothing.
    pub async fn propose_revision(&self, change: &Change) -> Result<Proposal, Error> {
        let mut body = sent(change);
        body["dryRun"] = true.into();
        self.post(&["revisions"], &body).await
    }

    /// Makes what was proposed the newest revision, unless another was made meanwhile. The server's audit records who asks.
    pub async fn append_revision(
        &self,
        change: &Change,
        proposal: &Proposal,
        order: &Order,
    ) -> Result<RevisionHead, Error> {
        let mut body = sent(change);
        body["replaces"] = proposal.replaces.unwrap_or(0).into();
        body["reason"] = order.reason.as_str().into();
        body["allowRemovals"] = order.allowed_removals.into();
        self.post::<Applied>(&["revisions"], &body).await.map(|applied| applied.revision)
    }
}

fn sent(change: &Change) -> Value {
    match change {
        Change::Text(text) => json!({ "name": text.name, "text": text.text }),
        Change::Rollback(number) => json!({ "rollbackTo": number }),
    }
}
