//! Failed preparations.

use holdfast_arm::{ErrorKind, Operation};
use holdfast_model::{Call, Cause, Outcome, RunEvent, RunState, StorageName};

use holdfast_storage::SecretError;

use super::{NotReady, not_ready};
use crate::fixtures::{
    RETRIES, after, assert_pause, at, ending, error, forbidden, input, moved, no_answer, one_missing,
    planned, polling, rng, throttled_at,
};

#[test]
fn an_unusable_sas_counts_as_a_failure_and_uses_up_no_attempt_number() {
    let missing = || holdfast_storage::Error::FindStorage { storage: StorageName::new("weu") };
    for why in [missing, forbidden] {
        for before in 0..RETRIES.transient.attempts {
            let mut run = planned();
            run.failure_counts.transient = before;
            let next = not_ready(&input(&run, at(10)), &NotReady::Storage(why()), &mut rng());
            let run = after(&run, &next);
            assert_eq!(run.failure_counts.transient, before + 1);
            if before + 1 == RETRIES.transient.attempts {
                assert_eq!(ending(&next), Some((Outcome::Exhausted, Some(Cause::SasUnusable))));
            } else {
                assert!(matches!(
                    run.state,
                    RunState::Waiting { next_attempt: 1, cause: Cause::SasUnusable, .. }
                ));
                assert_pause(&next, at(10), 40 << before);
            }
        }
    }
}

#[test]
fn unreachable_storage_defers_the_run_and_counts_as_no_failure() {
    let next = not_ready(&input(&planned(), at(10)), &NotReady::Storage(no_answer()), &mut rng());
    let run = after(&planned(), &next);
    assert_eq!((run.failure_counts.transient, run.failure_counts.deferred), (0, 1));
    assert_pause(&next, at(10), 10);
}

#[test]
fn a_process_without_file_descriptors_waits_and_does_not_blame_the_sas() {
    let cause = std::io::Error::from_raw_os_error(24);
    let secret = SecretError::ReadFile { reference: "file:/run/secrets/key".parse().unwrap(), cause };
    let storage = StorageName::new("weu");
    let why = NotReady::Storage(holdfast_storage::Error::ReadSecret { storage, cause: secret });
    let next = not_ready(&input(&planned(), at(10)), &why, &mut rng());
    let run = after(&planned(), &next);
    assert_eq!((run.failure_counts.transient, run.failure_counts.deferred), (0, 1));
    let deferred = next
        .events
        .iter()
        .any(|event| matches!(event, RunEvent::Deferred { cause: Cause::TooManyOpenFiles, .. }));
    assert!(deferred, "{next:?}");
}

#[test]
fn a_credential_that_is_refused_for_good_ends_the_run_at_once_wherever_it_is_needed() {
    let cause = holdfast_storage::NoToken {
        reason: "[azure] has no token: AADSTS7000222: the client secret has expired: create a new one".into(),
        is_refused_for_good: true,
    };
    let storage = StorageName::new("weu");
    let delegated = holdfast_storage::NoKey::NoToken(cause.clone());
    let reference = || "keyvault:https://v.vault.azure.net/secrets/sas".parse().unwrap();
    let unread = || holdfast_storage::SecretError::NoToken { reference: reference(), cause: cause.clone() };
    for why in [
        NotReady::Storage(holdfast_storage::Error::DelegateKey {
            storage: storage.clone(),
            cause: delegated,
        }),
        NotReady::Storage(holdfast_storage::Error::ReadSecret { storage, cause: unread() }),
        NotReady::Secret(unread()),
        NotReady::Arm(error(ErrorKind::CredentialRefused)),
    ] {
        let next = not_ready(&input(&planned(), at(10)), &why, &mut rng());
        assert_eq!(ending(&next), Some((Outcome::Failed, Some(Cause::CredentialRefused))), "{why}");
    }
}

#[test]
fn a_refused_sas_stays_refused_until_the_next_attempt_begins() {
    let failed = RunEvent::AttemptEnded {
        number: 1,
        status: None,
        cause: Cause::StorageRefused,
        detail: String::new(),
        backup: None,
        retry_at: None,
    };
    let run = moved(polling(), [failed]);
    for why in [
        NotReady::Storage(no_answer()),
        NotReady::Storage(forbidden()),
        NotReady::Arm(error(ErrorKind::NotSent)),
    ] {
        let later = after(&run, &not_ready(&input(&run, at(10)), &why, &mut rng()));
        assert_eq!(later.state.refused_sas(), Some("fingerprint"), "{why}");
    }
}

#[test]
fn a_lost_attempt_that_cannot_be_looked_for_holds_up_the_next_one() {
    let run = one_missing();
    for (why, cause) in [
        (NotReady::AppGone(error(ErrorKind::NotFound)), Cause::AppNotFound),
        (NotReady::Arm(error(ErrorKind::Rejected)), Cause::Rejected),
    ] {
        let next = not_ready(&input(&run, at(10)), &why, &mut rng());
        assert_eq!(ending(&next), Some((Outcome::Failed, Some(cause))));
    }
    for kind in [ErrorKind::Forbidden, ErrorKind::NotFound] {
        let next = not_ready(&input(&run, at(10)), &NotReady::Arm(error(kind)), &mut rng());
        assert!(matches!(after(&run, &next).state, RunState::Waiting { next_attempt: 2, .. }), "{next:?}");
    }
    let throttled = NotReady::Arm(throttled_at(Operation::ListBackups, 90));
    let next = not_ready(&input(&run, at(10)), &throttled, &mut rng());
    assert_eq!((next.due_at, next.close), (at(100), Some((Call::Read, at(100)))));
    assert!(matches!(after(&run, &next).state, RunState::Waiting { next_attempt: 2, .. }));
}
