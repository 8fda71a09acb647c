-- The catalog: every backup that Holdfast knows and its removal. It follows from the audit events and is written in
-- the same transaction. Azure numbers the backups of a recreated app from 1 again: generation counts the backups of one
-- number.

CREATE TABLE catalog (
    app                text        COLLATE "C" NOT NULL,
    backup_id          bigint      NOT NULL,
    generation         bigint      NOT NULL,
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

CREATE FUNCTION remove_set_aside_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM apps WHERE new.table_name = 'apps' AND app = new.row_key;
    DELETE FROM cursors WHERE new.table_name = 'cursors' AND app = new.row_key;
    DELETE FROM runs WHERE new.table_name = 'runs' AND id::text = new.row_key;
    DELETE FROM catalog WHERE new.table_name = 'catalog' AND app || ' ' || backup_id || ' ' || generation = new.row_key;
    DELETE FROM subscriptions WHERE new.table_name = 'subscriptions' AND subscription = new.row_key;
    DELETE FROM budgets WHERE new.table_name = 'budgets' AND subscription || ' ' || call = new.row_key;
    RETURN NULL;
END $$;

-- SECURITY DEFINER functions resolve names in this schema alone.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION remove_set_aside_row() SET search_path = %I, pg_temp', current_schema());
    REVOKE EXECUTE ON FUNCTION remove_set_aside_row() FROM PUBLIC;
END $$;

CREATE TRIGGER set_aside_rows_are_removed AFTER INSERT ON set_aside_rows FOR EACH ROW
EXECUTE FUNCTION remove_set_aside_row();
CREATE TRIGGER set_aside_rows_stay BEFORE UPDATE ON set_aside_rows FOR EACH ROW
EXECUTE FUNCTION refuse('a row that was set aside is never changed');
CREATE TRIGGER set_aside_rows_are_kept BEFORE DELETE ON set_aside_rows FOR EACH ROW
EXECUTE FUNCTION refuse('a row that was set aside is never deleted');
