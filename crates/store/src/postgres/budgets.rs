//! What is left of each subscription's budgets.

use std::collections::BTreeMap;

use holdfast_model::{Call, SubscriptionId, Timestamp};
use sqlx::{FromRow, PgConnection};

use super::session::During;
use super::time::Time;
use crate::Error;
use crate::bucket::Bucket;
use crate::columns::stamp;

pub(super) const CLOSE: &str = "close a budget";

/// Budgets by whose they are and what they pay for.
pub(super) type Buckets = BTreeMap<(String, &'static str), Bucket>;

/// In one statement, so that it waits for no taker and none overwrites it.
pub(super) async fn close(
    connection: &mut PgConnection,
    subscription: &SubscriptionId,
    call: Call,
    until: Timestamp,
    time: &Time,
) -> Result<(), Error> {
    let full = Bucket::full(time.now(connection, CLOSE).await?);
    let close = "/* close */ INSERT INTO budgets (subscription, call, tokens, filled_at, closed_until)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (subscription, call) DO UPDATE
        SET closed_until = greatest(budgets.closed_until, excluded.closed_until)";
    sqlx::query(close)
        .bind(subscription.as_str())
        .bind(call.as_str())
        .bind(full.tokens)
        .bind(full.filled_at)
        .bind(stamp(until))
        .execute(connection)
        .await
        .during(CLOSE)?;
    Ok(())
}

#[derive(Debug, FromRow)]
struct BudgetRow {
    subscription: String,
    call: String,
    tokens: f64,
    filled_at: Timestamp,
    closed_until: Option<Timestamp>,
}

/// The budgets of these subscriptions as they were left. One that nobody has drawn on is not there.
pub(super) async fn read(
    tx: &mut PgConnection,
    subscriptions: &[&str],
    operation: &'static str,
) -> Result<Buckets, Error> {
    let read = "/* read */ SELECT subscription, call, tokens, filled_at, closed_until FROM budgets
        WHERE subscription = ANY ($1)";
    let rows: Vec<BudgetRow> =
        sqlx::query_as(read).bind(subscriptions).fetch_all(tx).await.during(operation)?;
    let bucket = |row: BudgetRow| {
        let call =
            [Call::Read, Call::Write, Call::Delete].into_iter().find(|call| call.as_str() == row.call)?;
        let BudgetRow { subscription, tokens, filled_at, closed_until, .. } = row;
        Some(((subscription, call.as_str()), Bucket { tokens, filled_at, closed_until }))
    };
    Ok(rows.into_iter().filter_map(bucket).collect())
}

/// Writes what was drawn. Whether a budget is closed is not this one's to say.
pub(super) async fn write(
    tx: &mut PgConnection,
    drawn: &Buckets,
    operation: &'static str,
) -> Result<(), Error> {
    if drawn.is_empty() {
        return Ok(());
    }
    let write = "/* write */ INSERT INTO budgets (subscription, call, tokens, filled_at)
        SELECT * FROM unnest($1::text[], $2::text[], $3::double precision[], $4::timestamptz[])
        ON CONFLICT (subscription, call) DO UPDATE SET tokens = excluded.tokens, filled_at = excluded.filled_at";
    sqlx::query(write)
        .bind(drawn.keys().map(|(subscription, _)| subscription.as_str()).collect::<Vec<_>>())
        .bind(drawn.keys().map(|(_, call)| *call).collect::<Vec<_>>())
        .bind(drawn.values().map(|bucket| bucket.tokens).collect::<Vec<_>>())
        .bind(drawn.values().map(|bucket| bucket.filled_at).collect::<Vec<_>>())
        .execute(tx)
        .await
        .during(operation)?;
    Ok(())
}
