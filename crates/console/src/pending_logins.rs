//! Logins that people began at Entra ID and did not end yet, in the memory of the process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_entra::LoginAttempt;
use holdfast_model::Clock;
use holdfast_store::sha256_hex;

/// How long a person may take at Entra ID. The cookie ends by then too.
const LASTS: Duration = Duration::from_mins(10);
/// Logins that are kept. The oldest gives way.
const KEPT: usize = 5_000;

/// The logins that people began.
pub struct PendingLogins {
    clock: Arc<dyn Clock>,
    begun: Mutex<VecDeque<Pending>>,
}

/// A login, under the hash of its cookie and its state: who has only one of the two cannot end it.
struct Pending {
    key: String,
    at: Duration,
    login: PendingLogin,
}

/// A login that a person began.
#[derive(Debug, Clone)]
pub struct PendingLogin {
    /// What Entra must send back.
    pub attempt: LoginAttempt,
    /// The path to which it leads.
    pub next: String,
}

impl PendingLogins {
    /// No logins.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, begun: Mutex::default() }
    }

    /// Keeps a login of the browser that has this cookie.
    pub fn add(&self, cookie: &str, login: PendingLogin) {
        let (key, at) = (key_of(cookie, login.attempt.state()), self.clock.elapsed());
        let mut begun = self.current();
        if begun.len() >= KEPT {
            begun.pop_front();
        }
        begun.push_back(Pending { key, at, login });
    }

    /// Takes the login of the browser that has this cookie and comes back with this state: once.
    pub fn take(&self, cookie: &str, state: &str) -> Option<PendingLogin> {
        let key = key_of(cookie, state);
        let mut begun = self.current();
        let at = begun.iter().position(|pending| pending.key == key)?;
        begun.remove(at).map(|pending| pending.login)
    }

    /// The logins that are not too old.
    fn current(&self) -> MutexGuard<'_, VecDeque<Pending>> {
        let now = self.clock.elapsed();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|pending| now.saturating_sub(pending.at) < LASTS);
        begun
    }
}

fn key_of(cookie: &str, state: &str) -> String {
    sha256_hex(format!("login {} {cookie} {state}", cookie.len()).as_bytes())
}

#[cfg(test)]
mod tests {
    use holdfast_model::{ManualClock, Timestamp};

    use super::*;

    fn login(seed: u8) -> PendingLogin {
        PendingLogin { attempt: LoginAttempt::of([[seed; 32], [0; 32], [0; 32]]), next: "/fleet".into() }
    }

    #[test]
    fn a_login_ends_once_for_its_browser_with_its_state_in_its_time() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let logins = PendingLogins::new(Arc::clone(&clock) as _);
        let (first, second) = (login(1), login(2));
        let states = [&first, &second].map(|login| login.attempt.state().to_owned());
        logins.add("a", first);
        logins.add("b", second);
        assert!(logins.take("a", &states[1]).is_none() && logins.take("b", &states[0]).is_none());
        assert!(logins.take("", &states[0]).is_none() && logins.take("a", "").is_none());
        assert_eq!(logins.take("a", &states[0]).unwrap().next, "/fleet");
        assert!(logins.take("a", &states[0]).is_none(), "a second time");
        clock.advance(LASTS);
        assert!(logins.take("b", &states[1]).is_none(), "too late");
        (0..KEPT + 10).for_each(|number| logins.add(&number.to_string(), login(3)));
        assert_eq!(logins.current().len(), KEPT);
    }
}
