//! What a store is opened for.

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To own it: creates it if it is missing, and migrates it to this program's schema.
    Own,
    /// To read and write beside its owner.
    Join,
    /// To read only.
    Read,
}
