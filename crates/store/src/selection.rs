//! Rules of handing out that every store shares.

use std::collections::BTreeSet;

use holdfast_model::Timestamp;

use crate::Leased;

/// Picks what goes out of one lane, looked at in its order.
#[derive(Debug)]
pub(crate) struct Selected {
    room: u32,
    begins: bool,
    looks: u32,
    apps: BTreeSet<String>,
}

impl Selected {
    /// For `room` runs at most. Where their steps begin an operation, each must be of another app, and of a free one.
    pub(crate) fn new(room: u32, begins: bool) -> Self {
        // Runs that wait behind their app's running one are mostly few, because ticks that overlap are skipped. The
        // bound keeps a take cheap when they are not.
        let looks = if begins { room.saturating_mul(4).saturating_add(1_000) } else { room };
        Self { room, begins, looks: if room == 0 { 0 } else { looks }, apps: BTreeSet::new() }
    }

    /// How many more runs are looked at; none once there is no room.
    pub(crate) fn looks(&self) -> u32 {
        if self.room == 0 { 0 } else { self.looks }
    }

    /// Does this one go? `held` tells whether a run holds its app.
    pub(crate) fn goes(&mut self, app: &str, held: bool) -> bool {
        self.looks = self.looks.saturating_sub(1);
        let goes = self.room > 0 && (!self.begins || (!held && self.apps.insert(app.to_owned())));
        self.room -= u32::from(goes);
        goes
    }
}

/// What was taken, the most urgent first, then the longest due.
pub(crate) fn most_urgent_first(mut taken: Vec<(Timestamp, Leased)>) -> Vec<Leased> {
    taken.sort_by_key(|(due_at, taken)| (taken.priority, *due_at, taken.wakeup.run_id));
    taken.into_iter().map(|(_, taken)| taken).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_operations_begin_each_app_goes_once_and_only_while_it_is_free() {
        let mut pick = Selected::new(2, true);
        let goes = [("a", true), ("b", false), ("b", false), ("c", false), ("d", false)];
        assert_eq!(goes.map(|(app, held)| pick.goes(app, held)), [false, true, false, true, false]);
        assert_eq!(pick.looks(), 0);
    }

    #[test]
    fn looking_ends_however_many_wait_behind_one_app() {
        let mut pick = Selected::new(1, true);
        let looks = (0..9_999).take_while(|_| pick.looks() > 0 && !pick.goes("a", true)).count();
        assert_eq!(looks, 1_004);
        assert_eq!(Selected::new(0, true).looks(), 0);
        assert_eq!(Selected::new(3, false).looks(), 3);
    }
}
