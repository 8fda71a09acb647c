//! Failed logins: limited for each address, and recorded in the audit without flooding it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Failed logins of an address in a window, at most.
const FAILURES_MAX: u32 = 10;
/// The window.
pub const WINDOW: Duration = Duration::from_mins(1);
/// Addresses that are kept. The oldest gives way.
const ADDRESSES: usize = 1_024;

/// A record of the same client is written no more often than this.
const RECORD_EVERY: Duration = Duration::from_mins(10);
/// Records in an hour, at most.
const RECORDS_AN_HOUR: usize = 60;
/// Clients whose refusals are counted.
const CLIENTS: usize = 1_024;

/// The failed logins of the last minute, by address.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<BTreeMap<IpAddr, Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    since: Duration,
    failures: u32,
}

impl Attempts {
    /// Whether the address has failed too often.
    pub fn is_blocked(&self, address: IpAddr, now: Duration) -> bool {
        let windows = locked(&self.0);
        windows.get(&address).is_some_and(|window| is_open(*window, now) && window.failures >= FAILURES_MAX)
    }

    /// Counts a failed login.
    pub fn failed(&self, address: IpAddr, now: Duration) {
        let mut windows = locked(&self.0);
        if windows.len() >= ADDRESSES && !windows.contains_key(&address) {
            windows.retain(|_, window| is_open(*window, now));
            let oldest = windows.iter().min_by_key(|(_, window)| window.since).map(|(address, _)| *address);
            oldest.filter(|_| windows.len() >= ADDRESSES).map(|oldest| windows.remove(&oldest));
        }
        let window = windows.entry(address).or_insert(Window { since: now, failures: 0 });
        if !is_open(*window, now) {
            *window = Window { since: now, failures: 0 };
        }
        window.failures = window.failures.saturating_add(1);
    }
}

fn is_open(window: Window, now: Duration) -> bool {
    now.saturating_sub(window.since) < WINDOW
}

/// Which refusals are recorded in the audit.
#[derive(Debug, Default)]
pub struct RefusalLog(Mutex<Refusals>);

#[derive(Debug, Default)]
struct Refusals {
    clients: BTreeMap<String, Client>,
    /// When the records of the last hour were written.
    written: Vec<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Client {
    written: Duration,
    unwritten: u64,
}

impl RefusalLog {
    /// Counts a refusal of a client. Returns how many a record that is written now stands for; `None` for no record.
    pub fn count(&self, client: &str, now: Duration) -> Option<u64> {
        let mut refusals = locked(&self.0);
        refusals.written.retain(|at| now.saturating_sub(*at) < Duration::from_hours(1));
        let has_room = refusals.written.len() < RECORDS_AN_HOUR;
        let is_due = |known: &Client| now.saturating_sub(known.written) >= RECORD_EVERY;
        let count = match refusals.clients.get_mut(client) {
            Some(known) if !has_room || !is_due(known) => {
                known.unwritten += 1;
                return None;
            }
            Some(known) => known.unwritten + 1,
            None if !has_room => return None,
            None => 1,
        };
        if refusals.clients.len() >= CLIENTS {
            refusals.clients.retain(|_, known| !is_due(known));
        }
        refusals.written.push(now);
        refusals.clients.insert(client.to_owned(), Client { written: now, unwritten: 0 });
        Some(count)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_address_that_fails_too_often_waits_a_minute_and_no_other_does() {
        let (attempts, one, two) = (Attempts::default(), [10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        (0..9).for_each(|second| attempts.failed(one, secs(second)));
        assert!(!attempts.is_blocked(one, secs(9)));
        attempts.failed(one, secs(9));
        assert!(attempts.is_blocked(one, secs(9)) && !attempts.is_blocked(two, secs(9)));
        assert!(!attempts.is_blocked(one, secs(60)));
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_memory() {
        let attempts = Attempts::default();
        for address in 0..5_000_u32 {
            attempts.failed(IpAddr::from(address.to_be_bytes()), secs(1));
        }
        assert_eq!(locked(&attempts.0).len(), ADDRESSES);
    }

    #[test]
    fn a_client_is_recorded_every_ten_minutes_with_its_count() {
        let log = RefusalLog::default();
        let counts = [0, 1, 599, 600, 601].map(|second| log.count("ci", secs(second)));
        assert_eq!(counts, [Some(1), None, None, Some(3), None]);
        assert_eq!(log.count("other", secs(601)), Some(1));
    }

    #[test]
    fn a_flood_of_clients_writes_60_records_an_hour_in_bounded_memory() {
        let log = RefusalLog::default();
        let written = |hour: u64| {
            let due =
                |client: u64| log.count(&format!("{hour} {client}"), secs(hour * 3_600 + client)).is_some();
            (0..3_000).filter(|client| due(*client)).count()
        };
        assert_eq!((written(0), written(1)), (60, 60));
        assert!(locked(&log.0).clients.len() <= CLIENTS);
    }
}
