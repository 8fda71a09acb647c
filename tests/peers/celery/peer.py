"""Carries out backup runs with a Celery worker and prints how long it took, as one line of JSON."""

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

FOLDER = Path(__file__).resolve().parent
READY_WITHIN = 60
STALLED_AFTER = 120
STOPPED_WITHIN = 30


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="the JSON file described in README.md")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("peer: stopped by SIGTERM"))
    os.environ["PEER_CONFIG"] = str(Path(arguments.config).resolve())
    os.environ["PEER_SUFFIX"] = secrets.token_hex(4)

    # The module reads the environment when it is imported, here and in the worker.
    import tasks

    with psycopg.connect(tasks.CONFIG["database_url"], autocommit=True) as database:
        run_ids = create_runs(database, tasks)
        try:
            with Worker(tasks) as worker:
                report = measure(database, tasks, worker, run_ids)
        finally:
            delete_queues(tasks)
    print(json.dumps(report))


def create_runs(database, tasks):
    """Creates the schema and a due run for each app. Returns the ids of the runs."""
    database.execute(tasks.SCHEMA)
    sql = "INSERT INTO runs (app) SELECT unnest(%s::text[]) RETURNING id::text"
    return [run_id for (run_id,) in database.execute(sql, (tasks.CONFIG["apps"],))]


def measure(database, tasks, worker, run_ids):
    """Enqueues all runs and waits until they have ended."""
    started = time.monotonic()
    with tasks.app.producer_pool.acquire(block=True) as producer:
        for run_id in run_ids:
            tasks.start.apply_async((run_id,), producer=producer)
    left, changed = len(run_ids), time.monotonic()
    while left:
        time.sleep(0.25)
        worker.check()
        (now_left,) = database.execute("SELECT count(*) FROM runs WHERE state <> 'ended'").fetchone()
        if now_left != left:
            left, changed = now_left, time.monotonic()
        elif time.monotonic() - changed > STALLED_AFTER:
            raise RuntimeError(f"no run has ended for {STALLED_AFTER} s, {left} are left")
    seconds = time.monotonic() - started
    return {
        "runs": len(run_ids),
        "seconds": round(seconds, 3),
        "runs_per_second": round(len(run_ids) / seconds, 2),
        "concurrency": tasks.CONFIG["concurrency"],
        "outcomes": dict(database.execute("SELECT outcome, count(*) FROM runs GROUP BY outcome ORDER BY outcome")),
    }


class Worker:
    """The Celery worker, as a subprocess."""

    def __init__(self, tasks):
        self.app = tasks.app
        self.name = f"peer@{os.environ['PEER_SUFFIX']}"
        self.command = [sys.executable, "-m", "celery", "-q", "-A", "tasks", "worker", "-n", self.name]
        self.command += ["-c", str(tasks.CONFIG["concurrency"]), "--pool", "prefork", "-l", "ERROR"]
        self.command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
        )
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_until_ready(self):
        deadline = time.monotonic() + READY_WITHIN
        while not self.app.control.ping(destination=[self.name], timeout=0.5):
            self.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"the worker was not ready within {READY_WITHIN} s")

    def check(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the worker ended by itself with {self.process.returncode}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def delete_queues(tasks):
    with tasks.app.connection_for_write() as connection:
        for queue in (tasks.STARTS, tasks.POLLS):
            connection.default_channel.queue_delete(queue)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        sys.exit(f"peer: {type(error).__name__}: {error}")
