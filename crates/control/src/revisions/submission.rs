//! A fleet file that a process was told to read again, or saw change.

use holdfast_config::{Fleet, FleetText};
use holdfast_store::{RevisionHead, Store, sha256_hex};

use super::history::REVISIONS_MAX;
use super::proposal::{Order, propose};
use crate::{Error, ErrorKind};

/// What came of a fleet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It is in force already.
    InForce,
    /// It is a new revision, with this number.
    Appended(u64),
}

/// Makes a revision of a fleet file, unless it is in force.
///
/// Refuses the text of an older revision: it was replaced, and a copy that was left behind must not undo that.
pub async fn submit_file(
    store: &dyn Store,
    running: &Fleet,
    text: FleetText,
    order: &Order,
    rng: &mut fastrand::Rng,
) -> Result<Submitted, Error> {
    let sha256 = sha256_hex(text.text.as_bytes());
    let known = store.revisions(REVISIONS_MAX).await?;
    match known.iter().find(|head| head.sha256 == sha256) {
        Some(head) if known.first() == Some(head) => return Ok(Submitted::InForce),
        Some(RevisionHead { number, .. }) => {
            let what = format!("{} is the text of revision {number}, which a newer one replaced", text.name);
            let help = format!("`holdfast revisions rollback {number}` goes back to it");
            return Err(Error::new(ErrorKind::Refused, what).help(help));
        }
        None => {}
    }
    let proposal = propose(store, Some(running), text).await?;
    proposal.append(store, order, rng).await.map(|head| Submitted::Appended(head.number))
}
