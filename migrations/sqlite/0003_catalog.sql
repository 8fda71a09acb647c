-- The catalog: every backup that Holdfast knows and its removal. It follows from the audit events and is written in
-- the same transaction. Azure numbers the backups of a recreated app from 1 again: generation counts the backups of one
-- number.

CREATE TABLE catalog (
    app                TEXT    NOT NULL,
    backup_id          INTEGER NOT NULL,
    generation         INTEGER NOT NULL,
    run_id             TEXT    NOT NULL,
    policy             TEXT,
    storage            TEXT    NOT NULL,
    blob               TEXT    NOT NULL,
    size_bytes         INTEGER NOT NULL,
    accepted_at        TEXT    NOT NULL,
    finished_at        TEXT,
    databases          TEXT    NOT NULL,
    origin             TEXT    NOT NULL,
    good               INTEGER NOT NULL,
    sas_fingerprint    TEXT,
    sas_start          TEXT,
    sas_expiry         TEXT,
    hold               TEXT,
    removed_at         TEXT,
    deleted            INTEGER,
    last_failure_at    TEXT,
    verified_at        TEXT,
    drilled_at         TEXT,
    drill_passed       INTEGER,
    changed_at         TEXT,
    differences        TEXT,
    good_once_verified INTEGER,
    PRIMARY KEY (app, backup_id, generation)
) STRICT;

CREATE INDEX catalog_there ON catalog (app, accepted_at, backup_id) WHERE removed_at IS NULL;
CREATE INDEX catalog_lost ON catalog (app, removed_at) WHERE removed_at IS NOT NULL AND deleted = 0;

CREATE TRIGGER set_aside_rows_are_removed AFTER INSERT ON set_aside_rows
BEGIN
    DELETE FROM apps WHERE new.table_name = 'apps' AND app = new.row_key;
    DELETE FROM cursors WHERE new.table_name = 'cursors' AND app = new.row_key;
    DELETE FROM runs WHERE new.table_name = 'runs' AND id = new.row_key;
    DELETE FROM catalog WHERE new.table_name = 'catalog' AND app || ' ' || backup_id || ' ' || generation = new.row_key;
    DELETE FROM subscriptions WHERE new.table_name = 'subscriptions' AND subscription = new.row_key;
    DELETE FROM budgets WHERE new.table_name = 'budgets' AND subscription || ' ' || call = new.row_key;
END;
CREATE TRIGGER set_aside_rows_stay BEFORE UPDATE ON set_aside_rows
BEGIN SELECT RAISE(ABORT, 'a row that was set aside is never changed'); END;
CREATE TRIGGER set_aside_rows_are_kept BEFORE DELETE ON set_aside_rows
BEGIN SELECT RAISE(ABORT, 'a row that was set aside is never deleted'); END;
