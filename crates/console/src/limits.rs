//! What the listener allows. An open port is not authenticated, so everything is bounded.

use std::time::Duration;

use crate::entry::Entry;
use crate::hosts::AllowedHosts;

/// The limits of a listener.
#[derive(Debug, Clone)]
pub struct ListenerLimits {
    /// Open connections. A further one takes the place of the oldest that waits for its client.
    pub connections: usize,
    /// Open connections of one peer address, likewise.
    pub connections_of_peer: usize,
    /// Time for the head of a request; also how long a connection may wait for its next request.
    pub head: Duration,
    /// Time for an answer. After it the client gets 503.
    pub answer: Duration,
    /// Time for which a connection may serve requests. After it the client connects again.
    pub connection: Duration,
    /// The longest time that a download lasts. It ends when its client takes nothing for the time of an answer.
    pub download: Duration,
    /// The greatest size of the head of a request, in bytes.
    pub head_bytes: usize,
    /// The names by which clients may address the process.
    pub hosts: AllowedHosts,
    /// How clients reach the listener, and whether they need a login.
    pub entry: Entry,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_of_peer: 64,
            head: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            connection: Duration::from_mins(1),
            download: Duration::from_hours(1),
            head_bytes: 16 * 1024,
            hosts: AllowedHosts::default(),
            entry: Entry::default(),
        }
    }
}
