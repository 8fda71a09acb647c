//! Instructions of people about apps, pauses and acknowledgements, as the events tell them.

use std::collections::BTreeMap;

use holdfast_model::{AppId, OperatorAction, RunEvent, Timestamp};

use crate::columns::stamp;
use crate::status::{Acknowledgement, Pause};

/// The latest instructions about each app.
#[derive(Debug, Default)]
pub(crate) struct Instructions {
    /// Pauses. One that ended has its end.
    pub pauses: BTreeMap<AppId, Pause>,
    /// Acknowledgements.
    pub acknowledgements: BTreeMap<AppId, Acknowledgement>,
}

impl Instructions {
    /// The instructions in events, the oldest first.
    pub fn of<'a>(events: impl IntoIterator<Item = (&'a AppId, &'a RunEvent, Timestamp)>) -> Self {
        let mut instructions = Self::default();
        for (app, event, at) in events {
            instructions.add(app, event, stamp(at));
        }
        instructions
    }

    /// Adds what an event instructs, if it does.
    pub fn add(&mut self, app: &AppId, event: &RunEvent, at: Timestamp) {
        let RunEvent::ActionRecorded { action, actor } = event else { return };
        let actor = actor.name.clone();
        match action {
            OperatorAction::PausedUntil { until, reason } => {
                self.pause(app, Pause { until: stamp(*until), reason: reason.clone(), actor, since: at });
            }
            OperatorAction::PauseEnded { reason } => {
                self.pause(app, Pause { until: at, reason: reason.clone(), actor, since: at });
            }
            OperatorAction::Acknowledged { run, note } => {
                let acknowledged = Acknowledgement { run_id: *run, note: note.clone(), actor, at };
                self.acknowledgements.insert(app.clone(), acknowledged);
            }
            _ => {}
        }
    }

    fn pause(&mut self, app: &AppId, pause: Pause) {
        let pause = pause.after(self.pauses.get(app));
        self.pauses.insert(app.clone(), pause);
    }
}

impl Pause {
    /// What is stored when the pause, or the end of one, follows on the row that is there.
    ///
    /// A pause that begins or ends within another one goes on from that one's start, because no tick of either is owed. The
    /// end of a pause that is over already changes nothing. The statements `write_pauses` say the same.
    pub(crate) fn after(self, row: Option<&Self>) -> Self {
        match row {
            Some(row) if row.until >= self.since => Self { since: row.since.min(self.since), ..self },
            Some(row) if self.until <= self.since => row.clone(),
            _ => self,
        }
    }
}
