"""Who asks the database or the API while the screen goes on: one thread, one question after the other."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from uuid import UUID

from cli.watch.acts import do
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.requests import NotFound
from services.actions import Offer
from services.filters import JobFilter
from services.glance import Glance, Queues, past_queues
from services.keys import Role
from services.story import Story
from services.use_cases import UseCases

JOBS, FEW_JOBS = 30, 8
"""Of each kind, at most: on a screen, and in a picture."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look has found.

    Args:
        which: the filter that it was asked for.
        story: of the job that is opened.
        role: of whoever asks.
    """

    glance: Glance
    which: JobFilter | None
    story: Story | None
    role: Role


@dataclass(frozen=True, slots=True)
class Done:
    """What is said of an act that is done."""

    said: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An act that was not done, or whose end nobody knows."""

    error: RunError


@dataclass(frozen=True, slots=True)
class Failed:
    """A look that found nothing; `which` is the filter that it was asked for."""

    error: RunError
    which: JobFilter | None


@dataclass(frozen=True, slots=True)
class Crashed:
    """A fault of this program."""

    error: BaseException


Answer = Looked | Done | Refused | Failed | Crashed | Queues


def queues_at(client: UseCases, glance: Glance) -> Queues:
    """The past of the queues that a look has found."""
    return past_queues(client.history, (pool.name for pool in glance.status.pools), glance.as_of)


class Asking:
    """The thread. It is not waited for at the end of the process: a database may hang.

    Args:
        client: for this thread alone, from now on.
        answered: is called in the thread with each answer.
    """

    def __init__(self, client: UseCases, answered: Callable[[Answer], None]) -> None:
        self._client = client
        self._answered = answered
        self._role: Role | None = None
        self._asked: SimpleQueue[Callable[[], Answer] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="asking", daemon=True)
        self._thread.start()

    def look(self, which: JobFilter | None, job_id: UUID | None) -> None:
        """Looks, and reads the story of a job."""

        def work() -> Answer:
            try:
                self._role = self._role or self._client.role()
                story = None if job_id is None else self._story(job_id)
                return Looked(self._client.glance(JOBS, which), which, story, self._role)
            except RunError as error:
                return Failed(error, which)

        self._asked.put(work)

    def depths(self, glance: Glance) -> None:
        """Reads the past of the pools."""
        self._asked.put(lambda: queues_at(self._client, glance))

    def do(self, offer: Offer) -> None:
        """Does an act."""

        def work() -> Answer:
            try:
                return Done(do(self._client, offer))
            except RunError as error:
                return Refused(error)

        self._asked.put(work)

    def end(self, seconds: float = 1.0) -> None:
        """Asks nothing more, and waits for the thread, but not for long."""
        self._asked.put(None)
        self._thread.join(seconds)

    def _story(self, job_id: UUID) -> Story | None:
        try:
            return self._client.story(job_id)
        except NotFound:
            return None

    def _work(self) -> None:
        while (work := self._asked.get()) is not None:
            try:
                answer = work()
            except BaseException as error:
                answer = Crashed(error)
            self._answered(answer)
