-- The SQL views, documented in docs/audit.md. The program itself reads none of them, so later migrations may change
-- them freely. migrations/postgres has views with the same names, columns and meanings.

CREATE VIEW backups AS
SELECT catalog.app, catalog.policy, catalog.run_id, catalog.backup_id, catalog.blob AS backup_blob, catalog.size_bytes,
       catalog.accepted_at, catalog.finished_at, catalog.storage, catalog.origin, runs.verification, catalog.good,
       catalog.hold, iif(catalog.deleted, 'deleted', iif(catalog.removed_at IS NULL, NULL, 'lost')) AS removal,
       catalog.removed_at, catalog.verified_at, catalog.sas_expiry
FROM catalog LEFT JOIN runs ON runs.id = catalog.run_id AND runs.backup_id = catalog.backup_id;

CREATE VIEW latest_good_backup AS
SELECT app, policy, run_id, backup_id, backup_blob, size_bytes, accepted_at, finished_at, verification
FROM (SELECT *, row_number() OVER (PARTITION BY app ORDER BY accepted_at DESC, backup_id DESC) AS age_rank
      FROM backups WHERE good AND removal IS NULL)
WHERE age_rank = 1;

CREATE VIEW apps_past_objective AS
SELECT apps.app, apps.policy, apps.paused, latest.accepted_at AS last_good_at, apps.recovery_point_objective_s,
       CAST(round((julianday('now') - julianday(coalesce(latest.accepted_at, apps.enrolled_at))) * 86400) AS INTEGER)
           - apps.recovery_point_objective_s AS late_s
FROM apps LEFT JOIN latest_good_backup AS latest ON latest.app = apps.app
WHERE apps.removed_at IS NULL
  AND julianday('now') - julianday(coalesce(latest.accepted_at, apps.enrolled_at))
      > apps.recovery_point_objective_s / 86400.0;

CREATE VIEW apps_in_no_policy AS
SELECT app, plan, enrolled_at FROM apps WHERE policy IS NULL AND removed_at IS NULL;

-- The result of an attempt: its success, however late, or else the first event that gave it up. An attempt of any kind
-- but a backup succeeds when Azure completes the operation.
CREATE VIEW attempts AS
WITH begun AS (
    SELECT run_id, app, attempt, seq, at, data ->> '$.attempt.name' AS backup_name,
           lead(seq, 1, 9223372036854775807) OVER (PARTITION BY run_id ORDER BY seq) AS next_seq
    FROM audit_events WHERE event = 'attempt_started'
)
SELECT begun.run_id, begun.app, runs.policy, runs.kind, begun.attempt, begun.backup_name, begun.at AS started_at,
       (SELECT min(told.at) FROM audit_events AS told
        WHERE told.run_id = begun.run_id AND told.seq > begun.seq AND told.seq < begun.next_seq
          AND told.event IN ('accepted', 'adopted', 'operation_accepted', 'operation_found')) AS accepted_at,
       over.at AS ended_at,
       CASE over.event
           WHEN 'ended' THEN 'Succeeded'
           WHEN 'completed' THEN 'Succeeded'
           WHEN 'attempt_ended' THEN coalesce(over.data ->> '$.status', 'none')
           WHEN 'deferred' THEN 'put off'
           ELSE 'under way'
       END AS status,
       CASE WHEN over.event IN ('attempt_ended', 'deferred') THEN over.data ->> '$.cause' END AS cause
FROM begun
JOIN runs ON runs.id = begun.run_id
LEFT JOIN audit_events AS over ON over.seq = coalesce(
    (SELECT min(seq) FROM audit_events AS good
     WHERE good.run_id = begun.run_id AND good.seq > begun.seq AND good.seq < begun.next_seq
       AND CASE runs.kind WHEN 'backup' THEN good.event = 'ended' AND good.data ->> '$.outcome' = 'succeeded'
                          ELSE good.event = 'completed' END),
    (SELECT min(seq) FROM audit_events AS bad
     WHERE bad.run_id = begun.run_id AND bad.seq > begun.seq AND bad.seq < begun.next_seq
       AND bad.event IN ('attempt_ended', 'deferred')));

CREATE VIEW attempts_by_cause AS
SELECT policy, kind, status, cause, count(*) AS attempts, count(DISTINCT app) AS apps, max(ended_at) AS last_at
FROM attempts GROUP BY policy, kind, status, cause;

CREATE VIEW run_outcomes AS
SELECT substr(ended_at, 1, 10) AS day, policy, kind, outcome, cause, count(*) AS runs, count(DISTINCT app) AS apps
FROM runs WHERE outcome IS NOT NULL AND kind <> 'operator_action' GROUP BY day, policy, kind, outcome, cause;

CREATE VIEW missed_ticks AS
SELECT app, policy, tick, cause AS reason, ended_at AS recorded_at, id AS run_id FROM runs WHERE outcome = 'missed';

CREATE VIEW sas_refreshes AS
SELECT at, run_id, app, data ->> '$.refresh.storage' AS storage, data ->> '$.refresh.container' AS container,
       data ->> '$.refresh.reason' AS reason,
       data ->> '$.refresh.old.fingerprint' AS old_fingerprint, data ->> '$.refresh.old.expiry' AS old_expiry,
       data ->> '$.refresh.new.fingerprint' AS new_fingerprint, data ->> '$.refresh.new.expiry' AS new_expiry,
       data ->> '$.refresh.backup' AS backup_id
FROM audit_events WHERE event = 'sas_refreshed';

CREATE VIEW sas_expiring AS
SELECT storage, fingerprint, expiry, used_at,
       CAST(round((julianday(expiry) - julianday('now')) * 86400) AS INTEGER) AS left_s
FROM (SELECT runs.storage, used.data ->> '$.sas.fingerprint' AS fingerprint, used.data ->> '$.sas.expiry' AS expiry,
             used.at AS used_at, row_number() OVER (PARTITION BY runs.storage ORDER BY used.seq DESC) AS age_rank
      FROM audit_events AS used JOIN runs ON runs.id = used.run_id
      WHERE used.event = 'attempt_started' AND used.data ->> '$.sas.fingerprint' IS NOT NULL)
WHERE age_rank = 1 AND julianday(expiry) < julianday('now') + 7;

CREATE VIEW kept_sas_expiring AS
SELECT app, backup_id, blob AS backup_blob, storage, sas_fingerprint AS fingerprint, sas_expiry AS expiry,
       CAST(round((julianday(sas_expiry) - julianday('now')) * 86400) AS INTEGER) AS left_s
FROM catalog WHERE removed_at IS NULL AND julianday(sas_expiry) < julianday('now') + 7;

CREATE VIEW retention_due AS
SELECT ranked.app, ranked.run_id, ranked.backup_id, ranked.backup_blob, ranked.size_bytes, ranked.accepted_at,
       ranked.good, apps.retention ->> '$.days' AS retention_days,
       (SELECT state FROM runs WHERE runs.app = ranked.app AND runs.subject = 'delete ' || ranked.backup_id
          AND runs.ended_at IS NULL) AS deletion
FROM (SELECT *, row_number() OVER (PARTITION BY app, good ORDER BY accepted_at DESC, backup_id DESC) AS age_rank
      FROM backups WHERE removal IS NULL) AS ranked
JOIN apps ON apps.app = ranked.app
WHERE julianday(ranked.accepted_at) < julianday('now') - (apps.retention ->> '$.days') AND ranked.hold IS NULL
  AND NOT (ranked.good AND ranked.age_rank <= max(apps.retention ->> '$.keep_at_least', 1));

CREATE VIEW deletions AS
SELECT runs.id AS run_id, runs.app, runs.policy, runs.task ->> '$.backup' AS backup_id,
       runs.task ->> '$.blob' AS backup_blob, runs.trigger, asked.data ->> '$.actor' AS asked_by,
       runs.created_at AS asked_at, runs.ended_at, runs.outcome, runs.cause
FROM runs LEFT JOIN audit_events AS asked ON asked.run_id = runs.id AND asked.event = 'planned'
WHERE runs.kind = 'delete';

CREATE VIEW restores AS
SELECT runs.id AS run_id, runs.task ->> '$.source' AS source, runs.task ->> '$.backup' AS backup_id,
       runs.task ->> '$.blob' AS backup_blob, runs.app AS target,
       runs.task ->> '$.new_in_plan' IS NOT NULL AS into_new_app, asked.data ->> '$.actor' AS asked_by,
       runs.created_at AS asked_at, begun.at AS started_at, runs.ended_at, runs.outcome, runs.cause,
       CAST(round((julianday(runs.ended_at) - julianday(begun.at)) * 86400) AS INTEGER) AS took_s
FROM runs
LEFT JOIN audit_events AS asked ON asked.run_id = runs.id AND asked.event = 'planned'
LEFT JOIN audit_events AS begun ON begun.seq = (
    SELECT min(seq) FROM audit_events WHERE run_id = runs.id AND event = 'attempt_started')
WHERE runs.kind = 'restore';

CREATE VIEW drills AS
SELECT runs.id AS run_id, runs.task ->> '$.source' AS source, runs.task ->> '$.backup' AS backup_id,
       runs.task ->> '$.blob' AS backup_blob, runs.app AS scratch, runs.created_at AS asked_at,
       begun.at AS started_at, runs.ended_at, runs.outcome, runs.cause,
       CAST(round((julianday(runs.ended_at) - julianday(begun.at)) * 86400) AS INTEGER) AS took_s
FROM runs
LEFT JOIN audit_events AS begun ON begun.seq = (
    SELECT min(seq) FROM audit_events WHERE run_id = runs.id AND event = 'attempt_started')
WHERE runs.kind = 'drill';

CREATE VIEW holds AS
SELECT catalog.app, catalog.backup_id, catalog.blob AS backup_blob, catalog.accepted_at, catalog.hold AS reason,
       told.data ->> '$.actor' AS held_by, told.at AS held_at
FROM catalog LEFT JOIN audit_events AS told ON told.seq = (
    SELECT max(seq) FROM audit_events AS recorded
    WHERE recorded.event = 'action_recorded' AND recorded.app = catalog.app AND recorded.data ->> '$.action.kind' = 'held'
      AND recorded.data ->> '$.action.backup' = catalog.backup_id)
WHERE catalog.hold IS NOT NULL AND catalog.removed_at IS NULL;

CREATE VIEW lost_backups AS
SELECT catalog.app, catalog.policy, catalog.backup_id, catalog.blob AS backup_blob, catalog.storage,
       catalog.accepted_at, catalog.good, catalog.removed_at AS missed_at,
       coalesce(told.data ->> '$.detail', told.data ->> '$.action.detail', iif(EXISTS (
           SELECT 1 FROM catalog AS newer
           WHERE newer.app = catalog.app AND newer.backup_id = catalog.backup_id
             AND newer.accepted_at > catalog.accepted_at), 'azure gave its number to another backup', NULL)) AS detail
FROM catalog LEFT JOIN audit_events AS told ON told.seq = (
    SELECT max(seq) FROM audit_events AS recorded
    WHERE recorded.app = catalog.app
      AND (recorded.event = 'backup_lost' AND recorded.data ->> '$.backup' = catalog.backup_id
              AND recorded.data ->> '$.blob' = catalog.blob
           OR recorded.event = 'action_recorded' AND recorded.data ->> '$.action.kind' = 'lost'
              AND recorded.data ->> '$.action.backup' = catalog.backup_id AND recorded.at = catalog.removed_at))
WHERE catalog.removed_at IS NOT NULL AND NOT catalog.deleted;

CREATE VIEW changed_backups AS
SELECT catalog.app, catalog.policy, catalog.backup_id, catalog.blob AS backup_blob, catalog.storage,
       catalog.accepted_at, catalog.changed_at, told.data -> '$.updates' AS updates, catalog.differences,
       catalog.good, catalog.verified_at, told.run_id
FROM catalog LEFT JOIN audit_events AS told ON told.seq = (
    SELECT max(seq) FROM audit_events AS recorded
    WHERE recorded.event = 'backup_changed' AND recorded.app = catalog.app
      AND recorded.data ->> '$.backup' = catalog.backup_id AND recorded.at = catalog.changed_at)
WHERE catalog.changed_at IS NOT NULL AND catalog.removed_at IS NULL;

CREATE VIEW catalog_checks AS
SELECT apps.app, apps.policy, checked.id AS run_id, checked.ended_at AS checked_at, checked.outcome, checked.cause,
       (SELECT count(*) FROM audit_events WHERE run_id = checked.id AND event = 'backup_lost') AS lost,
       (SELECT count(*) FROM audit_events WHERE run_id = checked.id AND event = 'backup_found_again') AS found_again,
       (SELECT count(*) FROM audit_events WHERE run_id = checked.id AND event = 'late_backup_found') AS late,
       (SELECT count(*) FROM audit_events WHERE run_id = checked.id AND event = 'backup_changed') AS changed
FROM apps
LEFT JOIN runs AS checked ON checked.id = (
    SELECT id FROM runs WHERE runs.app = apps.app AND kind = 'check_catalog' AND kind <> 'backup' AND state = 'ended'
    ORDER BY created_at DESC, id DESC LIMIT 1)
WHERE apps.policy IS NOT NULL AND apps.removed_at IS NULL;

CREATE VIEW revealed_sas AS
SELECT told.at, told.data ->> '$.actor' AS shown_to, told.app, told.data ->> '$.action.backup' AS backup_id,
       catalog.blob AS backup_blob, catalog.sas_fingerprint AS kept_fingerprint, told.run_id
FROM audit_events AS told
LEFT JOIN catalog ON catalog.app = told.app AND catalog.backup_id = told.data ->> '$.action.backup'
  AND catalog.generation = (SELECT max(generation) FROM catalog AS newest
                            WHERE newest.app = catalog.app AND newest.backup_id = catalog.backup_id)
WHERE told.event = 'action_recorded' AND told.data ->> '$.action.kind' = 'revealed';

CREATE VIEW schedule_drift AS
SELECT at, run_id, app, found, drift, differences
FROM (SELECT at, run_id, app, told -> '$.found' AS found, told -> '$.drift' AS drift,
             json_array_length(told, '$.drift') AS differences,
             row_number() OVER (PARTITION BY app ORDER BY seq DESC) AS age_rank
      FROM (SELECT at, run_id, app, seq, iif(event = 'schedule_compared', data, data -> '$.action') AS told
            FROM audit_events
            WHERE event = 'schedule_compared' OR event = 'action_recorded' AND data ->> '$.action.kind' = 'drift'))
WHERE age_rank = 1;

CREATE VIEW time_to_start AS
SELECT runs.id AS run_id, runs.app, runs.policy, coalesce(runs.tick, runs.created_at) AS due_at,
       told.at AS started_at,
       CAST(round((julianday(told.at) - julianday(coalesce(runs.tick, runs.created_at))) * 86400) AS INTEGER) AS wait_s
FROM runs JOIN audit_events AS told ON told.seq = (
    SELECT min(seq) FROM audit_events
    WHERE run_id = runs.id AND event IN ('accepted', 'adopted'));

CREATE VIEW deferrals AS
SELECT at, run_id, app, data ->> '$.cause' AS cause, data ->> '$.detail' AS detail,
       strftime('%Y-%m-%dT%H:%M:%fZ', data ->> '$.until') AS until,
       CAST(round((julianday(data ->> '$.until') - julianday(at)) * 86400) AS INTEGER) AS pause_s
FROM audit_events WHERE event = 'deferred';
