-- The fleet, schedule cursors, runs and budgets. Everything is in the schema holdfast, which the program creates before the
-- first migration, and in which its owner alone may create. Every session resolves names in pg_catalog, then in holdfast;
-- functions set their own path, so that a caller's path has no effect.
--
-- Every writer truncates times to the millisecond. Text that is
-- ordered or compared uses COLLATE "C": byte order, as in every other store.

CREATE TABLE apps (
    app                        text        COLLATE "C" NOT NULL PRIMARY KEY,
    policy                     text,
    plan                       text,
    paused                     boolean     NOT NULL,
    recovery_point_objective_s bigint,
    retention                  text,
    partial_is_good            boolean     NOT NULL,
    enrolled_at                timestamptz NOT NULL,
    seen_at                    timestamptz,
    missing_since              timestamptz,
    removed_at                 timestamptz,
    removed_reason             text,
    -- A JSON object with a text for each name. Names are in lower case.
    tags                       text        NOT NULL DEFAULT '{}'
);

CREATE TABLE cursors (
    app         text        COLLATE "C" NOT NULL PRIMARY KEY,
    policy      text        NOT NULL,
    fingerprint text        NOT NULL,
    through     timestamptz NOT NULL,
    next_at     timestamptz NOT NULL
);

CREATE INDEX cursors_next ON cursors (next_at, app);

-- No step but the last changes a column that an index has, so that the steps of a run are HOT updates: what changes with each step
-- and is searched for is in unfinished_runs. Vacuum starts long before the default of one fifth dead rows.
CREATE TABLE runs (
    id              uuid        NOT NULL PRIMARY KEY,
    version         bigint      NOT NULL,
    kind            text        NOT NULL,
    task            text        NOT NULL,
    subject         text        COLLATE "C",
    trigger         text        NOT NULL,
    priority        bigint      NOT NULL,
    app             text        COLLATE "C" NOT NULL,
    subscription    text        COLLATE "C" NOT NULL,
    policy          text        COLLATE "C",
    tick            timestamptz,
    plan            text        COLLATE "C" NOT NULL,
    storage         text        NOT NULL,
    account         text        COLLATE "C" NOT NULL,
    policy_snapshot text        NOT NULL,
    state           text        NOT NULL,
    state_json      text        NOT NULL,
    failure_counts  text        NOT NULL,
    attempt         bigint      NOT NULL DEFAULT 0,
    outcome         text,
    cause           text,
    backup_id       bigint,
    backup_blob     text,
    size_bytes      bigint,
    accepted_at     timestamptz,
    finished_at     timestamptz,
    verification    text,
    -- When Azure accepted the backup, where later backups are compared with it.
    baseline_at     timestamptz,
    -- Whether the run has ended without knowing whether Azure made the backup of one of its attempts.
    unsettled       boolean     NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,
    ended_at        timestamptz,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);

-- A policy, an app and a tick make one run, whichever process plans it.
CREATE UNIQUE INDEX runs_tick ON runs (policy, app, tick) WHERE policy IS NOT NULL AND tick IS NOT NULL;
-- One unfinished run for each subject of an app.
CREATE UNIQUE INDEX runs_subject ON runs (app, subject) WHERE subject IS NOT NULL AND ended_at IS NULL;
-- What planners and commands read.
CREATE INDEX runs_unfinished ON runs (app, policy) WHERE ended_at IS NULL;
CREATE INDEX runs_baseline ON runs (app, baseline_at, id) WHERE baseline_at IS NOT NULL;
CREATE INDEX runs_unsettled ON runs (app) WHERE unsettled;
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
-- same statement as the run, in the same version.
CREATE TABLE unfinished_runs (
    id           uuid        NOT NULL PRIMARY KEY,
    version      bigint      NOT NULL,
    app          text        COLLATE "C" NOT NULL,
    subscription text        COLLATE "C" NOT NULL,
    plan         text        COLLATE "C" NOT NULL,
    account      text        COLLATE "C" NOT NULL,
    lane         text        COLLATE "C" NOT NULL,
    priority     bigint      NOT NULL,
    due_at       timestamptz NOT NULL,
    leased_until timestamptz,
    lease_nonce  bigint,
    occupies_app boolean     NOT NULL DEFAULT false
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);

-- One run at a time occupies an app.
CREATE UNIQUE INDEX unfinished_runs_occupied_app ON unfinished_runs (app) WHERE occupies_app;
CREATE INDEX unfinished_runs_occupied_plan ON unfinished_runs (subscription, plan) WHERE occupies_app;
CREATE INDEX unfinished_runs_occupied_account ON unfinished_runs (account) INCLUDE (subscription) WHERE occupies_app;
-- Runs that wait for a lease, and runs that have one.
CREATE INDEX unfinished_runs_waiting ON unfinished_runs (lane, priority, due_at, id) WHERE leased_until IS NULL;
CREATE INDEX unfinished_runs_leased ON unfinished_runs (leased_until) INCLUDE (subscription) WHERE leased_until IS NOT NULL;

-- The daily roll-up of the backup runs of each app, for strips and calendars: how many ended in which way, and the size of the
-- day's latest backup. It follows from runs, and is written in the transaction that ends a run or records a missed tick.
CREATE TABLE app_days (
    app     text   COLLATE "C" NOT NULL,
    day     date   NOT NULL,
    policy  text,
    good    bigint NOT NULL,
    partial bigint NOT NULL,
    failed  bigint NOT NULL,
    missed  bigint NOT NULL,
    bytes   bigint,
    PRIMARY KEY (app, day)
) WITH (fillfactor = 80);

CREATE INDEX app_days_by_day ON app_days (day);

-- Raises the trigger's argument as an error.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, holdfast, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER runs_keep_their_creation BEFORE UPDATE ON runs FOR EACH ROW
WHEN ((old.id, old.kind, old.task, old.trigger, old.app, old.policy_snapshot, old.storage, old.created_at)
          IS DISTINCT FROM
      (new.id, new.kind, new.task, new.trigger, new.app, new.policy_snapshot, new.storage, new.created_at)
      OR old.policy IS DISTINCT FROM new.policy OR old.tick IS DISTINCT FROM new.tick)
EXECUTE FUNCTION refuse('what a run was created with is never changed');
CREATE TRIGGER runs_that_ended_stay BEFORE UPDATE ON runs FOR EACH ROW WHEN (old.state = 'ended')
EXECUTE FUNCTION refuse('a run that has ended is never changed');
-- Rows that could not be read, whole. A row that is added here is deleted from its table.
CREATE TABLE set_aside_rows (
    table_name text        NOT NULL,
    row_key    text        NOT NULL,
    row_json   text        NOT NULL,
    reason     text        NOT NULL,
    actor      text        NOT NULL,
    at         timestamptz NOT NULL
);

CREATE FUNCTION keep_run() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, holdfast, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM holdfast.set_aside_rows WHERE table_name = 'runs' AND row_key = old.id::text) THEN
        RETURN old;
    END IF;
    RAISE EXCEPTION 'a run is never deleted' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER runs_are_kept BEFORE DELETE ON runs FOR EACH ROW EXECUTE FUNCTION keep_run();
CREATE TRIGGER runs_are_not_emptied BEFORE TRUNCATE ON runs FOR EACH STATEMENT
EXECUTE FUNCTION refuse('a run is never deleted');

-- Azure's last list of each subscription's apps, or why there was none.
CREATE TABLE subscriptions (
    subscription     text        COLLATE "C" NOT NULL PRIMARY KEY,
    asked_at         timestamptz NOT NULL,
    next_at          timestamptz NOT NULL,
    listed_at        timestamptz,
    apps             bigint,
    left_out         text,
    unanswered_since timestamptz,
    error            text
);

CREATE TABLE budgets (
    subscription text             NOT NULL,
    call         text             NOT NULL,
    tokens       double precision NOT NULL,
    filled_at    timestamptz      NOT NULL,
    closed_until timestamptz,
    PRIMARY KEY (subscription, call)
) WITH (fillfactor = 50);

-- Tenants, subscriptions and storage accounts that do not answer a worker. Without open_until one answers again.
CREATE TABLE breakers (
    kind       text        COLLATE "C" NOT NULL,
    name       text        COLLATE "C" NOT NULL,
    opened_at  timestamptz NOT NULL,
    open_until timestamptz,
    PRIMARY KEY (kind, name)
);

-- API tokens. A token itself is kept nowhere: hash is its SHA-256. A revoked or expired one keeps its row.
CREATE TABLE api_tokens (
    id            text        COLLATE "C" NOT NULL PRIMARY KEY,
    name          text        COLLATE "C" NOT NULL,
    hash          text        NOT NULL,
    role          text        NOT NULL,
    policies      text,
    created_by    text        NOT NULL,
    created_login text,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    last_used_at  timestamptz,
    revoked_at    timestamptz
);

CREATE UNIQUE INDEX api_tokens_by_name ON api_tokens (name) WHERE revoked_at IS NULL;

CREATE TRIGGER api_tokens_keep_their_rights BEFORE UPDATE ON api_tokens FOR EACH ROW
WHEN ((old.id, old.name, old.hash, old.role, old.created_by, old.created_at, old.expires_at)
          IS DISTINCT FROM
      (new.id, new.name, new.hash, new.role, new.created_by, new.created_at, new.expires_at)
      OR old.policies IS DISTINCT FROM new.policies OR old.created_login IS DISTINCT FROM new.created_login
      OR old.revoked_at IS NOT NULL AND old.revoked_at IS DISTINCT FROM new.revoked_at)
EXECUTE FUNCTION refuse('the rights of a token are never changed');

-- Requests with a key, for a day: a request that is sent again gets the answer of the first time.
CREATE TABLE requests (
    principal   text        COLLATE "C" NOT NULL,
    request_key text        COLLATE "C" NOT NULL,
    fingerprint text        NOT NULL,
    answer      text        NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (principal, request_key)
);

CREATE INDEX requests_by_age ON requests (at);

-- Requests that a second person confirms. A row is decided once, and never changed otherwise.
CREATE TABLE approvals (
    id         uuid        NOT NULL PRIMARY KEY,
    kind       text        NOT NULL,
    app        text        COLLATE "C" NOT NULL,
    request    text        NOT NULL,
    effect     text        NOT NULL,
    reason     text        NOT NULL,
    asked_by   text        NOT NULL,
    makers     text        NOT NULL,
    asked_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    verdict    text,
    decided_by text,
    decided_at timestamptz,
    runs       text
);

CREATE INDEX approvals_by_age ON approvals (asked_at, id);
CREATE INDEX approvals_undecided ON approvals (app) WHERE verdict IS NULL;

CREATE TRIGGER approvals_are_decided_once BEFORE UPDATE ON approvals FOR EACH ROW
WHEN (old.verdict IS NOT NULL
      OR (old.id, old.kind, old.app, old.request, old.effect, old.reason, old.asked_by, old.makers, old.asked_at, old.expires_at)
          IS DISTINCT FROM
         (new.id, new.kind, new.app, new.request, new.effect, new.reason, new.asked_by, new.makers, new.asked_at, new.expires_at))
EXECUTE FUNCTION refuse('a request for a confirmation is decided once');

-- The revisions of the fleet, from 1 without a gap. The newest one counts for every process; none is ever changed.
CREATE TABLE fleet_revisions (
    number         bigint      NOT NULL PRIMARY KEY CHECK (number > 0),
    content        text        NOT NULL,
    sha256         text        NOT NULL,
    at             timestamptz NOT NULL,
    made_by        text        NOT NULL,
    reason         text        NOT NULL,
    rolled_back_to bigint
);

CREATE TRIGGER fleet_revisions_stay BEFORE UPDATE ON fleet_revisions FOR EACH ROW
EXECUTE FUNCTION refuse('a revision of the fleet is never changed');
CREATE TRIGGER fleet_revisions_are_kept BEFORE DELETE ON fleet_revisions FOR EACH ROW
EXECUTE FUNCTION refuse('a revision of the fleet is never deleted');
CREATE TRIGGER fleet_revisions_are_not_emptied BEFORE TRUNCATE ON fleet_revisions FOR EACH STATEMENT
EXECUTE FUNCTION refuse('a revision of the fleet is never deleted');

-- The processes that run, and which revision each has taken up. A row that is not written for a while is of a process that died.
CREATE TABLE processes (
    id             uuid        NOT NULL PRIMARY KEY,
    role           text        NOT NULL,
    host           text,
    started_at     timestamptz NOT NULL,
    seen_at        timestamptz NOT NULL,
    revision       bigint,
    revision_error text,
    file_note      text,
    notifier_error text
);

-- Work that a console does in the background, until an hour after its process last wrote. Clients may ask any process for it.
CREATE TABLE operations (
    id       text        COLLATE "C" NOT NULL PRIMARY KEY,
    owner    text        NOT NULL,
    what     text        NOT NULL,
    begun_at timestamptz NOT NULL,
    seen_at  timestamptz NOT NULL,
    progress bigint      NOT NULL,
    result   text
);

-- What people instruct about apps. The rows follow from operator actions, in the same transaction. A pause that ended stays: ticks
-- after its start and up to its end are not owed.
CREATE TABLE pauses (
    app          text        COLLATE "C" NOT NULL PRIMARY KEY,
    paused_until timestamptz NOT NULL,
    reason       text        NOT NULL,
    actor        text        NOT NULL,
    since        timestamptz NOT NULL
);

CREATE TABLE acknowledgements (
    app    text        COLLATE "C" NOT NULL PRIMARY KEY,
    run_id uuid        NOT NULL,
    note   text        NOT NULL,
    actor  text        NOT NULL,
    at     timestamptz NOT NULL
);

-- How far the notifier has read the audit, and what follows from the events up to there. One row.
CREATE TABLE notifier (
    id      bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    version bigint NOT NULL,
    through bigint NOT NULL,
    state   text   NOT NULL
);

-- What is sent to people: added in the transaction that moves the notifier's place. One that is leased is due after its lease.
CREATE TABLE notifications (
    id         text        COLLATE "C" NOT NULL PRIMARY KEY,
    channel    text        COLLATE "C" NOT NULL,
    incident   text        COLLATE "C" NOT NULL,
    number     bigint      NOT NULL,
    content    text        NOT NULL,
    state      text        NOT NULL,
    attempts   bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    due_at     timestamptz NOT NULL,
    ended_at   timestamptz,
    error      text
);

CREATE INDEX notifications_due ON notifications (channel, due_at, id) WHERE state = 'pending';
CREATE INDEX notifications_of_incident ON notifications (channel, incident, number) WHERE state = 'pending';
CREATE INDEX notifications_by_age ON notifications (created_at, id);
CREATE INDEX notifications_ended ON notifications (ended_at) WHERE ended_at IS NOT NULL;
