"""Where the database and the storage of a command are, in words and without a password."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import pq

from app.settings import Reading, Settings
from app.settings.kinds import connection_parts
from dataset_jobs.model.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Places:
    """What a command works on.

    Args:
        database: host and database, or the folder of the embedded one.
        user: of the database; None for the embedded one.
        embedded: whether it is the embedded database.
        because: for the embedded one, why it is that.
        storage: the folder or the bucket.
        context: of the config file, if one is in use.
        api: the address of the API that is asked instead; then nothing else is known.
    """

    database: str
    user: str | None
    embedded: bool
    because: str | None
    storage: str
    context: str | None = None
    api: str | None = None

    @property
    def database_in_words(self) -> str:
        """The database with its user, or why it is the embedded one."""
        if self.api is not None:
            return f"as the API at {self.api} has it"
        if self.embedded:
            return f"embedded, {self.database} ({self.because})"
        return f"{self.database} as {self.user}" if self.user else self.database


def places_of(reading: Reading) -> Places:
    """The places that checked settings lead to; raises Misconfigured if a home folder is needed and there is none."""
    settings = reading.settings
    context = None if reading.context is None else reading.context.name
    because = "DATABASE_URL is not set" if context is None else f"context {context} has no database_url"
    if settings.database_url is None:
        folder = str(settings.home / "postgres")
        return Places(folder, None, True, because, _storage(settings), context)
    database, user = database_of(settings.database_url)
    return Places(database, user, False, None, _storage(settings), context)


def places_by(reading: Reading, address: str) -> Places:
    """The places of a command that asks an API.

    Args:
        reading: the settings.
        address: of the API.
    """
    context = None if reading.context is None else reading.context.name
    return Places(address, None, False, None, "as the API has it", context, address)


def database_of(conninfo: str) -> tuple[str, str | None]:
    """Host and database of a connection string, and the user; variables such as PGHOST count, as for libpq."""
    parts = connection_parts(conninfo)
    if "service" in parts:
        return f"service {parts['service']}", parts.get("user")
    parts = {**_defaults(), **{name: value for name, value in parts.items() if value}}
    user = parts.get("user")
    name = parts.get("dbname") or user or "?"
    host = parts.get("host") or parts.get("hostaddr") or ""
    if not host or host.startswith(("/", "@")):
        return f"{name} at {host or 'the local socket'}", user
    return f"{_with_ports(host, parts.get('port') or '')}/{name}", user


def _defaults() -> Mapping[str, Any]:
    """What libpq takes if the connection string does not say it: from the environment, or compiled in."""
    return {
        option.keyword.decode(): option.val.decode(errors="replace")
        for option in pq.Conninfo.get_defaults()
        if option.val is not None and option.keyword in (b"host", b"hostaddr", b"port", b"dbname", b"user")
    }


def _with_ports(hosts: str, ports: str) -> str:
    each = hosts.split(",")
    given = ports.split(",")
    numbers = given * len(each) if len(given) == 1 else given
    return ",".join(
        f"[{host}]:{port or 5432}" if ":" in host else f"{host}:{port or 5432}"
        for host, port in zip(each, numbers, strict=False)
    )


def _storage(settings: Settings) -> str:
    try:
        config = settings.storage
    except Misconfigured as error:  # nothing of this command touches a file
        return str(error)
    if config.path is not None:
        return str(config.path)
    at = f" at {config.endpoint}" if config.endpoint else ""
    return f"s3://{'/'.join(filter(None, [config.bucket, config.prefix]))}{at}"
