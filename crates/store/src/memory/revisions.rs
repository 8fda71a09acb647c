//! The revisions of the fleet, the processes that take them up, and what their consoles do in the background.

use holdfast_model::{NewRun, Timestamp};

use crate::columns::stamp;
use crate::error::Result;
use crate::memory::state::State;
use crate::operations::OperationRecord;
use crate::processes::ProcessStatus;
use crate::revisions::{Revision, RevisionHead};

impl State {
    pub fn append_revision(&mut self, new: &Revision, record: &NewRun, now: Timestamp) -> Result<bool> {
        if new.head.number != self.newest_revision() + 1 {
            return Ok(false);
        }
        self.add_run(record, now)?;
        let head = RevisionHead { at: stamp(now), ..new.head.clone() };
        self.revisions.insert(head.number, Revision { head, text: new.text.clone() });
        Ok(true)
    }

    pub fn newest_revision(&self) -> u64 {
        self.revisions.last_key_value().map_or(0, |(number, _)| *number)
    }

    pub fn record_process(&mut self, process: &ProcessStatus, now: Timestamp) {
        self.processes.retain(|_, process| process.seen_at > now - ProcessStatus::KEPT);
        let known = self.processes.get(&process.id);
        let started_at = known.map_or(stamp(process.started_at), |known| known.started_at);
        let (id, seen_at) = (process.id, stamp(now));
        self.processes.insert(id, ProcessStatus { started_at, seen_at, ..process.clone() });
    }

    pub fn processes(&self, now: Timestamp) -> Vec<ProcessStatus> {
        let alive = self.processes.values().filter(|process| process.seen_at > now - ProcessStatus::KEPT);
        let mut processes: Vec<ProcessStatus> = alive.cloned().collect();
        processes.sort_by_key(|process| (process.started_at, process.id));
        processes
    }

    pub fn record_operation(&mut self, operation: &OperationRecord, now: Timestamp) {
        self.operations.retain(|_, operation| operation.seen_at > now - OperationRecord::KEPT);
        let known = self.operations.get(&operation.id);
        if known.is_some_and(|known| known.result.is_some()) {
            return;
        }
        let OperationRecord { owner, what, begun_at, .. } = known.unwrap_or(operation).clone();
        let (id, begun_at, seen_at) = (operation.id.clone(), stamp(begun_at), stamp(now));
        let recorded = OperationRecord { owner, what, begun_at, seen_at, ..operation.clone() };
        self.operations.insert(id, recorded);
    }
}
