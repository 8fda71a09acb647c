-- The audit: append-only events. Each event's hash covers the event before it. One partition per month.

-- The hash covers at, run_id, app, data and database_role as texts. facts is generated from data, and event and attempt are compared
-- with it, so that they cannot differ from data, which is parsed once. jsonb cannot hold NUL; facts shows U+FFFD in its place.
CREATE TABLE audit_events (
    seq      bigint      NOT NULL,
    at       timestamptz NOT NULL,
    run_id   uuid        NOT NULL,
    app      text        COLLATE "C" NOT NULL,
    event    text        CHECK (event IS NOT DISTINCT FROM facts ->> 'event'),
    attempt  bigint      CHECK (attempt IS NOT DISTINCT FROM
                 coalesce(facts #>> '{attempt,number}', facts ->> 'number')::bigint),
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

-- What people did with the backups of an app, such as its holds.
CREATE INDEX audit_events_of_actions ON audit_events (app, seq) WHERE event = 'action_recorded';

-- What people asked for and did. What a sync of the fleet file records of single apps is not among it.
CREATE INDEX audit_events_of_people ON audit_events (seq)
WHERE facts ? 'actor' AND coalesce(facts #>> '{action,kind}', '') NOT IN ('enrolled', 'policy_changed', 'tags_changed', 'left_fleet');

-- The end of the chain. An append locks this row until its transaction ends; nothing else locks it.
CREATE TABLE audit_head (
    the_one boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (the_one),
    seq     bigint      NOT NULL,
    hash    text        NOT NULL,
    at      timestamptz NOT NULL
) WITH (fillfactor = 10);
INSERT INTO audit_head (seq, hash, at) VALUES (0, repeat('0', 64), 'epoch');

CREATE FUNCTION audit_last(OUT seq bigint, OUT hash text, OUT at timestamptz) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, holdfast, pg_temp AS $$
BEGIN
    SELECT head.seq, head.hash, head.at INTO STRICT audit_last.seq, audit_last.hash, audit_last.at
    FROM holdfast.audit_head AS head FOR UPDATE;
END $$;

-- A part of what a hash covers, after its length in bytes.
CREATE FUNCTION audit_part(part text) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN pg_catalog.int8send(pg_catalog.octet_length(part)::bigint) || pg_catalog.convert_to(part, 'UTF8'::name);

CREATE FUNCTION audit_follows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, holdfast, pg_temp AS $$
DECLARE
    head holdfast.audit_head;
BEGIN
    SELECT * INTO STRICT head FROM holdfast.audit_head FOR UPDATE;
    IF EXISTS (
        SELECT FROM (
            SELECT seq, previous, head.seq + pg_catalog.row_number() OVER (ORDER BY seq) AS place,
                   pg_catalog.lag(hash, 1, head.hash) OVER (ORDER BY seq) AS before
            FROM added) AS link
        WHERE link.seq <> link.place OR link.previous <> link.before)
    THEN
        RAISE EXCEPTION 'an audit event follows the last one, without a gap' USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT at, pg_catalog.lag(at, 1, head.at) OVER (ORDER BY seq) AS before FROM added) AS link
        WHERE link.at < link.before)
    THEN
        RAISE EXCEPTION 'an audit event is not dated before the last one' USING ERRCODE = 'restrict_violation';
    END IF;
    -- Not current_user: that is the owner here.
    IF EXISTS (SELECT FROM added WHERE database_role <> session_user::text) THEN
        RAISE EXCEPTION 'an audit event names the login that writes it' USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE holdfast.audit_head SET seq = newest.seq, hash = newest.hash, at = newest.at
    FROM (SELECT seq, hash, at FROM added ORDER BY seq DESC LIMIT 1) AS newest;
    RETURN NULL;
END $$;

-- Appends events and returns their places. The database links them, so that no round trip passes between reading the end of the
-- chain and writing what follows. The hashes are those of chain.rs: the length of each part precedes it. An event that is dated
-- before the last one gets that one's time, rounded up to whole milliseconds.
CREATE FUNCTION audit_append(new json) RETURNS TABLE (seq bigint, at timestamptz) LANGUAGE plpgsql
SET search_path = pg_catalog, holdfast, pg_temp AS $$
DECLARE
    event record;
    last_seq bigint;
    last_hash text;
    last_at timestamptz;
    at_text text;
    seqs bigint[] := '{}';
    times timestamptz[] := '{}';
    runs uuid[] := '{}';
    apps text[] := '{}';
    events text[] := '{}';
    attempts bigint[] := '{}';
    texts text[] := '{}';
    befores text[] := '{}';
    hashes text[] := '{}';
    login text := session_user::text;
BEGIN
    SELECT head.seq, head.hash, pg_catalog.date_trunc('milliseconds'::text, head.at + interval '999 microseconds')
        INTO STRICT last_seq, last_hash, last_at FROM holdfast.audit_last() AS head;
    FOR event IN
        SELECT * FROM ROWS FROM (pg_catalog.json_to_recordset(new) AS (at timestamptz, run_id uuid, app text, event text,
            attempt bigint, data text)) WITH ORDINALITY AS added (at, run_id, app, event, attempt, data, place) ORDER BY place
    LOOP
        last_at := GREATEST(last_at, event.at);
        last_seq := last_seq + 1;
        befores := befores || last_hash;
        at_text := pg_catalog.to_char(last_at AT TIME ZONE 'UTC'::text, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'::text);
        last_hash := pg_catalog.encode(pg_catalog.sha256(
            holdfast.audit_part(last_hash) || pg_catalog.int8send(8) || pg_catalog.int8send(last_seq) || holdfast.audit_part(at_text)
            || holdfast.audit_part(event.run_id::text) || holdfast.audit_part(event.app) || holdfast.audit_part(event.data) || holdfast.audit_part(login)),
            'hex'::text);
        seqs := seqs || last_seq;
        times := times || last_at;
        runs := runs || event.run_id;
        apps := apps || event.app;
        events := events || event.event;
        attempts := attempts || event.attempt;
        texts := texts || event.data;
        hashes := hashes || last_hash;
    END LOOP;
    INSERT INTO holdfast.audit_events (seq, at, run_id, app, event, attempt, data, previous, hash)
    SELECT * FROM ROWS FROM (
        pg_catalog.unnest(seqs), pg_catalog.unnest(times), pg_catalog.unnest(runs), pg_catalog.unnest(apps),
        pg_catalog.unnest(events), pg_catalog.unnest(attempts), pg_catalog.unnest(texts), pg_catalog.unnest(befores),
        pg_catalog.unnest(hashes))
        AS linked (seq, at, run_id, app, event, attempt, data, previous, hash);
    RETURN QUERY SELECT * FROM ROWS FROM (pg_catalog.unnest(seqs), pg_catalog.unnest(times)) AS place (seq, at);
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
CREATE FUNCTION guard_audit_partition(partition text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, holdfast, pg_temp AS $$
BEGIN
    EXECUTE pg_catalog.format('CREATE TRIGGER audit_events_go_through_the_parent BEFORE INSERT ON holdfast.%I
        FOR EACH STATEMENT EXECUTE FUNCTION holdfast.refuse(%L)', partition,
        'audit events are added through audit_events'::text);
    EXECUTE pg_catalog.format('CREATE TRIGGER audit_events_are_not_emptied BEFORE TRUNCATE ON holdfast.%I
        FOR EACH STATEMENT EXECUTE FUNCTION holdfast.refuse(%L)', partition,
        'an audit event is never deleted'::text);
END $$;

-- Takes events of months without a partition, so that a missing partition never blocks a write.
CREATE TABLE audit_events_else PARTITION OF audit_events DEFAULT;
SELECT guard_audit_partition('audit_events_else');

-- Creates the partitions of this month and of the next `ahead` months, at most 24. Returns how many it created. A month that
-- already has events in audit_events_else stays there.
CREATE FUNCTION make_audit_partitions(ahead integer DEFAULT 6) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '5s' SET search_path = pg_catalog, holdfast, pg_temp AS $$
DECLARE
    first timestamp;
    partition text;
    made integer := 0;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(
        pg_catalog.hashtextextended('holdfast.audit_partitions'::text, 0::bigint));
    FOR months IN 0..LEAST(ahead, 24) LOOP
        first := pg_catalog.date_trunc('month'::text, pg_catalog.now() AT TIME ZONE 'UTC'::text)
                 + pg_catalog.make_interval(months => months);
        partition := 'audit_events_' || pg_catalog.to_char(first, 'YYYY_MM'::text);
        CONTINUE WHEN pg_catalog.to_regclass('holdfast.' || pg_catalog.quote_ident(partition)) IS NOT NULL;
        BEGIN
            EXECUTE pg_catalog.format(
                'CREATE TABLE holdfast.%I PARTITION OF holdfast.audit_events FOR VALUES FROM (%L) TO (%L)', partition,
                (first AT TIME ZONE 'UTC'::text)::text,
                ((first + interval '1 month') AT TIME ZONE 'UTC'::text)::text);
            PERFORM holdfast.guard_audit_partition(partition);
            made := made + 1;
        EXCEPTION WHEN check_violation OR lock_not_available THEN
            RAISE NOTICE 'the audit keeps % in audit_events_else: %',
                pg_catalog.to_char(first, 'YYYY-MM'::text), SQLERRM;
        END;
    END LOOP;
    RETURN made;
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
