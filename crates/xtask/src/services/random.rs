//! Randomness from the system. Other users of the machine must not be able to guess the servers' passwords.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};

/// Reads N unpredictable bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.context("failed to read /dev/urandom")?;
    Ok(bytes)
}

/// 32 unpredictable hexadecimal digits.
pub fn password() -> Result<String> {
    Ok(format!("{:032x}", u128::from_be_bytes(bytes()?)))
}
