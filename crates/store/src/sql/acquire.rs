//! Acquiring due runs. The cost follows what is leased, not what waits.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{Lane, Limits, RunId, SubscriptionId, Timestamp};
use serde_json::json as object;

use crate::columns::later;
use crate::error::Result;
use crate::lanes::{LaneQuota, LeaseTerms, Leased};
use crate::rules::acquire::{Admission, Admitted, BySubscription, Candidate, Page, Usage};
use crate::sql::arg::Arg;
use crate::sql::budgets;
use crate::sql::candidates::Asked;
use crate::sql::lock::lock_admission;
use crate::sql::row::{FromRow, Row};
use crate::sql::rows::key::IdRow;
use crate::sql::session::Session;

pub(super) const ACQUIRE: &str = "acquire due runs";

pub(super) async fn acquire<S: Session>(
    session: &mut S,
    quotas: &[LaneQuota],
    limits: &Limits,
    terms: LeaseTerms,
) -> Result<Vec<Leased>> {
    lock_admission(session).await?;
    let now = session.now().await?;
    let mut admission =
        Admission::new(limits, now, usage(session, quotas).await?, quotas).drawing_from(terms.seed);
    let mut fronts = fronts(session, &mut admission, quotas, now).await?.into_iter();
    for quota in quotas {
        let mut front = fronts.next();
        let mut lane = admission.lane(quota);
        while let Some(page) = lane.next_page() {
            let candidates = match front.take().and_then(|front| front.narrowed(page)) {
                Some(candidates) => candidates,
                None => {
                    session.candidates(&[(&quota.lane, page)], now).await?.into_iter().flatten().collect()
                }
            };
            lane.offer(page, candidates);
        }
        lane.draw_tokens();
    }
    let until = Arg::Time(later(now, terms.lasts));
    let written = write_leases(session, admission.admitted(), until).await?;
    budgets::write(session, admission.drawn()).await?;
    Ok(admission.leased(|id| written.contains(&id)))
}

/// The first page of a lane.
struct Front {
    page: Option<Page>,
    candidates: Vec<Candidate>,
}

impl Front {
    /// The candidates of `page`, which is smaller than the one that was read where lanes before it took the room.
    fn narrowed(mut self, page: Page) -> Option<Vec<Candidate>> {
        self.page.filter(|read| read.skip == page.skip && read.most >= page.most)?;
        self.candidates.truncate(page.most as usize);
        Some(self.candidates)
    }
}

/// The first pages of all lanes, read together.
async fn fronts<S: Session>(
    session: &mut S,
    admission: &mut Admission<'_>,
    quotas: &[LaneQuota],
    now: Timestamp,
) -> Result<Vec<Front>> {
    let pages: Vec<Option<Page>> = quotas.iter().map(|quota| admission.lane(quota).next_page()).collect();
    let asked: Vec<Asked<'_>> =
        quotas.iter().zip(&pages).filter_map(|(quota, page)| page.map(|page| (&quota.lane, page))).collect();
    let mut read = session.candidates(&asked, now).await?.into_iter();
    let front = |page: Option<Page>| {
        let candidates = page.and_then(|_| read.next()).unwrap_or_default();
        Front { page, candidates }
    };
    Ok(pages.into_iter().map(front).collect())
}

/// What is in use of everything that the lanes need.
async fn usage<S: Session>(session: &mut S, quotas: &[LaneQuota]) -> Result<Usage> {
    let leased = leased(session).await?;
    let costs = quotas.iter().filter_map(|quota| quota.lane.cost());
    let subscriptions: BTreeSet<&SubscriptionId> = costs.map(|(subscription, _)| subscription).collect();
    let (mut plans, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    for quota in quotas {
        if let Lane::Begin { subscription, plan, account } = &quota.lane {
            plans.insert((subscription, plan.as_str()));
            accounts.insert(account.as_str());
        }
    }
    Ok(Usage {
        outstanding: leased.values().sum(),
        leased,
        plans: occupied_plans(session, plans).await?,
        accounts: occupied_accounts(session, accounts).await?,
        budgets: budgets::read(session, &subscriptions).await?,
    })
}

struct LeasedRow {
    subscription: SubscriptionId,
    count: u32,
}

impl FromRow for LeasedRow {
    const KEY: &'static [&'static str] = &["subscription"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { subscription: SubscriptionId::new(&row.text("subscription")?), count: row.count("count")? })
    }
}

/// The leases of each subscription. They are few, because `outstanding` bounds them.
async fn leased(session: &mut impl Session) -> Result<BySubscription> {
    let leased = "/* leased */ SELECT subscription, count(*) AS count FROM unfinished_runs
        WHERE leased_until > $1 GROUP BY subscription";
    let rows: Vec<LeasedRow> = session.fetch(leased, vec![Arg::Time(Timestamp::UNIX_EPOCH)]).await?;
    Ok(rows.into_iter().map(|LeasedRow { subscription, count }| (subscription, count)).collect())
}

/// How many runs of a group occupy an app.
struct PlanCount {
    subscription: SubscriptionId,
    plan: String,
    count: u32,
}

impl FromRow for PlanCount {
    const KEY: &'static [&'static str] = &["subscription", "plan"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let subscription = SubscriptionId::new(&row.text("subscription")?);
        Ok(Self { subscription, plan: row.text("plan")?, count: row.count("count")? })
    }
}

async fn occupied_plans<S: Session>(
    session: &mut S,
    plans: BTreeSet<(&SubscriptionId, &str)>,
) -> Result<BTreeMap<(SubscriptionId, String), u32>> {
    let row = |(subscription, plan): (&SubscriptionId, &str)| object!({ "subscription": subscription.as_str(), "plan": plan });
    let rows: Vec<_> = plans.into_iter().map(row).collect();
    let counts: Vec<PlanCount> = session.fetch(S::DIALECT.occupied_plans, vec![Arg::json(&rows)]).await?;
    Ok(counts.into_iter().map(|row| ((row.subscription, row.plan), row.count)).collect())
}

/// How many runs of a storage account and a subscription occupy an app.
struct OccupiedRow {
    account: String,
    subscription: SubscriptionId,
    count: u32,
}

impl FromRow for OccupiedRow {
    const KEY: &'static [&'static str] = &["account"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let subscription = SubscriptionId::new(&row.text("subscription")?);
        Ok(Self { account: row.text("account")?, subscription, count: row.count("count")? })
    }
}

async fn occupied_accounts<S: Session>(
    session: &mut S,
    accounts: BTreeSet<&str>,
) -> Result<BTreeMap<String, BySubscription>> {
    let asked: Vec<&str> = accounts.into_iter().collect();
    let occupied: Vec<OccupiedRow> =
        session.fetch(S::DIALECT.occupied_accounts, vec![Arg::json(&asked)]).await?;
    let mut accounts: BTreeMap<String, BySubscription> = BTreeMap::new();
    for OccupiedRow { account, subscription, count } in occupied {
        *accounts.entry(account).or_default().entry(subscription).or_default() += count;
    }
    Ok(accounts)
}

/// Leases what was admitted and has not changed since it was read. Returns the ids.
async fn write_leases<S: Session>(
    session: &mut S,
    admitted: &[Admitted],
    until: Arg,
) -> Result<BTreeSet<RunId>> {
    if admitted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let row = |Admitted { candidate: run, begins, nonce }: &Admitted| object!({ "id": run.id.to_string(), "version": run.version, "begins": begins, "nonce": nonce });
    let rows: Vec<_> = admitted.iter().map(row).collect();
    let written: Vec<IdRow> = session.fetch(S::DIALECT.lease, vec![until, Arg::json(&rows)]).await?;
    Ok(written.into_iter().map(|row| row.0).collect())
}
