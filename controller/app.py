"""Puts a controller together and keeps it going until it is idle or told to stop."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from app.file_storage import storage_config
from app.settings import Settings
from controller.background.operations import carry_on_operations
from controller.background.pool_history import keep_history
from controller.background.pool_metrics import measure
from controller.background.presence import keep_present
from controller.background.schedules import Schedules
from controller.background.stalling import end_stalling
from controller.background.waiting import Log, Tell, Words, tell_waits, wake_when_idle, without_commands
from controller.context import Context
from controller.health import HealthServer
from controller.loop import RETRY_SECONDS, Reconciler, drain
from controller.loop_health import LoopHealth
from controller.metrics import HeldUpBy, Metrics
from controller.on_one_machine import ChildProgram, on_one_machine
from controller.signals import Signals
from controller.watch import Watch
from dataset_jobs.migrations import LATEST
from dataset_jobs.model.errors import Misconfigured, RunError
from dataset_jobs.model.times import local_time
from dataset_jobs.model.trouble import Trouble
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from dataset_jobs.store.controller_views import WaitingJob
from dataset_jobs.store.notifications import listen
from services.client import Client

SCHEMA_SECONDS = 5.0
"""Between two looks at the database's schema at most, while it is not the one that this code is for."""

_log = logging.getLogger(__name__)


class LauncherName(StrEnum):
    """Where runs run: in child processes of the controller, or in Kubernetes Jobs."""

    PROCESS = "process"
    KUBERNETES = "kubernetes"


class Ended(NamedTuple):
    """How a controller ended.

    Args:
        interrupted: it was told to stop.
        waiting: with `until_idle`, the jobs that a later controller will have to run.
        failed: how many jobs it gave up.
    """

    interrupted: bool
    waiting: Sequence[WaitingJob] = ()
    failed: int = 0


async def run_controller(
    settings: Settings,
    conninfo: str,
    launcher: LauncherName,
    program: ChildProgram,
    *,
    until_idle: bool = False,
    tell: Tell | None = None,
    words: Words = without_commands,
) -> Ended:
    """Runs one controller.

    Args:
        settings: checked already.
        conninfo: of the database; the embedded one's if none is set.
        launcher: where runs run.
        program: the runner, for child processes.
        until_idle: end when nothing is queued or running any more.
        tell: with `until_idle`, takes the sentences about waiting; without it they go to the log.
        words: puts the commands after those sentences that ask for one.

    Raises:
        Permanent: `until_idle`, and the controller or its runs can never start as things are.
    """
    wake = asyncio.Event()
    signals = Signals(wake, settings.worker_shutdown_grace, tell)
    async with AsyncExitStack() as stack:
        progress = LoopHealth()
        watch = Watch(progress)
        metrics = Metrics()
        metrics.follow(lambda: progress.held_up_by or (HeldUpBy.CLUSTER if watch.trouble else None))
        if settings.health_port is not None:
            health = HealthServer(progress, settings.worker_poll_interval.total_seconds(), watch.alive, metrics)
            await health.start(settings.health_port)
            stack.push_async_callback(health.close)
        if not await _schema_is_ours(conninfo, signals.stop, progress, until_idle):
            return Ended(interrupted=True)
        pool = controller_pool(conninfo, settings.database_max_connections)
        await pool.open()
        stack.push_async_callback(pool.close)
        store = ControllerStore(pool)
        if settings.health_port is not None:
            measuring = asyncio.create_task(measure(store, metrics))
            stack.push_async_callback(_cancelled, measuring)
        maximum = await store.set_pool(settings.pool, settings.pool_max_parallelism, settings.pool_max_pending)
        owner = f"{settings.worker_id}/{uuid.uuid4().hex[:8]}"
        if launcher is LauncherName.PROCESS:
            where = on_one_machine(settings, conninfo, program, wake.set)
        else:
            # Imported only here: it takes half a second, which one machine need not pay.
            from controller.on_kubernetes import on_kubernetes

            where = on_kubernetes(settings, store, wake, watch, metrics)
        cluster = await stack.enter_async_context(where)
        signals.launcher = cluster.launcher
        schedules = Schedules(store, conninfo, storage_config(settings), limits=settings.look_limits)
        stack.push_async_callback(asyncio.to_thread, schedules.close)
        context = Context(
            store=store,
            launcher=cluster.launcher,
            owner=owner,
            pools=cluster.pools,
            concurrency=None if cluster.launcher.outlives_controller else settings.worker_concurrency,
            announce=cluster.announce,
            metrics=metrics,
        )
        poll_seconds = settings.worker_poll_interval.total_seconds()
        reconciler = Reconciler(context, poll_seconds, wake, progress, schedules=schedules)
        telling = partial(tell_waits, tell=tell or Log(), words=words)
        operations = carry_on_operations(store, conninfo, storage_config(settings))
        for beside in (operations, *_beside(context, progress, watch, wake if until_idle else None, telling)):
            stack.push_async_callback(_cancelled, asyncio.create_task(beside))
        listener = asyncio.create_task(listen(settings.database_direct_url or conninfo, wake.set))
        stack.push_async_callback(_cancelled, listener)
        _log.info("started with the %s launcher, pool %s, %s", launcher, settings.pool, _at_most(context, maximum))
        if settings.pool_max_parallelism not in (None, maximum):
            _log.info("POOL_MAX_PARALLELISM does not count: pool %s was given another maximum since", settings.pool)
        await reconciler.run(signals.stop, until_idle)
        interrupted = signals.stop.is_set()
        if interrupted and not cluster.launcher.outlives_controller:
            await drain(reconciler, settings.worker_shutdown_grace.total_seconds(), signals.hurry)
        waiting = await store.waiting_jobs(settings.pool) if until_idle and not interrupted else []
    for job in waiting:
        _log_waiting(job)
    _log.info("stopped")
    return Ended(interrupted, waiting, context.tally.failed)


def _at_most(context: Context, maximum: int) -> str:
    """How many runs this controller may have at once, which its own concurrency and the pool's maximum decide."""
    if context.concurrency is None:
        return f"at most {maximum} at once, of all controllers"
    most = min(context.concurrency, maximum)
    return f"at most {most} at once (WORKER_CONCURRENCY {context.concurrency}, the pool's maximum {maximum})"


def _beside(
    context: Context,
    progress: LoopHealth,
    watch: Watch,
    ending: asyncio.Event | None,
    telling: Callable[[Context, Callable[[], Trouble | None]], Coroutine[None, None, None]],
) -> Iterator[Coroutine[None, None, None]]:
    """What a controller does beside its ticks, so that people see how it is.

    Args:
        ending: wakes the loop, if the controller is to end when it is idle.
        telling: says what it waits for then.
    """

    def trouble() -> Trouble | None:
        return progress.trouble or watch.trouble

    yield keep_present(context, trouble)
    yield keep_history(context)
    yield end_stalling(context.store)
    if ending is not None:
        yield telling(context, trouble)
        yield wake_when_idle(context, ending)


def _log_waiting(job: WaitingJob) -> None:
    _log.warning(
        "still waiting: to be %s at %s%s",
        "tried again" if job.last_error else "loaded",
        local_time(job.run_at, "%Y-%m-%dT%H:%M:%S%z"),
        f": {job.last_error}" if job.last_error else "",
        extra={
            "file": job.filename,
            "job_id": str(job.id),
            "job_type": job.type,
            "dataset_id": str(job.dataset_id),
            "attempt": job.attempts + 1,
        },
    )


async def _schema_is_ours(conninfo: str, stop: asyncio.Event, progress: LoopHealth, until_idle: bool) -> bool:
    """Waits until the database has the schema of this code. False if it was stopped first.

    Raises:
        Permanent: `until_idle`, and that does not come by itself.
    """
    while not stop.is_set():
        try:
            # Not by the pool: that would hide why there is no connection, and for longer.
            await asyncio.to_thread(_check_schema, conninfo)
            return True
        except RunError as error:
            say = progress.went_round(error)
            trouble = progress.ticks.trouble
            assert trouble is not None
            if say:
                _log.warning("waiting: %s", trouble.describe(time.monotonic()))
            if until_idle and trouble.is_never:
                raise
            wait = trouble.wait(RETRY_SECONDS)
            if isinstance(error, Misconfigured):  # a migration may be under way
                wait = min(wait, SCHEMA_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)
    return False


def _check_schema(conninfo: str) -> None:
    with Client.connect(conninfo) as store:
        version = store.check_schema()
    if version > LATEST:
        _log.warning("the database's schema is newer, version %d; this program knows %d, and may work", version, LATEST)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
