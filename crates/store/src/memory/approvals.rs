//! Requests that a second person confirms.

use holdfast_model::{NewRun, RunId, Timestamp};

use crate::approvals::{Approval, Asked, Decision};
use crate::columns::stamp;
use crate::error::Result;
use crate::memory::state::State;
use crate::rules::approvals;

impl State {
    pub fn ask_approval(&mut self, new: &Approval, record: &NewRun, now: Timestamp) -> Result<Asked> {
        let asked = approvals::asked(self.approvals.values(), new, now);
        if asked == Asked::New {
            self.add_run(record, now)?;
            self.approvals.insert(new.id, approvals::stored(new, now));
        }
        Ok(asked)
    }

    pub fn decide_approval(
        &mut self,
        (id, decision): (RunId, &Decision),
        new: &[NewRun],
        now: Timestamp,
    ) -> Result<bool> {
        if self.approvals.get(&id).is_none_or(|approval| !approval.is_pending(now)) {
            return Ok(false);
        }
        self.add_all_runs(new, now)?;
        if let Some(approval) = self.approvals.get_mut(&id) {
            approval.decision = Some(approvals::decided(decision, now));
        }
        Ok(true)
    }

    pub fn approvals_since(&self, since: Timestamp, most: u32) -> Vec<Approval> {
        let after = self.approvals.values().filter(|approval| approval.asked_at > stamp(since));
        let mut found: Vec<Approval> = after.cloned().collect();
        found.sort_by_key(|approval| std::cmp::Reverse((approval.asked_at, approval.id)));
        found.truncate(most as usize);
        found
    }
}
