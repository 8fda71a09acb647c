//! The open connections of a listener, and which of them gives way to a new one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a connection is producing an answer. A new connection replaces only one that waits for its client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Busy(Arc<AtomicBool>);

impl Busy {
    /// Marks the connection as busy until the guard is dropped.
    pub(crate) fn guard(&self) -> BusyGuard {
        self.0.store(true, Ordering::Relaxed);
        BusyGuard(self.clone())
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ends the mark of a [`Busy`] connection when it is dropped.
pub(crate) struct BusyGuard(Busy);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

/// The open connections in the order in which they were accepted. `C` closes a connection when it is dropped.
#[derive(Debug)]
pub(crate) struct Connections<C> {
    most: usize,
    most_of_peer: usize,
    next: u64,
    open: BTreeMap<u64, Open<C>>,
}

#[derive(Debug)]
struct Open<C> {
    peer: IpAddr,
    busy: Busy,
    close: C,
}

impl<C> Connections<C> {
    /// No connections, with room for `most` in all and `most_of_peer` of one peer.
    pub(crate) fn new(most: usize, most_of_peer: usize) -> Self {
        Self { most, most_of_peer, next: 1, open: BTreeMap::new() }
    }

    /// Makes room for a connection of `peer`: returns the connection that gives way, or `Err` where none may.
    ///
    /// A peer with its share of connections gives way itself.
    pub(crate) fn make_room(&mut self, peer: IpAddr) -> Result<Option<C>, NoRoom> {
        let of_peer = self.open.values().filter(|open| open.peer == peer).count();
        if of_peer >= self.most_of_peer {
            return self.oldest_idle(|open| open.peer == peer).map(Some);
        }
        if self.open.len() >= self.most {
            return self.oldest_idle(|_| true).map(Some);
        }
        Ok(None)
    }

    /// The number of the connection that is added next.
    pub(crate) fn next_number(&self) -> u64 {
        self.next
    }

    /// Adds a connection.
    pub(crate) fn add(&mut self, peer: IpAddr, busy: Busy, close: C) {
        self.open.insert(self.next, Open { peer, busy, close });
        self.next += 1;
    }

    /// Forgets a connection that has ended.
    pub(crate) fn ended(&mut self, number: u64) {
        self.open.remove(&number);
    }

    fn oldest_idle(&mut self, counts: impl Fn(&Open<C>) -> bool) -> Result<C, NoRoom> {
        let idle = self.open.iter().find(|(_, open)| counts(open) && !open.busy.is_set());
        let number = idle.map(|(number, _)| *number).ok_or(NoRoom)?;
        self.open.remove(&number).map(|open| open.close).ok_or(NoRoom)
    }
}

/// Every connection that could give way is producing an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// The address under which a peer's connections are counted: a host with IPv6 mostly has a whole /64.
pub(crate) fn counted_peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> IpAddr {
        counted_peer(text.parse().unwrap())
    }

    /// Adds a connection, and returns which one gave way.
    fn open(connections: &mut Connections<u64>, address: &str, busy: &Busy) -> Result<Option<u64>, NoRoom> {
        let closed = connections.make_room(peer(address))?;
        let number = connections.next_number();
        connections.add(peer(address), busy.clone(), number);
        Ok(closed)
    }

    #[test]
    fn the_oldest_connection_that_waits_gives_way_and_a_peer_with_its_share_gives_way_itself() {
        let (mut connections, idle, busy) = (Connections::new(4, 2), Busy::default(), Busy::default());
        let guard = busy.guard();
        assert_eq!(open(&mut connections, "10.0.0.1", &busy), Ok(None));
        assert_eq!(open(&mut connections, "10.0.0.1", &idle), Ok(None));
        assert_eq!(open(&mut connections, "10.0.0.1", &idle), Ok(Some(2)), "its own, and not the busy one");
        assert_eq!(open(&mut connections, "10.0.0.2", &busy), Ok(None));
        assert_eq!(open(&mut connections, "10.0.0.3", &busy), Ok(None));
        assert_eq!(open(&mut connections, "10.0.0.4", &busy), Ok(Some(3)), "all are open");
        assert_eq!(open(&mut connections, "10.0.0.5", &busy), Err(NoRoom), "all are busy");
        drop(guard);
        assert_eq!(open(&mut connections, "10.0.0.5", &busy), Ok(Some(1)));
        connections.ended(4);
        assert_eq!(open(&mut connections, "10.0.0.6", &idle), Ok(None));
    }

    #[test]
    fn one_host_is_one_peer_whatever_addresses_it_uses() {
        assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
        assert_eq!(peer("2001:db8:1:2::1"), peer("2001:db8:1:2:ffff::9"));
        assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
    }
}
