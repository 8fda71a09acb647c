-- The truth: the fleet, how far schedules are considered, runs, budgets and the audit.
-- Times are UTC in RFC 3339 with milliseconds and Z: fixed width, so that text order is time order.

PRAGMA application_id = 1212433988; -- "HDFD": tells a store from other SQLite files

CREATE TABLE apps (
    app                        TEXT    NOT NULL PRIMARY KEY,
    policy                     TEXT,
    plan                       TEXT,
    paused                     INTEGER NOT NULL,
    recovery_point_objective_s INTEGER,
    retention_days             INTEGER,
    retention_keep_at_least    INTEGER,
    partial_is_good            INTEGER NOT NULL,
    enrolled_at                TEXT    NOT NULL,
    removed_at                 TEXT
) STRICT;

CREATE TABLE cursors (
    app         TEXT NOT NULL PRIMARY KEY,
    policy      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    through     TEXT NOT NULL,
    next_at     TEXT
) STRICT;

CREATE INDEX cursors_next ON cursors (next_at, app);

CREATE TABLE runs (
    id           TEXT    NOT NULL PRIMARY KEY,
    version      INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    trigger      TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    app          TEXT    NOT NULL,
    subscription TEXT    NOT NULL,
    policy       TEXT,
    tick         TEXT,
    plan         TEXT    NOT NULL,
    storage      TEXT    NOT NULL,
    account      TEXT    NOT NULL,
    policy_snapshot        TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    state_json   TEXT    NOT NULL,
    failure_counts        TEXT    NOT NULL,
    attempt      INTEGER NOT NULL DEFAULT 0,
    outcome      TEXT,
    cause        TEXT,
    backup_id    INTEGER,
    backup_blob  TEXT,
    size_bytes   INTEGER,
    accepted_at  TEXT,
    finished_at  TEXT,
    verification TEXT,
    created_at   TEXT    NOT NULL,
    due_at       TEXT    NOT NULL,
    ended_at     TEXT,
    lane         TEXT,
    leased_until TEXT,
    occupies_app        INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A policy, an app and a tick make one run, whoever plans it.
CREATE UNIQUE INDEX runs_tick ON runs (policy, app, tick) WHERE policy IS NOT NULL AND tick IS NOT NULL;
-- One run at a time holds an app.
CREATE UNIQUE INDEX runs_occupied_app ON runs (app) WHERE occupies_app = 1;
CREATE INDEX runs_occupied_plan ON runs (subscription, plan) WHERE occupies_app = 1;
CREATE INDEX runs_occupied_account ON runs (account) WHERE occupies_app = 1;
-- What waits to be handed out, and what is handed out.
CREATE INDEX runs_waiting ON runs (lane, priority, due_at, id) WHERE lane IS NOT NULL AND leased_until IS NULL;
CREATE INDEX runs_leased ON runs (leased_until) WHERE leased_until IS NOT NULL;
-- What people and planners ask for.
CREATE INDEX runs_unfinished ON runs (app, policy) WHERE state <> 'ended';
CREATE INDEX runs_good ON runs (app, accepted_at, id) WHERE outcome IN ('succeeded', 'partial');
CREATE INDEX runs_over ON runs (app, ended_at, id) WHERE outcome <> 'missed';
CREATE INDEX runs_of_app ON runs (app, created_at, id);
CREATE INDEX runs_made ON runs (created_at, id);

CREATE TRIGGER runs_that_ended_stay BEFORE UPDATE ON runs WHEN old.state = 'ended'
BEGIN SELECT RAISE(ABORT, 'a run that has ended is never changed'); END;
CREATE TRIGGER runs_are_kept BEFORE DELETE ON runs
BEGIN SELECT RAISE(ABORT, 'a run is never deleted'); END;
CREATE TRIGGER runs_are_not_replaced BEFORE INSERT ON runs
WHEN EXISTS (SELECT 1 FROM runs WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'a run with this id is there already'); END;

CREATE TABLE budgets (
    subscription TEXT NOT NULL,
    call         TEXT NOT NULL,
    tokens       REAL NOT NULL,
    filled_at    TEXT NOT NULL,
    closed_until TEXT,
    PRIMARY KEY (subscription, call)
) STRICT;

-- What the hash covers are the texts of at, run_id, app and data; event and attempt are read out of data, so that
-- they cannot be changed apart from it.
CREATE TABLE audit_events (
    seq      INTEGER NOT NULL PRIMARY KEY,
    at       TEXT    NOT NULL,
    run_id   TEXT    NOT NULL,
    app      TEXT    NOT NULL,
    event    TEXT    GENERATED ALWAYS AS (data ->> '$.event') VIRTUAL,
    attempt  INTEGER GENERATED ALWAYS AS (coalesce(data ->> '$.attempt.number', data ->> '$.number')) VIRTUAL,
    data     TEXT    NOT NULL,
    previous TEXT    NOT NULL,
    hash     TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_events_of_run ON audit_events (run_id, seq);
CREATE INDEX audit_events_by_kind ON audit_events (event, at);

CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'an audit event is never changed'); END;
CREATE TRIGGER audit_events_are_kept BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'an audit event is never deleted'); END;
CREATE TRIGGER audit_events_follow BEFORE INSERT ON audit_events
WHEN new.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit_events)
BEGIN SELECT RAISE(ABORT, 'an audit event follows the last one, without a gap'); END;
