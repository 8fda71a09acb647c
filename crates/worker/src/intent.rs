//! The intent of an attempt, committed before its request leaves. Pure.

use holdfast_model::{Attempt, BackupName, RunEvent, SasFacts, SasRefresh, Timestamp};
use holdfast_storage::Grant;

use crate::next::Next;
use crate::step_input::StepInput;

/// What an intent records beside the attempt's number and name.
#[derive(Debug, Clone, Default)]
pub(crate) struct IntentFacts {
    /// The SAS that the request sends, or that Azure uses for it.
    pub sas: Option<SasFacts>,
    /// The replacement of the storage's SAS that preceded the attempt.
    pub refresh: Option<SasRefresh>,
    /// When the backup to restore was last restored.
    pub restored_before: Option<Timestamp>,
}

impl From<&Grant> for IntentFacts {
    fn from(grant: &Grant) -> Self {
        Self { sas: Some(grant.facts.clone()), refresh: grant.refresh.clone(), restored_before: None }
    }
}

/// Starts the next attempt, under a name that no other attempt has. The run is leased for as long as its request may take.
pub(crate) fn intent(input: &StepInput<'_>, facts: IntentFacts, rng: &mut fastrand::Rng) -> Next {
    let number = input.run.state.next_attempt();
    let IntentFacts { sas, refresh, restored_before } = facts;
    let attempt = Attempt {
        number,
        name: BackupName::of_attempt(&input.run.app, input.run.id, number, rng),
        begun_at: input.now,
        sas: sas.as_ref().map(|sas| sas.fingerprint.clone()).unwrap_or_default(),
        sas_expiry: sas.as_ref().and_then(|sas| sas.window.expiry),
        restored_before,
    };
    let refresh = refresh.map(|refresh| RunEvent::SasRefreshed { refresh });
    let started = RunEvent::AttemptStarted { attempt, sas };
    Next::new(refresh.into_iter().chain([started]).collect(), input.now + input.settings.intent_lease())
}

#[cfg(test)]
mod tests {
    use holdfast_model::{RefreshReason, StorageName};

    use super::*;
    use crate::fixtures::{SETTINGS, at, input, one_missing, planned, rng, sas};

    fn grant(refresh: Option<SasRefresh>) -> Grant {
        Grant { url: String::new().into(), facts: sas(), refresh, warnings: Vec::new() }
    }

    #[test]
    fn an_intent_names_its_attempt_and_is_leased_for_as_long_as_its_post_may_take() {
        let refresh = SasRefresh {
            storage: StorageName::new("weu"),
            container: "https://acct/backups".into(),
            reason: RefreshReason::First,
            old: None,
            new: sas(),
            backup: None,
        };
        let next =
            intent(&input(&planned(), at(10)), IntentFacts::from(&grant(Some(refresh.clone()))), &mut rng());
        assert_eq!(next.events[0], RunEvent::SasRefreshed { refresh });
        let RunEvent::AttemptStarted { attempt, sas: sent } = &next.events[1] else { panic!("{next:?}") };
        let number = BackupName::number_in(attempt.name.as_str(), &planned().app, planned().id);
        assert_eq!((attempt.number, number, attempt.begun_at), (1, Some(1), at(10)));
        assert_eq!(*sent, Some(sas()));
        assert_eq!(next.due_at, at(10) + SETTINGS.intent_lease());
        assert!(SETTINGS.intent_lease() > SETTINGS.post_within + SETTINGS.call_timeout);
        let again = intent(&input(&one_missing(), at(10)), IntentFacts::from(&grant(None)), &mut rng());
        assert!(
            matches!(&again.events[..], [RunEvent::AttemptStarted { attempt, .. }] if attempt.number == 2)
        );
    }
}
