"""What every route works with: the use cases over a pool of connections, the storage, the settings, the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from fastapi import Depends, Request

from api.access import Caller
from api.background import Background
from api.checkup import Doctor, OwnChecks
from api.exchange import Exchange, exchange_of
from api.lately import Lately
from api.live import Hub
from api.metrics import ApiMetrics
from api.rates import Rates
from api.sessions import Sessions
from api.stopping import Stopping
from api.upload.uploads import Uploads
from app.file_storage import storage_config
from app.settings import Settings
from dataset_jobs.model.actor import Actor
from dataset_jobs.model.listed_parser import ListedParser
from dataset_jobs.storage import Storage, open_storage
from dataset_jobs.store.client_pool import ClientPool
from services.client import Client
from services.countries import Country
from services.figures import Sampler
from services.refreshed import Refreshed
from services.validation import ReadReports

ANSWER_SECONDS = 10.0
"""How long one answer of the database may take."""

Values = dict[str, Any]
"""A JSON object."""

COUNTRIES_SECONDS, COUNTRIES_LATE_SECONDS = 5.0, 30.0
"""Between two counts of what is loaded of each country, and how old such a count may be."""

CONNECTION_SECONDS = 3.0
"""How long a request waits for a connection: a database that is away is an answer, soon."""


@dataclass(slots=True)
class Context:
    """What every route works with.

    Args:
        settings: checked already.
        client: the use cases; as many threads can use it as come.
        storage: keeps the files.
        parsers: lists the formats that can be read.
        read_reports: reads files that are only to be checked.
        local: the server listens on this machine alone, so that API_LOCAL_ROLE counts.
        conninfo: of the database, for looks by a connection of their own.
        stopping: set when the server ends.
        rates: who has asked how often.
        known_keys: the first parts of keys that were good once.
        metrics: count and measure.
        sessions: looks up whom the sessions of browsers stand for.
        sampler: reads the figures of the whole installation, once for all who ask.
        hub: tells streams what is new.
        countries: with what is loaded of each, as it was counted last, and when that was.
        doctor: makes checks of all that this process works with.
        lately: whose sessions were good a moment ago.
    """

    settings: Settings
    client: Client
    storage: Storage
    parsers: Callable[[], Sequence[ListedParser]]
    read_reports: ReadReports
    local: bool = False
    conninfo: str = ""
    stopping: Stopping = field(default_factory=Stopping)
    metrics: ApiMetrics = field(default_factory=ApiMetrics)
    rates: Rates = field(init=False)
    known_keys: set[str] = field(init=False, default_factory=set)
    uploads: Uploads = field(init=False)
    background: Background = field(init=False)
    sessions: Sessions = field(init=False)
    sampler: Sampler = field(init=False)
    hub: Hub = field(init=False)
    countries: Refreshed[tuple[Sequence[Country], datetime]] = field(init=False)
    doctor: Doctor = field(init=False)
    lately: Lately = field(init=False, default_factory=Lately)

    def __post_init__(self) -> None:
        self.rates = Rates(self.settings.api_requests_per_minute)
        self.uploads = Uploads.of(self.settings)
        self.metrics.follow(lambda: self.uploads.spool)
        self.background = Background(self.client, self.storage, self.stopping)
        self.sessions = Sessions(self.client.web_sessions.keys)
        self.sampler = Sampler(self.client.database)
        self.hub = Hub(self.client, self.sampler, self.stopping)
        self.countries = Refreshed(self._counted, COUNTRIES_SECONDS, COUNTRIES_LATE_SECONDS)
        self.doctor = Doctor(OwnChecks(self.settings, self.conninfo, self.sampler, self.parsers).all)

    @classmethod
    def open(
        cls,
        settings: Settings,
        conninfo: str,
        parsers: Callable[[], Sequence[ListedParser]],
        read_reports: ReadReports,
        *,
        local: bool = False,
    ) -> Self:
        """A context over a pool of connections, which are made when they are needed.

        Args:
            settings: checked already.
            conninfo: of the database.
            parsers, read_reports, local: see the class.
        """
        pool = ClientPool(
            conninfo, settings.api_max_connections, Actor("api", "api"), timedelta(seconds=ANSWER_SECONDS),
            CONNECTION_SECONDS,
        )  # fmt: skip
        return cls(
            settings, Client(pool), open_storage(storage_config(settings)), parsers, read_reports, local, conninfo
        )

    def _counted(self, *_: object) -> tuple[Sequence[Country], datetime]:
        now = self.client.now()
        return self.client.countries.all(), now

    def close(self) -> None:
        """Closes the connections."""
        self.client.close()


async def _context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


async def _exchange(request: Request) -> Exchange:
    return exchange_of(request.scope)


async def _caller(request: Request) -> Caller:
    caller = exchange_of(request.scope).caller
    assert caller is not None
    return caller


async def _client(request: Request) -> Client:
    exchange, context = exchange_of(request.scope), request.app.state.context
    assert exchange.caller is not None
    by_page = exchange.declared is not None and exchange.declared.is_page
    client: Client = context.client.acting_as(exchange.caller.actor(exchange.request_id, "web" if by_page else "api"))
    return client


Using = Annotated[Context, Depends(_context)]
"""A route's parameter: the context."""

Calling = Annotated[Caller, Depends(_caller)]
"""A route's parameter: who calls."""

Requesting = Annotated[Client, Depends(_client)]
"""A route's parameter: the use cases, as the caller's in the audit."""

Exchanging = Annotated[Exchange, Depends(_exchange)]
"""A route's parameter: what is known of the request."""
