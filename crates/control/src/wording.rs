//! Wording that several messages share.

use std::fmt::Display;

use holdfast_storage::SasHealth;

/// A count with its noun: `1 backup`, `2 backups`.
pub fn counted<N: Copy + PartialEq + From<u8> + Display>(count: N, noun: &str) -> String {
    if count == N::from(1) { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Why a SAS is unusable; empty when it is usable.
pub fn unusable(health: &SasHealth) -> Vec<String> {
    let mut faults: Vec<String> = health.faults.iter().map(|fault| format!("it {fault}")).collect();
    faults.extend(health.probe.as_ref().err().map(|refusal| format!("a test write failed: {refusal}")));
    faults
}
