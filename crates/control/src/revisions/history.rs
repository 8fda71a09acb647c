//! The revisions that were made, and the way back.

use holdfast_store::{Revision, RevisionHead, Store};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::diff::{Comparison, FleetDiff};
use super::proposal::{Proposal, propose};
use super::stored::{fleet_of, revision, text_of};
use crate::{Error, ErrorKind};

/// Revisions that a list has at most.
pub const REVISIONS_MAX: u32 = 200;

/// A revision with its text.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct RevisionView {
    /// What is known of it beside its text.
    #[serde(flatten)]
    pub head: RevisionHead,
    /// Whether it is in force.
    pub is_newest: bool,
    /// The text of the fleet file.
    pub text: String,
}

/// The newest revisions, without their texts.
pub async fn list(store: &dyn Store) -> Result<Vec<RevisionHead>, Error> {
    Ok(store.revisions(REVISIONS_MAX).await?)
}

/// A revision with its text.
pub async fn show(store: &dyn Store, number: u64) -> Result<RevisionView, Error> {
    let Revision { head, text } = revision(store, number).await?;
    let is_newest = store.newest_revision().await? == number;
    Ok(RevisionView { head, is_newest, text })
}

/// What one revision changes beside another, for the apps of the store.
pub async fn compare(store: &dyn Store, from: u64, to: u64) -> Result<FleetDiff, Error> {
    let now = store.now().await?;
    let (old, new) = (revision(store, from).await?, revision(store, to).await?);
    let (old, new) = (fleet_of(&old, now)?, fleet_of(&new, now)?);
    let enrolled = store.status().await?;
    Ok(Comparison { old: &old, new: &new, enrolled: &enrolled, now }.diff().0)
}

/// Proposes the text of an earlier revision again.
pub async fn propose_rollback(store: &dyn Store, number: u64) -> Result<Proposal, Error> {
    let (old, now) = (revision(store, number).await?, store.now().await?);
    if store.newest_revision().await? == number {
        let what = format!("revision {number} is the newest one, and in force");
        return Err(Error::new(ErrorKind::Conflict, what));
    }
    let running = fleet_of(&old, now)?;
    let mut proposal = propose(store, Some(&running), text_of(old)).await?;
    proposal.rolled_back_to = Some(number);
    Ok(proposal)
}
