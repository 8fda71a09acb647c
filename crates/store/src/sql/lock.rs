//! Locks that transactions hold to their end.

use crate::error::Result;
use crate::sql::session::Session;

/// Locks the cursors: one transaction at a time moves them, or adds many runs.
///
/// Two that moved the same cursors in different orders would wait for each other, and a sync of the fleet must not undo
/// a move that it has not seen.
pub(super) async fn lock_cursors(session: &mut impl Session) -> Result<()> {
    session.lock(vec!["holdfast.cursors".to_owned()]).await
}

/// Locks admission: one transaction at a time acquires.
///
/// Leases are counted over the whole fleet, so no finer lock would keep two transactions from taking the last place
/// both. It is a separate statement, because a statement sees only what was committed before it began.
pub(super) async fn lock_admission(session: &mut impl Session) -> Result<()> {
    session.lock(vec!["holdfast.acquire".to_owned()]).await
}
