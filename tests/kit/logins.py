"""The logins of an installation, made by the SQL that docs/operations.md offers."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.servers.postgres import PostgresServer

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
ALREADY_THERE = psycopg.errors.DuplicateObject


@dataclass(frozen=True, slots=True)
class Logins:
    """The URL of each login, as this machine reaches the database."""

    owner: str
    controller: str
    runner: str
    api: str

    def at(self, host: str) -> "Logins":
        """The same from where the server has another address."""
        return Logins(
            *(url.replace("@127.0.0.1:", f"@{host}:") for url in (self.owner, self.controller, self.runner, self.api))
        )

    def as_secret(self) -> dict[str, str]:
        """The Secret that the chart asks for, with the API's key."""
        return {
            "DATABASE_URL": self.controller,
            "RUNNER_DATABASE_URL": self.runner,
            "OWNER_DATABASE_URL": self.owner,
            "API_DATABASE_URL": self.api,
        }


@contextmanager
def three_logins(server: PostgresServer, database: str, limit: int = 0) -> Iterator[Logins]:
    """Makes logins of their own for a database, which the owner's then owns; drops database and logins in the end.

    Args:
        server: a fresh one has no group roles: they are made too.
        database: its name, and the beginning of the logins' names.
        limit: of connections, for each login; otherwise as the page has them.
    """
    page = OPERATIONS.read_text(encoding="utf-8")
    [groups] = re.findall(r"```sql\n(create role affirm_owner;.*?)```", page, re.DOTALL)
    [logins] = re.findall(r"```sql\n(create role names_owner .*?)```", page, re.DOTALL)
    password = secrets.token_hex(8)
    logins = logins.replace("names_", f"{database}_").replace("…", password)
    if limit:
        logins = re.sub(r"connection limit \d+", f"connection limit {limit}", logins)
    names = [f"{database}_{one}" for one in ("owner", "controller", "runner", "api")]
    with psycopg.connect(server.url(), autocommit=True) as admin:
        for group in filter(str.strip, groups.split(";")):
            try:
                admin.execute(group.encode())
            except ALREADY_THERE:
                continue
        for login in filter(str.strip, logins.split(";")):
            admin.execute(login.encode())
        admin.execute(f"alter database {database} owner to {names[0]}".encode())
    urls = (server.url(database).replace(f"postgres:{server.password}@", f"{name}:{password}@") for name in names)
    try:
        yield Logins(*urls)
    finally:
        # First: a role that owns something cannot be dropped.
        server.drop_database(database)
        with psycopg.connect(server.url(), autocommit=True) as admin:
            for name in names:
                admin.execute(f"drop role {name}".encode())
