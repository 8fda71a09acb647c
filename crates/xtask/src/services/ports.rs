//! Free ports.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail};

use super::random;

/// A free port on loopback between 12000 and 29999.
///
/// Systems take the ports of outgoing connections from a higher range, so a server that restarts finds its port free.
pub fn free() -> Result<u16> {
    for _ in 0..1_000 {
        let [high, low] = random::bytes::<2>()?;
        let port = 12_000 + u16::from_be_bytes([high, low]) % 18_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between 12000 and 29999")
}

/// Whether a server listens on the port.
pub fn is_open(port: u16) -> bool {
    TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), Duration::from_secs(1)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_open_while_a_server_listens_on_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_open(port));
        drop(listener);
        assert!(!is_open(port));
    }
}
