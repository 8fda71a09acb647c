-- What everyone may do by default ends here. The operator grants privileges to roles of this database alone
-- (docs/audit.md, "PostgreSQL: roles"): the migrations create no roles, because roles are global to the server.

REVOKE ALL ON SCHEMA holdfast FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA holdfast FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA holdfast FROM PUBLIC;

DO $$
BEGIN
    EXECUTE pg_catalog.format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC',
        pg_catalog.current_database()::text);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'everyone may still connect to %: its owner runs REVOKE CONNECT, TEMPORARY ON DATABASE ... FROM PUBLIC',
        pg_catalog.current_database();
END $$;
