-- The catalog: every backup that Holdfast knows and its removal. It follows from the audit events and is written in
-- the same transaction.

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
    origin          TEXT    NOT NULL,
    good            INTEGER NOT NULL,
    sas_fingerprint TEXT,
    sas_start       TEXT,
    sas_expiry      TEXT,
    hold            TEXT,
    removed_at      TEXT,
    deleted         INTEGER,
    last_failure_at TEXT,
    verified_at     TEXT,
    drilled_at      TEXT,
    drill_passed    INTEGER,
    PRIMARY KEY (app, backup_id)
) STRICT;

CREATE INDEX catalog_there ON catalog (app, accepted_at, backup_id) WHERE removed_at IS NULL;
CREATE INDEX catalog_lost ON catalog (app, removed_at) WHERE removed_at IS NOT NULL AND deleted = 0;
