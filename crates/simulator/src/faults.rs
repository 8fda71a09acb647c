//! Faults and their rates.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Fault rates from 0 (never) to 1 (always), drawn again at every attempt, so that a retry may succeed.
///
/// One draw decides among the rates of a group, which are cumulative: a fault beyond a sum of 1 never happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Ends: status `TimedOut`.
    pub timed_out: f64,
    /// Ends: status `Skipped`.
    pub skipped: f64,
    /// Ends: status `PartiallySucceeded`.
    pub partial: f64,
    /// Ends: status `Failed`, and the log reports a 403 from storage, as after the SAS expired during the backup.
    pub failed_storage: f64,
    /// Ends: status `Failed`, and the log names no known reason.
    pub failed_other: f64,
    /// Ends: status `Failed`, and the log says that the app is too large.
    pub too_large: f64,
    /// Ends: an unknown status word, then success.
    pub unknown_word: f64,
    /// Ends: an unknown status word, forever.
    pub unknown_word_for_ever: f64,

    /// Backups with databases: they succeed without them.
    pub databases_dropped: f64,
    /// Deletions: status `DeleteFailed`, whatever the SAS.
    pub delete_failed: f64,
    /// Deletions: the backup stays listed for a while as `Deleted`.
    pub deleted_lingers: f64,
    /// Restores: the operation fails with `InternalServerError`.
    pub restore_failed: f64,

    /// Calls that change something: it is done, and the connection drops before the answer.
    pub lost_post_answer: f64,
    /// Calls that change something: it is done, and the answer is a 5xx.
    pub server_error_after_accept: f64,
    /// All calls: the answer is a 5xx, and nothing was done.
    pub server_error_before: f64,
    /// All calls: the provider's own 429, while ARM has plenty left.
    pub throttle: f64,
    /// Calls that change something: 409, as during another change of the site.
    pub conflict: f64,
    /// All calls: the answer comes late.
    pub slow: f64,
    /// All calls: the connection drops, and nothing was done.
    pub refused: f64,
    /// All calls: a proxy's HTML in the answer's place; whether anything was done is an even chance.
    pub garbage: f64,
    /// All calls: a gateway's HTML with a 4xx in the answer's place; whether anything was done is an even chance.
    pub gateway: f64,
    /// Polls and lists of backups: Azure's own 403 or 404, although nothing is wrong.
    pub odd_refusal: f64,
    /// Lists of backups: `value` is null, or its elements have no id or no name.
    pub unreadable_list: f64,
}

/// What a call does, as far as its faults depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// It changes something.
    Changes,
    /// It reads one backup.
    Polls,
    /// It lists backups.
    Lists,
    /// It reads something else.
    Reads,
}

/// How a backup ends.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum End {
    /// `Succeeded`.
    Succeeded,
    /// `PartiallySucceeded`.
    Partial,
    /// `TimedOut`.
    TimedOut,
    /// `Skipped`.
    Skipped,
    /// `Failed`: storage answered 403, or 404.
    FailedStorage,
    /// `Failed` for an unnamed reason.
    FailedOther,
    /// `Failed`: over the size limit.
    TooLarge,
    /// An unknown word, then `Succeeded`.
    UnknownWord,
    /// An unknown word, forever.
    UnknownWordForEver,
}

/// How a deletion ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteEnd {
    /// The backup and its blobs are deleted.
    Gone,
    /// The same, but it stays listed for a while as `Deleted`.
    Lingers,
    /// `DeleteFailed`, and it stays.
    Failed,
}

/// How a restore ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreEnd {
    /// As the request and the storage determine.
    AsAsked,
    /// `InternalServerError`, and the target is unchanged.
    Failed,
}

/// The fault of one call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CallFault {
    /// Done; the connection drops before the answer.
    AnswerLost,
    /// Done; the answer is a 5xx.
    ServerErrorAfter,
    /// Done; a proxy's HTML comes in the answer's place.
    GarbageAfter,
    /// Done; the answer comes late.
    Slow,
    /// Not done; the answer is a 5xx.
    ServerErrorBefore,
    /// Not done; a proxy's HTML comes in the answer's place.
    GarbageBefore,
    /// Not done; the connection drops.
    Refused,
    /// Not done; the provider's own 429. `Retry-After` is mostly 5, sometimes missing, sometimes 0.
    Throttle,
    /// Not done; 409.
    Conflict,
    /// Done; a gateway's HTML with a 4xx comes in the answer's place.
    GatewayAfter,
    /// Not done; a gateway's HTML with a 4xx comes in the answer's place.
    GatewayBefore,
    /// Not done; Azure's own 403, although the right is there.
    OddForbidden,
    /// Not done; Azure's own 404, although the backup is there.
    OddNotFound,
    /// Done; the list cannot be read.
    UnreadableList,
}

/// An outcome that a test sets for an app, whatever the rates say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptedOutcome {
    /// The end of its next accepted backup.
    End(End),
    /// The end of its next accepted deletion of a backup.
    Delete(DeleteEnd),
    /// The end of the next accepted restore that is requested of it, whatever its target.
    Restore(RestoreEnd),
    /// The fault of the next call that changes something: starts a backup or restore, deletes, replaces a SAS or a schedule.
    CallFault(CallFault),
}

impl From<DeleteEnd> for ScriptedOutcome {
    fn from(end: DeleteEnd) -> Self {
        Self::Delete(end)
    }
}

impl From<RestoreEnd> for ScriptedOutcome {
    fn from(end: RestoreEnd) -> Self {
        Self::Restore(end)
    }
}

impl From<End> for ScriptedOutcome {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

impl From<CallFault> for ScriptedOutcome {
    fn from(call_fault: CallFault) -> Self {
        Self::CallFault(call_fault)
    }
}

impl Faults {
    /// No faults.
    pub fn none() -> Self {
        Self::default()
    }

    pub(crate) fn draw_end(&self, rng: &mut fastrand::Rng) -> End {
        let rates = [
            (self.timed_out, End::TimedOut),
            (self.skipped, End::Skipped),
            (self.partial, End::Partial),
            (self.failed_storage, End::FailedStorage),
            (self.failed_other, End::FailedOther),
            (self.too_large, End::TooLarge),
            (self.unknown_word, End::UnknownWord),
            (self.unknown_word_for_ever, End::UnknownWordForEver),
        ];
        draw(&rates, rng).unwrap_or(End::Succeeded)
    }

    pub(crate) fn draw_databases_dropped(&self, rng: &mut fastrand::Rng) -> bool {
        draw(&[(self.databases_dropped, ())], rng).is_some()
    }

    pub(crate) fn draw_delete(&self, rng: &mut fastrand::Rng) -> DeleteEnd {
        let rates = [(self.delete_failed, DeleteEnd::Failed), (self.deleted_lingers, DeleteEnd::Lingers)];
        draw(&rates, rng).unwrap_or(DeleteEnd::Gone)
    }

    pub(crate) fn draw_restore(&self, rng: &mut fastrand::Rng) -> RestoreEnd {
        draw(&[(self.restore_failed, RestoreEnd::Failed)], rng).unwrap_or(RestoreEnd::AsAsked)
    }

    /// Draws the fault of a call.
    pub(crate) fn draw_call_fault(&self, kind: CallKind, rng: &mut fastrand::Rng) -> Option<CallFault> {
        let only_starting = |rate: f64| if kind == CallKind::Changes { rate } else { 0.0 };
        let of_backups =
            if [CallKind::Polls, CallKind::Lists].contains(&kind) { self.odd_refusal } else { 0.0 };
        let of_lists = if kind == CallKind::Lists { self.unreadable_list } else { 0.0 };
        let rates = [
            (only_starting(self.lost_post_answer), CallFault::AnswerLost),
            (only_starting(self.server_error_after_accept), CallFault::ServerErrorAfter),
            (self.server_error_before, CallFault::ServerErrorBefore),
            (self.throttle, CallFault::Throttle),
            (only_starting(self.conflict), CallFault::Conflict),
            (self.slow, CallFault::Slow),
            (self.refused, CallFault::Refused),
            (self.garbage / 2.0, CallFault::GarbageBefore),
            (self.garbage / 2.0, CallFault::GarbageAfter),
            (self.gateway / 2.0, CallFault::GatewayBefore),
            (self.gateway / 2.0, CallFault::GatewayAfter),
            (of_backups / 2.0, CallFault::OddForbidden),
            (of_backups / 2.0, CallFault::OddNotFound),
            (of_lists, CallFault::UnreadableList),
        ];
        draw(&rates, rng)
    }
}

/// Draws once in any case, so that the rates do not shift later draws.
fn draw<T: Copy>(rates: &[(f64, T)], rng: &mut fastrand::Rng) -> Option<T> {
    let drawn = rng.f64();
    let mut reached = 0.0;
    rates.iter().find_map(|(rate, outcome)| {
        reached += rate.max(0.0);
        (drawn < reached).then_some(*outcome)
    })
}

impl CallFault {
    /// Whether the call has its effect.
    pub(crate) fn is_after_effect(self) -> bool {
        self.loses_answer() || matches!(self, Self::Slow | Self::UnreadableList)
    }

    /// Whether the caller does not learn of the effect.
    pub(crate) fn loses_answer(self) -> bool {
        matches!(self, Self::AnswerLost | Self::ServerErrorAfter | Self::GarbageAfter | Self::GatewayAfter)
    }

    /// The name in counters.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl End {
    /// The name in counters.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether it leaves a blob.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Succeeded | Self::Partial | Self::UnknownWord)
    }
}

/// The outcomes that a test set for one app.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    pub(crate) ends: VecDeque<End>,
    pub(crate) deletes: VecDeque<DeleteEnd>,
    pub(crate) restores: VecDeque<RestoreEnd>,
    pub(crate) call_faults: VecDeque<CallFault>,
    pub(crate) read_call_faults: VecDeque<CallFault>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn rates_are_met_over_many_draws_and_none_means_none() {
        let faults = Faults { timed_out: 0.2, too_large: 0.1, ..Faults::none() };
        let mut rng = fastrand::Rng::with_seed(3);
        let mut seen: BTreeMap<End, u32> = BTreeMap::new();
        for _ in 0..10_000 {
            *seen.entry(faults.draw_end(&mut rng)).or_default() += 1;
            assert_eq!(Faults::none().draw_end(&mut rng), End::Succeeded);
            assert_eq!(Faults::none().draw_call_fault(CallKind::Changes, &mut rng), None);
        }
        assert!((1_800..2_200).contains(&seen[&End::TimedOut]), "{seen:?}");
        assert!((850..1_150).contains(&seen[&End::TooLarge]), "{seen:?}");
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn a_rate_of_one_is_always_and_nonsense_is_never() {
        let mut rng = fastrand::Rng::with_seed(3);
        let always = Faults { lost_post_answer: 1.0, throttle: 5.0, ..Faults::none() };
        let nonsense = Faults { throttle: f64::NAN, slow: -1.0, ..Faults::none() };
        for _ in 0..1_000 {
            assert_eq!(always.draw_call_fault(CallKind::Changes, &mut rng), Some(CallFault::AnswerLost));
            assert_eq!(always.draw_call_fault(CallKind::Reads, &mut rng), Some(CallFault::Throttle));
            assert_eq!(nonsense.draw_call_fault(CallKind::Changes, &mut rng), None);
        }
    }

    #[test]
    fn faults_are_read_from_a_part_of_their_fields_and_unknown_ones_are_refused() {
        let faults: Faults = serde_json::from_str(r#"{"slow": 0.5}"#).unwrap();
        assert_eq!(faults, Faults { slow: 0.5, ..Faults::none() });
        assert!(serde_json::from_str::<Faults>(r#"{"slowly": 0.5}"#).is_err());
    }
}
