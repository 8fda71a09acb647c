-- The fleet, schedule cursors, runs and budgets. Times are UTC in RFC 3339 with milliseconds and Z: a fixed width, so
-- that text order is time order.

PRAGMA application_id = 1212433988; -- "HDFD" identifies a Holdfast store among SQLite files

CREATE TABLE apps (
    app                        TEXT    NOT NULL PRIMARY KEY,
    policy                     TEXT,
    plan                       TEXT,
    paused                     INTEGER NOT NULL,
    recovery_point_objective_s INTEGER,
    retention                  TEXT,
    partial_is_good            INTEGER NOT NULL,
    enrolled_at                TEXT    NOT NULL,
    seen_at                    TEXT,
    missing_since              TEXT,
    removed_at                 TEXT,
    removed_reason             TEXT,
    -- A JSON object with a text for each name. Names are in lower case.
    tags                       TEXT    NOT NULL DEFAULT '{}'
) STRICT;

CREATE TABLE cursors (
    app         TEXT NOT NULL PRIMARY KEY,
    policy      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    through     TEXT NOT NULL,
    next_at     TEXT
) STRICT;

CREATE INDEX cursors_next ON cursors (next_at, app);

-- No step but the last changes a column that an index has: what changes with each step and is searched for is in unfinished_runs.
CREATE TABLE runs (
    id              TEXT    NOT NULL PRIMARY KEY,
    version         INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    task            TEXT    NOT NULL,
    subject         TEXT,
    trigger         TEXT    NOT NULL,
    priority        INTEGER NOT NULL,
    app             TEXT    NOT NULL,
    subscription    TEXT    NOT NULL,
    policy          TEXT,
    tick            TEXT,
    plan            TEXT    NOT NULL,
    storage         TEXT    NOT NULL,
    account         TEXT    NOT NULL,
    policy_snapshot TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    state_json      TEXT    NOT NULL,
    failure_counts  TEXT    NOT NULL,
    attempt         INTEGER NOT NULL DEFAULT 0,
    outcome         TEXT,
    cause           TEXT,
    backup_id       INTEGER,
    backup_blob     TEXT,
    size_bytes      INTEGER,
    accepted_at     TEXT,
    finished_at     TEXT,
    verification    TEXT,
    -- When Azure accepted the backup, where later backups are compared with it.
    baseline_at     TEXT,
    -- Whether the run has ended without knowing whether Azure made the backup of one of its attempts.
    unsettled       INTEGER NOT NULL DEFAULT 0,
    created_at      TEXT    NOT NULL,
    due_at          TEXT    NOT NULL,
    ended_at        TEXT,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL))
) STRICT;

-- A policy, an app and a tick make one run, whichever process plans it.
CREATE UNIQUE INDEX runs_tick ON runs (policy, app, tick) WHERE policy IS NOT NULL AND tick IS NOT NULL;
-- One unfinished run for each subject of an app.
CREATE UNIQUE INDEX runs_subject ON runs (app, subject) WHERE subject IS NOT NULL AND ended_at IS NULL;
-- What planners and commands read.
CREATE INDEX runs_unfinished ON runs (app, policy) WHERE ended_at IS NULL;
CREATE INDEX runs_baseline ON runs (app, baseline_at, id) WHERE baseline_at IS NOT NULL;
CREATE INDEX runs_unsettled ON runs (app) WHERE unsettled = 1;
CREATE INDEX runs_ended ON runs (app, ended_at, id) WHERE outcome NOT IN ('missed', 'cancelled') AND kind = 'backup';
CREATE INDEX runs_missed ON runs (app, tick, id) WHERE outcome = 'missed';
CREATE INDEX runs_of_app ON runs (app, created_at, id);
CREATE INDEX runs_created ON runs (created_at, id);
-- Runs that did not succeed, and runs that no tick planned on time, are few; they are listed by these.
CREATE INDEX runs_unsuccessful ON runs (created_at, id) WHERE outcome <> 'succeeded';
CREATE INDEX runs_of_trigger ON runs (trigger, created_at, id) WHERE trigger <> 'schedule';
-- Runs of all kinds but backups are few; they are listed by kind, by app, and while unfinished.
CREATE INDEX runs_of_kind ON runs (kind, created_at, id) WHERE kind <> 'backup';
CREATE INDEX runs_of_app_and_kind ON runs (app, kind, created_at, id) WHERE kind <> 'backup';
CREATE INDEX runs_unfinished_of_kind ON runs (kind, created_at, id) WHERE kind <> 'backup' AND ended_at IS NULL;

-- A narrow row for each run that has not ended: where it waits, its lease, and what it occupies. A step writes it in the
-- same transaction as the run, in the same version.
CREATE TABLE unfinished_runs (
    id           TEXT    NOT NULL PRIMARY KEY,
    version      INTEGER NOT NULL,
    app          TEXT    NOT NULL,
    subscription TEXT    NOT NULL,
    plan         TEXT    NOT NULL,
    account      TEXT    NOT NULL,
    lane         TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    due_at       TEXT    NOT NULL,
    leased_until TEXT,
    lease_nonce  INTEGER,
    occupies_app INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- One run at a time occupies an app.
CREATE UNIQUE INDEX unfinished_runs_occupied_app ON unfinished_runs (app) WHERE occupies_app = 1;
CREATE INDEX unfinished_runs_occupied_plan ON unfinished_runs (subscription, plan) WHERE occupies_app = 1;
CREATE INDEX unfinished_runs_occupied_account ON unfinished_runs (account, subscription) WHERE occupies_app = 1;
-- Runs that wait for a lease, and runs that have one.
CREATE INDEX unfinished_runs_waiting ON unfinished_runs (lane, priority, due_at, id) WHERE leased_until IS NULL;
CREATE INDEX unfinished_runs_leased ON unfinished_runs (leased_until, subscription) WHERE leased_until IS NOT NULL;

-- The daily roll-up of the backup runs of each app, for strips and calendars: how many ended in which way, and the size of the
-- day's latest backup. It follows from runs, and is written in the transaction that ends a run or records a missed tick.
CREATE TABLE app_days (
    app     TEXT    NOT NULL,
    day     TEXT    NOT NULL,
    policy  TEXT,
    good    INTEGER NOT NULL,
    partial INTEGER NOT NULL,
    failed  INTEGER NOT NULL,
    missed  INTEGER NOT NULL,
    bytes   INTEGER,
    PRIMARY KEY (app, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX app_days_by_day ON app_days (day);

-- Rows that could not be read, whole. A row that is added here is deleted from its table.
CREATE TABLE set_aside_rows (
    table_name TEXT NOT NULL,
    row_key    TEXT NOT NULL,
    row_json   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    at         TEXT NOT NULL
) STRICT;

CREATE TRIGGER runs_keep_their_creation BEFORE UPDATE ON runs
WHEN (old.id, old.kind, old.task, old.trigger, old.app, old.policy_snapshot, old.storage, old.created_at)
         IS NOT (new.id, new.kind, new.task, new.trigger, new.app, new.policy_snapshot, new.storage, new.created_at)
     OR old.policy IS NOT new.policy OR old.tick IS NOT new.tick
BEGIN SELECT RAISE(ABORT, 'what a run was created with is never changed'); END;
CREATE TRIGGER runs_that_ended_stay BEFORE UPDATE ON runs WHEN old.state = 'ended'
BEGIN SELECT RAISE(ABORT, 'a run that has ended is never changed'); END;
CREATE TRIGGER runs_are_kept BEFORE DELETE ON runs
WHEN NOT EXISTS (SELECT 1 FROM set_aside_rows WHERE table_name = 'runs' AND row_key = old.id)
BEGIN SELECT RAISE(ABORT, 'a run is never deleted'); END;
CREATE TRIGGER runs_are_not_replaced BEFORE INSERT ON runs
WHEN EXISTS (SELECT 1 FROM runs WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'a run with this id is there already'); END;

-- Azure's last list of each subscription's apps, or why there was none.
CREATE TABLE subscriptions (
    subscription     TEXT    NOT NULL PRIMARY KEY,
    asked_at         TEXT    NOT NULL,
    next_at          TEXT    NOT NULL,
    listed_at        TEXT,
    apps             INTEGER,
    left_out         TEXT,
    unanswered_since TEXT,
    error            TEXT
) STRICT;

CREATE TABLE budgets (
    subscription TEXT NOT NULL,
    call         TEXT NOT NULL,
    tokens       REAL NOT NULL,
    filled_at    TEXT NOT NULL,
    closed_until TEXT,
    PRIMARY KEY (subscription, call)
) STRICT;

-- Tenants, subscriptions and storage accounts that do not answer a worker. Without open_until one answers again.
CREATE TABLE breakers (
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    opened_at  TEXT NOT NULL,
    open_until TEXT,
    PRIMARY KEY (kind, name)
) STRICT;

-- API tokens. A token itself is kept nowhere: hash is its SHA-256. A revoked or expired one keeps its row.
CREATE TABLE api_tokens (
    id            TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL,
    hash          TEXT NOT NULL,
    role          TEXT NOT NULL,
    policies      TEXT,
    created_by    TEXT NOT NULL,
    created_login TEXT,
    created_at    TEXT NOT NULL,
    expires_at    TEXT NOT NULL,
    last_used_at  TEXT,
    revoked_at    TEXT
) STRICT;

CREATE UNIQUE INDEX api_tokens_by_name ON api_tokens (name) WHERE revoked_at IS NULL;

CREATE TRIGGER api_tokens_keep_their_rights BEFORE UPDATE ON api_tokens
WHEN (old.id, old.name, old.hash, old.role, old.created_by, old.created_at, old.expires_at)
         IS NOT (new.id, new.name, new.hash, new.role, new.created_by, new.created_at, new.expires_at)
     OR old.policies IS NOT new.policies OR old.created_login IS NOT new.created_login
     OR old.revoked_at IS NOT NULL AND old.revoked_at IS NOT new.revoked_at
BEGIN SELECT RAISE(ABORT, 'the rights of a token are never changed'); END;

-- Requests with a key, for a day: a request that is sent again gets the answer of the first time.
CREATE TABLE requests (
    principal   TEXT NOT NULL,
    request_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    answer      TEXT NOT NULL,
    at          TEXT NOT NULL,
    PRIMARY KEY (principal, request_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_age ON requests (at);

-- Requests that a second person confirms. A row is decided once, and never changed otherwise.
CREATE TABLE approvals (
    id         TEXT NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL,
    app        TEXT NOT NULL,
    request    TEXT NOT NULL,
    effect     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    asked_by   TEXT NOT NULL,
    makers     TEXT NOT NULL,
    asked_at   TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    verdict    TEXT,
    decided_by TEXT,
    decided_at TEXT,
    runs       TEXT
) STRICT;

CREATE INDEX approvals_by_age ON approvals (asked_at, id);
CREATE INDEX approvals_undecided ON approvals (app) WHERE verdict IS NULL;

CREATE TRIGGER approvals_are_decided_once BEFORE UPDATE ON approvals
WHEN old.verdict IS NOT NULL
     OR (old.id, old.kind, old.app, old.request, old.effect, old.reason, old.asked_by, old.makers, old.asked_at, old.expires_at)
        IS NOT (new.id, new.kind, new.app, new.request, new.effect, new.reason, new.asked_by, new.makers, new.asked_at, new.expires_at)
BEGIN SELECT RAISE(ABORT, 'a request for a confirmation is decided once'); END;

-- The revisions of the fleet, from 1 without a gap. The newest one counts for every process; none is ever changed.
CREATE TABLE fleet_revisions (
    number         INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    content        TEXT    NOT NULL,
    sha256         TEXT    NOT NULL,
    at             TEXT    NOT NULL,
    made_by        TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    rolled_back_to INTEGER
) STRICT;

CREATE TRIGGER fleet_revisions_stay BEFORE UPDATE ON fleet_revisions
BEGIN SELECT RAISE(ABORT, 'a revision of the fleet is never changed'); END;
CREATE TRIGGER fleet_revisions_are_kept BEFORE DELETE ON fleet_revisions
BEGIN SELECT RAISE(ABORT, 'a revision of the fleet is never deleted'); END;

-- The processes that run, and which revision each has taken up. A row that is not written for a while is of a process that died.
CREATE TABLE processes (
    id             TEXT NOT NULL PRIMARY KEY,
    role           TEXT NOT NULL,
    host           TEXT,
    started_at     TEXT NOT NULL,
    seen_at        TEXT NOT NULL,
    revision       INTEGER,
    revision_error TEXT,
    file_note      TEXT,
    notifier_error TEXT
) STRICT;

-- Work that a console does in the background, until an hour after its process last wrote. Clients may ask any process for it.
CREATE TABLE operations (
    id       TEXT NOT NULL PRIMARY KEY,
    owner    TEXT NOT NULL,
    what     TEXT NOT NULL,
    begun_at TEXT NOT NULL,
    seen_at  TEXT NOT NULL,
    progress INTEGER NOT NULL,
    result   TEXT
) STRICT;

-- What people instruct about apps. The rows follow from operator actions, in the same transaction. A pause that ended stays: ticks
-- after its start and up to its end are not owed.
CREATE TABLE pauses (
    app          TEXT NOT NULL PRIMARY KEY,
    paused_until TEXT NOT NULL,
    reason       TEXT NOT NULL,
    actor        TEXT NOT NULL,
    since        TEXT NOT NULL
) STRICT;

CREATE TABLE acknowledgements (
    app    TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL,
    note   TEXT NOT NULL,
    actor  TEXT NOT NULL,
    at     TEXT NOT NULL
) STRICT;

-- How far the notifier has read the audit, and what follows from the events up to there. One row.
CREATE TABLE notifier (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    through INTEGER NOT NULL,
    state   TEXT    NOT NULL
) STRICT;

-- What is sent to people: added in the transaction that moves the notifier's place. One that is leased is due after its lease.
CREATE TABLE notifications (
    id         TEXT    NOT NULL PRIMARY KEY,
    channel    TEXT    NOT NULL,
    incident   TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    content    TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    created_at TEXT    NOT NULL,
    due_at     TEXT    NOT NULL,
    ended_at   TEXT,
    error      TEXT
) STRICT;

CREATE INDEX notifications_due ON notifications (channel, due_at, id) WHERE state = 'pending';
CREATE INDEX notifications_of_incident ON notifications (channel, incident, number) WHERE state = 'pending';
CREATE INDEX notifications_by_age ON notifications (created_at, id);
CREATE INDEX notifications_ended ON notifications (ended_at) WHERE ended_at IS NOT NULL;
