//! What protects a store from other users of its server.

/// A protection of the store, and whether it is in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safeguard {
    /// What was checked.
    pub name: String,
    /// What was found.
    pub says: String,
    /// What to do; `None` where it is in place.
    pub cure: Option<String>,
    /// Whether its absence lets others act with the rights of Holdfast or of its owner.
    pub is_serious: bool,
}
