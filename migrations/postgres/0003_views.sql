-- The SQL face: each view answers one question, told in docs/audit.md. Nothing in the program reads them, so they may
-- be changed freely by later migrations. Names, columns and meanings are those of migrations/sqlite.

CREATE FUNCTION whole_seconds(span interval) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN round(extract(epoch FROM span))::bigint;

CREATE VIEW backups AS
SELECT runs.app, runs.policy, runs.id AS run_id, runs.backup_id, runs.backup_blob, runs.size_bytes, runs.accepted_at,
       runs.finished_at, runs.storage, runs.outcome AS origin, runs.verification,
       runs.outcome = 'succeeded' OR coalesce(apps.partial_is_good, false) AS good
FROM runs LEFT JOIN apps ON apps.app = runs.app
WHERE runs.outcome IN ('succeeded', 'partial') AND runs.backup_id IS NOT NULL
UNION ALL
SELECT runs.app, runs.policy, runs.id, (lost.facts #>> '{backup,id}')::bigint, lost.facts #>> '{backup,blob}',
       (lost.facts #>> '{backup,size_bytes}')::bigint,
       date_trunc('milliseconds', (lost.facts #>> '{backup,accepted_at}')::timestamptz),
       date_trunc('milliseconds', (lost.facts #>> '{backup,finished_at}')::timestamptz), runs.storage, 'attempt',
       NULL, false
FROM audit_events AS lost JOIN runs ON runs.id = lost.run_id
WHERE lost.event = 'attempt_ended' AND lost.facts #>> '{backup,id}' IS NOT NULL
  AND (lost.facts #>> '{backup,id}')::bigint IS DISTINCT FROM runs.backup_id;

CREATE VIEW latest_good_backup AS
SELECT app, policy, run_id, backup_id, backup_blob, size_bytes, accepted_at, finished_at, verification
FROM (SELECT *, row_number() OVER (PARTITION BY app ORDER BY accepted_at DESC, run_id DESC) AS age_rank
      FROM backups WHERE good) AS ranked
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

-- What came of an attempt: its success, however late, or else the first event that gave it up.
CREATE VIEW attempts AS
WITH begun AS (
    SELECT run_id, app, attempt, seq, at, facts #>> '{attempt,name}' AS backup_name,
           lead(seq, 1, 9223372036854775807) OVER (PARTITION BY run_id ORDER BY seq) AS next_seq
    FROM audit_events WHERE event = 'attempt_started'
)
SELECT begun.run_id, begun.app, runs.policy, begun.attempt, begun.backup_name, begun.at AS started_at,
       told.accepted_at, final.at AS ended_at,
       CASE final.event
           WHEN 'ended' THEN 'Succeeded'
           WHEN 'attempt_ended' THEN coalesce(final.facts ->> 'status', 'none')
           WHEN 'deferred' THEN 'put off'
           ELSE 'under way'
       END AS status,
       CASE WHEN final.event <> 'ended' THEN final.facts ->> 'cause' END AS cause
FROM begun
JOIN runs ON runs.id = begun.run_id
LEFT JOIN LATERAL (
    SELECT min(at) AS accepted_at FROM audit_events
    WHERE run_id = begun.run_id AND seq > begun.seq AND seq < begun.next_seq AND event IN ('accepted', 'adopted')
) AS told ON true
LEFT JOIN LATERAL (
    SELECT at, event, facts FROM audit_events
    WHERE run_id = begun.run_id AND seq > begun.seq AND seq < begun.next_seq
      AND (event IN ('attempt_ended', 'deferred') OR event = 'ended' AND facts ->> 'outcome' = 'succeeded')
    ORDER BY event = 'ended' DESC, seq LIMIT 1
) AS final ON true;

CREATE VIEW attempts_by_cause AS
SELECT policy, status, cause, count(*) AS attempts, count(DISTINCT app) AS apps, max(ended_at) AS last_at
FROM attempts GROUP BY policy, status, cause;

CREATE VIEW run_outcomes AS
SELECT to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, policy, outcome, cause, count(*) AS runs,
       count(DISTINCT app) AS apps
FROM runs WHERE outcome IS NOT NULL GROUP BY day, policy, outcome, cause;

CREATE VIEW missed_ticks AS
SELECT app, policy, tick, cause AS reason, ended_at AS recorded_at, id AS run_id FROM runs WHERE outcome = 'missed';

CREATE VIEW sas_refreshes AS
SELECT at, run_id, app, facts #>> '{refresh,storage}' AS storage, facts #>> '{refresh,container}' AS container,
       facts #>> '{refresh,reason}' AS reason,
       facts #>> '{refresh,old,fingerprint}' AS old_fingerprint,
       (facts #>> '{refresh,old,expiry}')::timestamptz AS old_expiry,
       facts #>> '{refresh,new,fingerprint}' AS new_fingerprint,
       (facts #>> '{refresh,new,expiry}')::timestamptz AS new_expiry
FROM audit_events WHERE event = 'sas_refreshed';

CREATE VIEW sas_expiring AS
SELECT storage, fingerprint, expiry, used_at, whole_seconds(expiry - now()) AS left_s
FROM (SELECT runs.storage, used.facts #>> '{sas,fingerprint}' AS fingerprint,
             (used.facts #>> '{sas,expiry}')::timestamptz AS expiry, used.at AS used_at,
             row_number() OVER (PARTITION BY runs.storage ORDER BY used.seq DESC) AS age_rank
      FROM audit_events AS used JOIN runs ON runs.id = used.run_id
      WHERE used.event = 'attempt_started') AS ranked
WHERE age_rank = 1 AND expiry < now() + interval '168 hours';

CREATE VIEW retention_due AS
SELECT ranked.app, ranked.run_id, ranked.backup_id, ranked.backup_blob, ranked.size_bytes, ranked.accepted_at,
       ranked.good, apps.retention_days
FROM (SELECT *, row_number() OVER (PARTITION BY app, good ORDER BY accepted_at DESC, run_id DESC) AS age_rank
      FROM backups) AS ranked
JOIN apps ON apps.app = ranked.app
WHERE ranked.accepted_at < now() - apps.retention_days * interval '24 hours'
  AND NOT (ranked.good AND ranked.age_rank <= apps.retention_keep_at_least);

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
