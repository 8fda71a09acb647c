//! The context of a step: its environment, its time and its run.

use holdfast_model::Run;

use crate::environment::{Environment, Settings};
use crate::intent::{IntentFacts, intent};
use crate::send_window::{RequestPayload, SendWindow};
use crate::step_input::StepInput;
use crate::step_plan::StepPlan;
use crate::store_time::StoreTime;

/// The environment, and the run as the step began with it.
pub(crate) struct StepContext<'a> {
    /// Everything that the step may call.
    pub env: &'a Environment,
    /// The store's time.
    pub time: &'a StoreTime<'a>,
    /// The run when the step's action began.
    pub input: StepInput<'a>,
}

impl<'a> StepContext<'a> {
    /// The run.
    pub fn run(&self) -> &'a Run {
        self.input.run
    }

    /// The times that ensure at most one POST per attempt.
    pub fn settings(&self) -> &'a Settings {
        self.input.settings
    }

    /// The input at the current time: a transition follows a call, which may have taken long.
    pub fn input_now(&self) -> StepInput<'a> {
        StepInput { now: self.time.now(), ..self.input }
    }

    /// Begins an attempt: the step commits its intent and then sends its request.
    ///
    /// Stops where the process or its host stood still: by the store's time the intent could lapse before the window
    /// does. The lease of the step makes the run due again.
    pub fn begin_attempt(
        &self,
        facts: IntentFacts,
        payload: RequestPayload,
        rng: &mut fastrand::Rng,
    ) -> StepPlan {
        // Opened before the check: the window itself detects a suspension from here on.
        let window = SendWindow::open(&*self.env.clock, self.settings().post_within, payload);
        if self.time.is_uncertain() {
            return StepPlan::HostSuspended;
        }
        StepPlan::CommitThenSend { intent: intent(&self.input_now(), facts, rng), window }
    }
}
