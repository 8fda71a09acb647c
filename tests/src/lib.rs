//! Tests that join the crates live in this package; see `contract/` and `simulation/`.
