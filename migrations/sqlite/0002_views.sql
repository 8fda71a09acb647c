-- The SQL face: each view answers one question, told in docs/audit.md. Nothing in the program reads them, so they may
-- be changed freely by later migrations.

CREATE VIEW backups AS
SELECT runs.app, runs.policy, runs.id AS run_id, runs.backup_id, runs.backup_blob, runs.size_bytes, runs.accepted_at,
       runs.finished_at, runs.storage, runs.outcome AS origin, runs.verification,
       runs.outcome = 'succeeded' OR coalesce(apps.partial_is_good, 0) AS good
FROM runs LEFT JOIN apps ON apps.app = runs.app
WHERE runs.outcome IN ('succeeded', 'partial') AND runs.backup_id IS NOT NULL
UNION ALL
SELECT runs.app, runs.policy, runs.id, lost.data ->> '$.backup.id', lost.data ->> '$.backup.blob',
       lost.data ->> '$.backup.size_bytes',
       strftime('%Y-%m-%dT%H:%M:%fZ', lost.data ->> '$.backup.accepted_at'),
       strftime('%Y-%m-%dT%H:%M:%fZ', lost.data ->> '$.backup.finished_at'), runs.storage, 'attempt', NULL, 0
FROM audit_events AS lost JOIN runs ON runs.id = lost.run_id
WHERE lost.event = 'attempt_ended' AND lost.data ->> '$.backup.id' IS NOT NULL
  AND lost.data ->> '$.backup.id' IS NOT runs.backup_id;

CREATE VIEW latest_good_backup AS
SELECT app, policy, run_id, backup_id, backup_blob, size_bytes, accepted_at, finished_at, verification
FROM (SELECT *, row_number() OVER (PARTITION BY app ORDER BY accepted_at DESC, run_id DESC) AS age_rank
      FROM backups WHERE good)
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

-- What came of an attempt: its success, however late, or else the first event that gave it up.
CREATE VIEW attempts AS
WITH begun AS (
    SELECT run_id, app, attempt, seq, at, data ->> '$.attempt.name' AS backup_name,
           lead(seq, 1, 9223372036854775807) OVER (PARTITION BY run_id ORDER BY seq) AS next_seq
    FROM audit_events WHERE event = 'attempt_started'
)
SELECT begun.run_id, begun.app, runs.policy, begun.attempt, begun.backup_name, begun.at AS started_at,
       (SELECT min(told.at) FROM audit_events AS told
        WHERE told.run_id = begun.run_id AND told.seq > begun.seq AND told.seq < begun.next_seq
          AND told.event IN ('accepted', 'adopted')) AS accepted_at,
       over.at AS ended_at,
       CASE over.event
           WHEN 'ended' THEN 'Succeeded'
           WHEN 'attempt_ended' THEN coalesce(over.data ->> '$.status', 'none')
           WHEN 'deferred' THEN 'put off'
           ELSE 'under way'
       END AS status,
       CASE WHEN over.event <> 'ended' THEN over.data ->> '$.cause' END AS cause
FROM begun
JOIN runs ON runs.id = begun.run_id
LEFT JOIN audit_events AS over ON over.seq = coalesce(
    (SELECT min(seq) FROM audit_events AS good
     WHERE good.run_id = begun.run_id AND good.seq > begun.seq AND good.seq < begun.next_seq
       AND good.event = 'ended' AND good.data ->> '$.outcome' = 'succeeded'),
    (SELECT min(seq) FROM audit_events AS bad
     WHERE bad.run_id = begun.run_id AND bad.seq > begun.seq AND bad.seq < begun.next_seq
       AND bad.event IN ('attempt_ended', 'deferred')));

CREATE VIEW attempts_by_cause AS
SELECT policy, status, cause, count(*) AS attempts, count(DISTINCT app) AS apps, max(ended_at) AS last_at
FROM attempts GROUP BY policy, status, cause;

CREATE VIEW run_outcomes AS
SELECT substr(ended_at, 1, 10) AS day, policy, outcome, cause, count(*) AS runs, count(DISTINCT app) AS apps
FROM runs WHERE outcome IS NOT NULL GROUP BY day, policy, outcome, cause;

CREATE VIEW missed_ticks AS
SELECT app, policy, tick, cause AS reason, ended_at AS recorded_at, id AS run_id FROM runs WHERE outcome = 'missed';

CREATE VIEW sas_refreshes AS
SELECT at, run_id, app, data ->> '$.refresh.storage' AS storage, data ->> '$.refresh.container' AS container,
       data ->> '$.refresh.reason' AS reason,
       data ->> '$.refresh.old.fingerprint' AS old_fingerprint, data ->> '$.refresh.old.expiry' AS old_expiry,
       data ->> '$.refresh.new.fingerprint' AS new_fingerprint, data ->> '$.refresh.new.expiry' AS new_expiry
FROM audit_events WHERE event = 'sas_refreshed';

CREATE VIEW sas_expiring AS
SELECT storage, fingerprint, expiry, used_at,
       CAST(round((julianday(expiry) - julianday('now')) * 86400) AS INTEGER) AS left_s
FROM (SELECT runs.storage, used.data ->> '$.sas.fingerprint' AS fingerprint, used.data ->> '$.sas.expiry' AS expiry,
             used.at AS used_at, row_number() OVER (PARTITION BY runs.storage ORDER BY used.seq DESC) AS age_rank
      FROM audit_events AS used JOIN runs ON runs.id = used.run_id
      WHERE used.event = 'attempt_started')
WHERE age_rank = 1 AND julianday(expiry) < julianday('now') + 7;

CREATE VIEW retention_due AS
SELECT ranked.app, ranked.run_id, ranked.backup_id, ranked.backup_blob, ranked.size_bytes, ranked.accepted_at,
       ranked.good, apps.retention_days
FROM (SELECT *, row_number() OVER (PARTITION BY app, good ORDER BY accepted_at DESC, run_id DESC) AS age_rank
      FROM backups) AS ranked
JOIN apps ON apps.app = ranked.app
WHERE julianday(ranked.accepted_at) < julianday('now') - apps.retention_days
  AND NOT (ranked.good AND ranked.age_rank <= apps.retention_keep_at_least);

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
