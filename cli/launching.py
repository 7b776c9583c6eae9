"""Where runs run, put together from the settings: as children of this process, or as Jobs in a cluster."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from app.file_storage import storage_config
from app.logs import logs_for_people
from app.settings import Settings
from controller.context import Announce, Notice, to_nobody
from controller.launchers.interface import Launcher
from controller.launchers.process.launcher import ProcessLauncher
from controller.loop_health import LoopHealth
from controller.metrics import Metrics
from controller.outcomes.retry import RetryPolicy
from controller.pools.source import OnePool, Pools
from controller.pools.spec import PoolSpec
from dataset_jobs.model.errors import Misconfigured, RunError
from dataset_jobs.model.trouble import Trouble
from dataset_jobs.store.controller import ControllerStore
from parser_runner.child import run_child

if TYPE_CHECKING:
    from controller.operator import Watcher

WATCH_SILENT_SECONDS = 60.0


class Watch:
    """Tells whether the watch over the cluster is alive; it is if there is none to keep.

    It can end silently inside kopf: then the controller settles runs whose end it never reported.
    """

    def __init__(self, progress: LoopHealth) -> None:
        self.watcher: Watcher | None = None
        self._progress = progress

    @property
    def trouble(self) -> Trouble | None:
        """The error that ends the watch again and again; None without one."""
        return None if self.watcher is None else self.watcher.trouble

    def alive(self) -> bool:
        if self.watcher is None:
            return True
        silent = self._progress.last_settle - self.watcher.last_event
        return self.watcher.alive() and silent < WATCH_SILENT_SECONDS


class Cluster(NamedTuple):
    """Where runs run, and how; on one machine, too."""

    launcher: Launcher
    announce: Announce
    pools: Pools


@asynccontextmanager
async def process_launcher(
    settings: Settings, conninfo: str, store: ControllerStore, wake: asyncio.Event, watch: Watch, metrics: Metrics
) -> AsyncIterator[Cluster]:
    storage = storage_config(settings)
    environment = {
        **os.environ,
        **storage.to_env(),
        **settings.limits.to_env(),
        "DATABASE_URL": settings.runner_database_url or conninfo,
        "DATABASE_SCHEMA": settings.database_schema,
        "LOG_LEVEL": settings.log_level,
        "WORKER_ID": settings.worker_id,
        "LOG_FORMAT": "console" if logs_for_people(settings) else "json",
    }
    # Of a pod that has many children: each of them is a runner of its own.
    for name in ("RUNNER_DATABASE_URL", "POD_UID", "POD_NAME"):
        environment.pop(name, None)
    preload = ["parser_runner.preload", "cli.main"]
    if storage.type == "s3":
        preload.append("dataset_jobs.storage.s3")
    launcher = ProcessLauncher(partial(run_child, environment), preload, wake.set)
    try:
        yield Cluster(launcher, to_nobody, OnePool(_pool_of(settings)))
    finally:
        await launcher.close()


@asynccontextmanager
async def kubernetes_launcher(
    settings: Settings, conninfo: str, store: ControllerStore, wake: asyncio.Event, watch: Watch, metrics: Metrics
) -> AsyncIterator[Cluster]:
    # Imported only here: it takes half a second, which one machine need not pay.
    from controller.launchers.kubernetes.api import KubernetesApi, load_configuration
    from controller.launchers.kubernetes.events import KubernetesEvents
    from controller.launchers.kubernetes.launcher import KubernetesLauncher
    from controller.launchers.kubernetes.objects import Job, Pod
    from controller.operator import Watcher
    from controller.pools.parser_pools import ParserPools
    from controller.runner_config import read_runner_config

    if settings.runner_config is None:
        raise Misconfigured("RUNNER_CONFIG is not set: expected the path of a JSON file that describes runner pods")
    template = read_runner_config(settings.runner_config)
    configuration = await load_configuration()
    api = KubernetesApi(configuration, settings.namespace)
    installation = await store.installation_id()
    launcher = KubernetesLauncher(api, installation, template)
    events = KubernetesEvents(api, settings.worker_id, settings.worker_uid)
    own = replace(
        _pool_of(settings),
        template=template,
        max_parallelism=settings.pool_max_parallelism,
        max_pending=settings.pool_max_pending,
    )
    name = settings.worker_controller_name

    async def warn(reason: str, message: str, about: Mapping[str, str]) -> None:
        await events.post(reason, message, warning=True, about=about)

    pools = ParserPools(api, store, name, installation, own, warn)
    with contextlib.suppress(RunError):  # to be repeated at the first tick
        await pools.refresh()

    def saw(thing: Job | Pod, deleted: bool) -> None:
        launcher.on_event(thing, deleted)
        wake.set()

    def saw_pool(deleted: bool, resource: Mapping[str, Any]) -> None:
        if pools.on_event(deleted, resource):
            wake.set()

    watched = saw_pool if pools.watchable else None
    watcher = Watcher(configuration, settings.namespace, installation, saw, watched, metrics.watch_restarted)
    watcher.start()
    watch.watcher = watcher

    async def announce(notice: Notice) -> None:
        await events.post(notice.reason, notice.message, warning=notice.warning, about=pools.reference(notice.pool))

    try:
        yield Cluster(launcher, announce, pools)
    finally:
        watcher.stop()
        await launcher.close()


def _pool_of(settings: Settings) -> PoolSpec:
    return PoolSpec(
        settings.pool,
        retry=RetryPolicy(settings.worker_max_retries, settings.worker_retry_waits),
        start_deadline=settings.worker_start_deadline,
        retention=settings.worker_retention,
    )
