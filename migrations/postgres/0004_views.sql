-- The SQL views, documented in docs/audit.md. The program itself reads none of them, so later migrations may change
-- them freely. migrations/sqlite has views with the same names, columns and meanings.

CREATE FUNCTION whole_seconds(span interval) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN pg_catalog.round(extract(epoch FROM span))::bigint;

CREATE VIEW backups AS
SELECT catalog.app, catalog.policy, catalog.run_id, catalog.backup_id, catalog.blob AS backup_blob, catalog.size_bytes,
       catalog.accepted_at, catalog.finished_at, catalog.storage, catalog.origin, runs.verification, catalog.good,
       catalog.hold, CASE WHEN catalog.deleted THEN 'deleted' WHEN catalog.removed_at IS NOT NULL THEN 'lost' END AS removal,
       catalog.removed_at, catalog.verified_at, catalog.sas_expiry
FROM catalog LEFT JOIN runs ON runs.id = catalog.run_id AND runs.backup_id = catalog.backup_id;

CREATE VIEW latest_good_backup AS
SELECT app, policy, run_id, backup_id, backup_blob, size_bytes, accepted_at, finished_at, verification
FROM (SELECT *, row_number() OVER (PARTITION BY app ORDER BY accepted_at DESC, backup_id DESC) AS age_rank
      FROM backups WHERE good AND removal IS NULL) AS ranked
WHERE age_rank = 1;

CREATE VIEW apps_past_objective AS
SELECT apps.app, apps.policy, apps.paused, latest.accepted_at AS last_good_at, apps.recovery_point_objective_s,
       whole_seconds(now() - coalesce(latest.accepted_at, apps.enrolled_at)) - apps.recovery_point_objective_s
           AS late_s
FROM apps LEFT JOIN latest_good_backup AS latest ON latest.app = apps.app
WHERE apps.removed_at IS NULL
  AND now() - coalesce(latest.accepted_at, apps.enrolled_at)
      > make_interval(secs => apps.recovery_point_objective_s);

CREATE VIEW apps_in_no_policy AS
SELECT app, plan, enrolled_at FROM apps WHERE policy IS NULL AND removed_at IS NULL;

-- The result of an attempt: its success, however late, or else the first event that gave it up. An attempt of any kind
-- but a backup succeeds when Azure completes the operation.
CREATE VIEW attempts AS
WITH begun AS (
    SELECT run_id, app, attempt, seq, at, facts #>> '{attempt,name}' AS backup_name,
           lead(seq, 1, 9223372036854775807) OVER (PARTITION BY run_id ORDER BY seq) AS next_seq
    FROM audit_events WHERE event = 'attempt_started'
)
SELECT begun.run_id, begun.app, runs.policy, runs.kind, begun.attempt, begun.backup_name, begun.at AS started_at,
       told.accepted_at, final.at AS ended_at,
       CASE final.event
           WHEN 'ended' THEN 'Succeeded'
           WHEN 'completed' THEN 'Succeeded'
           WHEN 'attempt_ended' THEN coalesce(final.facts ->> 'status', 'none')
           WHEN 'deferred' THEN 'put off'
           ELSE 'under way'
       END AS status,
       CASE WHEN final.event IN ('attempt_ended', 'deferred') THEN final.facts ->> 'cause' END AS cause
FROM begun
JOIN runs ON runs.id = begun.run_id
LEFT JOIN LATERAL (
    SELECT min(at) AS accepted_at FROM audit_events
    WHERE run_id = begun.run_id AND seq > begun.seq AND seq < begun.next_seq
      AND event IN ('accepted', 'adopted', 'operation_accepted', 'operation_found')
) AS told ON true
LEFT JOIN LATERAL (
    SELECT at, event, facts FROM audit_events
    WHERE run_id = begun.run_id AND seq > begun.seq AND seq < begun.next_seq
      AND (event IN ('attempt_ended', 'deferred')
           OR runs.kind = 'backup' AND event = 'ended' AND facts ->> 'outcome' = 'succeeded'
           OR runs.kind <> 'backup' AND event = 'completed')
    ORDER BY event IN ('ended', 'completed') DESC, seq LIMIT 1
) AS final ON true;

CREATE VIEW attempts_by_cause AS
SELECT policy, kind, status, cause, count(*) AS attempts, count(DISTINCT app) AS apps, max(ended_at) AS last_at
FROM attempts GROUP BY policy, kind, status, cause;

CREATE VIEW run_outcomes AS
SELECT to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, policy, kind, outcome, cause, count(*) AS runs,
       count(DISTINCT app) AS apps
FROM runs WHERE outcome IS NOT NULL AND kind <> 'operator_action' GROUP BY day, policy, kind, outcome, cause;

CREATE VIEW missed_ticks AS
SELECT app, policy, tick, cause AS reason, ended_at AS recorded_at, id AS run_id FROM runs WHERE outcome = 'missed';

CREATE VIEW sas_refreshes AS
SELECT at, run_id, app, facts #>> '{refresh,storage}' AS storage, facts #>> '{refresh,container}' AS container,
       facts #>> '{refresh,reason}' AS reason,
       facts #>> '{refresh,old,fingerprint}' AS old_fingerprint,
       (facts #>> '{refresh,old,expiry}')::timestamptz AS old_expiry,
       facts #>> '{refresh,new,fingerprint}' AS new_fingerprint,
       (facts #>> '{refresh,new,expiry}')::timestamptz AS new_expiry,
       (facts #>> '{refresh,backup}')::bigint AS backup_id
FROM audit_events WHERE event = 'sas_refreshed';

CREATE VIEW sas_expiring AS
SELECT storage, fingerprint, expiry, used_at, whole_seconds(expiry - now()) AS left_s
FROM (SELECT runs.storage, used.facts #>> '{sas,fingerprint}' AS fingerprint,
             (used.facts #>> '{sas,expiry}')::timestamptz AS expiry, used.at AS used_at,
             row_number() OVER (PARTITION BY runs.storage ORDER BY used.seq DESC) AS age_rank
      FROM audit_events AS used JOIN runs ON runs.id = used.run_id
      WHERE used.event = 'attempt_started' AND used.facts #>> '{sas,fingerprint}' IS NOT NULL) AS ranked
WHERE age_rank = 1 AND expiry < now() + interval '168 hours';

CREATE VIEW kept_sas_expiring AS
SELECT app, backup_id, blob AS backup_blob, storage, sas_fingerprint AS fingerprint, sas_expiry AS expiry,
       whole_seconds(sas_expiry - now()) AS left_s
FROM catalog WHERE removed_at IS NULL AND sas_expiry < now() + interval '168 hours';

CREATE VIEW retention_due AS
SELECT ranked.app, ranked.run_id, ranked.backup_id, ranked.backup_blob, ranked.size_bytes, ranked.accepted_at,
       ranked.good, rule.days AS retention_days,
       (SELECT state FROM runs WHERE runs.app = ranked.app AND runs.subject = 'delete ' || ranked.backup_id
          AND runs.ended_at IS NULL) AS deletion
FROM (SELECT *, row_number() OVER (PARTITION BY app, good ORDER BY accepted_at DESC, backup_id DESC) AS age_rank
      FROM backups WHERE removal IS NULL) AS ranked
JOIN apps ON apps.app = ranked.app
CROSS JOIN LATERAL json_to_record(apps.retention::json) AS rule (days bigint, keep_at_least bigint)
WHERE ranked.accepted_at < now() - rule.days * interval '24 hours' AND ranked.hold IS NULL
  AND NOT (ranked.good AND ranked.age_rank <= greatest(rule.keep_at_least, 1));

CREATE VIEW deletions AS
SELECT runs.id AS run_id, runs.app, runs.policy, (runs.task::jsonb ->> 'backup')::bigint AS backup_id,
       runs.task::jsonb ->> 'blob' AS backup_blob, runs.trigger, asked.facts ->> 'actor' AS asked_by,
       runs.created_at AS asked_at, runs.ended_at, runs.outcome, runs.cause
FROM runs LEFT JOIN audit_events AS asked ON asked.run_id = runs.id AND asked.event = 'planned'
WHERE runs.kind = 'delete';

CREATE VIEW restores AS
SELECT runs.id AS run_id, runs.task::jsonb ->> 'source' AS source,
       (runs.task::jsonb ->> 'backup')::bigint AS backup_id, runs.task::jsonb ->> 'blob' AS backup_blob,
       runs.app AS target, runs.task::jsonb ->> 'new_in_plan' IS NOT NULL AS into_new_app,
       asked.facts ->> 'actor' AS asked_by, runs.created_at AS asked_at, begun.at AS started_at, runs.ended_at,
       runs.outcome, runs.cause, whole_seconds(runs.ended_at - begun.at) AS took_s
FROM runs
LEFT JOIN audit_events AS asked ON asked.run_id = runs.id AND asked.event = 'planned'
LEFT JOIN LATERAL (
    SELECT at FROM audit_events WHERE run_id = runs.id AND event = 'attempt_started' ORDER BY seq LIMIT 1
) AS begun ON true
WHERE runs.kind = 'restore';

CREATE VIEW drills AS
SELECT runs.id AS run_id, runs.task::jsonb ->> 'source' AS source,
       (runs.task::jsonb ->> 'backup')::bigint AS backup_id, runs.task::jsonb ->> 'blob' AS backup_blob,
       runs.app AS scratch, runs.created_at AS asked_at, begun.at AS started_at, runs.ended_at, runs.outcome,
       runs.cause, whole_seconds(runs.ended_at - begun.at) AS took_s
FROM runs
LEFT JOIN LATERAL (
    SELECT at FROM audit_events WHERE run_id = runs.id AND event = 'attempt_started' ORDER BY seq LIMIT 1
) AS begun ON true
WHERE runs.kind = 'drill';

CREATE VIEW holds AS
SELECT catalog.app, catalog.backup_id, catalog.blob AS backup_blob, catalog.accepted_at, catalog.hold AS reason,
       told.held_by, told.at AS held_at
FROM catalog LEFT JOIN LATERAL (
    SELECT at, facts ->> 'actor' AS held_by FROM audit_events AS recorded
    WHERE recorded.event = 'action_recorded' AND recorded.app = catalog.app AND facts #>> '{action,kind}' = 'held'
      AND (facts #>> '{action,backup}')::bigint = catalog.backup_id
    ORDER BY seq DESC LIMIT 1
) AS told ON true
WHERE catalog.hold IS NOT NULL AND catalog.removed_at IS NULL;

CREATE VIEW lost_backups AS
SELECT catalog.app, catalog.policy, catalog.backup_id, catalog.blob AS backup_blob, catalog.storage,
       catalog.accepted_at, catalog.good, catalog.removed_at AS missed_at,
       coalesce(told.detail, CASE WHEN EXISTS (
           SELECT FROM catalog AS newer
           WHERE newer.app = catalog.app AND newer.backup_id = catalog.backup_id
             AND newer.accepted_at > catalog.accepted_at) THEN 'azure gave its number to another backup' END) AS detail
FROM catalog LEFT JOIN LATERAL (
    SELECT coalesce(facts ->> 'detail', facts #>> '{action,detail}') AS detail FROM audit_events AS recorded
    WHERE recorded.app = catalog.app
      AND (recorded.event = 'backup_lost' AND (facts ->> 'backup')::bigint = catalog.backup_id
              AND facts ->> 'blob' = catalog.blob
           OR recorded.event = 'action_recorded' AND facts #>> '{action,kind}' = 'lost'
              AND (facts #>> '{action,backup}')::bigint = catalog.backup_id AND recorded.at = catalog.removed_at)
    ORDER BY seq DESC LIMIT 1
) AS told ON true
WHERE catalog.removed_at IS NOT NULL AND NOT catalog.deleted;

CREATE VIEW changed_backups AS
SELECT catalog.app, catalog.policy, catalog.backup_id, catalog.blob AS backup_blob, catalog.storage,
       catalog.accepted_at, catalog.changed_at, told.updates, catalog.differences, catalog.good,
       catalog.verified_at, told.run_id
FROM catalog LEFT JOIN LATERAL (
    SELECT run_id, facts -> 'updates' AS updates FROM audit_events AS recorded
    WHERE recorded.event = 'backup_changed' AND recorded.app = catalog.app AND recorded.at = catalog.changed_at
      AND (facts ->> 'backup')::bigint = catalog.backup_id
    ORDER BY seq DESC LIMIT 1
) AS told ON true
WHERE catalog.changed_at IS NOT NULL AND catalog.removed_at IS NULL;

CREATE VIEW catalog_checks AS
SELECT apps.app, apps.policy, checked.id AS run_id, checked.ended_at AS checked_at, checked.outcome, checked.cause,
       found.lost, found.found_again, found.late, found.changed
FROM apps
LEFT JOIN LATERAL (
    SELECT id, ended_at, outcome, cause FROM runs
    WHERE runs.app = apps.app AND kind = 'check_catalog' AND kind <> 'backup' AND state = 'ended'
    ORDER BY created_at DESC, id DESC LIMIT 1
) AS checked ON true
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE event = 'backup_lost') AS lost,
           count(*) FILTER (WHERE event = 'backup_found_again') AS found_again,
           count(*) FILTER (WHERE event = 'late_backup_found') AS late,
           count(*) FILTER (WHERE event = 'backup_changed') AS changed
    FROM audit_events WHERE audit_events.run_id = checked.id
) AS found
WHERE apps.policy IS NOT NULL AND apps.removed_at IS NULL;

CREATE VIEW revealed_sas AS
SELECT told.at, told.facts ->> 'actor' AS shown_to, told.app, told.backup_id, catalog.blob AS backup_blob,
       catalog.sas_fingerprint AS kept_fingerprint, told.run_id
FROM (SELECT at, app, run_id, facts, CASE facts #>> '{action,kind}' WHEN 'revealed'
                 THEN (facts #>> '{action,backup}')::bigint END AS backup_id
      FROM audit_events WHERE event = 'action_recorded' AND facts #>> '{action,kind}' = 'revealed') AS told
LEFT JOIN catalog ON catalog.app = told.app AND catalog.backup_id = told.backup_id
  AND catalog.generation = (SELECT max(generation) FROM catalog AS newest
                            WHERE newest.app = catalog.app AND newest.backup_id = catalog.backup_id);

CREATE VIEW schedule_drift AS
SELECT at, run_id, app, found, drift, differences
FROM (SELECT at, run_id, app, told -> 'found' AS found, told -> 'drift' AS drift,
             jsonb_array_length(told -> 'drift') AS differences,
             row_number() OVER (PARTITION BY app ORDER BY seq DESC) AS age_rank
      FROM (SELECT at, run_id, app, seq, CASE event WHEN 'schedule_compared' THEN facts ELSE facts -> 'action' END AS told
            FROM audit_events
            WHERE event = 'schedule_compared' OR event = 'action_recorded' AND facts #>> '{action,kind}' = 'drift') AS told
     ) AS ranked
WHERE age_rank = 1;

CREATE VIEW time_to_start AS
SELECT runs.id AS run_id, runs.app, runs.policy, coalesce(runs.tick, runs.created_at) AS due_at,
       told.at AS started_at, whole_seconds(told.at - coalesce(runs.tick, runs.created_at)) AS wait_s
FROM runs JOIN (
    SELECT DISTINCT ON (run_id) run_id, at FROM audit_events WHERE event IN ('accepted', 'adopted')
    ORDER BY run_id, seq
) AS told ON told.run_id = runs.id;

CREATE VIEW deferrals AS
SELECT at, run_id, app, facts ->> 'cause' AS cause, facts ->> 'detail' AS detail,
       date_trunc('milliseconds', (facts ->> 'until')::timestamptz) AS until,
       whole_seconds((facts ->> 'until')::timestamptz - at) AS pause_s
FROM audit_events WHERE event = 'deferred';
