//! Acquire: admission control over the lanes, given what is leased, occupied and budgeted.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{Call, Lane, Limits, Priority, RunId, SubscriptionId, Timestamp, Wakeup};

use crate::lanes::{LaneQuota, Leased};
use crate::rules::bucket::Bucket;

/// The budgets that were drawn on, by subscription and kind of call.
pub(crate) type Budgets = BTreeMap<(SubscriptionId, Call), Bucket>;

/// Runs by subscription.
pub(crate) type BySubscription = BTreeMap<SubscriptionId, u32>;

/// What is in use when an acquire begins.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Runs that are leased.
    pub outstanding: u32,
    /// Runs that are leased, by subscription.
    pub leased: BySubscription,
    /// Runs that occupy an app, by subscription and App Service plan.
    pub plans: BTreeMap<(SubscriptionId, String), u32>,
    /// Runs that occupy an app, by storage account.
    pub accounts: BTreeMap<String, BySubscription>,
    /// A budget that was never drawn on or closed is absent: it is full.
    pub budgets: Budgets,
}

/// A due run at the front of a lane.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub id: RunId,
    pub version: i64,
    pub priority: Priority,
    pub due_at: Timestamp,
    pub app: String,
    /// Whether a run occupies the app.
    pub is_occupied: bool,
}

/// A candidate that gets a lease.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub candidate: Candidate,
    /// Whether it occupies its app from here on.
    pub begins: bool,
    /// The number of its lease.
    pub nonce: i64,
}

/// Which candidates of a lane to read: `most` of them after the first `skip`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub skip: u32,
    pub most: u32,
}

/// One acquire: counts what is in use while lane after lane is served.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    limits: &'a Limits,
    now: Timestamp,
    usage: Usage,
    drawn: Budgets,
    admitted: Vec<Admitted>,
    /// Apps that this acquire occupies.
    begun: BTreeSet<String>,
    /// The most that a subscription may have leased while others have due or leased runs.
    share: u32,
    /// The subscriptions with due runs that begin, by storage account.
    users: BTreeMap<String, BTreeSet<SubscriptionId>>,
    /// Draws the numbers of leases.
    rng: fastrand::Rng,
}

impl<'a> Admission<'a> {
    pub fn new(limits: &'a Limits, now: Timestamp, usage: Usage, quotas: &[LaneQuota]) -> Self {
        let due = quotas.iter().filter_map(|quota| quota.lane.cost()).map(|(subscription, _)| subscription);
        let active: BTreeSet<&SubscriptionId> = due.chain(usage.leased.keys()).collect();
        let active = u32::try_from(active.len()).unwrap_or(u32::MAX).max(1);
        let share = limits.outstanding.div_ceil(active);
        let (drawn, admitted, begun) = (Budgets::new(), Vec::new(), BTreeSet::new());
        let mut users: BTreeMap<String, BTreeSet<SubscriptionId>> = BTreeMap::new();
        for quota in quotas {
            if let Lane::Begin { subscription, account, .. } = &quota.lane {
                users.entry(account.clone()).or_default().insert(subscription.clone());
            }
        }
        let rng = fastrand::Rng::with_seed(0);
        Self { limits, now, usage, drawn, admitted, begun, share, users, rng }
    }

    /// Draws the numbers of the leases from `seed`.
    #[must_use]
    pub fn drawing_from(self, seed: u64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed), ..self }
    }

    /// Starts to serve a lane.
    pub fn lane<'l>(&'l mut self, quota: &'l LaneQuota) -> LaneAdmission<'a, 'l> {
        let begins = matches!(quota.lane, Lane::Begin { .. });
        let room = self.room(quota);
        // Runs that wait behind their app's current run are mostly few, because overlapping ticks are skipped. The bound
        // keeps an acquire cheap when they are many.
        let looks = if begins { room.saturating_mul(4).saturating_add(1_000) } else { room };
        let looks = if room == 0 { 0 } else { looks };
        LaneAdmission { admission: self, lane: &quota.lane, begins, room, looks, seen: 0, admitted: 0 }
    }

    /// The budgets to write.
    pub fn drawn(&self) -> &Budgets {
        &self.drawn
    }

    /// The leases to write.
    pub fn admitted(&self) -> &[Admitted] {
        &self.admitted
    }

    /// The leases that were written, the most urgent first, then the longest due. A run that changed since it was read
    /// is left out; its token is lost.
    pub fn leased(mut self, is_written: impl Fn(RunId) -> bool) -> Vec<Leased> {
        self.admitted.retain(|admitted| is_written(admitted.candidate.id));
        self.admitted.sort_by_key(|Admitted { candidate: run, .. }| (run.priority, run.due_at, run.id));
        let leased = |Admitted { candidate: run, nonce, .. }: &Admitted| Leased {
            wakeup: Wakeup { run_id: run.id, version: run.version, nonce: *nonce },
            priority: run.priority,
        };
        self.admitted.iter().map(leased).collect()
    }

    /// How many runs of the lane fit.
    fn room(&self, quota: &LaneQuota) -> u32 {
        let Self { limits, usage, .. } = self;
        let mut room = quota.most.min(limits.outstanding.saturating_sub(usage.outstanding));
        if let Some((subscription, call)) = quota.lane.cost() {
            room = room.min(self.bucket(subscription, call).whole(limits.budget(call), self.now));
            // What hangs holds its leases: more than its share would leave none for the others.
            let leased = usage.leased.get(subscription).copied().unwrap_or(0);
            room = room.min(self.share.saturating_sub(leased));
        }
        if let Lane::Begin { subscription, plan, account } = &quota.lane {
            let left = |limit: u32, used: Option<&u32>| limit.saturating_sub(used.copied().unwrap_or(0));
            room = room.min(left(limits.per_plan, usage.plans.get(&(subscription.clone(), plan.clone()))));
            room = room.min(self.account_room(subscription, account));
        }
        room
    }

    /// Runs that may still begin with the account: of all subscriptions, and of this one's share. Those with due runs share what
    /// the others leave, because room that is kept for a subscription without due runs would stay empty.
    fn account_room(&self, subscription: &SubscriptionId, account: &str) -> u32 {
        let limit = self.limits.per_account;
        let empty = BySubscription::new();
        let occupied = self.usage.accounts.get(account).unwrap_or(&empty);
        let due = self.users.get(account);
        let has_due = |user: &SubscriptionId| due.is_some_and(|due| due.contains(user));
        let others: u32 = occupied.iter().filter(|(user, _)| !has_due(user)).map(|(_, count)| count).sum();
        let sharing = due.map_or(1, BTreeSet::len).max(1);
        let share = limit.saturating_sub(others).div_ceil(u32::try_from(sharing).unwrap_or(u32::MAX));
        let own = occupied.get(subscription).copied().unwrap_or(0);
        limit.saturating_sub(occupied.values().sum()).min(share.saturating_sub(own))
    }

    fn bucket(&self, subscription: &SubscriptionId, call: Call) -> Bucket {
        let bucket = self.usage.budgets.get(&(subscription.clone(), call));
        bucket.copied().unwrap_or_else(|| Bucket::full(self.now))
    }

    fn admit(&mut self, lane: &Lane, candidate: Candidate) {
        let mut begins = false;
        self.usage.outstanding += 1;
        if let Some((subscription, _)) = lane.cost() {
            *self.usage.leased.entry(subscription.clone()).or_default() += 1;
        }
        if let Lane::Begin { subscription, plan, account } = lane {
            begins = true;
            *self.usage.plans.entry((subscription.clone(), plan.clone())).or_default() += 1;
            let of_account = self.usage.accounts.entry(account.clone()).or_default();
            *of_account.entry(subscription.clone()).or_default() += 1;
            self.begun.insert(candidate.app.clone());
        }
        let nonce = self.rng.i64(1..);
        self.admitted.push(Admitted { candidate, begins, nonce });
    }

    fn draw(&mut self, lane: &Lane, count: u32) {
        let Some((subscription, call)) = lane.cost() else { return };
        let drawn = self.bucket(subscription, call).drawn(self.limits.budget(call), self.now, count);
        if let Some(bucket) = drawn {
            self.usage.budgets.insert((subscription.clone(), call), bucket);
            self.drawn.insert((subscription.clone(), call), bucket);
        }
    }
}

/// A lane that is being served.
#[derive(Debug)]
pub(crate) struct LaneAdmission<'a, 'l> {
    admission: &'l mut Admission<'a>,
    lane: &'l Lane,
    begins: bool,
    /// How many more runs fit.
    room: u32,
    /// How many more candidates are looked at.
    looks: u32,
    seen: u32,
    admitted: u32,
}

impl LaneAdmission<'_, '_> {
    /// The candidates to read next; `None` when the lane is served. The first page mostly suffices, because few apps are
    /// occupied; the second one has all that may be looked at.
    pub fn next_page(&self) -> Option<Page> {
        let first = self.room.saturating_add(self.room / 4 + 2);
        let most = if self.seen == 0 { self.looks.min(first) } else { self.looks };
        (self.room > 0 && most > 0).then_some(Page { skip: self.seen, most })
    }

    /// Admits candidates of a page in their order, as far as there is room. Where the step begins an operation, each
    /// must be of another app, and of a free one.
    pub fn offer(&mut self, page: Page, candidates: Vec<Candidate>) {
        let is_last_page = candidates.len() < page.most as usize;
        for candidate in candidates {
            if self.room == 0 || self.looks == 0 {
                break;
            }
            self.looks -= 1;
            let is_free = !candidate.is_occupied && !self.admission.begun.contains(&candidate.app);
            if !self.begins || is_free {
                self.room -= 1;
                self.admitted += 1;
                self.admission.admit(self.lane, candidate);
            }
        }
        self.seen += page.most;
        if is_last_page {
            self.looks = 0;
        }
    }

    /// Draws the tokens of the runs that were admitted.
    pub fn draw_tokens(self) {
        self.admission.draw(self.lane, self.admitted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(most: u32) -> LaneQuota {
        let subscription = SubscriptionId::new("s");
        LaneQuota { lane: Lane::Begin { subscription, plan: "p".into(), account: "a".into() }, most }
    }

    fn candidate(rng: &mut fastrand::Rng, app: &str, is_occupied: bool) -> Candidate {
        let (priority, due_at) = (Priority::Scheduled, Timestamp::UNIX_EPOCH);
        Candidate { id: RunId::new(due_at, rng), version: 1, priority, due_at, app: app.into(), is_occupied }
    }

    #[test]
    fn where_operations_begin_each_app_goes_once_and_only_while_it_is_free() {
        let (limits, quota, mut rng) = (Limits::default(), begin(2), fastrand::Rng::with_seed(1));
        let mut admission = Admission::new(&limits, Timestamp::UNIX_EPOCH, Usage::default(), &[]);
        let mut lane = admission.lane(&quota);
        let page = lane.next_page().unwrap();
        let apps = [("a", true), ("b", false), ("b", false), ("c", false), ("d", false)];
        lane.offer(page, apps.map(|(app, occupied)| candidate(&mut rng, app, occupied)).to_vec());
        assert_eq!(lane.next_page(), None);
        lane.draw_tokens();
        let apps: Vec<&str> = admission.admitted().iter().map(|run| run.candidate.app.as_str()).collect();
        assert_eq!(apps, ["b", "c"]);
        assert_eq!(admission.drawn().len(), 1);
        assert_eq!(admission.leased(|_| true).len(), 2);
    }

    #[test]
    fn looking_ends_however_many_wait_behind_one_app() {
        let (limits, mut rng) = (Limits::default(), fastrand::Rng::with_seed(1));
        let mut admission = Admission::new(&limits, Timestamp::UNIX_EPOCH, Usage::default(), &[]);
        let (quota, none) = (begin(1), begin(0));
        let mut lane = admission.lane(&quota);
        let mut looks = 0;
        while let Some(page) = lane.next_page() {
            let waiting = (0..page.most).map(|_| candidate(&mut rng, "a", true)).collect();
            looks += page.most;
            lane.offer(page, waiting);
        }
        assert_eq!(looks, 1_004);
        assert_eq!(admission.lane(&none).next_page(), None);
    }

    #[test]
    fn the_limits_of_plan_account_and_outstanding_each_bound_a_lane() {
        let at = Timestamp::UNIX_EPOCH;
        let limits = Limits { per_plan: 5, per_account: 6, outstanding: 7, ..Limits::default() };
        let room = |usage: Usage| Admission::new(&limits, at, usage, &[begin(9)]).room(&begin(9));
        assert_eq!(room(Usage::default()), 5);
        let subscription = SubscriptionId::new("s");
        let plans = BTreeMap::from([((subscription, "p".to_owned()), 2)]);
        assert_eq!(room(Usage { plans, ..Usage::default() }), 3);
        let of_account = BTreeMap::from([(SubscriptionId::new("s"), 4)]);
        let accounts = BTreeMap::from([("a".to_owned(), of_account)]);
        assert_eq!(room(Usage { accounts, ..Usage::default() }), 2);
        assert_eq!(room(Usage { outstanding: 6, ..Usage::default() }), 1);
    }

    #[test]
    fn a_subscription_takes_its_share_of_a_storage_account_and_what_others_do_not_need() {
        let limits = Limits { per_plan: 99, per_account: 20, ..Limits::default() };
        let other = || SubscriptionId::new("other");
        let lane = Lane::Begin { subscription: other(), plan: "p".into(), account: "a".into() };
        let both = [begin(99), LaneQuota { lane, most: 99 }];
        let room = |quotas: &[LaneQuota], own: u32, others: u32| {
            let of = [(SubscriptionId::new("s"), own), (other(), others)];
            let of = of.into_iter().filter(|(_, count)| *count > 0).collect();
            let usage = Usage { accounts: BTreeMap::from([("a".to_owned(), of)]), ..Usage::default() };
            Admission::new(&limits, Timestamp::UNIX_EPOCH, usage, quotas).room(&begin(99))
        };
        let due = |own, others| room(&both, own, others);
        assert_eq!([due(0, 0), due(0, 1), due(8, 1), due(12, 1), due(0, 15)], [10, 10, 2, 0, 5]);
        let alone = |own, others| room(&both[..1], own, others);
        assert_eq!([alone(0, 0), alone(0, 1), alone(8, 1), alone(12, 1), alone(0, 15)], [20, 19, 11, 7, 5]);
    }

    #[test]
    fn a_subscription_leases_at_most_its_share_while_another_has_runs() {
        let (at, s) = (Timestamp::UNIX_EPOCH, SubscriptionId::new("s"));
        let limits = Limits { per_plan: 99, outstanding: 40, ..Limits::default() };
        let poll = LaneQuota { lane: Lane::Poll { subscription: SubscriptionId::new("other") }, most: 9 };
        let room = |leased: u32, quotas: &[LaneQuota]| {
            let leased = BTreeMap::from([(s.clone(), leased)]);
            Admission::new(&limits, at, Usage { leased, ..Usage::default() }, quotas).room(&begin(99))
        };
        assert_eq!(room(15, &[begin(99)]), 25);
        assert_eq!(room(15, &[begin(99), poll.clone()]), 5);
        assert_eq!(room(30, &[begin(99), poll]), 0);
    }
}
