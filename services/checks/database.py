"""Checks of the database: the server and its schema. Nothing is changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dataset_jobs.migrations import LATEST
from dataset_jobs.migrations.rights import CONTROLLER
from dataset_jobs.model.errors import OtherSchema
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.store.client_connection import ClientConnection, ClientDatabase, Row
from services.checks.findings import Finding, Fix, ok, skipped, warning, wrong
from services.checks.rights import grants, is_other_database, quoted
from services.schema import usable_schema

OLDEST, NEWEST = 15, 18
"""Major versions of Postgres that are supported."""

CLOCK_SECONDS = 5.0
"""How far the clocks of this machine and of the database may be apart."""

PATIENCE = timedelta(seconds=8)
"""How long one answer may take: less than a check, so that the answer names what is silent."""

_MIGRATE = Fix(Hint(Action.MIGRATE))


@dataclass(frozen=True, slots=True)
class Expected:
    """What a database must have for an installation.

    Args:
        schema: of our tables.
        connections: that this machine's controller and its runs may take.
        runner_connections: those of the runs, of these.
        embedded: nobody but this program uses it, and any command brings its schema up to date.
        listens_directly: there is a URL for LISTEN that leads past poolers.
    """

    schema: str
    connections: int = 0
    runner_connections: int = 0
    embedded: bool = False
    listens_directly: bool = False


def check_server(
    database: ClientConnection, expected: Expected, place: str, clock: datetime | None = None
) -> list[Finding]:
    """Whether the server can be used.

    Args:
        database: of the login in question.
        expected: of it.
        place: the database in words, without a password.
        clock: this machine's time; now without it.
    """
    before = datetime.now(UTC)
    session = database.only("doctor.session")
    here = clock or before + (datetime.now(UTC) - before) / 2
    found = [ok(f"Postgres {session['version'].split()[0]} at {place}, as {session['role']}")]
    found += check_version(session["version_number"])
    if session["standby"]:
        found.append(wrong("it is a standby, which cannot be written: DATABASE_URL must lead to the primary"))
    apart = (session["now"] - here).total_seconds()
    if abs(apart) > CLOCK_SECONDS:
        found.append(_clocks(apart))
    if database.is_pooled and not expected.listens_directly:
        found.append(
            warning(
                "a pooler stands between, so controllers hear of new jobs only when they look for them: set"
                " DATABASE_DIRECT_URL to a URL that leads past it",
                Fix(shell="export DATABASE_DIRECT_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE"),
            )
        )
    if not expected.embedded:
        found += _connections(session, expected)
    return found


def check_direct(direct: ClientConnection, main: ClientDatabase) -> list[Finding]:
    """Whether DATABASE_DIRECT_URL leads to the same database, past poolers."""
    here, there = main.only("doctor.session"), direct.only("doctor.session")
    if is_other_database(here, there):
        return [wrong("DATABASE_DIRECT_URL leads to another database than DATABASE_URL")]
    if direct.is_pooled:
        return [warning("a pooler stands between DATABASE_DIRECT_URL and the database, too")]
    return []


def check_schema(database: ClientDatabase, expected: Expected) -> list[Finding]:
    """Whether the tables are there, and are those of this version."""
    name = expected.schema
    schema = database.only("doctor.schema", schema=name)
    if schema["there"] and not schema["usable"]:
        return [_not_usable(database, name)]
    if not schema["migrated"]:
        if expected.embedded:
            return [skipped("there are no tables yet: the next command that needs them makes them")]
        return [wrong(f"there are no tables in schema {name} yet", _MIGRATE)]
    if not schema["readable"]:
        return [_not_usable(database, name)]
    version = int(database.only("session.schema_version")["version"])
    if version < LATEST:
        if expected.embedded:
            return [skipped(f"the schema is at version {version} of {LATEST}: the next command brings it up to date")]
        return [wrong(f"the schema is at version {version}, and this program needs {LATEST}", _MIGRATE)]
    if version > LATEST:
        try:
            usable_schema(database)
        except OtherSchema as error:
            return [wrong(str(error))]
        return [ok(f"the schema {name} is at version {version}; this program knows {LATEST}, and may work on it")]
    return [ok(f"the schema {name} is at version {version}, as this program needs it")]


def check_version(number: int) -> Iterator[Finding]:
    """Whether the server's version is supported.

    Args:
        number: as libpq has it, such as 150004.
    """
    major = number // 10000
    if major < OLDEST:
        yield wrong(f"Postgres {major} is too old: {OLDEST} to {NEWEST} are supported")
    elif major > NEWEST:
        yield warning(f"Postgres {major} is newer than this program knows: {OLDEST} to {NEWEST} are supported")


def _clocks(apart: float) -> Finding:
    ahead = "ahead of" if apart > 0 else "behind"
    return warning(
        f"the database's clock is {abs(apart):.0f} s {ahead} this machine's: times in logs and tables differ",
        Fix(shell="timedatectl set-ntp true", by="root, on the machine whose clock is wrong"),
    )


def _connections(session: Row, expected: Expected) -> Iterator[Finding]:
    left = session["most"] - session["used"]
    if left < expected.connections:
        yield warning(
            f"{session['used']} of {session['most']} connections are in use: {left} are left, and a controller with its"
            f" runs may take {expected.connections}",
            Fix(sql=f"alter system set max_connections = {_rounded(session['used'] + expected.connections)};",
                by="a superuser; it takes effect when Postgres is restarted"),
        )  # fmt: skip
    limit = session["role_limit"]
    if 0 <= limit < expected.connections:
        role = quoted(session["role"])
        yield warning(
            f"the role {session['role']} may have {limit} connections at once, and a controller with its runs may take"
            f" {expected.connections}",
            Fix(sql=f"alter role {role} connection limit {expected.connections};", by="a superuser"),
        )


def _rounded(connections: int) -> int:
    """With ten for others, to the next ten."""
    return (connections + 19) // 10 * 10


def _not_usable(database: ClientDatabase, schema: str) -> Finding:
    role = database.only("doctor.session")["role"]
    return wrong(f"the role {role} may not use the schema {schema}", *grants(database, role, CONTROLLER))
