//! The statements that are specific to SQLite.

use crate::sql::dialect::{Dialect, RunWrite};

pub(super) const DIALECT: Dialect = Dialect {
    safeguards: None,
    insert_runs: RunWrite {
        first: "/* insert_runs */ INSERT INTO runs (id, version, kind, task, subject, trigger, priority, app,
            subscription, policy, tick, plan, storage, account, policy_snapshot, created_at, state, state_json,
            failure_counts, outcome, cause, due_at, ended_at)
        SELECT value ->> '$.id', 1, value ->> '$.kind', value -> '$.task',
            value ->> '$.subject', value ->> '$.trigger', value ->> '$.priority', value ->> '$.app',
            value ->> '$.subscription', value ->> '$.policy', value ->> '$.tick', value ->> '$.plan',
            value ->> '$.storage', value ->> '$.account', value -> '$.policy_snapshot',
            value ->> '$.created_at', value ->> '$.state', value -> '$.state_json',
            value -> '$.failure_counts', value ->> '$.outcome', value ->> '$.cause', value ->> '$.due_at',
            value ->> '$.ended_at'
        FROM jsonb_each($1) WHERE true
        ON CONFLICT (policy, app, tick) WHERE policy IS NOT NULL AND tick IS NOT NULL DO NOTHING
        ON CONFLICT (app, subject) WHERE subject IS NOT NULL AND ended_at IS NULL DO NOTHING
        RETURNING id",
        unfinished: Some(
            "/* insert_unfinished_runs */ INSERT INTO unfinished_runs (
            id, version, app, subscription, plan, account, lane, priority, due_at)
        SELECT value ->> '$.id', 1, value ->> '$.app', value ->> '$.subscription', value ->> '$.plan',
            value ->> '$.account', value ->> '$.lane', value ->> '$.priority', value ->> '$.due_at'
        FROM jsonb_each($1)",
        ),
        ended: None,
    },
    read_runs: "/* read_runs */ SELECT * FROM runs WHERE id IN (SELECT value FROM jsonb_each($1))",
    read_run_rows: "/* check */ SELECT runs.*, place.version AS place_version
        FROM runs LEFT JOIN unfinished_runs AS place ON place.id = runs.id
        WHERE runs.id IN (SELECT value FROM jsonb_each($1))",
    update_runs: RunWrite {
        first: "/* update_runs */ UPDATE runs SET version = version + 1,
            attempt = coalesce(new.value ->> '$.attempt', attempt),
            state = new.value ->> '$.state', state_json = new.value -> '$.state_json',
            failure_counts = new.value -> '$.failure_counts', outcome = new.value ->> '$.outcome',
            cause = new.value ->> '$.cause', backup_id = new.value ->> '$.backup_id',
            backup_blob = new.value ->> '$.backup_blob', size_bytes = new.value ->> '$.size_bytes',
            accepted_at = new.value ->> '$.accepted_at', finished_at = new.value ->> '$.finished_at',
            verification = new.value ->> '$.verification', baseline_at = new.value ->> '$.baseline_at',
            unsettled = new.value ->> '$.unsettled',
            due_at = new.value ->> '$.due_at', ended_at = new.value ->> '$.ended_at'
        FROM jsonb_each($1) AS new
        WHERE runs.id = new.value ->> '$.id' AND runs.version = new.value ->> '$.decided_on' AND runs.state <> 'ended'
        RETURNING id",
        unfinished: Some(
            "/* move_unfinished_runs */ UPDATE unfinished_runs SET version = new.value ->> '$.decided_on' + 1,
            lane = new.value ->> '$.lane', due_at = new.value ->> '$.due_at',
            occupies_app = new.value ->> '$.occupies_app', leased_until = NULL
        FROM jsonb_each($1) AS new
        WHERE unfinished_runs.id = new.value ->> '$.id'",
        ),
        ended: Some(
            "/* delete_unfinished_runs */ DELETE FROM unfinished_runs
        WHERE id IN (SELECT value FROM jsonb_each($1))",
        ),
    },
    // Only a backup run has baselines.
    load: "/* load */ SELECT run.*, place.leased_until, place.lease_nonce, NULL AS now,
            run.kind = 'backup' AND EXISTS (SELECT 1 FROM runs WHERE app = run.app AND unsettled = 1) AS has_unsettled,
            (SELECT json_group_array(json_array(took_ms, size_bytes)) FROM (
                SELECT CAST(round((julianday(coalesce(finished_at, ended_at)) - julianday(baseline_at)) * 86400000)
                        AS INTEGER) AS took_ms, size_bytes
                FROM runs WHERE run.kind = 'backup' AND app = run.app AND baseline_at IS NOT NULL
                ORDER BY baseline_at DESC, id DESC LIMIT 20) AS baseline) AS baselines
        FROM runs AS run LEFT JOIN unfinished_runs AS place ON place.id = run.id
        WHERE run.id IN (SELECT value FROM jsonb_each($1))",
    past_durations: "/* past_durations */ SELECT apps.app, (
            SELECT json_group_array(json_array(took_ms, size_bytes)) FROM (
                SELECT CAST(round((julianday(coalesce(finished_at, ended_at)) - julianday(baseline_at)) * 86400000)
                        AS INTEGER) AS took_ms, size_bytes
                FROM runs WHERE runs.app = apps.app AND baseline_at IS NOT NULL
                ORDER BY baseline_at DESC, id DESC LIMIT 20) AS baseline) AS baselines
        FROM apps",
    add_app_days: "/* add_app_days */ INSERT INTO app_days (app, day, policy, good, partial, failed, missed, bytes)
        SELECT value ->> '$.app', value ->> '$.day', value ->> '$.policy', value ->> '$.good', value ->> '$.partial',
            value ->> '$.failed', value ->> '$.missed', value ->> '$.bytes'
        FROM jsonb_each($1) WHERE true
        ON CONFLICT (app, day) DO UPDATE SET policy = coalesce(excluded.policy, app_days.policy),
            good = app_days.good + excluded.good, partial = app_days.partial + excluded.partial,
            failed = app_days.failed + excluded.failed, missed = app_days.missed + excluded.missed,
            bytes = coalesce(excluded.bytes, app_days.bytes)",
    app_days: "/* app_days */ SELECT * FROM app_days WHERE day >= $1",
    app_days_of: "/* app_days_of */ SELECT * FROM app_days WHERE app = $2 AND day >= $1",
    read_entries: "/* read_entries */ SELECT catalog.* FROM jsonb_each($1) AS asked
        JOIN catalog ON catalog.app = asked.value ->> '$.app' AND catalog.backup_id = asked.value ->> '$.backup_id'",
    write_entries: "/* write_entries */ INSERT INTO catalog (
            app, backup_id, generation, event_seq, run_id, policy, storage, blob, size_bytes, accepted_at,
            finished_at, databases, origin, good, sas_fingerprint, sas_start, sas_expiry, hold, removed_at,
            deleted, last_failure_at, verified_at, drilled_at, drill_passed, changed_at, differences,
            good_once_verified)
        SELECT
            value ->> '$.app', value ->> '$.backup_id', value ->> '$.generation', value ->> '$.event_seq',
            value ->> '$.run_id', value ->> '$.policy', value ->> '$.storage', value ->> '$.blob',
            value ->> '$.size_bytes', value ->> '$.accepted_at', value ->> '$.finished_at',
            value ->> '$.databases', value ->> '$.origin', value ->> '$.good', value ->> '$.sas_fingerprint',
            value ->> '$.sas_start', value ->> '$.sas_expiry', value ->> '$.hold', value ->> '$.removed_at',
            value ->> '$.deleted', value ->> '$.last_failure_at', value ->> '$.verified_at',
            value ->> '$.drilled_at', value ->> '$.drill_passed', value ->> '$.changed_at',
            value ->> '$.differences', value ->> '$.good_once_verified'
        FROM jsonb_each($1) WHERE true
        ON CONFLICT (app, backup_id, generation) DO UPDATE SET
            event_seq = excluded.event_seq, run_id = excluded.run_id, policy = excluded.policy,
            storage = excluded.storage, blob = excluded.blob, size_bytes = excluded.size_bytes,
            accepted_at = excluded.accepted_at, finished_at = excluded.finished_at,
            databases = excluded.databases, origin = excluded.origin, good = excluded.good,
            sas_fingerprint = excluded.sas_fingerprint, sas_start = excluded.sas_start,
            sas_expiry = excluded.sas_expiry, hold = excluded.hold, removed_at = excluded.removed_at,
            deleted = excluded.deleted, last_failure_at = excluded.last_failure_at,
            verified_at = excluded.verified_at, drilled_at = excluded.drilled_at,
            drill_passed = excluded.drill_passed, changed_at = excluded.changed_at,
            differences = excluded.differences, good_once_verified = excluded.good_once_verified",
    last_link: Some(
        "/* last_link */ SELECT seq, previous, hash, at, '' AS database_role FROM audit_events
        WHERE seq > 0 ORDER BY seq DESC LIMIT 1",
    ),
    append_events: "/* append_events */ INSERT INTO audit_events (seq, at, run_id, app, data, previous, hash)
        SELECT value ->> '$.seq', value ->> '$.at', value ->> '$.run_id', value ->> '$.app', value ->> '$.data',
            value ->> '$.previous', value ->> '$.hash'
        FROM jsonb_each($1) RETURNING seq, at",
    acts: "/* acts */ SELECT seq, at, run_id, app, data, database_role, previous, hash FROM audit_events
        WHERE data ->> '$.actor' IS NOT NULL AND coalesce(data ->> '$.action.kind', '') NOT IN ('enrolled', 'policy_changed', 'tags_changed', 'left_fleet')
          AND seq < $1 ORDER BY seq DESC LIMIT $2",
    delete_checkpoints: "/* record_checkpoints */ DELETE FROM audit_checkpoints
        WHERE destination NOT IN (SELECT value FROM jsonb_each($1))",
    move_cursors: "/* move_cursors */ UPDATE cursors SET through = plan.value ->> '$.through',
            next_at = plan.value ->> '$.next_at'
        FROM jsonb_each($1) AS plan
        WHERE cursors.app = plan.value ->> '$.app' AND cursors.policy = plan.value ->> '$.policy'
          AND cursors.fingerprint = plan.value ->> '$.fingerprint'
          AND cursors.through = plan.value ->> '$.decided_on'
        RETURNING app",
    end_cursors: "/* end_cursors */ DELETE FROM cursors
        WHERE (app, policy, fingerprint, through) IN (
            SELECT value ->> '$.app', value ->> '$.policy', value ->> '$.fingerprint', value ->> '$.decided_on'
            FROM jsonb_each($1))
        RETURNING app",
    write_apps: "/* sync_fleet */ INSERT OR REPLACE INTO apps (app, policy, plan, paused,
            recovery_point_objective_s, retention, partial_is_good, enrolled_at, seen_at, missing_since,
            removed_at, removed_reason, tags)
        SELECT value ->> '$.app', value ->> '$.policy', value ->> '$.plan', value ->> '$.paused',
            value ->> '$.recovery_point_objective_s', value ->> '$.retention', value ->> '$.partial_is_good',
            value ->> '$.enrolled_at', value ->> '$.seen_at', value ->> '$.missing_since',
            value ->> '$.removed_at', value ->> '$.removed_reason', value ->> '$.tags'
        FROM jsonb_each($1)",
    catalog_of: "/* catalog */ SELECT * FROM catalog
        WHERE app IN (SELECT value FROM jsonb_each($1)) AND ($2 OR removed_at IS NULL)",
    app_tags: "/* app_tags */ SELECT app, tags FROM apps WHERE app IN (SELECT value FROM jsonb_each($1))",
    write_pauses: "/* write_pauses */ INSERT INTO pauses (app, paused_until, reason, actor, since)
        SELECT value ->> '$.app', value ->> '$.paused_until', value ->> '$.reason', value ->> '$.actor',
            value ->> '$.since'
        FROM jsonb_each($1) WHERE true
        ON CONFLICT (app) DO UPDATE SET paused_until = excluded.paused_until, reason = excluded.reason,
            actor = excluded.actor, since = CASE WHEN pauses.paused_until >= excluded.since
                THEN min(pauses.since, excluded.since) ELSE excluded.since END
            WHERE pauses.paused_until >= excluded.since OR excluded.paused_until > excluded.since",
    write_acknowledgements: "/* write_acknowledgements */ INSERT INTO acknowledgements (app, run_id, note, actor, at)
        SELECT value ->> '$.app', value ->> '$.run_id', value ->> '$.note', value ->> '$.actor', value ->> '$.at'
        FROM jsonb_each($1) WHERE true
        ON CONFLICT (app) DO UPDATE SET run_id = excluded.run_id, note = excluded.note, actor = excluded.actor,
            at = excluded.at",
    write_cursors: "/* sync_fleet */ INSERT OR REPLACE INTO cursors (app, policy, fingerprint, through, next_at)
        SELECT value ->> '$.app', value ->> '$.policy', value ->> '$.fingerprint', value ->> '$.through',
            value ->> '$.next_at'
        FROM jsonb_each($1)",
    delete_cursors: "/* sync_fleet */ DELETE FROM cursors WHERE app IN (SELECT value FROM jsonb_each($1))",
    reclaim: &[
        "/* reclaim */ UPDATE runs SET version = version + 1
        WHERE id IN (SELECT id FROM unfinished_runs WHERE leased_until <= $1)",
        "/* reclaim */ UPDATE unfinished_runs SET leased_until = NULL, version = version + 1,
            occupies_app = occupies_app AND (SELECT state IN ('starting', 'reconciling', 'polling', 'polling_operation')
                FROM runs WHERE runs.id = unfinished_runs.id)
        WHERE leased_until <= $1",
    ],
    leases: "/* leases */ SELECT (SELECT count(*) FROM unfinished_runs WHERE leased_until > '') AS outstanding,
            (SELECT min(leased_until) FROM unfinished_runs WHERE leased_until > $1) AS next_ends_at",
    occupied_plans: "/* occupied_plans */ SELECT asked.value ->> '$.subscription' AS subscription,
            asked.value ->> '$.plan' AS plan,
            (SELECT count(*) FROM unfinished_runs AS run WHERE occupies_app = 1
                AND run.subscription = asked.value ->> '$.subscription' AND run.plan = asked.value ->> '$.plan') AS count
        FROM jsonb_each($1) AS asked",
    occupied_accounts: "/* occupied_accounts */ SELECT run.account, run.subscription, count(*) AS count
        FROM jsonb_each($1) AS asked
        JOIN unfinished_runs AS run ON run.occupies_app = 1 AND run.account = asked.value
        GROUP BY run.account, run.subscription",
    lease: "/* lease */ UPDATE unfinished_runs SET leased_until = $1, lease_nonce = picked.value ->> '$.nonce',
            occupies_app = max(occupies_app, picked.value ->> '$.begins')
        FROM jsonb_each($2) AS picked
        WHERE unfinished_runs.id = picked.value ->> '$.id' AND version = picked.value ->> '$.version'
          AND leased_until IS NULL
        RETURNING unfinished_runs.id",
    read_budgets: "/* read_budgets */ SELECT subscription, call, tokens, filled_at, closed_until FROM budgets
        WHERE subscription IN (SELECT value FROM jsonb_each($1))",
    write_budgets: "/* write_budgets */ INSERT INTO budgets (subscription, call, tokens, filled_at)
        SELECT value ->> '$.subscription', value ->> '$.call', value ->> '$.tokens', value ->> '$.filled_at'
        FROM jsonb_each($1) WHERE true
        ON CONFLICT (subscription, call) DO UPDATE SET tokens = excluded.tokens, filled_at = excluded.filled_at",
    status: "/* status */ SELECT apps.*, cursors.next_at, running.id AS running_id, running.kind AS running_kind, running.state AS running_state,
            running.cause AS running_cause, running.created_at AS running_since, running.due_at AS running_due_at,
            missed.id AS missed_id, missed.tick AS missed_tick, missed.cause AS missed_cause,
            last.id AS last_id, last.outcome AS last_outcome, last.cause AS last_cause,
            last.verification AS last_verification, last.ended_at AS last_ended_at,
            (SELECT accepted_at FROM catalog WHERE catalog.app = apps.app AND removed_at IS NULL AND good
             ORDER BY accepted_at DESC LIMIT 1) AS last_good_at,
            (SELECT sas_expiry FROM catalog WHERE catalog.app = apps.app AND removed_at IS NULL AND good
             ORDER BY accepted_at DESC LIMIT 1) AS last_good_sas_expiry,
            (SELECT drilled_at FROM catalog WHERE catalog.app = apps.app AND drill_passed
             ORDER BY drilled_at DESC LIMIT 1) AS proven_at,
            checked.id AS check_id, checked.outcome AS check_outcome, checked.cause AS check_cause,
            checked.verification AS check_verification, checked.ended_at AS check_ended_at,
            pauses.paused_until, pauses.reason AS pause_reason, pauses.actor AS paused_by,
            pauses.since AS paused_since, told.run_id AS acknowledged_run, told.note AS acknowledged_note,
            told.actor AS acknowledged_by, told.at AS acknowledged_at,
            (SELECT count(*) FROM catalog WHERE catalog.app = apps.app AND removed_at IS NOT NULL AND deleted = 0
                AND removed_at > $1 AND (good OR origin = 'partial')) AS lost,
            (SELECT json_array_length(data, '$.drift') > 0 FROM audit_events
             WHERE run_id = checked.id AND event = 'schedule_compared' ORDER BY seq DESC LIMIT 1) AS drift
        FROM apps
        LEFT JOIN cursors ON cursors.app = apps.app
        LEFT JOIN pauses ON pauses.app = apps.app
        LEFT JOIN acknowledgements AS told ON told.app = apps.app
        LEFT JOIN runs AS running ON running.id = (
            SELECT runs.id FROM runs LEFT JOIN unfinished_runs AS place ON place.id = runs.id
            WHERE runs.app = apps.app AND ended_at IS NULL AND kind IN ('backup', 'restore', 'drill')
            ORDER BY coalesce(place.occupies_app, 0) DESC, created_at, runs.id LIMIT 1)
        LEFT JOIN runs AS missed ON missed.id = (
            SELECT id FROM runs WHERE runs.app = apps.app AND outcome = 'missed'
            ORDER BY tick DESC, id DESC LIMIT 1)
        LEFT JOIN runs AS last ON last.id = (
            SELECT id FROM runs WHERE runs.app = apps.app AND outcome NOT IN ('missed', 'cancelled') AND kind = 'backup'
            ORDER BY ended_at DESC, id DESC LIMIT 1)
        LEFT JOIN runs AS checked ON checked.id = (
            SELECT id FROM runs WHERE runs.app = apps.app AND kind = 'check_catalog' AND kind <> 'backup'
                AND state = 'ended'
            ORDER BY created_at DESC, id DESC LIMIT 1)",
};

pub(super) const CANDIDATES: &str = "/* candidates */ SELECT asked.value ->> '$.place' AS place, run.id, run.version,
        run.priority, run.due_at, run.app,
        EXISTS (SELECT 1 FROM unfinished_runs AS other WHERE other.occupies_app = 1 AND other.app = run.app) AS is_occupied
    FROM jsonb_each($1) AS asked CROSS JOIN (VALUES (0), (1), (2), (3)) AS priorities
    CROSS JOIN unfinished_runs AS run
    WHERE run.id IN (
        SELECT id FROM unfinished_runs WHERE lane = asked.value ->> '$.lane' AND leased_until IS NULL
            AND priority = priorities.column1 AND due_at <= $2
        ORDER BY due_at, id LIMIT $3)
    ORDER BY place, run.priority, run.due_at, run.id";

#[cfg(test)]
mod tests {
    #[test]
    fn its_statements_read_as_many_durations_as_a_forecast_uses() {
        assert!(super::DIALECT.reads_past_durations());
    }
}
