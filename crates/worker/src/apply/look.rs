//! A POST whose fate is unknown: its backup is looked for by name.

use holdfast_arm::{Backup, Verdict};
use holdfast_model::{Attempt, BackupName, Call, Cause, RunEvent, RunState};

use super::answers::ask_later;
use super::ending::{Failure, failed};
use super::{Next, Sight};
use crate::Settings;

/// A backup of this run in the app's list.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The number of the attempt that made it.
    pub number: u32,
    /// Its name.
    pub name: BackupName,
    /// The backup.
    pub backup: Backup,
}

/// The list was looked through, or could not be.
pub(crate) fn looked(
    sight: &Sight<'_>,
    attempt: &Attempt,
    listed: Result<Vec<Found>, holdfast_arm::Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match listed {
        Ok(found) => match found.into_iter().find(|found| found.name == attempt.name) {
            Some(found) => adopted(sight, attempt, &found),
            None => absent(sight, attempt, rng),
        },
        Err(error) => match error.verdict() {
            Verdict::NotFound => failed(sight, attempt, Failure::new(Cause::AppNotFound, error.to_string()), rng),
            Verdict::Forbidden => failed(sight, attempt, Failure::new(Cause::AppForbidden, error.to_string()), rng),
            _ => ask_later(sight, attempt, attempt.begun_at, &error, Call::Read, rng),
        },
    }
}

fn adopted(sight: &Sight<'_>, attempt: &Attempt, found: &Found) -> Next {
    let accepted_at = found.backup.created.unwrap_or(attempt.begun_at);
    let adopted = RunEvent::Adopted { attempt: attempt.clone(), backup: found.backup.id, accepted_at };
    Next::new(vec![adopted], sight.now)
}

/// Absent once proves nothing: it takes several looks, spread over the settle time.
fn absent(sight: &Sight<'_>, attempt: &Attempt, rng: &mut fastrand::Rng) -> Next {
    let (looks, first) = match sight.run.state {
        RunState::Settling { absent, first_absent, .. } => (absent + 1, first_absent.unwrap_or(sight.now)),
        _ => (1, sight.now),
    };
    let absent = RunEvent::Absent { looked_at: sight.now };
    let settled = (sight.now - first).to_std().unwrap_or_default() >= sight.settings.settle;
    if looks < Settings::LOOKS || !settled {
        return Next::new(vec![absent], sight.now + sight.settings.settle / (Settings::LOOKS - 1));
    }
    let detail = format!("no backup named {} appeared in {looks} looks", attempt.name);
    let mut next = failed(sight, attempt, Failure::new(Cause::AnswerLost, detail), rng);
    next.events.insert(0, absent);
    next
}
