-- The database roles. Logins belong to the operator; each is made a member of one of these.
--   holdfast_app      runs Holdfast: full access to its tables, but of the audit only SELECT and INSERT
--   holdfast_auditor  reads the views, and the audit with its checkpoints
-- Roles are global to the server, and creating them needs a right that a database's owner may lack. The migration then
-- skips them; a superuser creates them later with SELECT make_roles().

CREATE OR REPLACE FUNCTION grant_to_roles() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO holdfast_app', current_schema());
        GRANT SELECT ON _sqlx_migrations, audit_head TO holdfast_app;
        GRANT SELECT, INSERT ON audit_events TO holdfast_app;
        GRANT SELECT, INSERT ON set_aside_rows TO holdfast_app;
        GRANT SELECT, INSERT, UPDATE ON apps, subscriptions, runs, budgets, breakers, catalog TO holdfast_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON cursors, audit_checkpoints TO holdfast_app;
        GRANT EXECUTE ON FUNCTION audit_last(), audit_follows(), make_audit_partitions(integer) TO holdfast_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_auditor') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO holdfast_auditor', current_schema());
        -- What `holdfast audit verify` and `holdfast audit export` read.
        GRANT SELECT ON _sqlx_migrations, audit_events, audit_checkpoints TO holdfast_auditor;
    END IF;
    FOR name IN SELECT viewname FROM pg_views WHERE schemaname = current_schema() LOOP
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_auditor') THEN
            EXECUTE format('GRANT SELECT ON %I TO holdfast_auditor', name);
        END IF;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
            EXECUTE format('GRANT SELECT ON %I TO holdfast_app', name);
        END IF;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION make_roles() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['holdfast_app', 'holdfast_auditor'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = name);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION
            -- A migration of another database on this server created it.
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'the role % is missing and cannot be created by %: let a superuser run SELECT make_roles()',
                    name, current_user;
        END;
    END LOOP;
    PERFORM grant_to_roles();
END $$;

SELECT make_roles();
