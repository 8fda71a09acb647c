//! The statement that reads the protections of the schema.

/// Reads, for each protection: its name, what was found, what to do where it is missing, and whether that is serious.
pub(super) const SAFEGUARDS: &str = "/* safeguards */ WITH space AS (SELECT oid, nspowner, nspacl FROM pg_catalog.pg_namespace WHERE nspname = 'holdfast'),
    base AS (SELECT * FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),
    odd_owner AS (
        SELECT pg_catalog.string_agg(name, ', ' ORDER BY name) AS names FROM (
            SELECT relname::text AS name FROM pg_catalog.pg_class, space
            WHERE relnamespace = space.oid AND relowner <> space.nspowner AND relkind IN ('r', 'p', 'v')
            UNION ALL
            SELECT proname::text FROM pg_catalog.pg_proc, space
            WHERE pronamespace = space.oid AND proowner <> space.nspowner) AS of),
    public_right AS (
        SELECT pg_catalog.string_agg(what, ', ' ORDER BY what) AS names FROM (
            SELECT 'CONNECT to the database' AS what FROM base,
                pg_catalog.aclexplode(coalesce(datacl, pg_catalog.acldefault('d', datdba))) AS acl
            WHERE acl.grantee = 0 AND acl.privilege_type = 'CONNECT'
            UNION ALL
            SELECT acl.privilege_type || ' on the schema' FROM space,
                pg_catalog.aclexplode(coalesce(nspacl, pg_catalog.acldefault('n', nspowner))) AS acl
            WHERE acl.grantee = 0
            UNION ALL
            SELECT acl.privilege_type || ' on ' || relname FROM space
            JOIN pg_catalog.pg_class ON relnamespace = space.oid,
                pg_catalog.aclexplode(relacl) AS acl
            WHERE acl.grantee = 0
            UNION ALL
            SELECT 'EXECUTE on ' || proname FROM space
            JOIN pg_catalog.pg_proc ON pronamespace = space.oid,
                pg_catalog.aclexplode(coalesce(proacl, pg_catalog.acldefault('f', proowner))) AS acl
            WHERE acl.grantee = 0) AS rights),
    creator AS (
        SELECT pg_catalog.string_agg(acl.grantee::regrole::text, ', ') AS names FROM space,
            pg_catalog.aclexplode(nspacl) AS acl
        WHERE acl.privilege_type = 'CREATE' AND acl.grantee NOT IN (0, space.nspowner)),
    lax_function AS (
        SELECT pg_catalog.string_agg(proname::text, ', ' ORDER BY proname) AS names FROM pg_catalog.pg_proc, space
        WHERE pronamespace = space.oid AND prosecdef
          AND NOT coalesce('search_path=pg_catalog, holdfast, pg_temp' = ANY (proconfig), false)),
    writer AS (
        SELECT DISTINCT acl.grantee FROM space JOIN pg_catalog.pg_class ON relnamespace = space.oid,
            pg_catalog.aclexplode(relacl) AS acl
        WHERE relkind IN ('r', 'p') AND acl.grantee NOT IN (0, space.nspowner)
          AND acl.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
    login AS (
        SELECT pg_catalog.string_agg(rolname::text, ', ' ORDER BY rolname) AS names FROM pg_catalog.pg_roles
        WHERE rolcanlogin AND NOT rolsuper
          AND EXISTS (SELECT FROM writer WHERE pg_catalog.pg_has_role(pg_roles.oid, writer.grantee, 'MEMBER'))),
    elsewhere AS (
        SELECT pg_catalog.string_agg(DISTINCT acl.grantee::regrole || ' to ' || other.datname, ', ') AS names
        FROM pg_catalog.pg_database AS other, pg_catalog.aclexplode(other.datacl) AS acl
        WHERE other.datname <> pg_catalog.current_database() AND acl.privilege_type = 'CONNECT'
          AND EXISTS (SELECT FROM writer WHERE writer.grantee = acl.grantee))
    SELECT 'schema owner' AS name,
        CASE WHEN odd_owner.names IS NULL THEN 'all of the schema belongs to ' || space.nspowner::regrole
             ELSE 'not all belongs to ' || space.nspowner::regrole || ': ' || odd_owner.names END AS says,
        CASE WHEN odd_owner.names IS NOT NULL THEN 'give these to the schema''s owner' END AS cure, true AS is_serious
    FROM space, odd_owner
    UNION ALL
    SELECT 'public rights',
        CASE WHEN names IS NULL THEN 'PUBLIC has no right' ELSE 'PUBLIC has: ' || names END,
        CASE WHEN names IS NOT NULL THEN 'revoke these from PUBLIC' END, true
    FROM public_right
    UNION ALL
    SELECT 'creators',
        CASE WHEN names IS NULL THEN 'only the owner creates in the schema' ELSE names || ' may create in the schema' END,
        CASE WHEN names IS NOT NULL THEN 'revoke CREATE on the schema from them' END, true
    FROM creator
    UNION ALL
    SELECT 'search path', 'is ' || pg_catalog.current_setting('search_path'),
        CASE WHEN pg_catalog.replace(pg_catalog.current_setting('search_path'), ' ', '') <> 'holdfast,pg_temp'
             THEN 'let no pooler between change it' END, true
    UNION ALL
    SELECT 'functions',
        CASE WHEN names IS NULL THEN 'those with the owner''s rights set their search path'
             ELSE 'these have the owner''s rights and no safe search path: ' || names END,
        CASE WHEN names IS NOT NULL THEN
            'ALTER FUNCTION ... SET search_path = pg_catalog, holdfast, pg_temp, or drop them' END, true
    FROM lax_function
    UNION ALL
    SELECT 'writers', coalesce('logins that may write: ' || names, 'no login but the owner may write'), NULL, false
    FROM login
    UNION ALL
    SELECT 'other databases',
        CASE WHEN names IS NULL THEN 'no writing role is let into another database' ELSE 'may also connect: ' || names END,
        CASE WHEN names IS NOT NULL THEN 'give each database roles of its own' END, false
    FROM elsewhere
    UNION ALL
    SELECT 'login',
        CASE WHEN rolsuper THEN rolname || ' is a superuser'
             WHEN pg_catalog.pg_has_role(pg_roles.oid, space.nspowner, 'MEMBER') THEN rolname || ' owns the schema'
             ELSE rolname || ' is neither a superuser nor the owner' END,
        CASE WHEN pg_catalog.pg_has_role(pg_roles.oid, space.nspowner, 'MEMBER')
             THEN 'let processes log in as a role that cannot change the audit: see docs/audit.md' END, false
    FROM pg_catalog.pg_roles, space WHERE rolname = current_user";
