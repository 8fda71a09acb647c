-- The catalog: every backup that Holdfast knows and its removal. It follows from the audit events and is written in
-- the same transaction. Azure numbers the backups of a recreated app from 1 again: generation counts the backups of one
-- number. event_seq is the last event from which a row follows.

CREATE TABLE catalog (
    app                TEXT    NOT NULL,
    backup_id          INTEGER NOT NULL,
    generation         INTEGER NOT NULL,
    event_seq          INTEGER NOT NULL,
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
CREATE INDEX catalog_proven ON catalog (app, drilled_at) WHERE drill_passed;

-- A row changes only with the event that it follows from, and a hold has its own event. `holdfast audit verify` compares
-- what the rows say with what the events say.
CREATE TRIGGER catalog_additions_follow_the_audit AFTER INSERT ON catalog
WHEN NOT EXISTS (
    SELECT 1 FROM audit_events AS cause
    WHERE cause.seq = new.event_seq AND cause.seq > 0 AND (cause.app = new.app OR cause.event = 'ended')
      AND cause.event IN ('ended', 'attempt_ended', 'orphan_found', 'completed', 'sas_refreshed', 'action_recorded',
      'backup_lost', 'backup_found_again', 'backup_changed', 'backup_verified', 'late_backup_found'))
BEGIN SELECT RAISE(ABORT, 'the catalog changes only together with the audit event of the change'); END;
CREATE TRIGGER catalog_additions_have_their_holds AFTER INSERT ON catalog
WHEN new.hold IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM audit_events AS cause
    WHERE cause.app = new.app AND cause.event = 'action_recorded' AND cause.seq > 0 AND cause.seq <= new.event_seq
      AND cause.data ->> '$.action.backup' = new.backup_id
      AND iif(new.hold IS NULL, cause.data ->> '$.action.kind' = 'released',
              cause.data ->> '$.action.kind' = 'held'
              AND replace(cause.data ->> '$.action.reason', char(0), char(65533)) = new.hold))
BEGIN SELECT RAISE(ABORT, 'a hold changes only together with its audit event'); END;
CREATE TRIGGER catalog_changes_follow_the_audit AFTER UPDATE ON catalog
WHEN NOT EXISTS (
    SELECT 1 FROM audit_events AS cause
    WHERE cause.seq = new.event_seq AND cause.seq > old.event_seq AND (cause.app = new.app OR cause.event = 'ended')
      AND cause.event IN ('ended', 'attempt_ended', 'orphan_found', 'completed', 'sas_refreshed', 'action_recorded',
      'backup_lost', 'backup_found_again', 'backup_changed', 'backup_verified', 'late_backup_found'))
BEGIN SELECT RAISE(ABORT, 'the catalog changes only together with the audit event of the change'); END;
CREATE TRIGGER catalog_changes_have_their_holds AFTER UPDATE ON catalog
WHEN new.hold IS NOT old.hold AND NOT EXISTS (
    SELECT 1 FROM audit_events AS cause
    WHERE cause.app = new.app AND cause.event = 'action_recorded' AND cause.seq > old.event_seq AND cause.seq <= new.event_seq
      AND cause.data ->> '$.action.backup' = new.backup_id
      AND iif(new.hold IS NULL, cause.data ->> '$.action.kind' = 'released',
              cause.data ->> '$.action.kind' = 'held'
              AND replace(cause.data ->> '$.action.reason', char(0), char(65533)) = new.hold))
BEGIN SELECT RAISE(ABORT, 'a hold changes only together with its audit event'); END;
CREATE TRIGGER catalog_entries_keep_their_key BEFORE UPDATE ON catalog
WHEN (new.app, new.backup_id, new.generation) IS NOT (old.app, old.backup_id, old.generation)
BEGIN SELECT RAISE(ABORT, 'the key of a catalog entry is never changed'); END;
CREATE TRIGGER catalog_entries_are_kept BEFORE DELETE ON catalog
WHEN NOT EXISTS (SELECT 1 FROM set_aside_rows WHERE table_name = 'catalog'
                 AND row_key = old.app || ' ' || old.backup_id || ' ' || old.generation)
BEGIN SELECT RAISE(ABORT, 'a catalog entry is never deleted'); END;
CREATE TRIGGER catalog_entries_are_not_replaced BEFORE INSERT ON catalog
WHEN EXISTS (
    SELECT 1 FROM catalog AS old
    WHERE old.app = new.app AND old.backup_id = new.backup_id AND old.generation = new.generation
      AND (old.event_seq >= new.event_seq OR old.hold IS NOT new.hold AND NOT EXISTS (
          SELECT 1 FROM audit_events AS cause
          WHERE cause.app = new.app AND cause.event = 'action_recorded'
            AND cause.seq > old.event_seq AND cause.seq <= new.event_seq
            AND cause.data ->> '$.action.backup' = new.backup_id
            AND cause.data ->> '$.action.kind' = iif(new.hold IS NULL, 'released', 'held'))))
BEGIN SELECT RAISE(ABORT, 'the catalog changes only together with the audit event of the change'); END;

CREATE TRIGGER set_aside_rows_are_removed AFTER INSERT ON set_aside_rows
BEGIN
    DELETE FROM apps WHERE new.table_name = 'apps' AND app = new.row_key;
    DELETE FROM cursors WHERE new.table_name = 'cursors' AND app = new.row_key;
    DELETE FROM runs WHERE new.table_name = 'runs' AND id = new.row_key;
    DELETE FROM unfinished_runs WHERE new.table_name = 'runs' AND id = new.row_key;
    DELETE FROM catalog WHERE new.table_name = 'catalog' AND app || ' ' || backup_id || ' ' || generation = new.row_key;
    DELETE FROM subscriptions WHERE new.table_name = 'subscriptions' AND subscription = new.row_key;
    DELETE FROM api_tokens WHERE new.table_name = 'api_tokens' AND id = new.row_key;
    DELETE FROM budgets WHERE new.table_name = 'budgets' AND subscription || ' ' || call = new.row_key;
END;
CREATE TRIGGER set_aside_rows_stay BEFORE UPDATE ON set_aside_rows
BEGIN SELECT RAISE(ABORT, 'a row that was set aside is never changed'); END;
CREATE TRIGGER set_aside_rows_are_kept BEFORE DELETE ON set_aside_rows
BEGIN SELECT RAISE(ABORT, 'a row that was set aside is never deleted'); END;
