"""Runs as Kubernetes Jobs. Importing this takes half a second, which one machine need not pay."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from app.settings import Settings
from controller.cluster import Cluster, own_pool
from controller.context import Notice
from controller.launchers.kubernetes.api import KubernetesApi, load_configuration
from controller.launchers.kubernetes.events import KubernetesEvents
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.launchers.kubernetes.objects import Job, Pod
from controller.metrics import Metrics
from controller.operator import Watcher
from controller.pools.first_pool import FirstPool
from controller.pools.parser_pools import ParserPools
from controller.runner_config import read_runner_config, unknown_keys
from controller.watch import Watch
from dataset_jobs.model.errors import Misconfigured, RunError
from dataset_jobs.store.controller import ControllerStore

_log = logging.getLogger(__name__)


@asynccontextmanager
async def on_kubernetes(
    settings: Settings, store: ControllerStore, wake: asyncio.Event, watch: Watch, metrics: Metrics
) -> AsyncIterator[Cluster]:
    """A launcher of Kubernetes Jobs and the watch over them, for as long as the controller runs.

    Args:
        settings: checked already.
        store: for the installation's id and its pools.
        wake: set when something in the cluster has changed.
        watch: told of the watcher.
        metrics: counts the watch's restarts.

    Raises:
        Misconfigured: RUNNER_CONFIG is missing or wrong.
    """
    if settings.runner_config is None:
        raise Misconfigured("RUNNER_CONFIG is not set: expected the path of a JSON file that describes runner pods")
    template = read_runner_config(settings.runner_config)
    warnings = () if (unknown := unknown_keys(template)) is None else (unknown,)
    for text in warnings:
        _log.warning("%s", text)
    configuration = await load_configuration()
    api = KubernetesApi(configuration, settings.namespace)
    installation = await store.installation_id()
    launcher = KubernetesLauncher(api, installation, template)
    events = KubernetesEvents(api, settings.worker_id, settings.worker_uid)
    own = replace(
        own_pool(settings),
        template=template,
        max_parallelism=settings.pool_max_parallelism,
        max_pending=settings.pool_max_pending,
    )
    name = settings.worker_controller_name

    async def warn(reason: str, message: str, about: Mapping[str, str]) -> None:
        await events.post(reason, message, warning=True, about=about)

    first = None
    if settings.pool_make_parser_pool:
        first = FirstPool(api, store, name, own.name, template.labels)
    pools = ParserPools(api, store, name, installation, own, warn, warnings, first)
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
