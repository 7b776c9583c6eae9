"""kopf: watches our Jobs and pods, and ParserPools, and passes events on. It decides nothing and writes nothing.

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

OnEvent = Callable[[Job | Pod, bool], None]
"""Takes the Job or pod, and whether it was deleted."""

OnPoolEvent = Callable[[bool, Mapping[str, Any]], None]
"""Takes whether it was deleted, and the ParserPool."""

RESTART_SECONDS = 2.0
"""Wait before a watch that ended by itself starts again; doubles each time, unless the watch lasts a while."""

LASTS_SECONDS = 60.0
"""A watch that lasts this long, or that has passed on an event, has begun well."""

END_SECONDS = 8
"""If kopf has not stopped by then, its remaining tasks are cancelled."""

_JOBS, _PODS = ("batch", "v1", "jobs"), ("", "v1", "pods")

_WATCHES = "multidimensional multitasker"

_log = logging.getLogger(__name__)


class Watcher:
    """Watches one namespace until it is stopped.

    Args:
        configuration: host and credentials, those of the launcher.
        namespace: where the runs are.
        installation: whose Jobs and pods count.
        on_event: called for every Job or pod that is new, changed or deleted, in the loop that starts the watcher.
        on_pool_event: the same for every ParserPool. None: do not watch them, because the cluster does not know the
            resource.
        on_restart: called there when a watch has ended by itself and will start again.
    """

    def __init__(
        self,
        configuration: Configuration,
        namespace: str,
        installation: UUID,
        on_event: OnEvent,
        on_pool_event: OnPoolEvent | None = None,
        on_restart: Callable[[], None] = lambda: None,
    ) -> None:
        self.last_event = time.monotonic()
        """When the watch last passed on an event; by the monotonic clock."""
        self._on_event = on_event
        self._on_restart = on_restart
        self._namespace = namespace
        self._settings = _settings(installation)
        on_pool = on_pool_event and partial(self._in_loop, on_pool_event)
        self._registry = _registry(configuration, self._event, on_pool)
        self._ends = Repeated()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()
        self._watching: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)

    def start(self) -> None:
        """Starts watching; the callbacks run in the loop that is running now."""
        self._loop = asyncio.get_running_loop()
        start_thread(self._thread)

    @property
    def trouble(self) -> Trouble | None:
        """What has ended the watch again and again since it last passed on an event."""
        trouble = self._ends.trouble
        return None if trouble is None or trouble.since < self.last_event else trouble

    def alive(self) -> bool:
        """False if the watch has ended and will not start again: then only polling is left."""
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
        self._in_loop(self._on_event, thing, deleted)

    def _in_loop(self, call: Callable[..., None], *what: Any) -> None:
        assert self._loop is not None, "it runs in a thread that start() begins"
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call, *what)

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            why = "kopf has ended"
            try:
                asyncio.run(self._watch())
            except Exception as error:  # a refused watch ends kopf; the loop polls until it is back
                why = type(error).__name__
            if not self._stop.wait(0 if self._stop.is_set() else self._ended(why, began, time.monotonic())):
                self._in_loop(self._on_restart)

    def _ended(self, why: str, began: float, now: float) -> float:
        """The watch has ended by itself: logs that, but not every time. Returns how long to wait."""
        if now - began >= LASTS_SECONDS or self.last_event > began:
            self._ends.passed()
        say = self._ends.failed(Unavailable(f"the watch over the cluster has ended: {why}"), now)
        trouble = self._ends.trouble
        assert trouble is not None
        if say:
            _log.error("%s", trouble.describe(now))
        return trouble.wait(RESTART_SECONDS)

    async def _watch(self) -> None:
        # Not the threading event itself: kopf waits for that in a thread, and could not end before it is set.
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
    """Whether kopf's task that runs all watches is alive; when it fails, kopf should end."""
    return any(task.get_name() == _WATCHES for task in asyncio.all_tasks())


def _end_others(operator: asyncio.Task[None]) -> None:
    """Cancels kopf's tasks: it asks each only once and waits for ever, and one that is logging in again misses that."""
    for task in asyncio.all_tasks() - {operator, asyncio.current_task()}:
        task.cancel()


class _NothingHandled(kopf.DiffBaseStorage):
    """Keeps kopf from comparing each object with what it was before: events are passed on as they come.

    kopf would copy each object several times for that, which is most of the cost of an event.
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
    settings.queueing.idle_timeout = 0.5  # there are thousands of objects, each with its own task until then
    settings.networking.request_timeout = 60
    settings.process.ultimate_exiting_timeout = None
    return settings


def _registry(
    configuration: Configuration, on_event: OnEvent, on_pool_event: OnPoolEvent | None
) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    async def login(**_: Any) -> kopf.ConnectionInfo:
        # kopf asks again when a token has expired; the hook rereads the service account's file.
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
        on_event(job_of(event["object"]), event["type"] == "DELETED")

    async def pod(event: Any, **_: Any) -> None:
        on_event(pod_of(event["object"]), event["type"] == "DELETED")

    async def pool(event: Any, **_: Any) -> None:
        assert on_pool_event is not None
        on_pool_event(event["type"] == "DELETED", event["object"])

    kopf.on.login(registry=registry)(login)
    kopf.on.event(*_JOBS, registry=registry)(job)
    kopf.on.event(*_PODS, registry=registry)(pod)
    if on_pool_event is not None:
        kopf.on.event("affirm.dev", "v1", "parserpools", registry=registry)(pool)
    return registry
