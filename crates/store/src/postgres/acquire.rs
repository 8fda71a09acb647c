//! What hands runs out. Its cost follows what is handed out, not what waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_model::{Call, Lane, Limits, SubscriptionId, Timestamp, Wakeup};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::budgets::{self, Buckets};
use super::row::{Reading, run_id};
use super::session::During;
use super::time::Time;
use crate::bucket::Bucket;
use crate::columns::later;
use crate::selection::{Selected, most_urgent_first};
use crate::{Error, LaneQuota, Leased};

pub(super) const TAKE: &str = "take due runs";

pub(super) async fn acquire(
    tx: &mut PgConnection,
    asks: &[LaneQuota],
    limits: &Limits,
    lease: Duration,
    time: &Time,
) -> Result<Vec<Leased>, Error> {
    // One taker at a time, in a transaction of a few milliseconds: messages outstanding are counted over the whole
    // fleet, so no finer lock would keep two takers from handing out the last place twice. It is a statement of its
    // own, because a statement sees what was committed before it began.
    let lock = "/* acquire */ SELECT pg_advisory_xact_lock(hashtextextended('holdfast.acquire', 0))";
    sqlx::query(lock).execute(&mut *tx).await.during(TAKE)?;
    let now = time.now(tx, TAKE).await?;
    let mut ledger = Ledger::read(tx, asks, limits, now).await?;
    let mut picked = Vec::new();
    for ask in asks {
        let begins = matches!(ask.lane, Lane::Begin { .. });
        let room = ledger.room(ask);
        for candidate in pick(tx, &ask.lane, room, &ledger.begun, now).await? {
            ledger.enter(&ask.lane, &candidate.app);
            picked.push((candidate, begins));
        }
        ledger.settle(&ask.lane);
    }
    let taken = hand_out(tx, picked, later(now, lease)).await?;
    budgets::write(tx, &ledger.drawn, TAKE).await?;
    Ok(most_urgent_first(taken))
}

/// What the limits leave, counted once and then kept while lanes are gone through.
struct Ledger<'a> {
    limits: &'a Limits,
    now: Timestamp,
    outstanding: u32,
    /// Held of each plan, under its subscription, and of each storage account. The limits bound both.
    plans: BTreeMap<(String, String), u32>,
    accounts: BTreeMap<String, u32>,
    buckets: Buckets,
    drawn: Buckets,
    /// What the lane at hand has handed out.
    count: u32,
    /// Apps that this take gives to a run.
    begun: BTreeSet<String>,
}

impl<'a> Ledger<'a> {
    async fn read(
        tx: &mut PgConnection,
        asks: &[LaneQuota],
        limits: &'a Limits,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let subscriptions: BTreeSet<&str> =
            asks.iter().filter_map(|ask| Some(ask.lane.cost()?.0.as_str())).collect();
        let subscriptions: Vec<&str> = subscriptions.into_iter().collect();
        let outstanding = "/* acquire */ SELECT count(*) FROM runs WHERE leased_until IS NOT NULL";
        let outstanding: i64 = sqlx::query_scalar(outstanding).fetch_one(&mut *tx).await.during(TAKE)?;
        let (plans, accounts) = held(tx, asks).await?;
        Ok(Self {
            limits,
            now,
            outstanding: counted(outstanding),
            plans,
            accounts,
            buckets: budgets::read(tx, &subscriptions, TAKE).await?,
            drawn: Buckets::new(),
            count: 0,
            begun: BTreeSet::new(),
        })
    }

    /// How many runs of the lane may go.
    fn room(&self, ask: &LaneQuota) -> u32 {
        let mut room = ask.most.min(self.limits.outstanding.saturating_sub(self.outstanding));
        if let Some((subscription, call)) = ask.lane.cost() {
            room = room.min(self.bucket(subscription, call).whole(self.limits.budget(call), self.now));
        }
        if let Lane::Begin { subscription, plan, account } = &ask.lane {
            let in_plan = self.plans.get(&(subscription.as_str().to_owned(), plan.clone()));
            let into_account = self.accounts.get(account);
            room = room.min(self.limits.per_plan.saturating_sub(in_plan.copied().unwrap_or(0)));
            room = room.min(self.limits.per_account.saturating_sub(into_account.copied().unwrap_or(0)));
        }
        room
    }

    /// A run of the lane goes.
    fn enter(&mut self, lane: &Lane, app: &str) {
        self.outstanding += 1;
        self.count += 1;
        if let Lane::Begin { subscription, plan, account } = lane {
            *self.plans.entry((subscription.as_str().to_owned(), plan.clone())).or_default() += 1;
            *self.accounts.entry(account.clone()).or_default() += 1;
            self.begun.insert(app.to_owned());
        }
    }

    /// The lane is done: its budget pays.
    fn settle(&mut self, lane: &Lane) {
        let count = std::mem::take(&mut self.count);
        if let Some((subscription, call)) = lane.cost()
            && let Some(bucket) =
                self.bucket(subscription, call).drawn(self.limits.budget(call), self.now, count)
        {
            let key = (subscription.as_str().to_owned(), call.as_str());
            self.buckets.insert(key.clone(), bucket);
            self.drawn.insert(key, bucket);
        }
    }

    fn bucket(&self, subscription: &SubscriptionId, call: Call) -> Bucket {
        let bucket = self.buckets.get(&(subscription.as_str().to_owned(), call.as_str()));
        bucket.copied().unwrap_or_else(|| Bucket::full(self.now))
    }
}

type Held = (BTreeMap<(String, String), u32>, BTreeMap<String, u32>);

/// How often the plans and storage accounts of these lanes are held.
async fn held(tx: &mut PgConnection, asks: &[LaneQuota]) -> Result<Held, Error> {
    let mut plans: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut accounts: BTreeSet<&str> = BTreeSet::new();
    for ask in asks {
        if let Lane::Begin { subscription, plan, account } = &ask.lane {
            plans.insert((subscription.as_str(), plan));
            accounts.insert(account);
        }
    }
    let in_plans = "/* acquire */ SELECT asked.subscription, asked.plan, (SELECT count(*) FROM runs
            WHERE occupies_app AND runs.subscription = asked.subscription AND runs.plan = asked.plan)
        FROM unnest($1::text[], $2::text[]) AS asked (subscription, plan)";
    let (subscriptions, names): (Vec<&str>, Vec<&str>) = plans.into_iter().unzip();
    let in_plans: Vec<(String, String, i64)> =
        sqlx::query_as(in_plans).bind(subscriptions).bind(names).fetch_all(&mut *tx).await.during(TAKE)?;
    let into_accounts = "/* acquire */ SELECT asked.account, (SELECT count(*) FROM runs
            WHERE occupies_app AND runs.account = asked.account)
        FROM unnest($1::text[]) AS asked (account)";
    let accounts: Vec<&str> = accounts.into_iter().collect();
    let into_accounts: Vec<(String, i64)> =
        sqlx::query_as(into_accounts).bind(accounts).fetch_all(tx).await.during(TAKE)?;
    Ok((
        in_plans.into_iter().map(|(of, plan, count)| ((of, plan), counted(count))).collect(),
        into_accounts.into_iter().map(|(account, count)| (account, counted(count))).collect(),
    ))
}

fn counted(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[derive(Debug, FromRow)]
struct Candidate {
    id: Uuid,
    version: i64,
    priority: i64,
    due_at: Timestamp,
    app: String,
    held: bool,
}

/// The due runs of a lane that go. One page mostly has them; the second has all that may be looked at.
async fn pick(
    tx: &mut PgConnection,
    lane: &Lane,
    room: u32,
    begun: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Vec<Candidate>, Error> {
    let mut pick = Selected::new(room, matches!(lane, Lane::Begin { .. }));
    let (mut picked, mut seen) = (Vec::new(), 0);
    while pick.looks() > 0 {
        let most = if seen == 0 { pick.looks().min(room.saturating_add(16)) } else { pick.looks() };
        let page = page(tx, lane, now, (seen, most)).await?;
        let last = page.len() < most as usize;
        for candidate in page {
            if pick.goes(&candidate.app, candidate.held || begun.contains(&candidate.app)) {
                picked.push(candidate);
            }
        }
        seen += most;
        if last {
            break;
        }
    }
    Ok(picked)
}

/// What is due in a lane, in its order, but for the first `seen`. Read priority by priority, so that runs due later in
/// one are not read on the way.
async fn page(
    tx: &mut PgConnection,
    lane: &Lane,
    now: Timestamp,
    (seen, most): (u32, u32),
) -> Result<Vec<Candidate>, Error> {
    let page = "/* acquire */ SELECT run.id, run.version, run.priority, run.due_at, run.app, holder.id IS NOT NULL AS held
        FROM (
            SELECT run.* FROM (VALUES (0::bigint), (1), (2), (3)) AS priorities (priority)
            CROSS JOIN LATERAL (
                SELECT id, version, priority, due_at, app FROM runs
                WHERE lane = $1 AND leased_until IS NULL AND runs.priority = priorities.priority AND due_at <= $2
                ORDER BY due_at, id LIMIT $3::bigint + $4::bigint
            ) AS run
            ORDER BY run.priority, run.due_at, run.id OFFSET $3::bigint LIMIT $4::bigint
        ) AS run
        LEFT JOIN LATERAL (
            SELECT id FROM runs WHERE runs.occupies_app AND runs.app = run.app LIMIT 1
        ) AS holder ON true
        ORDER BY run.priority, run.due_at, run.id";
    sqlx::query_as(page)
        .bind(lane.to_string())
        .bind(now)
        .bind(i64::from(seen))
        .bind(i64::from(most))
        .fetch_all(tx)
        .await
        .during(TAKE)
}

/// Leases what goes. A run that somebody changed since it was looked at is left out; its token is spent for nothing.
async fn hand_out(
    tx: &mut PgConnection,
    picked: Vec<(Candidate, bool)>,
    until: Timestamp,
) -> Result<Vec<(Timestamp, Leased)>, Error> {
    if picked.is_empty() {
        return Ok(Vec::new());
    }
    let hand_out =
        "/* acquire */ UPDATE runs SET leased_until = $1, occupies_app = runs.occupies_app OR picked.begins
        FROM unnest($2::uuid[], $3::bigint[], $4::boolean[]) AS picked (id, version, begins)
        WHERE runs.id = picked.id AND runs.version = picked.version AND runs.leased_until IS NULL
        RETURNING runs.id";
    let gone: Vec<Uuid> = sqlx::query_scalar(hand_out)
        .bind(until)
        .bind(picked.iter().map(|(run, _)| run.id).collect::<Vec<_>>())
        .bind(picked.iter().map(|(run, _)| run.version).collect::<Vec<_>>())
        .bind(picked.iter().map(|(_, begins)| *begins).collect::<Vec<_>>())
        .fetch_all(tx)
        .await
        .during(TAKE)?;
    let gone: BTreeSet<Uuid> = gone.into_iter().collect();
    let mut taken = Vec::new();
    for (run, _) in picked.into_iter().filter(|(run, _)| gone.contains(&run.id)) {
        let wakeup = Wakeup { run_id: run_id(run.id, TAKE)?, version: run.version };
        let reading = Reading { operation: TAKE, of: run.id.to_string() };
        taken.push((run.due_at, Leased { wakeup, priority: reading.priority(run.priority)? }));
    }
    Ok(taken)
}
