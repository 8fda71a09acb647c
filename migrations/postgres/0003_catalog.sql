-- The catalog: every backup that Holdfast knows and its removal. It follows from the audit events and is written in
-- the same transaction.

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
    origin          text        NOT NULL,
    good            boolean     NOT NULL,
    sas_fingerprint text,
    sas_start       timestamptz,
    sas_expiry      timestamptz,
    hold            text,
    removed_at      timestamptz,
    deleted         boolean,
    last_failure_at timestamptz,
    verified_at     timestamptz,
    drilled_at      timestamptz,
    drill_passed    boolean,
    PRIMARY KEY (app, backup_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX catalog_there ON catalog (app, accepted_at, backup_id) WHERE removed_at IS NULL;
CREATE INDEX catalog_lost ON catalog (app, removed_at) WHERE removed_at IS NOT NULL AND NOT deleted;
