//! Operator actions: what people did or found, recorded in the audit.

use holdfast_model::{
    Actor, App, AppId, CatalogEntry, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName, Timestamp,
};

use crate::{Error, ErrorKind};

/// The longest reason or note of a person, in characters.
const REASON_MAX: usize = 500;

/// The run that records an operator action about an app.
pub fn about_app(
    app: &AppId,
    (action, actor): (OperatorAction, Actor),
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> NewRun {
    // It sends nothing, so its policy snapshot has no storage.
    let policy_snapshot = PolicySnapshot::new(StorageName::new("none"), "");
    NewRun::operator_action(
        RunId::new(now, rng),
        &App::new(app.clone()),
        &policy_snapshot,
        action,
        actor,
        now,
    )
}

/// A person's reason, without surrounding blanks. Fails where there is none, or where it is too long.
pub fn reason(text: &str, what: &str) -> Result<String, Error> {
    let text = text.trim();
    let wrong = match text.chars().count() {
        0 => format!("{what} needs a reason, and none was given"),
        length if length > REASON_MAX => {
            format!("the reason of {what} has {length} characters, and may have {REASON_MAX}")
        }
        // PostgreSQL has no NUL in texts.
        _ => return Ok(text.replace('\0', "\u{fffd}")),
    };
    Err(Error::new(ErrorKind::Invalid, wrong).help("say in a sentence why, for those who look later"))
}

/// A person's reason, which may be missing.
pub(crate) fn optional_reason(text: &str, what: &str) -> Result<String, Error> {
    if text.trim().is_empty() { Ok(String::new()) } else { reason(text, what) }
}

/// The run that records an operator action about a backup of the catalog.
pub fn about(
    entry: &CatalogEntry,
    (action, actor): (OperatorAction, Actor),
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> NewRun {
    let app = App { policy: entry.policy.clone(), ..App::new(entry.app.clone()) };
    // It sends nothing, so only the storage of its policy snapshot matters.
    let policy_snapshot = PolicySnapshot::new(entry.storage.clone(), "");
    NewRun::operator_action(RunId::new(now, rng), &app, &policy_snapshot, action, actor, now)
}
