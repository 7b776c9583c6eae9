"""kopf: watches our Jobs and pods, and ParserPools, and tells of them. Nothing is decided here, and nothing is written.

Runs in a thread of its own: kopf takes over the signals of the main thread, and cancels other tasks of its loop.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import kopf
from kubernetes.aio.client import Configuration

from controller.launchers.kubernetes.api import PAGE
from controller.launchers.kubernetes.objects import Job, Pod, job_of, pod_of
from controller.pools.runner_pod import LABEL_INSTALLATION
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.trouble import Repeated, Trouble
from dataset_jobs.threads import start_thread

Saw = Callable[[Job | Pod, bool], None]
"""The Job or pod, and whether it was deleted."""

SawPool = Callable[[bool, Mapping[str, Any]], None]
"""Whether it was deleted, and the ParserPool."""

RESTART_SECONDS = 2.0
"""Before a watch that has ended by itself is taken up again; then twice as long each time, unless it lasts a while."""

LASTS_SECONDS = 60.0
"""A watch that lasts so long, or that has told of anything, has begun well."""

END_SECONDS = 8
"""After so long without an end, what hinders it is ended."""

_JOBS, _PODS = ("batch", "v1", "jobs"), ("", "v1", "pods")

_WATCHES = "multidimensional multitasker"

_log = logging.getLogger(__name__)


class Watcher:
    """Watches one namespace until it is stopped.

    Args:
        configuration: host and credentials, those of the launcher.
        namespace: where the runs are.
        installation: whose Jobs and pods count.
        saw: told of every Job or pod that is new, changed or deleted, in the loop that starts the watcher.
        saw_pool: told of every ParserPool that is, there as well. None: they are not watched, as where the cluster
            does not know the resource.
        restarts: called there when a watch has ended by itself, and is to be taken up again.
    """

    def __init__(
        self,
        configuration: Configuration,
        namespace: str,
        installation: UUID,
        saw: Saw,
        saw_pool: SawPool | None = None,
        restarts: Callable[[], None] = lambda: None,
    ) -> None:
        self.last_event = time.monotonic()
        """When the watch last had something to say; by the monotonic clock."""
        self._saw = saw
        self._restarts = restarts
        self._namespace = namespace
        self._settings = _settings(installation)
        self._registry = _registry(configuration, self._event, saw_pool and partial(self._tell, saw_pool))
        self._ends = Repeated()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()
        self._watching: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)

    def start(self) -> None:
        """Starts watching; from now on what is seen is told in the running loop."""
        self._loop = asyncio.get_running_loop()
        start_thread(self._thread)

    @property
    def trouble(self) -> Trouble | None:
        """What ends the watch again and again, since it last told of anything."""
        trouble = self._ends.trouble
        return None if trouble is None or trouble.since < self.last_event else trouble

    def alive(self) -> bool:
        """False where the watch has ended and will not be taken up again: then only polling is left."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ends the watch; does not wait for it."""
        self._stop.set()
        if self._watching is not None:
            loop, asked_to_end = self._watching
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(asked_to_end.set)

    def _event(self, thing: Job | Pod, deleted: bool) -> None:
        self.last_event = time.monotonic()
        self._tell(self._saw, thing, deleted)

    def _tell(self, tell: Callable[..., None], *what: Any) -> None:
        assert self._loop is not None, "it runs in a thread that start() begins"
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(tell, *what)

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            why = "kopf has ended"
            try:
                asyncio.run(self._watch())
            except Exception as error:  # a refused watch ends kopf; until it is back the loop goes on by polling
                why = type(error).__name__
            if not self._stop.wait(0 if self._stop.is_set() else self._ended(why, began, time.monotonic())):
                self._tell(self._restarts)

    def _ended(self, why: str, began: float, now: float) -> float:
        """The watch has ended by itself: says so, unless it was said a moment ago. Returns how long to wait."""
        if now - began >= LASTS_SECONDS or self.last_event > began:
            self._ends.passed()
        say = self._ends.failed(Unavailable(f"the watch over the cluster has ended: {why}"), now)
        trouble = self._ends.trouble
        assert trouble is not None
        if say:
            _log.error("%s", trouble.describe(now))
        return trouble.wait(RESTART_SECONDS)

    async def _watch(self) -> None:
        # Not the event of threads itself: kopf waits for that in a thread, and could not end before it is set.
        asked_to_end = asyncio.Event()
        self._watching = (asyncio.get_running_loop(), asked_to_end)
        if self._stop.is_set():
            return
        operator = asyncio.create_task(
            kopf.operator(
                registry=self._registry,
                settings=self._settings,
                standalone=True,
                namespaces=[self._namespace],
                stop_flag=asked_to_end,
            )
        )
        ending = 0
        while not operator.done():
            await asyncio.wait({operator}, timeout=1)
            ending = ending + 1 if asked_to_end.is_set() or not _is_watching() else 0
            if ending > END_SECONDS:
                _end_others(operator)
        operator.result()


def _is_watching() -> bool:
    """Whether kopf's task is there that has all watches under it; when it fails, kopf is to end."""
    return any(task.get_name() == _WATCHES for task in asyncio.all_tasks())


def _end_others(operator: asyncio.Task[None]) -> None:
    """kopf asks its tasks to end once, and waits for ever; one that is about to log in again does not hear it."""
    for task in asyncio.all_tasks() - {operator, asyncio.current_task()}:
        task.cancel()


class _NothingHandled(kopf.DiffBaseStorage):
    """No change is worked out from what an object was before: events are told as they come.

    kopf would copy each object several times for it, which is most of what an event costs.
    """

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        return None

    def store(self, **_: Any) -> None:
        pass


def _settings(installation: UUID) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    for resource in (_JOBS, _PODS):
        settings.watching.label_selectors[resource] = f"{LABEL_INSTALLATION}={installation}"
    settings.persistence.diffbase_storage = _NothingHandled()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = PAGE
    settings.queueing.idle_timeout = 0.5  # thousands of objects, of which each has its own task until then
    settings.networking.request_timeout = 60
    settings.process.ultimate_exiting_timeout = None
    return settings


def _registry(configuration: Configuration, saw: Saw, saw_pool: SawPool | None) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    async def login(**_: Any) -> kopf.ConnectionInfo:
        # Asked again by kopf when a token has expired; the hook reads the service account's file anew.
        header = await configuration.get_api_key_with_prefix("BearerToken") or ""
        return kopf.ConnectionInfo(
            server=configuration.host,
            ca_path=configuration.ssl_ca_cert,
            insecure=not configuration.verify_ssl,
            token=header.split(" ", 1)[-1] or None,
            certificate_path=configuration.cert_file,
            private_key_path=configuration.key_file,
        )

    async def job(event: Any, **_: Any) -> None:
        saw(job_of(event["object"]), event["type"] == "DELETED")

    async def pod(event: Any, **_: Any) -> None:
        saw(pod_of(event["object"]), event["type"] == "DELETED")

    async def pool(event: Any, **_: Any) -> None:
        assert saw_pool is not None
        saw_pool(event["type"] == "DELETED", event["object"])

    kopf.on.login(registry=registry)(login)
    kopf.on.event(*_JOBS, registry=registry)(job)
    kopf.on.event(*_PODS, registry=registry)(pod)
    if saw_pool is not None:
        kopf.on.event("affirm.dev", "v1", "parserpools", registry=registry)(pool)
    return registry
