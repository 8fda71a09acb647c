//! The budgets of subscriptions.

use std::collections::BTreeSet;

use holdfast_model::{Call, NewRun, SubscriptionId, Timestamp};
use serde_json::json as object;

use crate::budget_draw::{BudgetDraw, Drawn};
use crate::columns::stamp;
use crate::error::Result;
use crate::rules::acquire::Budgets;
use crate::rules::bucket::Bucket;
use crate::sql::arg::{Arg, time_text};
use crate::sql::insert::insert;
use crate::sql::lock::lock_admission;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;

pub(super) const CLOSE: &str = "close a budget";
pub(super) const DRAW: &str = "draw from a budget";
pub(super) const OPEN: &str = "open budgets";

/// Closes a budget in one statement, so that it waits for no acquire and no acquire overwrites it.
pub(super) async fn close(
    session: &mut impl Session,
    subscription: &SubscriptionId,
    call: Call,
    until: Timestamp,
) -> Result<()> {
    let full = Bucket::full(session.now().await?);
    let close = "/* close */ INSERT INTO budgets (subscription, call, tokens, filled_at, closed_until)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (subscription, call) DO UPDATE
        SET closed_until = CASE WHEN budgets.closed_until > excluded.closed_until THEN budgets.closed_until
            ELSE excluded.closed_until END";
    let key = [Arg::text(subscription), Arg::text(call.as_str())];
    let values = [Arg::Float(full.tokens), Arg::Time(full.filled_at), Arg::Time(stamp(until))];
    session.execute(close, key.into_iter().chain(values).collect()).await?;
    Ok(())
}

/// Opens the budgets that are closed now, with the record of the operator action. Returns how many.
pub(super) async fn open(
    session: &mut impl Session,
    subscription: &SubscriptionId,
    record: &NewRun,
) -> Result<u64> {
    let now = session.now().await?;
    let open =
        "/* open */ UPDATE budgets SET closed_until = NULL WHERE subscription = $1 AND closed_until > $2";
    let opened = session.execute(open, vec![Arg::text(subscription), Arg::Time(now)]).await?;
    if opened > 0 {
        insert(session, &[record], now).await?;
    }
    Ok(opened)
}

/// A row of `budgets`.
pub(super) struct BudgetRow {
    subscription: SubscriptionId,
    call: Call,
    bucket: Bucket,
}

impl FromRow for BudgetRow {
    const TABLE: &'static str = "budgets";
    const KEY: &'static [&'static str] = &["subscription", "call"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let bucket = Bucket {
            tokens: row.float("tokens")?,
            filled_at: row.time("filled_at")?,
            closed_until: row.maybe_time("closed_until")?,
        };
        let subscription = SubscriptionId::new(&row.text("subscription")?);
        Ok(Self { subscription, call: row.word("call")?, bucket })
    }
}

/// The budgets of subscriptions. A budget that was never used or closed is absent.
pub(super) async fn read<S: Session>(
    session: &mut S,
    subscriptions: &BTreeSet<&SubscriptionId>,
) -> Result<Budgets> {
    let subscriptions: Vec<&str> = subscriptions.iter().map(|subscription| subscription.as_str()).collect();
    let rows: Vec<BudgetRow> =
        fetch_readable(session, S::DIALECT.read_budgets, vec![Arg::json(&subscriptions)]).await?;
    Ok(rows.into_iter().map(|row| ((row.subscription, row.call), row.bucket)).collect())
}

/// Writes the tokens that are left. Only [`close`] writes until when a budget is closed.
pub(super) async fn write<S: Session>(session: &mut S, drawn: &Budgets) -> Result<()> {
    if drawn.is_empty() {
        return Ok(());
    }
    let row = |((subscription, call), bucket): (&(SubscriptionId, Call), &Bucket)| {
        object!({
            "subscription": subscription.as_str(),
            "call": call.as_str(),
            "tokens": bucket.tokens,
            "filled_at": time_text(bucket.filled_at),
        })
    };
    let rows: Vec<_> = drawn.iter().map(row).collect();
    session.execute(S::DIALECT.write_budgets, vec![Arg::json(&rows)]).await?;
    Ok(())
}

/// Draws from the upper half of a budget, apart from every acquire.
pub(super) async fn draw<S: Session>(session: &mut S, draw: &BudgetDraw) -> Result<Drawn> {
    let BudgetDraw { subscription, call, most, budget } = draw;
    lock_admission(session).await?;
    let now = session.now().await?;
    let key = (subscription.clone(), *call);
    let bucket = read(session, &BTreeSet::from([subscription])).await?.remove(&key);
    let (drawn, left) = bucket.unwrap_or_else(|| Bucket::full(now)).draw_spare(*budget, now, *most);
    if let Some(left) = left {
        write(session, &Budgets::from([(key, left)])).await?;
    }
    Ok(drawn)
}
