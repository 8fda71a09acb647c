-- The audit: events that are only ever added, each bound to the one before, one partition a month.

-- What the hash covers are at, run_id, app and data as texts. The other columns are read out of data, so that they
-- cannot be changed apart from it; jsonb knows no NUL, so there it reads as U+FFFD.
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
    previous text        NOT NULL,
    hash     text        NOT NULL,
    PRIMARY KEY (seq, at)
) PARTITION BY RANGE (at);

CREATE INDEX audit_events_of_run ON audit_events (run_id, seq);
CREATE INDEX audit_events_by_kind ON audit_events (event, at);

-- The end of the chain. Whoever appends holds this row until his transaction ends; nobody else waits for anyone.
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

-- Triggers for each row are handed down to partitions; those for a statement are not, and whoever names a partition
-- would get around them.
CREATE FUNCTION guard_audit_partition(partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_events_go_through_the_parent BEFORE INSERT ON %I FOR EACH STATEMENT
        EXECUTE FUNCTION refuse(%L)', partition, 'audit events are added through audit_events');
    EXECUTE format('CREATE TRIGGER audit_events_are_not_emptied BEFORE TRUNCATE ON %I FOR EACH STATEMENT
        EXECUTE FUNCTION refuse(%L)', partition, 'an audit event is never deleted');
END $$;

-- Takes what no month's partition is there for, so that a missing one keeps nobody from writing.
CREATE TABLE audit_events_else PARTITION OF audit_events DEFAULT;
SELECT guard_audit_partition('audit_events_else');

-- Makes the partitions of this month and of so many after it, and answers how many were missing. A month that has
-- events in audit_events_else already stays there whole.
CREATE FUNCTION make_audit_partitions(ahead integer DEFAULT 6) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '5s' AS $$
DECLARE
    first timestamp;
    partition text;
    origin integer := 0;
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
            origin := origin + 1;
        EXCEPTION WHEN check_violation OR lock_not_available THEN
            RAISE NOTICE 'the audit keeps % in audit_events_else: %', to_char(first, 'YYYY-MM'), SQLERRM;
        END;
    END LOOP;
    RETURN origin;
END $$;

-- What runs with its owner's rights looks nowhere but in its own schema.
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
