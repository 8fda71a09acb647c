//! What causes mean to people, and what to do about them. `docs/answers.md` has the same list in full.

use holdfast_model::Cause;

/// A cause in words.
pub fn label(cause: Cause) -> &'static str {
    match cause {
        Cause::TimedOut => "timed out",
        Cause::Skipped => "too many backups that day",
        Cause::PartiallySucceeded => "files left out",
        Cause::StorageRefused => "storage refused",
        Cause::DatabaseRefused => "database refused",
        Cause::TooLarge => "too large",
        Cause::AzureFailed => "Azure failed",
        Cause::DeletedOutside => "deleted outside Holdfast",
        Cause::DeadlinePassed => "deadline passed",
        Cause::AnswerLost => "answer lost",
        Cause::SasUnusable => "no usable SAS",
        Cause::BlobMissing => "blob missing",
        Cause::BlobEmpty => "blob empty",
        Cause::BlobShrunk => "backup shrunk",
        Cause::AppNotFound => "app not found",
        Cause::AppForbidden => "no right on the app",
        Cause::AppUnsupported => "not supported by Azure",
        Cause::Rejected => "request rejected",
        Cause::Throttled => "throttled",
        Cause::Busy => "app busy",
        Cause::Unreachable => "out of reach",
        Cause::TooManyOpenFiles => "too many open files",
        Cause::CredentialRefused => "credential refused",
        Cause::TooLate => "tick seen too late",
        Cause::Superseded => "superseded by a later tick",
        Cause::Overlap => "previous run not ended",
        Cause::DatabasesDropped => "databases left out",
        Cause::BackupNotFound => "backup not found",
        Cause::RestoreFailed => "restore failed",
        Cause::DeleteFailed => "deletion failed",
        Cause::ProbeFailed => "restored app does not answer",
        Cause::Protected => "backup protected",
        Cause::StandInMissing => "backup to keep not found",
        Cause::DatabaseSecret => "connection string unreadable",
        Cause::ScheduleChanged => "schedule changed outside Holdfast",
        Cause::ScheduleNotTaken => "schedule not taken",
        Cause::Cancelled => "cancelled by a person",
    }
}

/// What to do about a cause.
pub fn advice(cause: Cause) -> &'static str {
    match cause {
        Cause::TimedOut => {
            "Lower `per_plan` or widen the policy's `spread`; a `_backup.filter` in the app makes its backup smaller."
        }
        Cause::Skipped => {
            "Azure makes a limited number of backups of an app in a day: ask for fewer, or wait for the next day."
        }
        Cause::PartiallySucceeded => {
            "Read the run for the files that Azure left out; stop what locks them, or name them in the app's `_backup.filter`."
        }
        Cause::StorageRefused => {
            "Renew the key or the SAS of the storage and open its firewall; `holdfast sas check` says which. Then retry."
        }
        Cause::DatabaseRefused => {
            "Read the run: it says what the database refused. Correct the connection string or the firewall, then retry."
        }
        Cause::TooLarge => {
            "Name large folders in the app's `_backup.filter`: Azure backs up at most 10 GB, and 4 GB of a database."
        }
        Cause::AzureFailed => {
            "Retry; if it repeats, give Azure's words and the request id in the run to Microsoft's support."
        }
        Cause::DeletedOutside => "Find who deletes backups in the app's activity log in Azure, then retry.",
        Cause::DeadlinePassed => {
            "Retry; if it repeats, give the policy a longer `deadline` or a wider `spread`."
        }
        Cause::AnswerLost => "Retry: the request's answer was lost, and no backup of it appeared.",
        Cause::SasUnusable => {
            "`holdfast sas check` says what is wrong with the SAS or the key. Correct it in the fleet file, then retry."
        }
        Cause::BlobMissing => {
            "Check who else deletes blobs in the container, such as a lifecycle rule, then retry."
        }
        Cause::BlobEmpty => "Retry; if it repeats, give the request id in the run to Microsoft's support.",
        Cause::BlobShrunk => {
            "Compare with the app: if it did lose data, restore an older backup; if it is meant to be smaller, raise `shrink_tolerance`."
        }
        Cause::AppNotFound => "If the app was deleted, remove it from the fleet file; its backups stay.",
        Cause::AppForbidden => "Give the credential the role that docs/cli.md names on the app, then retry.",
        Cause::AppUnsupported => "Move the app to a Standard plan or better, or take it out of its policy.",
        Cause::Rejected => "Read Azure's words in the run; `holdfast doctor APP` looks for what is wrong.",
        Cause::Throttled => "Nothing: the run goes on when Azure's budget allows.",
        Cause::Busy => "Nothing: the run begins when the other operation on the app has ended.",
        Cause::Unreachable => {
            "Check the network between Holdfast, Azure and its storage; runs go on by themselves."
        }
        Cause::TooManyOpenFiles => "Raise the limit of open files of the process (`ulimit -n`), then retry.",
        Cause::CredentialRefused => {
            "Renew the secret of the credential in [azure]; `holdfast doctor` tries it. Then retry."
        }
        Cause::TooLate => {
            "Keep `holdfast run` running over the schedule's hours, or give the policy a longer `catch_up`. Back up now to close the gap."
        }
        Cause::Superseded => "Nothing: a later tick of the same app was run.",
        Cause::Overlap => {
            "Give the app longer between ticks, or the policy `overlap = \"queue\"`. Back up now to close the gap."
        }
        Cause::DatabasesDropped => "Azure left databases out: back them up with their own service.",
        other => advice_for_other_runs(other),
    }
}

/// What to do about a cause of runs that are no backups.
fn advice_for_other_runs(cause: Cause) -> &'static str {
    match cause {
        Cause::BackupNotFound => "Choose another backup: Azure no longer has this one.",
        Cause::RestoreFailed => "Read Azure's words in the run, then restore again or choose another backup.",
        Cause::DeleteFailed => {
            "`holdfast sas refresh` renews the SAS that Azure keeps with the backup; then retry."
        }
        Cause::ProbeFailed => "Look at the restored app before its backup is relied on.",
        Cause::Protected => {
            "Release the hold, or leave the backup: it is held, needed by a restore, or the app's last."
        }
        Cause::StandInMissing => {
            "`holdfast verify APP` looks for the backups that must stay before this one may be deleted."
        }
        Cause::DatabaseSecret => {
            "Correct the `connection_string` of the database in the fleet file, then retry."
        }
        Cause::ScheduleChanged => {
            "`holdfast native-schedule push` sets the schedule again as the policy says."
        }
        Cause::ScheduleNotTaken => "Read the run for what differs, and set the schedule by hand in Azure.",
        _ => "Read the run: it says what happened.",
    }
}

/// Whether another backup may succeed, at once or after the advice was followed.
pub fn is_worth_retrying(cause: Cause) -> bool {
    !matches!(cause, Cause::AppNotFound | Cause::AppUnsupported | Cause::TooLarge | Cause::DatabasesDropped)
}
