"""The Celery application: starts backups of Azure App Service apps and polls them until their status is final."""

import json
import os
import random
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import psycopg
import requests
from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown
from kombu import Exchange, Queue
from psycopg.rows import namedtuple_row
from psycopg_pool import ConnectionPool

API_VERSION = "2024-04-01"
FINAL = {"Succeeded", "Failed", "PartiallySucceeded", "TimedOut", "Skipped"}
HTTP_TIMEOUT = (5, 30)
MAX_RETRIES = 20
# Azure lists a new backup a few seconds after it accepted the POST.
LISTING_DELAY = 5.0

with open(os.environ["PEER_CONFIG"], encoding="utf-8") as file:
    CONFIG = json.load(file)
STARTS, POLLS = (f"peer-{kind}-{os.environ['PEER_SUFFIX']}" for kind in ("starts", "polls"))

app = Celery("peer", broker=CONFIG["amqp_url"], set_as_current=True)
app.conf.update(
    broker_connection_retry_on_startup=True,
    # A message is the only trigger of the next step, so the broker must confirm that it has stored it.
    broker_transport_options={"confirm_publish": True},
    task_acks_late=True,
    task_ignore_result=True,
    task_reject_on_worker_lost=True,
    task_publish_retry_policy={"max_retries": 10, "interval_step": 0.5, "interval_max": 5},
    # Polls have their own queue, so they do not wait behind the backlog of starts.
    task_queues=[Queue(name, Exchange(""), routing_key=name) for name in (STARTS, POLLS)],
    task_default_queue=STARTS,
    task_routes={"poll": {"queue": POLLS}},
    worker_disable_rate_limits=True,
    worker_prefetch_multiplier=1,
)
DATABASE_RETRIES = {
    "autoretry_for": (psycopg.OperationalError,),
    "retry_backoff": True,
    "retry_backoff_max": 60,
    "max_retries": None,
}


# --- PostgreSQL -----------------------------------------------------------------------------------------------------

SCHEMA = """
DROP TABLE IF EXISTS audit, runs;
CREATE TABLE runs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    app text NOT NULL,
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'starting', 'accepted', 'ended')),
    backup_id bigint,
    outcome text,
    due_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    accepted_at timestamptz,
    ended_at timestamptz
);
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs,
    event text NOT NULL,
    detail text,
    at timestamptz NOT NULL DEFAULT now()
);
"""


def transition(event, changes, origins):
    """A statement that changes a run in one of the states `origins` and adds the audit row in the same transaction."""
    return f"""
        WITH changed AS (
            UPDATE runs SET {changes} WHERE id = %(run_id)s AND state IN {origins} RETURNING *
        ), logged AS (
            INSERT INTO audit (run_id, event, detail) SELECT id, '{event}', %(detail)s FROM changed
        )
        SELECT app, state, backup_id FROM changed"""


STARTED = transition("started", "state = 'starting', started_at = now()", "('due')")
ACCEPTED = transition("accepted", "state = 'accepted', accepted_at = now(), backup_id = %(backup_id)s", "('starting')")
ENDED = transition("ended", "state = 'ended', ended_at = now(), outcome = %(outcome)s", "('starting', 'accepted')")
READ = "SELECT app, state, backup_id FROM runs WHERE id = %(run_id)s"


def execute(statement, run_id, **values):
    """Executes a statement as one transaction. Returns its row, or None if the run was in another state."""
    with pool.connection() as connection:
        return connection.execute(statement, {"run_id": run_id, "detail": None, **values}).fetchone()


# --- Azure Resource Manager -----------------------------------------------------------------------------------------


class TryLater(Exception):
    """Azure did not answer, throttled the call or failed. `after` is the delay in seconds, if there is one."""

    def __init__(self, reason, after=None):
        super().__init__(reason)
        self.after = after


class Refused(Exception):
    """Azure refused the call, and a repetition would not help."""


class Token:
    """The OAuth token of this process."""

    def __init__(self):
        self.value, self.expires = None, 0.0

    def get(self):
        if time.monotonic() >= self.expires:
            form = {"grant_type": "client_credentials"}
            form |= {name: CONFIG[name] for name in ("client_id", "client_secret", "scope")}
            answer = checked(lambda: session.post(CONFIG["token_url"], data=form, timeout=HTTP_TIMEOUT))
            self.value = answer["access_token"]
            self.expires = time.monotonic() + max(int(answer["expires_in"]) - 300, 30)
        return self.value


def arm(method, path, body=None, query=f"api-version={API_VERSION}"):
    """Calls Azure Resource Manager and returns the JSON of the answer."""
    url = f"{CONFIG['arm_url'].rstrip('/')}{path}?{query}"
    headers = {"Authorization": f"Bearer {token.get()}"}
    return checked(lambda: session.request(method, url, json=body, headers=headers, timeout=HTTP_TIMEOUT))


def checked(call):
    """Sends a request and returns the JSON of a successful answer."""
    try:
        answer = call()
    except requests.RequestException as error:
        raise TryLater(type(error).__name__, LISTING_DELAY) from error
    code = answer.status_code
    if code == 401:
        token.expires = 0.0
    if code in (401, 408, 409, 429) or code >= 500:
        after = retry_after(answer.headers.get("Retry-After"))
        raise TryLater(f"HTTP {code}", max(after or 0, LISTING_DELAY) if code >= 500 else after)
    if not answer.ok:
        raise Refused(f"HTTP {code}")
    try:
        return answer.json()
    except ValueError as error:
        raise TryLater("the answer is not JSON", LISTING_DELAY) from error


def retry_after(value):
    """The seconds of a Retry-After header, which is a number or a date."""
    if not value:
        return None
    try:
        return max(float(value), 0.1)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.1)
    except (ValueError, TypeError):
        return None


def backup_name(site, run_id):
    """The unique name of the run's backup: Azure has no idempotency key, and a reused name overwrites a blob."""
    return f"{site.split('/sites/')[1].replace('/', '-')}-{run_id}"


def start_backup(site, run_id):
    properties = {
        "backupName": backup_name(site, run_id),
        "storageAccountUrl": CONFIG["storage_account_url"],
        "enabled": True,
    }
    return arm("POST", f"{site}/backup", {"properties": properties})["properties"]["id"]


def find_backup(site, run_id):
    """The id of the run's backup if an earlier POST was accepted."""
    name = backup_name(site, run_id)
    page = arm("GET", f"{site}/backups")
    while True:
        for properties in (backup["properties"] for backup in page["value"]):
            if name in (properties.get("backupName"), properties.get("name")):
                return properties["id"]
        if not page.get("nextLink"):
            return None
        link = urlsplit(page["nextLink"])
        page = arm("GET", link.path, query=link.query)


# --- Tasks ----------------------------------------------------------------------------------------------------------


@contextmanager
def azure_errors(task, run_id):
    """Retries the task later, or ends the run as Failed if that is of no use."""
    try:
        yield
    except TryLater as error:
        retries = task.request.retries
        if retries < MAX_RETRIES:
            delay = error.after or min(2**retries, 60)
            raise task.retry(countdown=delay * random.uniform(1.0, 1.2), exc=error) from error
        execute(ENDED, run_id, outcome="Failed", detail=str(error))
    except Refused as error:
        execute(ENDED, run_id, outcome="Failed", detail=str(error))


@app.task(bind=True, name="start", **DATABASE_RETRIES)
def start(self, run_id):
    """Starts the backup of a due run. A repetition first looks for a backup that Azure has accepted."""
    with azure_errors(self, run_id):
        run = execute(STARTED, run_id)
        repeated = run is None
        if repeated:
            run = execute(READ, run_id)
        if run.state == "starting":
            backup_id = find_backup(run.app, run_id) if repeated else None
            backup_id = backup_id or start_backup(run.app, run_id)
            run = execute(ACCEPTED, run_id, backup_id=backup_id)
        if run and run.state == "accepted":
            poll.apply_async((run_id,), countdown=CONFIG["first_poll_ms"] / 1000)


@app.task(bind=True, name="poll", **DATABASE_RETRIES)
def poll(self, run_id, attempt=1):
    """Reads the status of a backup, and records the outcome or polls again later."""
    with azure_errors(self, run_id):
        run = execute(READ, run_id)
        if run.state != "accepted":
            return
        status = arm("GET", f"{run.app}/backups/{run.backup_id}")["properties"]["status"]
        if status in FINAL:
            execute(ENDED, run_id, outcome=status)
        else:
            delay = min(CONFIG["first_poll_ms"] * 2**attempt, CONFIG["max_poll_ms"])
            poll.apply_async((run_id, attempt + 1), countdown=delay / 1000)


# --- Processes ------------------------------------------------------------------------------------------------------


@worker_process_init.connect
def open_clients(**_):
    """Opens the connections of a worker process, which carries out one task at a time."""
    global pool, session, token
    pool = ConnectionPool(
        CONFIG["database_url"],
        kwargs={"autocommit": True, "row_factory": namedtuple_row, "options": "-c synchronous_commit=on"},
        min_size=1,
        max_size=1,
        open=True,
    )
    pool.wait(timeout=3)
    session = requests.Session()
    # Without this, each request reads the proxy variables and .netrc again.
    session.trust_env = False
    token = Token()


@worker_process_shutdown.connect
def close_clients(**_):
    pool.close()
    session.close()
