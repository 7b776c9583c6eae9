"""Values that the shell completes at TAB. Each function imports what it needs only when it is called.

They never start a database, never wait long and never print: without an answer there is nothing to complete.
"""

import contextlib
import re
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.use_cases import UseCases

PATIENCE_SECONDS = 0.7
"""The longest time for names from the database."""

IDS = 20
"""How many ids are completed, the newest ones."""


_NAME = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""Of a pool or a schedule."""


def countries(incomplete: str) -> list[tuple[str, str]]:
    """The codes of the countries that have parsers, with the countries' names."""
    from app.countries import iso_countries
    from parser_runner.parsers import countries as with_parsers

    names = dict(iso_countries())
    return [(code, names.get(code, "")) for code in with_parsers() if code.startswith(incomplete.upper())]


def formats(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """The formats of the country that was given before; of all countries if none was."""
    from parser_runner.parsers import countries as with_parsers
    from parser_runner.parsers import parsers_of

    country = str(ctx.params.get("country") or "").strip().upper()
    return [
        (parser.name, parser.description)
        for code in ([country] if country else with_parsers())
        for parser in parsers_of(code)
        if parser.name.startswith(incomplete)
    ]


def contexts(incomplete: str) -> list[str]:
    """The contexts of the config file."""
    from app.settings.config_file import read_config

    config = read_config()
    return [name for name in (config.names if config else ()) if name.startswith(incomplete)]


def pools(ctx: Any, incomplete: str) -> list[str]:
    """The pools in the database, if it answers soon."""
    return [name for name in _names(ctx, lambda client: client.pools.names()) if name.startswith(incomplete)]


def schedules(ctx: Any, incomplete: str) -> list[str]:
    """The schedules in the database, if it answers soon."""
    return [name for name in _names(ctx, lambda client: client.schedules.names()) if name.startswith(incomplete)]


def jobs(ctx: Any, incomplete: str) -> list[str]:
    """The ids of the newest jobs, if the database answers soon."""
    found = _names(ctx, lambda client: [str(job.id) for job in client.jobs.list(limit=IDS)])
    return [name for name in found if name.startswith(incomplete)]


def datasets(ctx: Any, incomplete: str) -> list[str]:
    """The ids of the newest datasets, if the database answers soon."""
    found = _names(ctx, lambda client: [str(one.id) for one in client.datasets.list(limit=IDS)])
    return [name for name in found if name.startswith(incomplete)]


def checks(incomplete: str) -> list[str]:
    """The checks of `doctor`."""
    from cli.checks import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


def topics(ctx: Any, incomplete: str) -> list[str]:
    """What `help` explains: commands and topics, and after a group its commands."""
    from cli.lazy import SHORT_HELPS, command
    from cli.wording.topics import TOPICS

    words = ctx.params.get("words") or ()
    there = [*SHORT_HELPS, *TOPICS] if not words else [*getattr(command(words[0]), "commands", ())]
    return [name for name in there if name.startswith(incomplete)]


def _names(ctx: Any, ask_for: "Callable[[UseCases], Sequence[str]]") -> list[str]:
    """Names in the database of DATABASE_URL or of the context; none without it, or if a secret has it."""
    found: list[str] = []

    def ask() -> None:
        from app.settings import read_settings
        from services.client import Client

        # No command is run for a secret: it might ask for a password.
        asked = ctx.find_root().params
        settings = read_settings(asked.get("used"), secrets=False)
        if settings.affirm_worker_api is not None and not asked.get("direct"):
            from cli.begin import key_of
            from remote.client import RemoteClient

            with RemoteClient(settings.affirm_worker_api, key_of(settings)) as remote:
                found.extend(ask_for(remote))
        elif settings.database_url is not None:
            conninfo = settings.in_schema(settings.database_url)
            with Client.connect(conninfo, timedelta(seconds=PATIENCE_SECONDS)) as client:
                found.extend(ask_for(client))

    _within(PATIENCE_SECONDS, ask)
    # They go into a line that a shell is about to run. The CHECK of the database may have been dropped by somebody.
    return [name for name in found if _NAME.fullmatch(name)]


def _within(seconds: float, ask: Callable[[], None]) -> None:
    """Waits no longer than that; a thread that is left behind ends with the process."""

    def quietly() -> None:
        with contextlib.suppress(Exception):
            ask()

    asking = threading.Thread(target=quietly, daemon=True)
    asking.start()
    asking.join(seconds)
