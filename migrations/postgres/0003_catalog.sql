-- The catalog: every backup that Holdfast knows and its removal. It follows from the audit events and is written in
-- the same transaction. Azure numbers the backups of a recreated app from 1 again: generation counts the backups of one
-- number. event_seq is the last event from which a row follows.

CREATE TABLE catalog (
    app                text        COLLATE "C" NOT NULL,
    backup_id          bigint      NOT NULL,
    generation         bigint      NOT NULL,
    event_seq          bigint      NOT NULL,
    run_id             uuid        NOT NULL,
    policy             text,
    storage            text        NOT NULL,
    blob               text        NOT NULL,
    size_bytes         bigint      NOT NULL,
    accepted_at        timestamptz NOT NULL,
    finished_at        timestamptz,
    databases          text        NOT NULL,
    origin             text        NOT NULL,
    good               boolean     NOT NULL,
    sas_fingerprint    text,
    sas_start          timestamptz,
    sas_expiry         timestamptz,
    hold               text,
    removed_at         timestamptz,
    deleted            boolean,
    last_failure_at    timestamptz,
    verified_at        timestamptz,
    drilled_at         timestamptz,
    drill_passed       boolean,
    changed_at         timestamptz,
    differences        text,
    good_once_verified boolean,
    PRIMARY KEY (app, backup_id, generation)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX catalog_there ON catalog (app, accepted_at, backup_id) WHERE removed_at IS NULL;
CREATE INDEX catalog_lost ON catalog (app, removed_at) WHERE removed_at IS NOT NULL AND NOT deleted;
CREATE INDEX catalog_proven ON catalog (app, drilled_at) WHERE drill_passed;

-- A row changes only with the event that it follows from: event_seq names an event of the same transaction, and a hold
-- has its own event. `holdfast audit verify` compares what the rows say with what the events say.
CREATE TRIGGER catalog_entries_keep_their_key BEFORE UPDATE ON catalog FOR EACH ROW
WHEN ((new.app, new.backup_id, new.generation) IS DISTINCT FROM (old.app, old.backup_id, old.generation))
EXECUTE FUNCTION refuse('the key of a catalog entry is never changed');
CREATE TRIGGER catalog_changes_follow_new_events BEFORE UPDATE ON catalog FOR EACH ROW
WHEN (new.event_seq <= old.event_seq)
EXECUTE FUNCTION refuse('the catalog changes only together with the audit event of the change');

-- Looks for the events of all rows of a statement at once: a look at each partition costs more than the rest.
CREATE FUNCTION catalog_follows() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, holdfast, pg_temp AS $$
BEGIN
    IF EXISTS (
        WITH cause AS MATERIALIZED (
            SELECT seq, app, event FROM holdfast.audit_events
            WHERE seq BETWEEN (SELECT min(event_seq) FROM changed) AND (SELECT max(event_seq) FROM changed)
              AND xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid)
        SELECT FROM changed WHERE NOT EXISTS (
            SELECT FROM cause
            WHERE cause.seq = changed.event_seq AND (cause.app = changed.app OR cause.event = 'ended')
              AND cause.event IN ('ended', 'attempt_ended', 'orphan_found', 'completed', 'sas_refreshed',
                  'action_recorded', 'backup_lost', 'backup_found_again', 'backup_changed', 'backup_verified',
                  'late_backup_found')))
    THEN
        RAISE EXCEPTION 'the catalog changes only together with the audit event of the change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER catalog_additions_follow_the_audit AFTER INSERT ON catalog REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION catalog_follows();
CREATE TRIGGER catalog_changes_follow_the_audit AFTER UPDATE ON catalog REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION catalog_follows();

CREATE FUNCTION hold_follows() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, holdfast, pg_temp AS $$
DECLARE
    before bigint := CASE WHEN TG_OP = 'UPDATE' THEN old.event_seq ELSE 0 END;
BEGIN
    IF NOT EXISTS (
        SELECT FROM holdfast.audit_events AS cause
        WHERE cause.app = new.app AND cause.event = 'action_recorded'
          AND cause.seq > before AND cause.seq <= new.event_seq
          AND cause.xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid
          AND cause.facts #>> '{action,backup}' = new.backup_id::text
          AND CASE WHEN new.hold IS NULL THEN cause.facts #>> '{action,kind}' = 'released'
                   ELSE cause.facts #>> '{action,kind}' = 'held' AND cause.facts #>> '{action,reason}' = new.hold END)
    THEN
        RAISE EXCEPTION 'a hold changes only together with its audit event' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER holds_follow_the_audit AFTER INSERT ON catalog FOR EACH ROW WHEN (new.hold IS NOT NULL)
EXECUTE FUNCTION hold_follows();
CREATE TRIGGER changes_of_holds_follow_the_audit AFTER UPDATE ON catalog FOR EACH ROW
WHEN (new.hold IS DISTINCT FROM old.hold) EXECUTE FUNCTION hold_follows();

CREATE FUNCTION keep_entry() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, holdfast, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM holdfast.set_aside_rows WHERE table_name = 'catalog'
                 AND row_key = old.app || ' ' || old.backup_id::text || ' ' || old.generation::text) THEN
        RETURN old;
    END IF;
    RAISE EXCEPTION 'a catalog entry is never deleted' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER catalog_entries_are_kept BEFORE DELETE ON catalog FOR EACH ROW EXECUTE FUNCTION keep_entry();
CREATE TRIGGER catalog_is_not_emptied BEFORE TRUNCATE ON catalog FOR EACH STATEMENT
EXECUTE FUNCTION refuse('a catalog entry is never deleted');

CREATE FUNCTION remove_set_aside_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, holdfast, pg_temp AS $$
BEGIN
    DELETE FROM holdfast.apps WHERE new.table_name = 'apps' AND app = new.row_key;
    DELETE FROM holdfast.cursors WHERE new.table_name = 'cursors' AND app = new.row_key;
    DELETE FROM holdfast.runs WHERE new.table_name = 'runs' AND id::text = new.row_key;
    DELETE FROM holdfast.unfinished_runs WHERE new.table_name = 'runs' AND id::text = new.row_key;
    DELETE FROM holdfast.catalog
    WHERE new.table_name = 'catalog' AND app || ' ' || backup_id::text || ' ' || generation::text = new.row_key;
    DELETE FROM holdfast.subscriptions WHERE new.table_name = 'subscriptions' AND subscription = new.row_key;
    DELETE FROM holdfast.api_tokens WHERE new.table_name = 'api_tokens' AND id = new.row_key;
    DELETE FROM holdfast.budgets WHERE new.table_name = 'budgets' AND subscription || ' ' || call = new.row_key;
    RETURN NULL;
END $$;

CREATE TRIGGER set_aside_rows_are_removed AFTER INSERT ON set_aside_rows FOR EACH ROW
EXECUTE FUNCTION remove_set_aside_row();
CREATE TRIGGER set_aside_rows_stay BEFORE UPDATE ON set_aside_rows FOR EACH ROW
EXECUTE FUNCTION refuse('a row that was set aside is never changed');
CREATE TRIGGER set_aside_rows_are_kept BEFORE DELETE ON set_aside_rows FOR EACH ROW
EXECUTE FUNCTION refuse('a row that was set aside is never deleted');
