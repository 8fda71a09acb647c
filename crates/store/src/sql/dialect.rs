//! The statements that the databases write differently.

/// The statements that write rows of `runs` and of `unfinished_runs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunWrite {
    /// Writes `runs`, and `unfinished_runs` where one statement can write both. Returns the ids of the rows written.
    pub first: &'static str,
    /// Writes `unfinished_runs`, given the rows of the written runs that have not ended.
    pub unfinished: Option<&'static str>,
    /// Deletes from `unfinished_runs`, given the ids of the written runs that have ended.
    pub ended: Option<&'static str>,
}

/// One database's statements. Parameters are `$1`, `$2` and so on; a parameter that is called rows is a JSON array.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// Inserts rows, and skips those whose tick or subject is taken.
    pub insert_runs: RunWrite,
    /// Reads the `runs` with the ids of a JSON array.
    pub read_runs: &'static str,
    /// Reads the `runs` with the ids of a JSON array, and the versions of their `unfinished_runs`.
    pub read_run_rows: &'static str,
    /// Updates the rows that are in their `decided_on` version and have not ended.
    pub update_runs: RunWrite,
    /// Reads a run by id, with the time, its lease, and duration and size of the app's last baselines.
    pub load: &'static str,
    /// Reads each app with the durations and sizes of its last baselines.
    pub past_durations: &'static str,
    /// Adds rows to `app_days`.
    pub add_app_days: &'static str,
    /// Reads the `app_days` from `$1` on.
    pub app_days: &'static str,
    /// Reads the `app_days` from `$1` on of the app `$2`.
    pub app_days_of: &'static str,
    /// Reads `catalog` by keys.
    pub read_entries: &'static str,
    /// Writes rows of `catalog`.
    pub write_entries: &'static str,
    /// Reads the last link of the audit; `None` where the database itself links what is appended.
    pub last_link: Option<&'static str>,
    /// Appends rows of `audit_events`. Returns their places.
    pub append_events: &'static str,
    /// Reads at most `$2` events before `$1` that people caused, the newest first.
    pub acts: &'static str,
    /// Deletes the `audit_checkpoints` of destinations that a JSON array leaves out.
    pub delete_checkpoints: &'static str,
    /// Moves the cursors that are where the rows say. Returns their apps.
    pub move_cursors: &'static str,
    /// Deletes the cursors that are where the rows say. Returns their apps.
    pub end_cursors: &'static str,
    /// Writes rows of `apps`.
    pub write_apps: &'static str,
    /// Reads the `catalog` of the apps of a JSON array, with what was removed if `$2`.
    pub catalog_of: &'static str,
    /// Reads the tags of the `apps` of a JSON array.
    pub app_tags: &'static str,
    /// Writes rows of `pauses`.
    pub write_pauses: &'static str,
    /// Writes rows of `acknowledgements`.
    pub write_acknowledgements: &'static str,
    /// Writes rows of `cursors`.
    pub write_cursors: &'static str,
    /// Deletes the `cursors` of the apps of a JSON array.
    pub delete_cursors: &'static str,
    /// End leases that lapsed by `$1`, at most 1,000 or all. The last statement affects a row for each.
    pub reclaim: &'static [&'static str],
    /// Counts the leases, and reads when the next one after `$1` ends.
    pub leases: &'static str,
    /// Counts, for each plan of the rows, the runs that occupy an app in it.
    pub occupied_plans: &'static str,
    /// Reads account and subscription of each run that occupies an app with a storage account of a JSON array.
    pub occupied_accounts: &'static str,
    /// Leases rows of `unfinished_runs` until `$1`. Returns their ids.
    pub lease: &'static str,
    /// Reads the `budgets` of the subscriptions of a JSON array.
    pub read_budgets: &'static str,
    /// Writes the tokens of rows of `budgets`.
    pub write_budgets: &'static str,
    /// Reads every app with its cursor, its current run, its last run and its last good backup.
    pub status: &'static str,
    /// Reads the store's protections, where the database has other users.
    pub safeguards: Option<&'static str>,
}

#[cfg(test)]
impl Dialect {
    /// Whether what reads past durations reads as many as a forecast uses. Statements are literals, so they say the number again.
    pub fn reads_past_durations(&self) -> bool {
        let limit = format!(" LIMIT {})", holdfast_model::PAST_DURATIONS);
        self.load.contains(&limit) && self.past_durations.contains(&limit)
    }
}
