//! Holds as the events tell them, whatever the rows say.

use holdfast_model::{BackupId, OperatorAction, RunEvent};

/// What an event says about the hold of a backup.
#[derive(Debug)]
pub(crate) enum Told {
    /// It is held, for this reason.
    Held(String),
    /// It is not held.
    Released,
}

impl Told {
    /// The reason of a hold.
    pub fn reason(self) -> Option<String> {
        match self {
            Self::Held(reason) => Some(reason),
            Self::Released => None,
        }
    }
}

/// What an event says about the hold of a backup; `None` for an event that says nothing about it. Without a blob a hold is of
/// whatever backup has the number.
pub(crate) fn told(event: &RunEvent, backup: BackupId, of_blob: &str) -> Option<Told> {
    let RunEvent::ActionRecorded { action, .. } = event else { return None };
    match action {
        OperatorAction::Held { backup: id, blob, reason } if *id == backup => {
            let is_it = blob.as_ref().is_none_or(|blob| blob == of_blob);
            is_it.then(|| Told::Held(reason.clone()))
        }
        OperatorAction::Released { backup: id, .. } if *id == backup => Some(Told::Released),
        _ => None,
    }
}
