//! A loop's passes, seen through the calls it makes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_console::Heartbeat as Pulse;
use holdfast_model::Clock;

/// Whether a loop goes round well. A pass that only looks, and then fails at what it found to do, is not a good one.
#[derive(Debug)]
pub struct Pass {
    pub pulse: Arc<Pulse>,
    failing: AtomicBool,
}

impl Pass {
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self { pulse: Arc::new(Pulse::new(Arc::clone(clock))), failing: AtomicBool::new(false) }
    }

    /// It looked, and found something to do or nothing.
    pub fn looked(&self, idle: bool) {
        if idle {
            self.failing.store(false, Ordering::Relaxed);
        }
        if !self.failing.load(Ordering::Relaxed) {
            self.pulse.beat();
        }
    }

    /// It did what it found to do, or could not.
    pub fn did(&self, well: bool) {
        self.failing.store(!well, Ordering::Relaxed);
        if well {
            self.pulse.beat();
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
        let pass = Pass::new(&(Arc::clone(&manual) as Arc<dyn Clock>));
        assert_eq!(pass.pulse.age(), None);
        pass.looked(false);
        pass.did(false);
        manual.advance(Duration::from_secs(5));
        pass.looked(false);
        assert_eq!(pass.pulse.age(), Some(Duration::from_secs(5)));
        pass.did(true);
        assert_eq!(pass.pulse.age(), Some(Duration::ZERO));
        manual.advance(Duration::from_secs(5));
        pass.did(false);
        pass.looked(true);
        assert_eq!(pass.pulse.age(), Some(Duration::ZERO));
    }
}
