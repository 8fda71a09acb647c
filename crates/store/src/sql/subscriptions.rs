//! The lists of subscriptions, and the budgets that are closed.

use holdfast_model::{Call, SubscriptionId, Timestamp};

use crate::columns::{json, stamp};
use crate::error::Result;
use crate::rules::subscriptions::{Recorded, of_rows};
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;
use crate::subscriptions::{ClosedBudget, Listing, ListingResult, SubscriptionStatus};

pub(super) const RECORD: &str = "record the lists of subscriptions";
pub(super) const STATUS: &str = "read the subscriptions";

/// One statement for each, so that none waits for another. A row from after now has the time of a wrong clock.
pub(super) async fn record(session: &mut impl Session, listings: &[Listing]) -> Result<()> {
    let listed = "/* record_listing */ INSERT INTO subscriptions
            (subscription, asked_at, next_at, listed_at, apps, left_out)
        VALUES ($1, $2, $3, $2, $4, $5)
        ON CONFLICT (subscription) DO UPDATE SET asked_at = excluded.asked_at, next_at = excluded.next_at,
            listed_at = excluded.listed_at, apps = excluded.apps, left_out = excluded.left_out,
            unanswered_since = NULL, error = NULL
        WHERE subscriptions.asked_at <= excluded.asked_at OR subscriptions.asked_at > $6";
    let failed = "/* record_listing */ INSERT INTO subscriptions
            (subscription, asked_at, next_at, unanswered_since, error)
        VALUES ($1, $2, $3, $2, $4)
        ON CONFLICT (subscription) DO UPDATE SET asked_at = excluded.asked_at, next_at = excluded.next_at,
            unanswered_since = coalesce(subscriptions.unanswered_since, excluded.unanswered_since),
            error = excluded.error
        WHERE subscriptions.asked_at <= excluded.asked_at OR subscriptions.asked_at > $5";
    let now = session.now().await?;
    for Listing { subscription, asked_at, next_at, result } in listings {
        let mut args = vec![Arg::text(subscription), Arg::Time(stamp(*asked_at)), Arg::Time(stamp(*next_at))];
        let statement = match result {
            ListingResult::Listed { apps, left_out } => {
                let apps = i64::try_from(*apps).unwrap_or(i64::MAX);
                args.extend([Arg::Int(apps), Arg::Text(json(left_out))]);
                listed
            }
            ListingResult::Failed { error } => {
                args.push(Arg::text(error));
                failed
            }
        };
        args.push(Arg::Time(now));
        session.execute(statement, args).await?;
    }
    Ok(())
}

impl FromRow for Recorded {
    const TABLE: &'static str = "subscriptions";
    const KEY: &'static [&'static str] = &["subscription"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let apps = row.maybe_int("apps")?;
        Ok(Self {
            subscription: SubscriptionId::new(&row.text("subscription")?),
            asked_at: row.time("asked_at")?,
            next_at: row.time("next_at")?,
            listed_at: row.maybe_time("listed_at")?,
            apps: apps.map(|apps| u64::try_from(apps).map_err(|_| row.wrong("apps", apps))).transpose()?,
            left_out: row.maybe_json("left_out")?.unwrap_or_default(),
            unanswered_since: row.maybe_time("unanswered_since")?,
            error: row.maybe_text("error")?,
        })
    }
}

struct ClosedRow {
    subscription: SubscriptionId,
    call: Call,
    until: Timestamp,
}

impl FromRow for ClosedRow {
    const TABLE: &'static str = "budgets";
    const KEY: &'static [&'static str] = &["subscription", "call"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let subscription = SubscriptionId::new(&row.text("subscription")?);
        Ok(Self { subscription, call: row.word("call")?, until: row.time("closed_until")? })
    }
}

/// A row of one of two tables, which one statement reads.
enum StatusRow {
    Recorded(Recorded),
    Closed(ClosedRow),
}

impl FromRow for StatusRow {
    const TABLE: &'static str = Recorded::TABLE;
    const KEY: &'static [&'static str] = Recorded::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        if row.maybe_text("call")?.is_some() {
            row.read_as().map(Self::Closed)
        } else {
            row.read_as().map(Self::Recorded)
        }
    }
}

pub(super) async fn status(session: &mut impl Session) -> Result<Vec<SubscriptionStatus>> {
    let status = "/* subscriptions */ SELECT subscription, asked_at, next_at, listed_at, apps, left_out, unanswered_since,
            error, NULL AS call, NULL AS closed_until FROM subscriptions
        UNION ALL SELECT subscription, NULL, NULL, NULL, NULL, NULL, NULL, NULL, call, closed_until
            FROM budgets WHERE closed_until > $1";
    let now = session.now().await?;
    let (mut recorded, mut closed) = (Vec::new(), Vec::new());
    for row in fetch_readable(session, status, vec![Arg::Time(now)]).await? {
        match row {
            StatusRow::Recorded(row) => recorded.push(row),
            StatusRow::Closed(ClosedRow { subscription, call, until }) => {
                closed.push((subscription, ClosedBudget { call, until }));
            }
        }
    }
    Ok(of_rows(recorded, closed))
}
