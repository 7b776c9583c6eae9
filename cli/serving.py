"""What `serve` and `load --keep` have in common: an API with its pages, beside a controller or alone."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import dashboard
from api import routes
from api.context import Context
from api.metrics import metrics_served
from api.server import Listening, Server
from app.settings import Settings
from cli.reading import ReportReader
from dataset_jobs.model.listed_parser import ListedParser
from parser_runner.parsers import countries
from parser_runner.parsers.listing import all_parsers
from services.client import Client
from services.keys import Role

FIRST_KEY = "first"
"""The name of the key that the first `serve` makes."""

_log = logging.getLogger(__name__)


@cache
def _parser_lines() -> Sequence[ListedParser]:
    """The formats that can be read. They stay the same for as long as the process does, and looking takes a while."""
    return all_parsers(countries())[0]


def first_key(client: Client) -> str | None:
    """A key for an admin, made if there is none of any kind; None if there is one, or this login may make none."""
    if client.keys.all():
        return None
    return client.keys.make(FIRST_KEY, Role.ADMIN).text


@contextmanager
def open_server(settings: Settings, conninfo: str, listening: Listening) -> Iterator[Server]:
    """An API, with its pages, that can be served as long as the block runs.

    Args:
        settings: checked already.
        conninfo: of the database.
        listening: where.
    """
    reader = ReportReader(settings.limits, settings.api_validate_deadline.total_seconds())
    context = Context.open(settings, conninfo, _parser_lines, reader, local=listening.local)
    try:
        with metrics_served(context.metrics, settings.api_metrics_port):
            yield Server(context, listening, (*routes.ALL, *dashboard.ALL), dashboard.problem_page)
    finally:
        reader.close()
        context.close()


@contextmanager
def served_beside(
    settings: Settings, conninfo: str, listening: Listening, ended: Callable[[], None] = lambda: None
) -> Iterator[Server]:
    """An API in a thread of its own, for as long as the block runs.

    Args:
        settings, conninfo, listening: as for `open_server`.
        ended: called when the server ends by itself.
    """
    with open_server(settings, conninfo, listening) as server:

        def serve() -> None:
            try:
                server.serve_until_stopped()
            except Exception as error:  # whatever it is: a thread that ends silently would leave half a program
                _log.error("the API has ended: %s: %s", type(error).__name__, error)
            if not server.should_exit:
                ended()

        thread = threading.Thread(target=serve, name="api")
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()
