//! Leasing runs and reclaiming them.

use std::ops::Bound::{Excluded, Included};

use holdfast_model::{Lane, Limits, Priority, RunId, Timestamp};

use crate::columns::later;
use crate::lanes::{DueLanes, LaneQuota, LeaseTerms, Leased};
use crate::memory::state::{Row, State};
use crate::rules::acquire::{Admission, Admitted, Candidate, Page, Usage};
use crate::rules::due::{Front, Leases, due_lanes};

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
        let next_ends_at = self.leases.iter().map(|(until, _)| *until).find(|until| *until > now);
        let leases = Leases { outstanding: self.outstanding(), next_ends_at };
        let mut fronts = Vec::new();
        for (lane, waiting) in &self.lanes {
            for priority in Priority::ALL {
                let rank = priority.rank();
                let due = waiting.range((rank, Timestamp::MIN_UTC)..=(rank, now)).next();
                let later = (Excluded((rank, now)), Included((rank, Timestamp::MAX_UTC)));
                let [due_at, next_at] =
                    [due, waiting.range(later).next()].map(|first| first.map(|((_, at), _)| *at));
                if due_at.or(next_at).is_some() {
                    fronts.push(Front { lane: lane.clone(), priority, due_at, next_at });
                }
            }
        }
        due_lanes(now, &leases, fronts)
    }

    pub fn acquire(
        &mut self,
        quotas: &[LaneQuota],
        limits: &Limits,
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Vec<Leased> {
        let mut admission = Admission::new(limits, now, self.usage(quotas), quotas).drawing_from(terms.seed);
        for quota in quotas {
            let mut lane = admission.lane(quota);
            while let Some(page) = lane.next_page() {
                lane.offer(page, self.candidates(&quota.lane, now, page));
            }
            lane.draw_tokens();
        }
        for Admitted { candidate, begins, nonce } in admission.admitted() {
            let Some(mut row) = self.row(candidate.id).cloned() else { continue };
            row.occupies_app |= begins;
            row.leased_until = Some(later(now, terms.lasts));
            row.lease_nonce = *nonce;
            self.put(row);
        }
        self.budgets.extend(admission.drawn().iter().map(|(key, bucket)| (key.clone(), *bucket)));
        admission.leased(|_| true)
    }

    /// What is in use of everything that the lanes need.
    fn usage(&self, quotas: &[LaneQuota]) -> Usage {
        let mut usage = Usage { outstanding: self.outstanding(), ..Usage::default() };
        for Row { run, .. } in self.leases.iter().filter_map(|(_, id)| self.row(*id)) {
            *usage.leased.entry(run.app.subscription().clone()).or_default() += 1;
        }
        for (subscription, call) in quotas.iter().filter_map(|quota| quota.lane.cost()) {
            let key = (subscription.clone(), call);
            if let Some(bucket) = self.budgets.get(&key) {
                usage.budgets.insert(key, *bucket);
            }
        }
        if quotas.iter().any(|quota| matches!(quota.lane, Lane::Begin { .. })) {
            for Row { run, .. } in self.occupied.values().filter_map(|id| self.row(*id)) {
                let plan = (run.app.subscription().clone(), run.plan.clone());
                *usage.plans.entry(plan).or_default() += 1;
                let account = usage.accounts.entry(run.policy_snapshot.account.clone()).or_default();
                *account.entry(run.app.subscription().clone()).or_default() += 1;
            }
        }
        usage
    }

    fn candidates(&self, lane: &Lane, now: Timestamp, page: Page) -> Vec<Candidate> {
        let Some(waiting) = self.lanes.get(lane) else { return Vec::new() };
        let of_rank = |rank| waiting.range((rank, Timestamp::MIN_UTC)..=(rank, now)).flat_map(|(_, ids)| ids);
        let due = Priority::ALL.iter().flat_map(|priority| of_rank(priority.rank()));
        let candidate = |Row { run, .. }: &Row| Candidate {
            id: run.id,
            version: run.version,
            priority: run.priority,
            due_at: run.due_at,
            app: run.app.to_string(),
            is_occupied: self.occupied.contains_key(&run.app),
        };
        let page = due.skip(page.skip as usize).take(page.most as usize);
        page.filter_map(|id| self.row(*id)).map(candidate).collect()
    }

    fn outstanding(&self) -> u32 {
        u32::try_from(self.leases.len()).unwrap_or(u32::MAX)
    }
}
