-- Runs of every kind, and the catalog: every backup that Holdfast knows of, and what became of it.

ALTER TABLE runs ADD COLUMN task text NOT NULL DEFAULT '{"task":"backup"}';
ALTER TABLE runs ADD COLUMN subject text COLLATE "C";

-- Of the runs of an app with the same subject, one at a time is unfinished.
CREATE UNIQUE INDEX runs_subject ON runs (app, subject) WHERE subject IS NOT NULL AND state <> 'ended';
-- How backups go is told by runs for backups alone.
-- All but backups: few, and looked for among many.
CREATE INDEX runs_of_kind ON runs (kind, created_at, id) WHERE kind <> 'backup';
DROP INDEX runs_over;
CREATE INDEX runs_over ON runs (app, ended_at, id) WHERE outcome <> 'missed' AND kind = 'backup';

-- The whole rule as JSON; the two columns beside it are for views. Rows from before have those alone.
ALTER TABLE apps ADD COLUMN retention text;

-- It follows from the events, and is written together with them.
CREATE TABLE catalog (
    app             text        COLLATE "C" NOT NULL,
    backup_id       bigint      NOT NULL,
    run_id          uuid        NOT NULL,
    policy          text,
    storage         text        NOT NULL,
    blob            text        NOT NULL,
    size_bytes      bigint      NOT NULL,
    accepted_at     timestamptz NOT NULL,
    finished_at     timestamptz,
    databases       text        NOT NULL,
    origin            text        NOT NULL,
    good            boolean     NOT NULL,
    sas_fingerprint text,
    sas_start       timestamptz,
    sas_expiry      timestamptz,
    hold            text,
    removed_at         timestamptz,
    deleted         boolean,
    last_failure_at      timestamptz,
    verified_at     timestamptz,
    drilled_at      timestamptz,
    drill_passed    boolean,
    PRIMARY KEY (app, backup_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX catalog_there ON catalog (app, accepted_at, backup_id) WHERE removed_at IS NULL;

-- What there was before. Of two with one number the newer stands: Azure counts from 1 again for an app made anew.
INSERT INTO catalog (app, backup_id, run_id, policy, storage, blob, size_bytes, accepted_at, finished_at, databases,
    origin, good)
SELECT DISTINCT ON (backups.app, backups.backup_id) backups.app, backups.backup_id, backups.run_id, backups.policy,
       backups.storage, backups.backup_blob, backups.size_bytes, backups.accepted_at, backups.finished_at, '[]',
       backups.origin,
       backups.origin = 'succeeded' OR backups.origin = 'partial' AND (runs.policy_snapshot::jsonb ->> 'partial_is_good')::boolean
FROM backups JOIN runs ON runs.id = backups.run_id
ORDER BY backups.app, backups.backup_id, backups.accepted_at DESC, backups.run_id DESC;

INSERT INTO catalog (app, backup_id, run_id, policy, storage, blob, size_bytes, accepted_at, databases, origin, good)
SELECT DISTINCT ON (runs.app, found.facts ->> 'backup') runs.app, (found.facts ->> 'backup')::bigint, runs.id,
       runs.policy, runs.storage, (found.facts ->> 'name') || '.zip', 0, found.at, '[]', 'orphan', false
FROM audit_events AS found JOIN runs ON runs.id = found.run_id
WHERE found.event = 'orphan_found'
ORDER BY runs.app, found.facts ->> 'backup', found.seq DESC
ON CONFLICT DO NOTHING;
