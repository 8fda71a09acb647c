//! What is left of each subscription's budgets.

use holdfast_model::{Call, SubscriptionId, Timestamp};
use sqlx::SqliteConnection;

use super::driver::During;
use super::row::{Reading, text};
use crate::Error;
use crate::bucket::Bucket;
use crate::columns::stamp;

pub(super) const CLOSE: &str = "close a budget";

pub(super) async fn close(
    tx: &mut SqliteConnection,
    subscription: &SubscriptionId,
    call: Call,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    let mut bucket = read(tx, subscription, call, now, CLOSE).await?;
    bucket.close(stamp(until));
    write(tx, subscription, call, &bucket, CLOSE).await
}

/// The budget as it was left; a full one where nobody has drawn on it.
pub(super) async fn read(
    tx: &mut SqliteConnection,
    subscription: &SubscriptionId,
    call: Call,
    now: Timestamp,
    operation: &'static str,
) -> Result<Bucket, Error> {
    let read = "/* budget */ SELECT tokens, filled_at, closed_until FROM budgets WHERE subscription = ? AND call = ?";
    let row: Option<(f64, String, Option<String>)> = sqlx::query_as(read)
        .bind(subscription.as_str())
        .bind(call.as_str())
        .fetch_optional(tx)
        .await
        .during(operation)?;
    let Some((tokens, filled_at, closed_until)) = row else { return Ok(Bucket::full(now)) };
    let reading = Reading { operation, of: format!("the budget of {subscription}") };
    Ok(Bucket {
        tokens,
        filled_at: reading.time("filled_at", &filled_at)?,
        closed_until: reading.maybe_time("closed_until", closed_until.as_deref())?,
    })
}

pub(super) async fn write(
    tx: &mut SqliteConnection,
    subscription: &SubscriptionId,
    call: Call,
    bucket: &Bucket,
    operation: &'static str,
) -> Result<(), Error> {
    let write = "/* budget */ INSERT INTO budgets (subscription, call, tokens, filled_at, closed_until)
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (subscription, call) DO UPDATE
        SET tokens = excluded.tokens, filled_at = excluded.filled_at, closed_until = excluded.closed_until";
    sqlx::query(write)
        .bind(subscription.as_str())
        .bind(call.as_str())
        .bind(bucket.tokens)
        .bind(text(bucket.filled_at))
        .bind(bucket.closed_until.map(text))
        .execute(tx)
        .await
        .during(operation)?;
    Ok(())
}
