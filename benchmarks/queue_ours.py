"""Our queue as the queue's benchmark uses it: filled by SQL, claimed and finished by the product's own statements."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from app.countries import iso_countries
from dataset_jobs import migrations
from dataset_jobs.postgres.connecting import SessionConnection
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_views import ClaimedRun
from dataset_jobs.store.statements import statement
from tests.servers.postgres import PostgresServer

LEASE = timedelta(minutes=1)

FILL: LiteralString = """
with made as (
    insert into datasets (country_id, filename, storage_uri, sha256, size, status, loaded_at, row_count, total_count,
        parser, measure)
    select (select id from countries where code = 'US'), 'yob2023.txt', 'local:US/x',
        md5(%(batch)s || '/' || n) || md5(n || '/' || %(batch)s), 1000,
        case when %(done)s then 'completed' else 'pending' end,
        case when %(done)s then now() end, case when %(done)s then 1 end, case when %(done)s then 1 end,
        case when %(done)s then 'us-ssa' end, case when %(done)s then 'births' end
    from generate_series(1, %(count)s) n
    returning id
), queued as (
    insert into jobs (dataset_id, type, state, run_at, lease_epoch, finished_at)
    select id, 'parse_dataset', %(state)s, now() + %(after)s * random(), case when %(done)s then 1 else 0 end,
        case when %(done)s then now() end
    from made
    returning id
)
insert into runs (job_id, epoch, pool, launcher, owner, lease_until, started_at, runner_uid, committed_at, ended_at,
    cause, released_at)
select id, 1, 'default', 'bench', 'bench', now(), now(), 'uid', now(), now(), 'completed', now()
from queued where %(done)s
"""

RELEASE: LiteralString = """
with ended as (
    update runs set started_at = coalesce(started_at, now()), runner_uid = coalesce(runner_uid, 'uid'),
        committed_at = coalesce(committed_at, now()), ended_at = now(), cause = 'completed', released_at = now()
    where released_at is null returning job_id
), finished as (
    update jobs set state = 'completed', finished_at = now()
    from ended where jobs.id = ended.job_id and state = 'running' returning dataset_id
)
update datasets set status = 'completed', loaded_at = now(), row_count = 1, total_count = 1, parser = 'us-ssa',
    measure = 'births' from finished where datasets.id = finished.dataset_id
"""


class Queue:
    """A migrated database and a connection to it that nothing is measured on.

    Args:
        conninfo: of the database.
    """

    def __init__(self, conninfo: str) -> None:
        self.conninfo = conninfo
        self.connection: psycopg.Connection[DictRow] = psycopg.connect(
            conninfo, autocommit=True, row_factory=dict_row, prepare_threshold=None
        )
        self._batches = 0

    def fill(self, count: int, state: str = "queued", after: timedelta = timedelta(0)) -> None:
        """Adds jobs; those that are scheduled at some time within `after`."""
        self._batches += 1
        self.connection.execute(
            FILL,
            {"batch": str(self._batches), "count": count, "state": state, "after": after, "done": state == "completed"},
        )

    def release(self) -> None:
        """Completes whatever runs, as load and settle would."""
        self.connection.execute(RELEASE)

    def settle(self) -> None:
        """Vacuums, as an old table is, and writes out what waits."""
        self.connection.execute("vacuum (analyze) jobs, runs, datasets")
        self.connection.execute("checkpoint")

    def take(self) -> list[dict[str, Any]]:
        """Every claimed run is taken by a runner; what its commit needs to know of it."""
        self.connection.execute(
            "update runs set started_at = now(), runner_uid = 'uid' where released_at is null and started_at is null"
        )
        return self.connection.execute(
            "select job_id, epoch, runner_uid, run_secret(job_id, epoch) as secret from runs where released_at is null"
        ).fetchall()

    def close(self) -> None:
        """Closes the connection."""
        self.connection.close()


@contextmanager
def fresh_queue(server: PostgresServer, name: str, max_running: int = 100_000) -> Iterator[Queue]:
    """A queue in a database of its own, which is dropped after its use."""
    conninfo = server.create_database(name)
    migrations.apply(conninfo, iso_countries())
    queue = Queue(conninfo)
    queue.connection.execute("update pools set max_running = %s", [max_running])
    try:
        yield queue
    finally:
        queue.close()
        server.drop_database(name)


async def claim(store: ControllerStore, batch: int) -> tuple[float, list[ClaimedRun]]:
    """One claim; returns its seconds and the claimed runs."""
    began = time.perf_counter()
    claimed = await store.claim("default", batch, "bench", "owner", LEASE)
    return time.perf_counter() - began, claimed


async def claim_all(store: ControllerStore, queue: Queue, batch: int, count: int) -> float:
    """Claims jobs in batches; returns the seconds of the claims alone: each batch is released before the next one."""
    seconds = 0.0
    for _ in range(count // batch):
        took, claimed = await claim(store, batch)
        assert len(claimed) == batch
        seconds += took
        queue.release()
    return seconds


def finish_all(queue: Queue, count: int) -> float:
    """Finishes claimed runs one after the other, each by the transaction of the runner's load without its rows."""
    runs = queue.take()[:count]
    assert len(runs) == count
    loaded = {"rows": 1, "total": 1, "parser": "us-ssa", "measure": "births", "coverage": []}
    about = {"loaded": Jsonb(loaded), "bytes": 1, "log": None, "patience": "60s"}
    with SessionConnection[DictRow].connect(queue.conninfo, row_factory=dict_row) as connection:
        began = time.perf_counter()
        for run in runs:
            parameters = {**about, **run}
            begun = connection.call(statement("load.begin"), parameters, begins=True).fetchone()
            assert begun == {"answer": None}
            connection.call(statement("load.commit"), parameters, commits=True)
        return time.perf_counter() - began
