//! What hands runs out and takes them back.

use std::ops::Bound::{Excluded, Included};
use std::time::Duration;

use holdfast_model::{Lane, Limits, Priority, RunId, Timestamp, Wakeup};

use super::state::{Row, State};
use crate::columns::later;
use crate::selection::{Selected, most_urgent_first};
use crate::{DueLane, DueLanes, LaneQuota, Leased};

impl State {
    pub fn reclaim(&mut self, now: Timestamp) -> u64 {
        let lapsed: Vec<RunId> =
            self.leases.iter().take_while(|(until, _)| *until <= now).map(|(_, id)| *id).collect();
        for id in &lapsed {
            let Some(mut row) = self.row(*id).cloned() else { continue };
            row.leased_until = None;
            row.occupies_app = row.occupies_app && row.run.occupies_app();
            row.run.version += 1;
            self.put(row);
        }
        lapsed.len() as u64
    }

    pub fn due_lanes(&self, now: Timestamp) -> DueLanes {
        let mut board = DueLanes { now, outstanding: self.outstanding(), ..DueLanes::default() };
        let lease_ends = self.leases.iter().map(|(until, _)| *until).find(|until| *until > now);
        let mut soon: Vec<Timestamp> = lease_ends.into_iter().collect();
        for (lane, places) in &self.lanes {
            let mut due = None;
            for priority in Priority::ALL {
                let rank = priority.rank();
                let first = places.range((rank, Timestamp::MIN_UTC)..=(rank, now)).next();
                due = due.or(first.map(|((_, due_at), _)| DueLane {
                    lane: lane.clone(),
                    priority,
                    due_at: *due_at,
                }));
                let next = places.range((Excluded((rank, now)), Included((rank, Timestamp::MAX_UTC)))).next();
                soon.extend(next.map(|((_, due_at), _)| *due_at));
            }
            board.lanes.extend(due);
        }
        board.next_at = soon.into_iter().min();
        board
    }

    pub fn acquire(
        &mut self,
        asks: &[LaneQuota],
        limits: &Limits,
        lease: Duration,
        now: Timestamp,
    ) -> Vec<Leased> {
        let mut taken = Vec::new();
        for ask in asks {
            let begins = matches!(ask.lane, Lane::Begin { .. });
            let mut room = self.room(ask, limits);
            let cost = ask.lane.cost().filter(|_| room > 0);
            if let Some((subscription, call)) = cost {
                room = room.min(self.bucket(subscription, call, now).whole(limits.budget(call), now));
            }
            let picked = self.pick(&ask.lane, Selected::new(room, begins), now);
            if let Some((subscription, call)) = cost {
                let drawn = u32::try_from(picked.len()).unwrap_or(u32::MAX);
                let bucket = self.bucket(subscription, call, now);
                *bucket = bucket.drawn(limits.budget(call), now, drawn).unwrap_or(*bucket);
            }
            for mut row in picked {
                row.occupies_app = row.occupies_app || begins;
                row.leased_until = Some(later(now, lease));
                let wakeup = Wakeup { run_id: row.run.id, version: row.run.version };
                taken.push((row.run.due_at, Leased { wakeup, priority: row.run.priority }));
                self.put(row);
            }
        }
        most_urgent_first(taken)
    }

    /// How many runs of the lane may go, its budget aside.
    fn room(&self, ask: &LaneQuota, limits: &Limits) -> u32 {
        let mut room = ask.most.min(limits.outstanding.saturating_sub(self.outstanding()));
        if let Lane::Begin { subscription, plan, account } = &ask.lane {
            let holders = || self.held.values().filter_map(|id| self.row(*id));
            let in_plan = |row: &&Row| row.run.plan == *plan && row.run.app.subscription() == subscription;
            let into_account = |row: &&Row| row.run.policy_snapshot.account == *account;
            let left =
                |limit: u32, held: usize| limit.saturating_sub(u32::try_from(held).unwrap_or(u32::MAX));
            room = room.min(left(limits.per_plan, holders().filter(in_plan).count()));
            room = room.min(left(limits.per_account, holders().filter(into_account).count()));
        }
        room
    }

    /// The due runs of a lane that go.
    fn pick(&self, lane: &Lane, mut pick: Selected, now: Timestamp) -> Vec<Row> {
        let Some(places) = self.lanes.get(lane) else { return Vec::new() };
        let of_rank = |rank| places.range((rank, Timestamp::MIN_UTC)..=(rank, now)).flat_map(|(_, ids)| ids);
        let due = Priority::ALL.iter().flat_map(|priority| of_rank(priority.rank()));
        let mut rows = due.filter_map(|id| self.row(*id));
        let mut picked = Vec::new();
        while pick.looks() > 0
            && let Some(row) = rows.next()
        {
            if pick.goes(&row.run.app.to_string(), self.held.contains_key(&row.run.app)) {
                picked.push(row.clone());
            }
        }
        picked
    }

    fn outstanding(&self) -> u32 {
        u32::try_from(self.leases.len()).unwrap_or(u32::MAX)
    }
}
