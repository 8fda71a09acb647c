-- Who may do what. Logins are the operator's; each is made a member of one of these.
--   holdfast_app      runs Holdfast: everything it needs, and of the audit only to read it and to add to it
--   holdfast_auditor  reads the views
-- Roles belong to the whole server, and making them takes a right that the owner of one database may lack. Then they are
-- left out; whoever may makes them later with SELECT make_roles().

CREATE FUNCTION grant_to_roles() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO holdfast_app', current_schema());
        GRANT SELECT ON _sqlx_migrations, audit_head TO holdfast_app;
        GRANT SELECT, INSERT ON audit_events TO holdfast_app;
        GRANT SELECT, INSERT, UPDATE ON apps, runs, budgets TO holdfast_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON cursors TO holdfast_app;
        GRANT EXECUTE ON FUNCTION audit_last(), audit_follows(), make_audit_partitions(integer) TO holdfast_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_auditor') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO holdfast_auditor', current_schema());
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

CREATE FUNCTION make_roles() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['holdfast_app', 'holdfast_auditor'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = name);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION
            -- Another database of this server was faster.
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'the role % is missing and cannot be origin by %: let a superuser run SELECT make_roles()',
                    name, current_user;
        END;
    END LOOP;
    PERFORM grant_to_roles();
END $$;

SELECT make_roles();
