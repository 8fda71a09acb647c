-- The audit: append-only events. Each event's hash covers the event before it: the texts of at, run_id, app,
-- data and database_role.
-- event and attempt are generated from data, so that they cannot differ from it.

CREATE TABLE audit_events (
    seq      INTEGER NOT NULL PRIMARY KEY,
    at       TEXT    NOT NULL,
    run_id   TEXT    NOT NULL,
    app      TEXT    NOT NULL,
    event    TEXT    GENERATED ALWAYS AS (data ->> '$.event') VIRTUAL,
    attempt  INTEGER GENERATED ALWAYS AS (coalesce(data ->> '$.attempt.number', data ->> '$.number')) VIRTUAL,
    data     TEXT    NOT NULL,
    -- Always empty: SQLite has no logins.
    database_role TEXT NOT NULL DEFAULT '' CHECK (database_role = ''),
    previous TEXT    NOT NULL,
    hash     TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_events_of_run ON audit_events (run_id, seq);
CREATE INDEX audit_events_by_kind ON audit_events (event, at);

-- What people did with the backups of an app, such as its holds.
CREATE INDEX audit_events_of_actions ON audit_events (app, seq) WHERE event = 'action_recorded';

-- What people asked for and did. What a sync of the fleet file records of single apps is not among it.
CREATE INDEX audit_events_of_people ON audit_events (seq)
WHERE data ->> '$.actor' IS NOT NULL AND coalesce(data ->> '$.action.kind', '') NOT IN ('enrolled', 'policy_changed', 'tags_changed', 'left_fleet');

CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'an audit event is never changed'); END;
CREATE TRIGGER audit_events_are_kept BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'an audit event is never deleted'); END;
CREATE TRIGGER audit_events_follow BEFORE INSERT ON audit_events
WHEN new.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit_events)
BEGIN SELECT RAISE(ABORT, 'an audit event follows the last one, without a gap'); END;
CREATE TRIGGER audit_events_keep_their_order BEFORE INSERT ON audit_events
WHEN new.seq IS (SELECT coalesce(max(seq), 0) + 1 FROM audit_events)
 AND new.at < (SELECT at FROM audit_events WHERE seq = new.seq - 1)
BEGIN SELECT RAISE(ABORT, 'an audit event is not dated before the last one'); END;

-- How the writing of signed checkpoints fares, one row per destination.
CREATE TABLE audit_checkpoints (
    destination  TEXT NOT NULL PRIMARY KEY,
    checkpoint   TEXT,
    written_at   TEXT,
    failed_since TEXT,
    error        TEXT,
    due_at       TEXT NOT NULL
) STRICT;
