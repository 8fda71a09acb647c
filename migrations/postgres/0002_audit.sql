-- The audit: append-only events. Each event's hash covers the event before it. One partition per month.

-- The hash covers at, run_id, app, data and database_role as texts. The other columns are generated from data, so that they cannot
-- differ from it. jsonb cannot hold NUL; facts shows U+FFFD in its place.
CREATE TABLE audit_events (
    seq      bigint      NOT NULL,
    at       timestamptz NOT NULL,
    run_id   uuid        NOT NULL,
    app      text        COLLATE "C" NOT NULL,
    event    text        GENERATED ALWAYS AS (replace(data, '\u0000', '\ufffd')::jsonb ->> 'event') STORED,
    attempt  bigint      GENERATED ALWAYS AS (coalesce(
                 replace(data, '\u0000', '\ufffd')::jsonb #>> '{attempt,number}',
                 replace(data, '\u0000', '\ufffd')::jsonb ->> 'number')::bigint) STORED,
    data     text        NOT NULL,
    facts    jsonb       GENERATED ALWAYS AS (replace(data, '\u0000', '\ufffd')::jsonb) STORED,
    -- The login that wrote the row. The server fills it, and a trigger refuses any other value.
    database_role text   NOT NULL DEFAULT session_user,
    previous text        NOT NULL,
    hash     text        NOT NULL,
    PRIMARY KEY (seq, at)
) PARTITION BY RANGE (at);

CREATE INDEX audit_events_of_run ON audit_events (run_id, seq);
CREATE INDEX audit_events_by_kind ON audit_events (event, at);

-- The end of the chain. An append locks this row until its transaction ends; nothing else locks it.
CREATE TABLE audit_head (
    the_one boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (the_one),
    seq     bigint  NOT NULL,
    hash    text    NOT NULL
) WITH (fillfactor = 10);
INSERT INTO audit_head (seq, hash) VALUES (0, repeat('0', 64));

CREATE FUNCTION audit_last(OUT seq bigint, OUT hash text) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    SELECT head.seq, head.hash INTO STRICT audit_last.seq, audit_last.hash FROM audit_head AS head FOR UPDATE;
END $$;

CREATE FUNCTION audit_follows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    head audit_head;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    IF EXISTS (
        SELECT FROM (
            SELECT seq, previous, head.seq + row_number() OVER (ORDER BY seq) AS place,
                   lag(hash, 1, head.hash) OVER (ORDER BY seq) AS before
            FROM added) AS link
        WHERE link.seq <> link.place OR link.previous <> link.before)
    THEN
        RAISE EXCEPTION 'an audit event follows the last one, without a gap' USING ERRCODE = 'restrict_violation';
    END IF;
    -- Not current_user: that is the owner here.
    IF EXISTS (SELECT FROM added WHERE database_role <> session_user::text) THEN
        RAISE EXCEPTION 'an audit event names the login that writes it' USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE audit_head SET seq = newest.seq, hash = newest.hash
    FROM (SELECT seq, hash FROM added ORDER BY seq DESC LIMIT 1) AS newest;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_events_follow AFTER INSERT ON audit_events REFERENCING NEW TABLE AS added FOR EACH STATEMENT
EXECUTE FUNCTION audit_follows();
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events FOR EACH ROW
EXECUTE FUNCTION refuse('an audit event is never changed');
CREATE TRIGGER audit_events_are_kept BEFORE DELETE ON audit_events FOR EACH ROW
EXECUTE FUNCTION refuse('an audit event is never deleted');
CREATE TRIGGER audit_events_are_not_emptied BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT
EXECUTE FUNCTION refuse('an audit event is never deleted');
CREATE TRIGGER audit_head_is_kept BEFORE DELETE ON audit_head FOR EACH ROW
EXECUTE FUNCTION refuse('the end of the audit is never deleted');
CREATE TRIGGER audit_head_is_not_emptied BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT
EXECUTE FUNCTION refuse('the end of the audit is never deleted');

-- Partitions inherit row triggers but no statement triggers. Without these, a statement that names a partition would
-- bypass the checks.
CREATE FUNCTION guard_audit_partition(partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_events_go_through_the_parent BEFORE INSERT ON %I FOR EACH STATEMENT
        EXECUTE FUNCTION refuse(%L)', partition, 'audit events are added through audit_events');
    EXECUTE format('CREATE TRIGGER audit_events_are_not_emptied BEFORE TRUNCATE ON %I FOR EACH STATEMENT
        EXECUTE FUNCTION refuse(%L)', partition, 'an audit event is never deleted');
END $$;

-- Takes events of months without a partition, so that a missing partition never blocks a write.
CREATE TABLE audit_events_else PARTITION OF audit_events DEFAULT;
SELECT guard_audit_partition('audit_events_else');

-- Creates the partitions of this month and of the next `ahead` months. Returns how many it created. A month that
-- already has events in audit_events_else stays there.
CREATE FUNCTION make_audit_partitions(ahead integer DEFAULT 6) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '5s' AS $$
DECLARE
    first timestamp;
    partition text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('holdfast.audit_partitions', 0));
    FOR months IN 0..ahead LOOP
        first := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => months);
        partition := 'audit_events_' || to_char(first, 'YYYY_MM');
        CONTINUE WHEN to_regclass(quote_ident(partition)) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE %I PARTITION OF audit_events FOR VALUES FROM (%L) TO (%L)', partition,
                first AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC');
            PERFORM guard_audit_partition(partition);
            made := made + 1;
        EXCEPTION WHEN check_violation OR lock_not_available THEN
            RAISE NOTICE 'the audit keeps % in audit_events_else: %', to_char(first, 'YYYY-MM'), SQLERRM;
        END;
    END LOOP;
    RETURN made;
END $$;

-- SECURITY DEFINER functions resolve names in this schema alone.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_last()', 'audit_follows()', 'make_audit_partitions(integer)'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END $$;

SELECT make_audit_partitions();

-- How the writing of signed checkpoints fares, one row per destination.
CREATE TABLE audit_checkpoints (
    destination  text        NOT NULL PRIMARY KEY,
    checkpoint   text,
    written_at   timestamptz,
    failed_since timestamptz,
    error        text,
    due_at       timestamptz NOT NULL
);
