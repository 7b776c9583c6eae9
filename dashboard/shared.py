"""What the pages of a process read once for all who look on, beside the figures of the sampler."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from api.kept import Kept
from dataset_jobs.model.states import FINISHED, JobState
from dataset_jobs.store.views import JobView
from services.client import Client
from services.filters import JobFilter
from services.listing import Order

KEPT_SECONDS = 2.0
"""How old they may be, as the figures are."""

SHOWN = 8
"""Jobs of each kind."""


@dataclass(frozen=True, slots=True)
class Recent:
    """What is going on, and what was last.

    Args:
        running: the newest jobs at work.
        ended: the last one first.
        now: when that was so, by the database's clock.
    """

    running: Sequence[JobView]
    ended: Sequence[JobView]
    now: datetime


class Shared:
    """What one process keeps. Any thread may ask."""

    def __init__(self) -> None:
        self._recent: Kept[Recent] = Kept(KEPT_SECONDS)

    def recent(self, client: Client) -> Recent:
        """The jobs at work, and those that ended last. Raises as the database has it."""
        found, _ = self._recent.get(lambda: _read(client))
        return found


def _read(client: Client) -> Recent:
    running = client.jobs.page(JobFilter((JobState.RUNNING,)), SHOWN, None).items
    ended, _ = client.jobs.select(JobFilter(FINISHED)).first(SHOWN, Order("finished", descending=True))
    return Recent(running, ended, client.now())


_making = threading.Lock()


def shared_of(request: Request) -> Shared:
    """That of the server of a request."""
    state = request.app.state
    with _making:
        if not hasattr(state, "shared_by_pages"):
            state.shared_by_pages = Shared()
        found: Shared = state.shared_by_pages
        return found
