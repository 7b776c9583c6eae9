"""One installation on one machine: a database, a storage folder, and controllers that tests make as they need."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from controller.background.schedules import Schedules
from controller.launchers.interface import Launcher
from controller.launchers.process.launcher import ProcessLauncher
from controller.loop import Reconciler
from controller.outcomes.retry import RetryPolicy
from controller.pools.runner_pod import RunnerTemplate
from controller.pools.spec import PoolSpec
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.keys import RunKey
from dataset_jobs.storage import Storage, StorageConfig, open_storage
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import ANSWER_TIMEOUT, controller_pool
from parser_runner.child import begin, run_child
from services.client import Client
from tests.kit.controller import controller, no_jitter
from tests.kit.submit import submit

DATA = Path(__file__).parent.parent / "data"
NATIONAL = DATA / "us" / "national"

AT_ONCE = RetryPolicy(waits=(timedelta(0),))
HOUR = RetryPolicy(waits=(timedelta(hours=1),))
NO_RETRIES = RetryPolicy(max_retries=0)


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """The dataset and the job of a submission."""

    dataset_id: UUID
    job_id: UUID


class World:
    """What a test sees of one installation.

    Args:
        conninfo: of its database.
        folder: for its storage and for files that tests make.
    """

    def __init__(self, conninfo: str, folder: Path) -> None:
        self.conninfo = conninfo
        self.folder = folder
        self.storage_config = StorageConfig.from_env({"STORAGE_PATH": str(folder / "storage")})
        (folder / "storage").mkdir(exist_ok=True)
        self.client = Client.connect(conninfo)
        self.log_level = "ERROR"
        self.begin: Callable[[str], None] | None = begin
        """What children call first."""

    @property
    def storage(self) -> Storage:
        return open_storage(self.storage_config)

    @property
    def environment(self) -> dict[str, str]:
        """What a runner of this installation is started with."""
        return {**self.storage_config.to_env(), "DATABASE_URL": self.conninfo, "LOG_LEVEL": self.log_level}

    def file(self, name: str, content: str | bytes) -> Path:
        """Writes a file to submit."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def submit(
        self, path: Path, country: str = "US", year: int | None = None, replaces: Sequence[UUID] = ()
    ) -> SubmittedFile:
        """Submits a file as the command line does."""
        result = submit(self.client, self.storage, path, country, FileHints(year=year), replaces=replaces)
        assert result.dataset_id is not None
        assert result.job_id is not None
        return SubmittedFile(result.dataset_id, result.job_id)

    def submit_small(self, year: int = 2020, content: str = "") -> SubmittedFile:
        """Submits a file of a year, with one row unless its content is given."""
        return self.submit(self.file(f"yob{year}.txt", content or f"Mary,F,{year}\n"))

    def query(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Asks the database."""
        with psycopg.connect(self.conninfo, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(sql.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, sql: str, *parameters: object) -> dict[str, Any]:
        """The one row of an answer."""
        rows = self.query(sql, *parameters)
        assert len(rows) == 1, rows
        return rows[0]

    async def until(self, sql: str, seconds: float = 100) -> None:
        """Waits until a query has a row; prepares nothing, since PgBouncer may stand between."""
        with psycopg.connect(self.conninfo, autocommit=True, prepare_threshold=None) as connection:
            async with asyncio.timeout(seconds):
                while connection.execute(sql.encode()).fetchone() is None:
                    await asyncio.sleep(0.02)

    @contextmanager
    def listening(self) -> Iterator[Callable[[], bool]]:
        """Whether controllers were notified since the beginning, or since it was asked before."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            channel = self.one("select jobs_channel() as name")["name"]
            connection.execute(f"listen {channel}".encode())
            heard: list[str] = []
            connection.add_notify_handler(lambda one: heard.append(one.payload))

            def notified() -> bool:
                # They come in the order of their commits: with ours, all before it have come.
                connection.execute("select pg_notify(%s, 'asked')", [channel])
                while "asked" not in heard:
                    connection.execute("select 1")
                others = [one for one in heard if one != "asked"]
                heard.clear()
                return bool(others)

            yield notified

    def job(self, job_id: UUID) -> dict[str, Any]:
        """A job as it stands."""
        return self.one("select * from jobs where id = %s", job_id)

    def dataset(self, dataset_id: UUID) -> dict[str, Any]:
        """A dataset as it stands."""
        return self.one("select * from datasets where id = %s", dataset_id)

    def rows(self, dataset_id: UUID) -> int:
        """How many rows the dataset has in `names`."""
        sql = "select count(*) from names join datasets on key = dataset_key where id = %s"
        return int(self.one(sql, dataset_id)["count"])

    @asynccontextmanager
    async def store(self, conninfo: str = "", patience: timedelta = ANSWER_TIMEOUT) -> AsyncIterator[ControllerStore]:
        """A controller's store with a small pool; `conninfo` is another way to the same database."""
        async with controller_pool(conninfo or self.conninfo, 4) as pool:
            yield ControllerStore(pool, patience)

    @asynccontextmanager
    async def controller(
        self,
        launcher: Launcher | None = None,
        owner: str = "test",
        retry: RetryPolicy = AT_ONCE,
        concurrency: int | None = 2,
        entry: Callable[[str, int, str, str], None] | None = None,
        retention: timedelta | None = None,
        conninfo: str = "",
        patience: timedelta = ANSWER_TIMEOUT,
        template: RunnerTemplate | None = None,
    ) -> AsyncIterator[Reconciler]:
        """A controller that is not running yet; with the process launcher unless another one is given."""
        wake = asyncio.Event()
        async with self.store(conninfo, patience) as store:
            own = launcher or ProcessLauncher(
                entry or partial(run_child, self.environment), ["parser_runner.preload"], wake.set, self.begin
            )
            pool = PoolSpec("default", retry=retry, retention=retention, template=template)
            schedules = Schedules(store, conninfo or self.conninfo, self.storage_config, 0.0, min_unchanged_seconds=0.0)
            try:
                yield controller(
                    store,
                    own,
                    owner,
                    pool,
                    concurrency=concurrency,
                    random=no_jitter,
                    poll_seconds=0.2,
                    wake=wake,
                    schedules=schedules,
                )
            finally:
                await asyncio.to_thread(schedules.close)
                await own.close()

    async def run_until_idle(self, seconds: float = 100, **how: Any) -> None:
        """A whole controller, until nothing is left to do."""
        async with self.controller(**how) as reconciler, asyncio.timeout(seconds):
            await reconciler.run(asyncio.Event(), until_idle=True)


def key_of(job: dict[str, Any]) -> RunKey:
    """The current run of a job."""
    return RunKey(job["id"], job["lease_epoch"])
