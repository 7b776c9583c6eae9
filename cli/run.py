"""`affirm-worker run`: puts a controller together and keeps it going until it is idle or told to stop."""

import asyncio
import contextlib
import logging
import signal
import uuid
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from cli.file_storage import storage_config
from cli.launching import Watch, kubernetes_launcher, process_launcher
from cli.settings import Settings
from controller.health import HealthServer
from controller.metrics import Metrics
from controller.pipeline.context import Context
from controller.pipeline.measure import measure
from controller.pipeline.schedules import Schedules
from controller.reconcile import Progress, Reconciler, drain
from dataset_jobs.migrations import LATEST
from dataset_jobs.model.errors import RunError
from dataset_jobs.store.controller_connection import controller_pool
from dataset_jobs.store.for_controller import ControllerStore
from dataset_jobs.store.notifications import listen

if TYPE_CHECKING:
    pass

SCHEMA_SECONDS = 5.0
"""Between two looks at the database's schema, while it is not the one that this code is for."""

STUCK_SECONDS = 300.0
"""Without a tick having ended, the controller is to be restarted."""

INTERRUPTED = 130

_log = logging.getLogger(__name__)


class Signals:
    """SIGTERM and SIGINT: the first asks the controller to stop, the second to hurry.

    Args:
        wake: set at each of them, so that the loop looks up.
    """

    def __init__(self, wake: asyncio.Event) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self._wake = wake
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._received, number)

    def _received(self, number: signal.Signals) -> None:
        if self.stop.is_set():
            self.hurry.set()
        else:
            _log.info("stopping: %s", signal.Signals(number).name)
        self.stop.set()
        self._wake.set()


async def run_controller(settings: Settings, conninfo: str, launcher_name: str, until_idle: bool) -> int:
    """Runs one controller.

    Args:
        settings: checked already.
        conninfo: of the database; the embedded one's where none is set.
        launcher_name: process or kubernetes.
        until_idle: end when nothing is queued or running any more.

    Returns:
        The exit code: 0; 130 where `until_idle` was interrupted; 1 where it ended with retries waiting.
    """
    wake = asyncio.Event()
    signals = Signals(wake)
    async with AsyncExitStack() as stack:
        pool = controller_pool(conninfo, settings.database_max_connections)
        await pool.open()
        stack.push_async_callback(pool.close)
        store = ControllerStore(pool)
        progress = Progress()
        watch = Watch(progress)
        metrics = Metrics()
        if settings.health_port is not None:
            health = HealthServer(progress, STUCK_SECONDS, watch.alive, metrics)
            await health.start(settings.health_port)
            stack.push_async_callback(health.close)
        if not await _schema_is_ours(store, signals.stop, progress):
            return INTERRUPTED if until_idle else 0
        if settings.health_port is not None:
            measuring = asyncio.create_task(measure(store, metrics))
            stack.push_async_callback(_cancelled, measuring)
        maximum = await store.set_pool(settings.pool, settings.pool_max_parallelism, settings.pool_max_pending)
        owner = f"{settings.worker_id}/{uuid.uuid4().hex[:8]}"
        make = process_launcher if launcher_name == "process" else kubernetes_launcher
        cluster = await stack.enter_async_context(make(settings, conninfo, store, wake, watch, metrics))
        schedules = Schedules(store, conninfo, storage_config(settings))
        stack.push_async_callback(asyncio.to_thread, schedules.close)
        context = Context(
            store=store,
            launcher=cluster.launcher,
            owner=owner,
            pools=cluster.pools,
            concurrency=settings.worker_concurrency if launcher_name == "process" else None,
            announce=cluster.announce,
            schedules=schedules,
            metrics=metrics,
        )
        reconciler = Reconciler(context, settings.worker_poll_interval.total_seconds(), wake, progress)
        listener = asyncio.create_task(listen(settings.database_direct_url or conninfo, wake.set))
        stack.push_async_callback(_cancelled, listener)
        _log.info("started with the %s launcher, pool %s, at most %d runs", launcher_name, settings.pool, maximum)
        await reconciler.run(signals.stop, until_idle)
        interrupted = signals.stop.is_set()
        if launcher_name == "process" and interrupted:
            await drain(reconciler, settings.worker_shutdown_grace.total_seconds(), signals.hurry)
        waiting = await _list_waiting(store, settings.pool) if until_idle and not interrupted else 0
    _log.info("stopped")
    if not until_idle:
        return 0
    if interrupted:
        return INTERRUPTED
    return 1 if waiting else 0


async def _list_waiting(store: ControllerStore, pool: str) -> int:
    """Logs the jobs that a later controller will have to run, and counts them."""
    waiting = await store.waiting_jobs(pool)
    for job in waiting:
        _log.warning(
            "still waiting: %s is to be %s at %s%s",
            job.filename,
            "tried again" if job.last_error else "loaded",
            job.run_at.astimezone().isoformat(timespec="seconds"),
            f": {job.last_error}" if job.last_error else "",
            extra={
                "job_id": str(job.id),
                "job_type": job.type,
                "dataset_id": str(job.dataset_id),
                "attempt": job.attempts + 1,
            },
        )
    return len(waiting)


async def _schema_is_ours(store: ControllerStore, stop: asyncio.Event, progress: Progress) -> bool:
    """Waits until the database has the schema that this code is for; False where it was told to stop first."""
    said = ""
    while not stop.is_set():
        try:
            await store.check_schema(LATEST)
            return True
        except RunError as error:
            problem = str(error)
        progress.went_round(problem)
        if problem != said:
            _log.warning("waiting: %s", problem)
            said = problem
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), SCHEMA_SECONDS)
    return False


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
