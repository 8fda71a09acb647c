//! Whether a loop makes progress, judged by the calls it makes to the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_console::Heartbeat;
use holdfast_model::Clock;

/// Whether a loop goes round well. A pass that only looks, and then fails at what it found to do, is not a good one.
#[derive(Debug)]
pub struct LoopHealth {
    pub heartbeat: Arc<Heartbeat>,
    failing: AtomicBool,
}

impl LoopHealth {
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self { heartbeat: Arc::new(Heartbeat::new(Arc::clone(clock))), failing: AtomicBool::new(false) }
    }

    /// It looked, and found something to do or nothing.
    pub fn looked(&self, idle: bool) {
        if idle {
            self.failing.store(false, Ordering::Relaxed);
        }
        if !self.failing.load(Ordering::Relaxed) {
            self.heartbeat.beat();
        }
    }

    /// It did what it found to do, or could not.
    pub fn did(&self, well: bool) {
        self.failing.store(!well, Ordering::Relaxed);
        if well {
            self.heartbeat.beat();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_model::{ManualClock, Timestamp};

    use super::*;

    #[test]
    fn a_loop_that_looks_and_fails_at_what_it_finds_does_not_go_round() {
        let manual = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let pass = LoopHealth::new(&(Arc::clone(&manual) as Arc<dyn Clock>));
        assert_eq!(pass.heartbeat.age(), None);
        pass.looked(false);
        pass.did(false);
        manual.advance(Duration::from_secs(5));
        pass.looked(false);
        assert_eq!(pass.heartbeat.age(), Some(Duration::from_secs(5)));
        pass.did(true);
        assert_eq!(pass.heartbeat.age(), Some(Duration::ZERO));
        manual.advance(Duration::from_secs(5));
        pass.did(false);
        pass.looked(true);
        assert_eq!(pass.heartbeat.age(), Some(Duration::ZERO));
    }
}
