//! The statements that are specific to PostgreSQL.

use crate::postgres::safeguards::SAFEGUARDS;
use crate::sql::dialect::{Dialect, RunWrite};

pub(super) const DIALECT: Dialect = Dialect {
    safeguards: Some(SAFEGUARDS),
    insert_runs: RunWrite {
        first: "/* insert_runs */ WITH run AS MATERIALIZED (
            SELECT * FROM json_to_recordset($1::json) AS run (id uuid, kind text, task text, subject text, trigger text,
                priority bigint, app text, subscription text, policy text, tick timestamptz, plan text, storage text,
                account text, policy_snapshot text, created_at timestamptz, state text, state_json text,
                failure_counts text, outcome text, cause text, due_at timestamptz, ended_at timestamptz, lane text)
        ), added AS (
            INSERT INTO runs (id, version, kind, task, subject, trigger, priority, app, subscription, policy, tick, plan,
                storage, account, policy_snapshot, created_at, state, state_json, failure_counts, outcome, cause, due_at,
                ended_at)
            SELECT id, 1, kind, task, subject, trigger, priority, app, subscription, policy, tick, plan, storage, account,
                policy_snapshot, created_at, state, state_json, failure_counts, outcome, cause, due_at, ended_at
            FROM run ON CONFLICT DO NOTHING RETURNING id
        ), unfinished AS (
            INSERT INTO unfinished_runs (id, version, app, subscription, plan, account, lane, priority, due_at)
            SELECT id, 1, app, subscription, plan, account, lane, priority, due_at
            FROM run JOIN added USING (id) WHERE lane IS NOT NULL
        )
        SELECT id FROM added",
        unfinished: None,
        ended: None,
    },
    read_runs: "/* read_runs */ SELECT * FROM runs
        WHERE id = ANY (ARRAY(SELECT asked.id::uuid FROM json_array_elements_text($1::json) AS asked (id)))",
    read_run_rows: "/* check */ SELECT runs.*, place.version AS place_version
        FROM runs LEFT JOIN unfinished_runs AS place ON place.id = runs.id
        WHERE runs.id = ANY (ARRAY(SELECT asked.id::uuid FROM json_array_elements_text($1::json) AS asked (id)))",
    // Not by ended_at, for which the planner would read the index of all unfinished runs.
    update_runs: RunWrite {
        first: "/* update_runs */ WITH new AS MATERIALIZED (
            SELECT * FROM json_to_recordset($1::json) AS new (id uuid, decided_on bigint, state text, state_json text,
                failure_counts text, attempt bigint, outcome text, cause text, backup_id bigint, backup_blob text,
                size_bytes bigint, accepted_at timestamptz, finished_at timestamptz, verification text,
                baseline_at timestamptz, unsettled boolean, due_at timestamptz, ended_at timestamptz, lane text, occupies_app boolean)
        ), written AS (
            UPDATE runs SET version = runs.version + 1, state = new.state, state_json = new.state_json,
                failure_counts = new.failure_counts, attempt = coalesce(new.attempt, runs.attempt),
                outcome = new.outcome, cause = new.cause, backup_id = new.backup_id, backup_blob = new.backup_blob,
                size_bytes = new.size_bytes, accepted_at = new.accepted_at, finished_at = new.finished_at,
                verification = new.verification, baseline_at = new.baseline_at, unsettled = new.unsettled,
                due_at = new.due_at,
                ended_at = new.ended_at
            FROM new WHERE runs.id = new.id AND runs.version = new.decided_on AND runs.state <> 'ended'
            RETURNING runs.id, runs.version, new.lane, new.due_at, new.occupies_app
        ), moved AS (
            UPDATE unfinished_runs SET version = written.version, lane = written.lane, due_at = written.due_at,
                occupies_app = written.occupies_app, leased_until = NULL
            FROM written WHERE unfinished_runs.id = written.id AND written.lane IS NOT NULL
        ), gone AS (
            DELETE FROM unfinished_runs USING written
            WHERE unfinished_runs.id = written.id AND written.lane IS NULL
        )
        SELECT id FROM written",
        unfinished: None,
        ended: None,
    },
    // Only a backup run has baselines.
    load: "/* load */ SELECT run.*, place.leased_until, place.lease_nonce, clock_timestamp() AS now,
            run.kind = 'backup' AND EXISTS (SELECT FROM runs WHERE app = run.app AND unsettled) AS has_unsettled,
            (SELECT json_agg(json_build_array(took_ms, size_bytes))::text FROM (
                SELECT (extract(epoch FROM coalesce(finished_at, ended_at) - baseline_at) * 1000)::bigint AS took_ms,
                    size_bytes
                FROM runs WHERE run.kind = 'backup' AND app = run.app AND baseline_at IS NOT NULL
                ORDER BY baseline_at DESC, id DESC LIMIT 20) AS baseline) AS baselines
        FROM runs AS run LEFT JOIN unfinished_runs AS place ON place.id = run.id
        WHERE run.id = ANY (ARRAY(SELECT asked.id::uuid FROM json_array_elements_text($1::json) AS asked (id)))",
    past_durations: "/* past_durations */ SELECT apps.app, (
            SELECT json_agg(json_build_array(took_ms, size_bytes))::text FROM (
                SELECT (extract(epoch FROM coalesce(finished_at, ended_at) - baseline_at) * 1000)::bigint AS took_ms,
                    size_bytes
                FROM runs WHERE runs.app = apps.app AND baseline_at IS NOT NULL
                ORDER BY baseline_at DESC, id DESC LIMIT 20) AS baseline) AS baselines
        FROM apps",
    add_app_days: "/* add_app_days */ INSERT INTO app_days (app, day, policy, good, partial, failed, missed, bytes)
        SELECT app, day, policy, good, partial, failed, missed, bytes
        FROM json_to_recordset($1::json) AS new (app text, day date, policy text, good bigint, partial bigint, failed bigint,
            missed bigint, bytes bigint)
        ON CONFLICT (app, day) DO UPDATE SET policy = coalesce(excluded.policy, app_days.policy),
            good = app_days.good + excluded.good, partial = app_days.partial + excluded.partial,
            failed = app_days.failed + excluded.failed, missed = app_days.missed + excluded.missed,
            bytes = coalesce(excluded.bytes, app_days.bytes)",
    app_days: "/* app_days */ SELECT app, day::text AS day, policy, good, partial, failed, missed, bytes FROM app_days
        WHERE day >= ($1::text)::date",
    app_days_of: "/* app_days_of */ SELECT app, day::text AS day, policy, good, partial, failed, missed, bytes FROM app_days
        WHERE app = $2 AND day >= ($1::text)::date",
    read_entries: "/* read_entries */ SELECT catalog.*
        FROM json_to_recordset($1::json) AS asked (app text, backup_id bigint)
        JOIN catalog ON catalog.app = asked.app AND catalog.backup_id = asked.backup_id",
    write_entries: "/* write_entries */ INSERT INTO catalog (app, backup_id, generation, event_seq, run_id, policy, storage, blob, size_bytes,
            accepted_at, finished_at, databases, origin, good, sas_fingerprint, sas_start, sas_expiry, hold, removed_at,
            deleted, last_failure_at, verified_at, drilled_at, drill_passed, changed_at, differences,
            good_once_verified)
        SELECT app, backup_id, generation, event_seq, run_id, policy, storage, blob, size_bytes,
            accepted_at, finished_at, databases, origin, good, sas_fingerprint, sas_start, sas_expiry, hold, removed_at,
            deleted, last_failure_at, verified_at, drilled_at, drill_passed, changed_at, differences,
            good_once_verified
        FROM json_to_recordset($1::json) AS entry (app text, backup_id bigint, generation bigint, event_seq bigint, run_id uuid, policy text,
            storage text, blob text, size_bytes bigint, accepted_at timestamptz, finished_at timestamptz, databases text,
            origin text, good boolean, sas_fingerprint text, sas_start timestamptz, sas_expiry timestamptz, hold text,
            removed_at timestamptz, deleted boolean, last_failure_at timestamptz, verified_at timestamptz,
            drilled_at timestamptz, drill_passed boolean, changed_at timestamptz, differences text,
            good_once_verified boolean)
        ON CONFLICT (app, backup_id, generation) DO UPDATE SET event_seq = excluded.event_seq,
            run_id = excluded.run_id, policy = excluded.policy, storage = excluded.storage, blob = excluded.blob,
            size_bytes = excluded.size_bytes, accepted_at = excluded.accepted_at,
            finished_at = excluded.finished_at, databases = excluded.databases, origin = excluded.origin,
            good = excluded.good, sas_fingerprint = excluded.sas_fingerprint, sas_start = excluded.sas_start,
            sas_expiry = excluded.sas_expiry, hold = excluded.hold, removed_at = excluded.removed_at,
            deleted = excluded.deleted, last_failure_at = excluded.last_failure_at,
            verified_at = excluded.verified_at, drilled_at = excluded.drilled_at,
            drill_passed = excluded.drill_passed, changed_at = excluded.changed_at,
            differences = excluded.differences, good_once_verified = excluded.good_once_verified",
    last_link: None,
    append_events: "/* append_events */ SELECT seq, at FROM holdfast.audit_append($1::json)",
    acts: "/* acts */ SELECT seq, at, run_id, app, data, database_role, previous, hash FROM audit_events
        WHERE facts ? 'actor' AND coalesce(facts #>> '{action,kind}', '') NOT IN ('enrolled', 'policy_changed', 'tags_changed', 'left_fleet')
          AND seq < $1 ORDER BY seq DESC LIMIT $2",
    delete_checkpoints: "/* record_checkpoints */ DELETE FROM audit_checkpoints
        WHERE destination <> ALL (ARRAY(SELECT kept.name FROM json_array_elements_text($1::json) AS kept (name)))",
    move_cursors: "/* move_cursors */ UPDATE cursors SET through = plan.through, next_at = plan.next_at
        FROM json_to_recordset($1::json) AS plan (app text, policy text, fingerprint text, decided_on timestamptz,
            through timestamptz, next_at timestamptz)
        WHERE cursors.app = plan.app AND cursors.policy = plan.policy AND cursors.fingerprint = plan.fingerprint
          AND cursors.through = plan.decided_on RETURNING cursors.app",
    end_cursors: "/* end_cursors */ DELETE FROM cursors
        USING json_to_recordset($1::json) AS plan (app text, policy text, fingerprint text, decided_on timestamptz)
        WHERE cursors.app = plan.app AND cursors.policy = plan.policy AND cursors.fingerprint = plan.fingerprint
          AND cursors.through = plan.decided_on RETURNING cursors.app",
    write_apps: "/* sync_fleet */ INSERT INTO apps (app, policy, plan, paused, recovery_point_objective_s, retention,
            partial_is_good, enrolled_at, seen_at, missing_since, removed_at, removed_reason, tags)
        SELECT * FROM json_to_recordset($1::json) AS app (app text, policy text, plan text, paused boolean,
            recovery_point_objective_s bigint, retention text, partial_is_good boolean, enrolled_at timestamptz,
            seen_at timestamptz, missing_since timestamptz, removed_at timestamptz, removed_reason text, tags text)
        ON CONFLICT (app) DO UPDATE SET policy = excluded.policy, plan = excluded.plan, paused = excluded.paused,
            recovery_point_objective_s = excluded.recovery_point_objective_s, retention = excluded.retention,
            partial_is_good = excluded.partial_is_good, enrolled_at = excluded.enrolled_at,
            seen_at = excluded.seen_at, missing_since = excluded.missing_since,
            removed_at = excluded.removed_at, removed_reason = excluded.removed_reason, tags = excluded.tags",
    catalog_of: "/* catalog */ SELECT * FROM catalog
        WHERE app = ANY (ARRAY(SELECT asked.app FROM json_array_elements_text($1::json) AS asked (app)))
          AND ($2 OR removed_at IS NULL)",
    app_tags: "/* app_tags */ SELECT app, tags FROM apps
        WHERE app = ANY (ARRAY(SELECT asked.app FROM json_array_elements_text($1::json) AS asked (app)))",
    write_pauses: "/* write_pauses */ INSERT INTO pauses (app, paused_until, reason, actor, since)
        SELECT * FROM json_to_recordset($1::json) AS pause (app text, paused_until timestamptz, reason text, actor text,
            since timestamptz)
        ON CONFLICT (app) DO UPDATE SET paused_until = excluded.paused_until, reason = excluded.reason,
            actor = excluded.actor, since = CASE WHEN pauses.paused_until >= excluded.since
                THEN least(pauses.since, excluded.since) ELSE excluded.since END
            WHERE pauses.paused_until >= excluded.since OR excluded.paused_until > excluded.since",
    write_acknowledgements: "/* write_acknowledgements */ INSERT INTO acknowledgements (app, run_id, note, actor, at)
        SELECT * FROM json_to_recordset($1::json) AS told (app text, run_id uuid, note text, actor text, at timestamptz)
        ON CONFLICT (app) DO UPDATE SET run_id = excluded.run_id, note = excluded.note, actor = excluded.actor,
            at = excluded.at",
    write_cursors: "/* sync_fleet */ INSERT INTO cursors (app, policy, fingerprint, through, next_at)
        SELECT * FROM json_to_recordset($1::json) AS cursor (app text, policy text, fingerprint text,
            through timestamptz, next_at timestamptz)
        ON CONFLICT (app) DO UPDATE SET policy = excluded.policy, fingerprint = excluded.fingerprint,
            through = excluded.through, next_at = excluded.next_at",
    delete_cursors: "/* sync_fleet */ DELETE FROM cursors
        WHERE app = ANY (ARRAY(SELECT gone.app FROM json_array_elements_text($1::json) AS gone (app)))",
    // Some at a time and in the index's order: the planner expects a third of all rows within a bare bound. Rows of runs are
    // locked first, as steps do.
    reclaim: &["/* reclaim */ WITH lapsed AS (
            SELECT id, state FROM runs
            WHERE id = ANY (ARRAY(
                SELECT id FROM unfinished_runs WHERE leased_until <= $1 ORDER BY leased_until LIMIT 1000))
            FOR UPDATE SKIP LOCKED
        ), freed AS (
            UPDATE unfinished_runs SET leased_until = NULL, version = version + 1,
                occupies_app = occupies_app AND state IN ('starting', 'reconciling', 'polling', 'polling_operation')
            FROM lapsed WHERE unfinished_runs.id = lapsed.id AND leased_until <= $1 RETURNING unfinished_runs.id
        )
        UPDATE runs SET version = version + 1 FROM freed WHERE runs.id = freed.id"],
    leases: "/* leases */ SELECT (SELECT count(*) FROM unfinished_runs WHERE leased_until IS NOT NULL) AS outstanding,
            (SELECT leased_until FROM unfinished_runs WHERE leased_until > $1 ORDER BY leased_until LIMIT 1) AS next_ends_at",
    occupied_plans: "/* occupied_plans */ SELECT asked.subscription, asked.plan, (SELECT count(*) FROM unfinished_runs AS run
            WHERE occupies_app AND run.subscription = asked.subscription AND run.plan = asked.plan) AS count
        FROM json_to_recordset($1::json) AS asked (subscription text, plan text)",
    occupied_accounts: "/* occupied_accounts */ SELECT run.account, run.subscription, count(*) AS count
        FROM json_array_elements_text($1::json) AS asked (account)
        JOIN unfinished_runs AS run ON run.occupies_app AND run.account = asked.account
        GROUP BY run.account, run.subscription",
    lease: "/* lease */ UPDATE unfinished_runs AS run SET leased_until = $1, lease_nonce = picked.nonce,
            occupies_app = run.occupies_app OR picked.begins
        FROM json_to_recordset($2::json) AS picked (id uuid, version bigint, begins boolean, nonce bigint)
        WHERE run.id = picked.id AND run.version = picked.version AND run.leased_until IS NULL
        RETURNING run.id",
    read_budgets: "/* read_budgets */ SELECT subscription, call, tokens, filled_at, closed_until FROM budgets
        WHERE subscription = ANY (ARRAY(SELECT asked.subscription FROM json_array_elements_text($1::json) AS asked (subscription)))",
    write_budgets: "/* write_budgets */ INSERT INTO budgets (subscription, call, tokens, filled_at)
        SELECT subscription, call, tokens, filled_at FROM json_to_recordset($1::json)
            AS drawn (subscription text, call text, tokens double precision, filled_at timestamptz)
        ON CONFLICT (subscription, call) DO UPDATE SET tokens = excluded.tokens, filled_at = excluded.filled_at",
    status: "/* status */ SELECT apps.*, cursors.next_at, running.id AS running_id, running.kind AS running_kind,
            running.state AS running_state, running.cause AS running_cause, running.created_at AS running_since,
            running.due_at AS running_due_at, missed.id AS missed_id, missed.tick AS missed_tick,
            missed.cause AS missed_cause, last.id AS last_id,
            last.outcome AS last_outcome, last.cause AS last_cause, last.verification AS last_verification,
            last.ended_at AS last_ended_at,
            good.accepted_at AS last_good_at, good.sas_expiry AS last_good_sas_expiry,
            (SELECT drilled_at FROM catalog WHERE catalog.app = apps.app AND drill_passed
             ORDER BY drilled_at DESC LIMIT 1) AS proven_at, checked.id AS check_id, checked.outcome AS check_outcome,
            checked.cause AS check_cause, checked.verification AS check_verification,
            checked.ended_at AS check_ended_at,
            pauses.paused_until, pauses.reason AS pause_reason, pauses.actor AS paused_by,
            pauses.since AS paused_since, told.run_id AS acknowledged_run, told.note AS acknowledged_note,
            told.actor AS acknowledged_by, told.at AS acknowledged_at,
            (SELECT count(*) FROM catalog WHERE catalog.app = apps.app AND removed_at IS NOT NULL AND NOT deleted
                AND removed_at > $1 AND (good OR origin = 'partial')) AS lost,
            (SELECT facts -> 'drift' <> '[]' FROM audit_events
             WHERE run_id = checked.id AND event = 'schedule_compared' ORDER BY seq DESC LIMIT 1) AS drift
        FROM apps
        LEFT JOIN cursors ON cursors.app = apps.app
        LEFT JOIN pauses ON pauses.app = apps.app
        LEFT JOIN acknowledgements AS told ON told.app = apps.app
        LEFT JOIN LATERAL (
            SELECT runs.id, kind, state, cause, created_at, runs.due_at
            FROM runs LEFT JOIN unfinished_runs AS place ON place.id = runs.id
            WHERE runs.app = apps.app AND ended_at IS NULL AND kind IN ('backup', 'restore', 'drill')
            ORDER BY coalesce(place.occupies_app, false) DESC, created_at, runs.id LIMIT 1
        ) AS running ON true
        LEFT JOIN LATERAL (
            SELECT id, tick, cause FROM runs WHERE runs.app = apps.app AND outcome = 'missed'
            ORDER BY tick DESC, id DESC LIMIT 1
        ) AS missed ON true
        LEFT JOIN LATERAL (
            SELECT id, outcome, cause, verification, ended_at FROM runs
            WHERE runs.app = apps.app AND outcome NOT IN ('missed', 'cancelled') AND kind = 'backup'
            ORDER BY ended_at DESC, id DESC LIMIT 1
        ) AS last ON true
        LEFT JOIN LATERAL (
            SELECT accepted_at, sas_expiry FROM catalog WHERE catalog.app = apps.app AND removed_at IS NULL AND good
            ORDER BY accepted_at DESC LIMIT 1
        ) AS good ON true
        LEFT JOIN LATERAL (
            SELECT id, outcome, cause, verification, ended_at FROM runs
            WHERE runs.app = apps.app AND kind = 'check_catalog' AND kind <> 'backup' AND state = 'ended'
            ORDER BY created_at DESC, id DESC LIMIT 1
        ) AS checked ON true",
};

pub(super) const CANDIDATES: &str =
    "/* candidates */ SELECT run.place, run.id, run.version, run.priority, run.due_at, run.app,
        occupying.id IS NOT NULL AS is_occupied
    FROM (
        SELECT asked.place, front.* FROM json_to_recordset($1::json) AS asked (place bigint, lane text, skip bigint, most bigint)
        CROSS JOIN LATERAL (
            SELECT run.* FROM (VALUES (0::bigint), (1), (2), (3)) AS priorities (priority)
            CROSS JOIN LATERAL (
                SELECT id, version, priority, due_at, app FROM unfinished_runs
                WHERE lane = asked.lane AND leased_until IS NULL AND unfinished_runs.priority = priorities.priority
                    AND due_at <= $2
                ORDER BY due_at, id LIMIT asked.skip + asked.most
            ) AS run
            ORDER BY run.priority, run.due_at, run.id OFFSET asked.skip LIMIT asked.most
        ) AS front
    ) AS run
    LEFT JOIN LATERAL (
        SELECT id FROM unfinished_runs AS other WHERE other.occupies_app AND other.app = run.app LIMIT 1
    ) AS occupying ON true
    ORDER BY run.place, run.priority, run.due_at, run.id";

#[cfg(test)]
mod tests {
    #[test]
    fn its_statements_read_as_many_durations_as_a_forecast_uses() {
        assert!(super::DIALECT.reads_past_durations());
    }
}
