//! Sessions of browsers, in the memory of the process: after a restart, people log in again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_access::Principal;
use holdfast_model::Clock;
use holdfast_store::sha256_hex;

/// A session without a request ends after this.
const IDLE: Duration = Duration::from_hours(1);
/// A session ends after this, however it is used.
const LONGEST: Duration = Duration::from_hours(12);
/// The greatest number of sessions. A new session beyond it replaces the session that was idle for longest.
const KEPT: usize = 1_000;
/// The token of a session is looked up again after this.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// The sessions, by the SHA-256 of the value of their cookie.
pub struct Sessions {
    clock: Arc<dyn Clock>,
    open: Mutex<BTreeMap<String, Session>>,
}

#[derive(Debug, Clone)]
struct Session {
    principal: Principal,
    token: Option<String>,
    begun: Duration,
    seen: Duration,
    checked: Duration,
}

/// A session that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// What it is kept under: no secret, and different for each session.
    pub key: String,
    /// Who logged in.
    pub principal: Principal,
    /// The id of the API token that began it, where that is to be looked up again.
    pub check_token: Option<String>,
}

impl Sessions {
    /// No sessions.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, open: Mutex::default() }
    }

    /// Begins a session whose cookie has this value.
    pub fn begin(&self, cookie: &str, principal: Principal, token: Option<String>) {
        let now = self.clock.elapsed();
        let mut open = self.current();
        if open.len() >= KEPT {
            let idle = open.iter().min_by_key(|(_, session)| session.seen).map(|(key, _)| key.clone());
            idle.map(|key| open.remove(&key));
        }
        open.insert(key_of(cookie), Session { principal, token, begun: now, seen: now, checked: now });
    }

    /// The session of a cookie. `is_use` is false for a request that no person made, which does not keep it open.
    pub fn find(&self, cookie: &str, is_use: bool) -> Option<OpenSession> {
        let (now, key) = (self.clock.elapsed(), key_of(cookie));
        let mut open = self.current();
        let session = open.get_mut(&key)?;
        if is_use {
            session.seen = now;
        }
        let is_due = now.saturating_sub(session.checked) >= CHECK_EVERY;
        if is_due {
            session.checked = now;
        }
        let check_token = session.token.clone().filter(|_| is_due);
        Some(OpenSession { principal: session.principal.clone(), check_token, key })
    }

    /// Ends a session.
    pub fn end(&self, key: &str) {
        self.current().remove(key);
    }

    /// The sessions that have not ended.
    fn current(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        let now = self.clock.elapsed();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| {
            now.saturating_sub(session.seen) < IDLE && now.saturating_sub(session.begun) < LONGEST
        });
        open
    }
}

fn key_of(cookie: &str) -> String {
    sha256_hex(format!("session {cookie}").as_bytes())
}

#[cfg(test)]
mod tests {
    use holdfast_access::{LoginMethod, Role, Scope};
    use holdfast_model::{ManualClock, Timestamp};

    use super::*;

    fn sessions() -> (Sessions, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        (Sessions::new(Arc::clone(&clock) as _), clock)
    }

    fn ann() -> Principal {
        Principal { name: "ann".into(), login: LoginMethod::Token, role: Role::Viewer, scope: Scope::ALL }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_a_refresh_of_the_page_does_not_keep_it() {
        let (sessions, clock) = sessions();
        sessions.begin("a", ann(), None);
        clock.advance(Duration::from_mins(59));
        assert!(sessions.find("a", false).is_some(), "not yet");
        clock.advance(Duration::from_mins(1));
        assert_eq!(sessions.find("a", false), None);
        assert_eq!(sessions.find("b", true), None);
    }

    #[test]
    fn a_session_in_use_ends_after_twelve_hours() {
        let (sessions, clock) = sessions();
        sessions.begin("a", ann(), None);
        for _ in 0..23 {
            clock.advance(Duration::from_mins(30));
            assert_eq!(sessions.find("a", true).unwrap().principal, ann());
        }
        clock.advance(Duration::from_mins(30));
        assert_eq!(sessions.find("a", true), None);
    }

    #[test]
    fn a_session_ends_by_its_key_and_many_take_bounded_memory() {
        let (sessions, clock) = sessions();
        sessions.begin("a", ann(), Some("t".into()));
        assert_eq!(sessions.find("a", true).unwrap().check_token, None, "looked up a moment ago");
        clock.advance(CHECK_EVERY);
        let found = sessions.find("a", true).unwrap();
        assert_eq!(found.check_token.as_deref(), Some("t"));
        sessions.end(&found.key);
        assert_eq!(sessions.find("a", true), None);
        (0..KEPT + 10).for_each(|number| sessions.begin(&number.to_string(), ann(), None));
        assert_eq!(sessions.current().len(), KEPT);
    }
}
