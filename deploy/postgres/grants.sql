-- What the roles of one database may do. Its owner runs this after each `holdfast migrate`:
--
--   psql --set=database=prod --set=app=prod_app --set=auditor=prod_auditor --file=grants.sql
--
-- Roles are global to the server: give each database roles of its own.

GRANT CONNECT ON DATABASE :"database" TO :"app", :"auditor";
GRANT USAGE ON SCHEMA holdfast TO :"app", :"auditor";
GRANT SELECT ON ALL TABLES IN SCHEMA holdfast TO :"app", :"auditor";
GRANT EXECUTE ON FUNCTION holdfast.whole_seconds(interval) TO :"app", :"auditor";
GRANT INSERT ON holdfast.audit_events, holdfast.set_aside_rows, holdfast.fleet_revisions TO :"app";
GRANT INSERT, UPDATE ON holdfast.apps, holdfast.subscriptions, holdfast.runs, holdfast.budgets, holdfast.breakers, holdfast.catalog,
    holdfast.app_days, holdfast.pauses, holdfast.acknowledgements TO :"app";
GRANT INSERT, UPDATE, DELETE ON holdfast.cursors, holdfast.unfinished_runs, holdfast.audit_checkpoints, holdfast.processes, holdfast.operations TO :"app";
GRANT INSERT, UPDATE ON holdfast.api_tokens, holdfast.approvals, holdfast.notifier TO :"app";
GRANT INSERT, UPDATE, DELETE ON holdfast.notifications TO :"app";
GRANT INSERT, DELETE ON holdfast.requests TO :"app";
GRANT EXECUTE ON FUNCTION holdfast.audit_last(), holdfast.audit_append(json), holdfast.audit_part(text),
    holdfast.make_audit_partitions(integer) TO :"app";
