-- Runs of every kind, and the catalog: every backup that Holdfast knows of, and what became of it.

ALTER TABLE runs ADD COLUMN task TEXT NOT NULL DEFAULT '{"task":"backup"}';
ALTER TABLE runs ADD COLUMN subject TEXT;

-- Of the runs of an app with the same subject, one at a time is unfinished.
CREATE UNIQUE INDEX runs_subject ON runs (app, subject) WHERE subject IS NOT NULL AND state <> 'ended';
-- How backups go is told by runs for backups alone.
-- All but backups: few, and looked for among many.
CREATE INDEX runs_of_kind ON runs (kind, created_at, id) WHERE kind <> 'backup';
DROP INDEX runs_over;
CREATE INDEX runs_over ON runs (app, ended_at, id) WHERE outcome <> 'missed' AND kind = 'backup';

-- The whole rule as JSON; the two columns beside it are for views. Rows from before have those alone.
ALTER TABLE apps ADD COLUMN retention TEXT;

-- It follows from the events, and is written together with them.
CREATE TABLE catalog (
    app             TEXT    NOT NULL,
    backup_id       INTEGER NOT NULL,
    run_id          TEXT    NOT NULL,
    policy          TEXT,
    storage         TEXT    NOT NULL,
    blob            TEXT    NOT NULL,
    size_bytes      INTEGER NOT NULL,
    accepted_at     TEXT    NOT NULL,
    finished_at     TEXT,
    databases       TEXT    NOT NULL,
    origin            TEXT    NOT NULL,
    good            INTEGER NOT NULL,
    sas_fingerprint TEXT,
    sas_start       TEXT,
    sas_expiry      TEXT,
    hold            TEXT,
    removed_at         TEXT,
    deleted         INTEGER,
    last_failure_at      TEXT,
    verified_at     TEXT,
    drilled_at      TEXT,
    drill_passed    INTEGER,
    PRIMARY KEY (app, backup_id)
) STRICT;

CREATE INDEX catalog_there ON catalog (app, accepted_at, backup_id) WHERE removed_at IS NULL;

-- What there was before. Of two with one number the newer stands: Azure counts from 1 again for an app made anew.
INSERT OR REPLACE INTO catalog (app, backup_id, run_id, policy, storage, blob, size_bytes, accepted_at, finished_at,
    databases, origin, good)
SELECT backups.app, backups.backup_id, backups.run_id, backups.policy, backups.storage, backups.backup_blob,
       backups.size_bytes, backups.accepted_at, backups.finished_at, '[]', backups.origin,
       backups.origin = 'succeeded' OR (backups.origin = 'partial' AND runs.policy_snapshot ->> '$.partial_is_good')
FROM backups JOIN runs ON runs.id = backups.run_id
ORDER BY backups.accepted_at, backups.run_id;

INSERT OR IGNORE INTO catalog (app, backup_id, run_id, policy, storage, blob, size_bytes, accepted_at, databases, origin,
    good)
SELECT runs.app, found.data ->> '$.backup', runs.id, runs.policy, runs.storage, (found.data ->> '$.name') || '.zip', 0,
       found.at, '[]', 'orphan', 0
FROM audit_events AS found JOIN runs ON runs.id = found.run_id
WHERE found.event = 'orphan_found'
ORDER BY found.seq DESC;
