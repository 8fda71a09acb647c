//! Restores or drills: which of them a request is about.

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreKind {
    /// A restore.
    Restore,
    /// A drill: a restore into a scratch app, which proves that the backup can be restored.
    Drill,
}

impl RestoreKind {
    /// The kind that a path asks for.
    pub fn of_path(path: &str) -> Self {
        if path.contains("/drills") { Self::Drill } else { Self::Restore }
    }

    /// The first segment of its paths.
    pub fn path(self) -> &'static str {
        match self {
            Self::Restore => "/restores",
            Self::Drill => "/drills",
        }
    }
}
