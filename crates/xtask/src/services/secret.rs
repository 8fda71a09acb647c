//! Passwords for servers that live as long as a test run. Other users of the machine must not be able to guess them.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};

/// Bytes nobody can guess.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.context("failed to read /dev/urandom")?;
    Ok(bytes)
}

/// A word of hexadecimal digits nobody can guess.
pub fn word() -> Result<String> {
    Ok(format!("{:032x}", u128::from_be_bytes(bytes()?)))
}
