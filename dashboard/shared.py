"""What the pages of a process read once for all who look on, beside the figures of the sampler."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from api.context import Context
from services.client import Client
from services.figures import COUNTS_LATE_SECONDS, COUNTS_SECONDS, count_datasets
from services.glance import Queues, Recent, past_queues, read_recent
from services.refreshed import Refreshed
from services.web_sessions import RefusedLogins

EVERY_SECONDS, LATE_SECONDS = 2.0, 10.0
"""As for the figures."""

PAST_SECONDS, PAST_LATE_SECONDS = 60.0, 180.0
"""Of the past of queues: as often as there is more of it."""

SHOWN = 8
"""Jobs of each kind."""


@dataclass(frozen=True, slots=True)
class CountedDatasets:
    """How many datasets there are of each status, and when that was so, by the database's clock."""

    statuses: Mapping[str, int]
    at: datetime


class Shared:
    """What one process keeps. Any thread may ask.

    Args:
        client: asked.
    """

    def __init__(self, client: Client) -> None:
        self.refused_logins = RefusedLogins()
        self._recent = Refreshed[Recent](lambda *_: read_recent(client.database, SHOWN), EVERY_SECONDS, LATE_SECONDS)
        self._datasets = Refreshed[CountedDatasets](
            lambda *_: CountedDatasets(count_datasets(client.database), client.now()),
            COUNTS_SECONDS,
            COUNTS_LATE_SECONDS,
        )
        self._queues = Refreshed[Queues](
            lambda *_: past_queues(client.history, client.pools.names(), client.now()), PAST_SECONDS, PAST_LATE_SECONDS
        )

    def recent(self) -> Recent:
        """The jobs at work, and those that ended last. Raises as the database has it."""
        return self._recent.get()

    def datasets(self) -> CountedDatasets:
        """How many datasets there are. Raises as the database has it."""
        return self._datasets.get()

    def queues(self) -> Queues:
        """How many jobs were queued in each pool within the last hours. Raises as the database has it."""
        return self._queues.get()


_making = threading.Lock()


def shared_of(request: Request) -> Shared:
    """That of the server of a request."""
    state = request.app.state
    with _making:
        if not hasattr(state, "shared_by_pages"):
            context: Context = state.context
            state.shared_by_pages = Shared(context.client)
        found: Shared = state.shared_by_pages
        return found
