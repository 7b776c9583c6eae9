"""Streams: one look at the database for all who look on, and to each of them what is new to them.

Whatever happens at once is told together, so a client that reads slowly costs no more memory than one that does not.
"""

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from anyio.to_thread import run_sync

from api.access import Caller
from api.problems import Problem
from api.stopping import Stopping
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Repeated
from services.client import Client
from services.figures import Figures, Sampler
from services.live import Look, Version, look

LOOK_SECONDS = 1.0
"""Between two looks."""

SPACING_SECONDS = 0.1
"""Between two looks that new streams ask for."""

KEYS_SECONDS = 2.0
"""How long a stream may outlive its key, and a bit."""

MOST_OF_A_CALLER = 20
MOST_STREAMS = 500
"""Of one process."""

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class Bye(StrEnum):
    """Why a stream ends."""

    STOPPING = "stopping"
    """The server ends. Another one may take the next request."""
    KEY = "key"
    """The key was revoked, or its time is over."""
    FINISHED = "finished"
    """Nothing more happens to the job by itself."""
    HEADERS = "headers"
    """Nobody asked for more."""
    GONE = "gone"
    """The job is not there any more."""


@dataclass(slots=True)
class News:
    """What is new to one stream.

    Args:
        jobs, datasets: those that have changed; at first, all that are watched.
        gone: those that are not there.
        new_jobs, new_datasets: how many have come since the stream began or said so last.
        figures: newer ones, if it wants them.
        as_of: when that was so.
        bye: why the stream ends.
    """

    jobs: set[UUID] = field(default_factory=set)
    datasets: set[UUID] = field(default_factory=set)
    gone: set[UUID] = field(default_factory=set)
    new_jobs: int = 0
    new_datasets: int = 0
    figures: Figures | None = None
    as_of: datetime | None = None
    bye: Bye | None = None

    @property
    def has_changes(self) -> bool:
        """Something that is watched has changed, or there are new jobs or datasets."""
        return bool(self.jobs or self.datasets or self.gone or self.new_jobs or self.new_datasets)


class Viewer:
    """A stream, as the hub sees it. For the event loop alone.

    Args:
        caller: who looks on.
        ids: the jobs and datasets to watch.
        wants_figures: also the figures of the whole installation.
    """

    def __init__(self, caller: Caller, ids: Collection[UUID] = (), *, wants_figures: bool = False) -> None:
        self.name = caller.rate_name
        self.key_id = caller.key_id
        self.ids = frozenset(ids)
        self.wants_figures = wants_figures
        self._known: dict[UUID, Version | None] = {}
        self._seen: Look | None = None
        self._figures: Figures | None = None
        self._news = News()
        self._told = asyncio.Event()
        self._ended = asyncio.Event()

    async def news(self) -> News:
        """What is new; waits until something is."""
        await self._told.wait()
        self._told.clear()
        found, self._news = self._news, News(bye=self._news.bye)
        return found

    def end(self, why: Bye) -> None:
        """Ends the stream; the first reason counts."""
        self._news.bye = self._news.bye or why
        self._ended.set()
        self._told.set()

    async def read(self, work: Callable[..., Result], *of: Any) -> Result | None:
        """What `work` reads, in a thread; None if the stream ends before: a database that hangs holds up no end."""
        reading = asyncio.ensure_future(run_sync(work, *of, abandon_on_cancel=True))
        ending = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else None
        finally:
            reading.cancel()
            ending.cancel()

    def again(self, job_id: UUID) -> None:
        """It could not read the job, and will be told of it with the next look."""
        self._known.pop(job_id, None)

    def see(self, seen: "Seen") -> None:
        """Takes what is new to it from a look."""
        found, news = seen.look, self._news
        for watched in self.ids:
            job, dataset = found.jobs.get(watched), found.datasets.get(watched)
            version = dataset if job is None else job
            if watched in self._known and self._known[watched] == version:
                continue
            self._known[watched] = version
            kind = news.jobs if job is not None else news.datasets if dataset is not None else news.gone
            kind.add(watched)
        if (before := self._seen) is not None:
            news.new_jobs += max(0, found.newest_job - before.newest_job)
            news.new_datasets += max(0, found.newest_dataset - before.newest_dataset)
        self._seen = found
        if self.wants_figures and seen.figures is not self._figures:
            news.figures = self._figures = seen.figures
        news.as_of = found.as_of
        if self.key_id is not None and seen.good_keys is not None and self.key_id not in seen.good_keys:
            self.end(Bye.KEY)
        if news.has_changes or news.figures is not None:
            self._told.set()


class Seen(NamedTuple):
    """A look, and what was found out with it.

    Args:
        figures: the latest ones, if anybody wants them.
        good_keys: the keys that are good; None if that was not asked this time.
    """

    look: Look
    figures: Figures | None
    good_keys: frozenset[str] | None


class Hub:
    """Looks while anybody looks on, and tells each viewer what is new. For the event loop of the server.

    Args:
        client, sampler: asked, in threads.
        stopping: ends all streams.
    """

    def __init__(self, client: Client, sampler: Sampler, stopping: Stopping) -> None:
        self._client = client
        self._sampler = sampler
        self._stopping = stopping
        self._viewers: set[Viewer] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._keys_due = 0.0
        self._rendering = threading.Lock()
        self._rendered: tuple[Figures, str] | None = None

    @property
    def viewers(self) -> int:
        """How many streams there are."""
        return len(self._viewers)

    @property
    def looks_on(self) -> bool:
        """Whether it asks the database at all."""
        return bool(self._tasks)

    @contextmanager
    def joined(self, viewer: Viewer) -> Iterator[Viewer]:
        """Tells the viewer what is new, for as long as this lasts.

        Raises:
            Problem: there are too many streams.
        """
        self._check(viewer)
        self._viewers.add(viewer)
        if not self._tasks:
            self._wake, self._keys_due = asyncio.Event(), 0.0
            self._tasks = [asyncio.create_task(self._look_on()), asyncio.create_task(self._end_all())]
            self._tasks[0].add_done_callback(self._looked_on)
        self._wake.set()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                for task in self._tasks:
                    task.cancel()
                self._tasks = []

    def text_of(self, figures: Figures, write: Callable[[Figures], str]) -> str:
        """The figures as text, written once for all viewers, whose threads ask at one moment."""
        with self._rendering:
            if self._rendered is None or self._rendered[0] is not figures:
                self._rendered = figures, write(figures)
            return self._rendered[1]

    def _check(self, viewer: Viewer) -> None:
        mine = Counter(one.name for one in self._viewers)[viewer.name]
        if mine >= MOST_OF_A_CALLER:
            raise _too_many(f"you have {mine} streams already, and no more are allowed: one is enough for a page")
        if len(self._viewers) >= MOST_STREAMS:
            raise _too_many(f"{len(self._viewers)} streams are open here, and no more are allowed")

    async def _end_all(self) -> None:
        await self._stopping.wait()
        for viewer in self._viewers:
            viewer.end(Bye.STOPPING)

    async def _look_on(self) -> None:
        trouble = Repeated()
        while True:
            self._wake.clear()
            asked = [*self._viewers]
            try:
                seen = await run_sync(self._seen, asked, abandon_on_cancel=True)
            except RunError as error:
                if trouble.failed(error, time.monotonic()):
                    _log.warning("streams say nothing new: %s", error)
            else:
                if trouble.passed():
                    _log.info("streams say again what is new")
                for viewer in asked:  # not those that have come meanwhile: their jobs were not asked for
                    viewer.see(seen)
            await asyncio.sleep(SPACING_SECONDS)
            try:
                async with asyncio.timeout(LOOK_SECONDS - SPACING_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _looked_on(self, task: asyncio.Task[None]) -> None:
        """A fault of this program must not leave streams that say nothing for ever."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        _log.error("streams are ended: %s: %s", type(error).__name__, error)
        for viewer in self._viewers:
            viewer.end(Bye.STOPPING)

    def _seen(self, viewers: Collection[Viewer]) -> Seen:
        """One look. Runs in a thread."""
        found = look(self._client.database, frozenset[UUID]().union(*(viewer.ids for viewer in viewers)))
        figures = self._sampler.figures() if any(viewer.wants_figures for viewer in viewers) else None
        good = None
        if time.monotonic() >= self._keys_due:
            good = self._client.keys.good({viewer.key_id for viewer in viewers if viewer.key_id is not None})
            self._keys_due = time.monotonic() + KEYS_SECONDS
        return Seen(found, figures, good)


def _too_many(why: str) -> Problem:
    return Problem("too-many-streams", why, headers={"Retry-After": "10"})
