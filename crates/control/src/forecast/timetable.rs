//! Backups in virtual time: when each begins and ends under the fleet's limits. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use holdfast_model::{Budget, Limits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Milliseconds after the start of the forecast.
pub(super) type Millis = i64;

/// The places that the backups of an app occupy, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    pub subscription: usize,
    pub plan: usize,
    pub account: usize,
}

/// A backup that is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct DueBackup {
    pub app: usize,
    pub lane: Lane,
    pub due_at: Millis,
    /// How long it will probably take.
    pub takes: Millis,
    /// Whether it is under way at the start.
    pub is_under_way: bool,
}

/// What a backup waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// The app's previous backup.
    App,
    /// A place in the App Service plan (`limits.per_plan`).
    Plan,
    /// A place with the storage account (`limits.per_account`).
    Account,
    /// ARM's budget for writes in the subscription.
    Budget,
}

impl WaitsFor {
    /// The reason for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "the app's previous backup",
            Self::Plan => "a place in the plan",
            Self::Account => "a place with the storage account",
            Self::Budget => "the write budget",
        }
    }
}

/// When a backup begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub begins_at: Millis,
    pub ends_at: Millis,
    /// What it waited for at last; `None` if it began when it was due.
    pub waits_for: Option<WaitsFor>,
}

/// A budget of a subscription.
#[derive(Debug, Clone, Copy)]
struct Tokens {
    left: f64,
    filled_at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ended(usize),
    Due(usize),
    /// A budget has a token again.
    Refilled,
}

/// Computes the slot of each backup. Those that wait in one lane begin in the order in which they are due; lanes take turns.
pub(super) fn slots(backups: &[DueBackup], limits: &Limits) -> Vec<Slot> {
    let mut timetable = Timetable::new(backups, limits);
    while let Some(Reverse((now, event))) = timetable.events.pop() {
        timetable.happen(event);
        let is_last_now = timetable.events.peek().is_none_or(|Reverse((next, _))| *next > now);
        if is_last_now {
            timetable.begin(now);
        }
    }
    timetable.slots
}

struct Timetable<'a> {
    backups: &'a [DueBackup],
    limits: &'a Limits,
    events: BinaryHeap<Reverse<(Millis, Event)>>,
    /// By subscription first, so that one without budget is passed over at once.
    waiting: BTreeMap<usize, BTreeMap<Lane, VecDeque<usize>>>,
    busy_apps: BTreeMap<usize, u32>,
    busy_plans: BTreeMap<usize, u32>,
    busy_accounts: BTreeMap<usize, u32>,
    budgets: BTreeMap<usize, Tokens>,
    slots: Vec<Slot>,
}

impl<'a> Timetable<'a> {
    fn new(backups: &'a [DueBackup], limits: &'a Limits) -> Self {
        let due = |(number, backup): (usize, &DueBackup)| Reverse((backup.due_at, Event::Due(number)));
        Self {
            backups,
            limits,
            events: backups.iter().enumerate().map(due).collect(),
            waiting: BTreeMap::new(),
            busy_apps: BTreeMap::new(),
            busy_plans: BTreeMap::new(),
            busy_accounts: BTreeMap::new(),
            budgets: BTreeMap::new(),
            slots: vec![Slot { begins_at: 0, ends_at: 0, waits_for: None }; backups.len()],
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Ended(number) => self.occupy(number, |places| *places -= 1),
            Event::Due(number) if self.backups[number].is_under_way => {
                self.start(number, self.backups[number].due_at);
            }
            Event::Due(number) => {
                let lane = self.backups[number].lane;
                self.waiting.entry(lane.subscription).or_default().entry(lane).or_default().push_back(number);
            }
            Event::Refilled => {}
        }
    }

    /// Begins whatever can begin now.
    fn begin(&mut self, now: Millis) {
        let subscriptions: Vec<usize> = self.waiting.keys().copied().collect();
        for subscription in subscriptions {
            while self.begin_one_of_each_lane(subscription, now) {}
        }
        self.waiting.retain(|_, lanes| {
            lanes.retain(|_, waiting| !waiting.is_empty());
            !lanes.is_empty()
        });
    }

    /// Begins the first backup of each lane that may; true if one began.
    fn begin_one_of_each_lane(&mut self, subscription: usize, now: Millis) -> bool {
        let mut began = false;
        let lanes: Vec<Lane> =
            self.waiting.get(&subscription).into_iter().flat_map(|lanes| lanes.keys().copied()).collect();
        for lane in lanes {
            let first = self.waiting.get(&subscription).and_then(|lanes| lanes.get(&lane)?.front().copied());
            let Some(number) = first else { continue };
            if let Some(reason) = self.obstacle(number, now) {
                self.slots[number].waits_for = Some(reason);
                continue;
            }
            if let Some(waiting) = self.waiting.get_mut(&subscription).and_then(|lanes| lanes.get_mut(&lane))
            {
                waiting.pop_front();
            }
            if let Some(tokens) = self.budgets.get_mut(&subscription) {
                tokens.left -= 1.0;
            }
            self.start(number, now);
            began = true;
        }
        began
    }

    /// What keeps a backup from beginning now.
    fn obstacle(&mut self, number: usize, now: Millis) -> Option<WaitsFor> {
        let DueBackup { app, lane, .. } = self.backups[number];
        let count = |places: &BTreeMap<usize, u32>, place| places.get(&place).copied().unwrap_or_default();
        if count(&self.busy_apps, app) > 0 {
            Some(WaitsFor::App)
        } else if count(&self.busy_plans, lane.plan) >= self.limits.per_plan.max(1) {
            Some(WaitsFor::Plan)
        } else if count(&self.busy_accounts, lane.account) >= self.limits.per_account.max(1) {
            Some(WaitsFor::Account)
        } else if let Some(at) = self.without_token_until(lane.subscription, now) {
            self.events.push(Reverse((at, Event::Refilled)));
            Some(WaitsFor::Budget)
        } else {
            None
        }
    }

    /// When the subscription has a token again; `None` if it has one.
    fn without_token_until(&mut self, subscription: usize, now: Millis) -> Option<Millis> {
        let Budget { capacity, per_second } = self.limits.writes;
        let tokens = self.budgets.entry(subscription).or_insert(Tokens { left: capacity, filled_at: now });
        let seconds = std::time::Duration::from_millis(u64::try_from(now - tokens.filled_at).unwrap_or(0));
        tokens.left = (tokens.left + seconds.as_secs_f64() * per_second).min(capacity);
        tokens.filled_at = now;
        // Refills are sums of floats: a token that lacks a trifle is a token.
        let missing = 1.0 - tokens.left;
        (missing > 1e-6).then(|| now + whole_millis(missing / per_second.max(0.01)))
    }

    fn start(&mut self, number: usize, now: Millis) {
        let ends_at = now + self.backups[number].takes.max(1);
        let waits_for = self.slots[number].waits_for;
        self.slots[number] = Slot { begins_at: now, ends_at, waits_for };
        self.occupy(number, |places| *places += 1);
        self.events.push(Reverse((ends_at, Event::Ended(number))));
    }

    fn occupy(&mut self, number: usize, change: impl Fn(&mut u32)) {
        let DueBackup { app, lane, .. } = self.backups[number];
        change(self.busy_apps.entry(app).or_default());
        change(self.busy_plans.entry(lane.plan).or_default());
        change(self.busy_accounts.entry(lane.account).or_default());
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a wait for a token is at most some minutes")]
fn whole_millis(seconds: f64) -> Millis {
    (seconds * 1_000.0).ceil().max(1.0) as Millis
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: Lane = Lane { subscription: 0, plan: 0, account: 0 };

    fn due(app: usize, lane: Lane) -> DueBackup {
        DueBackup { app, lane, due_at: 0, takes: 60_000, is_under_way: false }
    }

    fn begins(backups: &[DueBackup], limits: &Limits) -> Vec<(Millis, Option<WaitsFor>)> {
        slots(backups, limits).into_iter().map(|slot| (slot.begins_at, slot.waits_for)).collect()
    }

    #[test]
    fn a_plan_has_so_many_places_and_the_next_backup_waits_for_one() {
        let limits = Limits { per_plan: 2, ..Limits::default() };
        let backups = [0, 1, 2].map(|app| due(app, LANE));
        assert_eq!(begins(&backups, &limits), [(0, None), (0, None), (60_000, Some(WaitsFor::Plan))]);
    }

    #[test]
    fn a_full_plan_holds_up_no_other_plan() {
        let limits = Limits { per_plan: 1, ..Limits::default() };
        let backups = [due(0, LANE), due(1, LANE), due(2, Lane { plan: 1, ..LANE })];
        assert_eq!(begins(&backups, &limits)[2], (0, None));
    }

    #[test]
    fn an_account_is_shared_by_subscriptions() {
        let limits = Limits { per_account: 1, ..Limits::default() };
        let backups = [due(0, LANE), due(1, Lane { subscription: 1, plan: 1, ..LANE })];
        assert_eq!(begins(&backups, &limits), [(0, None), (60_000, Some(WaitsFor::Account))]);
    }

    #[test]
    fn a_thousand_backups_begin_as_fast_as_the_budget_allows() {
        let limits = Limits { per_account: 9_999, ..Limits::default() };
        let backups: Vec<DueBackup> = (0..1_000).map(|app| due(app, Lane { plan: app, ..LANE })).collect();
        let last = slots(&backups, &limits).into_iter().map(|slot| slot.begins_at).max().unwrap();
        // 200 at once, then ten a second.
        assert!((79_900..=80_200).contains(&last), "{last}");
    }

    #[test]
    fn an_app_is_backed_up_once_at_a_time_and_what_is_under_way_counts() {
        let under_way = DueBackup { takes: 10_000, is_under_way: true, ..due(0, LANE) };
        assert_eq!(
            begins(&[under_way, due(0, LANE)], &Limits::default()),
            [(0, None), (10_000, Some(WaitsFor::App))]
        );
    }
}
