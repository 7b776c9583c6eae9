"""Checks of the database: the server, its schema, and the rights of our roles. Nothing is changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dataset_jobs.migrations import LATEST
from dataset_jobs.migrations.rights import CONTROLLER, EVERY_TABLE, RUNNER, TableRight, rights_of
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.store.client_connection import ClientConnection, ClientDatabase, Row
from services.findings import Finding, Fix, ok, skipped, warning, wrong

OLDEST, NEWEST = 15, 18
"""Major versions of Postgres that are supported."""

CLOCK_SECONDS = 5.0
"""How far the clocks of this machine and of the database may be apart."""

PATIENCE = timedelta(seconds=8)
"""How long one answer may take: less than a check, so that the answer names what is silent."""

_MIGRATE = Fix(Hint(Action.MIGRATE))
_SHOWN = 4
"""Rights that are named; of more it says how many."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a database must have for an installation.

    Args:
        schema: of our tables.
        connections: that this machine's controller and its runs may take.
        embedded: nobody but this program uses it, and any command brings its schema up to date.
        listens_directly: there is a URL for LISTEN that leads past poolers.
    """

    schema: str
    connections: int = 0
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
    found += _version(session)
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
    if version > LATEST:
        return [
            wrong(
                f"the schema is at version {version}, newer than this program, which knows up to {LATEST}: install a"
                " newer affirm-worker"
            )
        ]
    if version < LATEST:
        if expected.embedded:
            return [skipped(f"the schema is at version {version} of {LATEST}: the next command brings it up to date")]
        return [wrong(f"the schema is at version {version}, and this program needs {LATEST}", _MIGRATE)]
    return [ok(f"the schema {name} is at version {version}, as this program needs it")]


def check_rights(database: ClientDatabase, expected: Expected) -> list[Finding]:
    """Whether the role can do what controllers and clients do."""
    missing, _ = _compare(database, expected.schema, CONTROLLER)
    session = database.only("doctor.session")
    found = [*_missing(database, session, missing, CONTROLLER, "controllers and commands need")]
    terminating = database.only("doctor.terminating", schema=expected.schema)
    if terminating["there"] and not terminating["callable"]:
        found.append(_refused_function(session, CONTROLLER))
    elif terminating["there"] and not terminating["effective"]:
        owner = _quoted(terminating["owner"])
        found.append(
            warning(
                f"the owner of the tables, {terminating['owner']}, may not end connections of other roles: a run that"
                " is given up while it loads keeps its slot until its connection is gone",
                Fix(sql=f"grant pg_signal_backend to {owner};", by="a superuser"),
            )
        )
    return found or [ok(f"the role {session['role']} may do what controllers and commands do")]


def check_runner_login(runner: ClientConnection, main: ClientDatabase, expected: Expected) -> list[Finding]:
    """Whether the login of runners leads to the same database, and has the rights that a runner needs and no more."""
    session, other = runner.only("doctor.session"), main.only("doctor.session")
    if (session["database"], session["started"]) != (other["database"], other["started"]):
        return [wrong("RUNNER_DATABASE_URL leads to another database than DATABASE_URL")]
    missing, further = _compare(runner, expected.schema, RUNNER)
    found = [*_missing(runner, session, missing, RUNNER, "runners need")]
    terminating = runner.only("doctor.terminating", schema=expected.schema)
    if terminating["there"] and not terminating["callable"]:
        found.append(_refused_function(session, RUNNER))
    if session["superuser"]:
        role = _quoted(session["role"])
        found.append(
            warning(
                f"the role {session['role']} of runners is a superuser: a fault in a parser could do anything",
                Fix(sql=f"alter role {role} nosuperuser; grant {RUNNER} to {role};", by="a superuser"),
            )
        )
    elif further:
        found.append(_too_many(runner, session, further))
    return found or [ok(f"the role {session['role']} has the rights that runners need, and no more")]


def _version(session: Row) -> Iterator[Finding]:
    major = session["version_number"] // 10000
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
        role = _quoted(session["role"])
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
    return wrong(f"the role {role} may not use the schema {schema}", *_grants(database, role, CONTROLLER))


def _compare(database: ClientDatabase, schema: str, group: str) -> tuple[set[TableRight], set[TableRight]]:
    """The rights that the role lacks of a group's, and those that it has beyond them."""
    tables = {row["name"] for row in database.all("doctor.tables", schema=schema)}
    has = {
        TableRight(row["table"], row["privilege"], row["column"])
        for row in database.all("doctor.privileges", schema=schema)
    }
    needs = {
        right._replace(table=table)
        for right in rights_of(group)
        for table in (tables if right.table == EVERY_TABLE else {right.table})
    }
    whole = {(right.table, right.privilege) for right in has if not right.column}
    missing = {right for right in needs if right not in has and (right.table, right.privilege) not in whole}
    return missing, has - needs


def _missing(
    database: ClientDatabase, session: Row, missing: set[TableRight], group: str, who: str
) -> Iterator[Finding]:
    if missing:
        role = session["role"]
        yield wrong(f"the role {role} lacks rights that {who}: {_listed(missing)}", *_grants(database, role, group))


def _refused_function(session: Row, group: str) -> Finding:
    role = session["role"]
    sql = f"grant {group} to {_quoted(role)};"
    return wrong(f"the role {role} may not call terminate_runners", Fix(sql=sql, by="a superuser"))


def _grants(database: ClientDatabase, role: str, group: str) -> tuple[Fix, ...]:
    """How the role gets the rights of a group: by becoming a member; or the group gets them anew."""
    state = database.only("doctor.groups", group=group)
    if state["member"]:
        return (Fix(Hint(Action.MIGRATE), by="the owner of the tables"),)
    made = () if state["there"] else (Fix(Hint(Action.MIGRATE), by="a role that may create roles"),)
    return (*made, Fix(sql=f"grant {group} to {_quoted(role)};", by="a superuser"))


def _too_many(runner: ClientDatabase, session: Row, further: set[TableRight]) -> Finding:
    role = _quoted(session["role"])
    fixes = []
    if runner.only("doctor.groups", group=CONTROLLER)["member"]:
        fixes.append(Fix(sql=f"revoke {CONTROLLER} from {role};", by="a superuser"))
    else:
        fixes.append(
            Fix(sql=f"create role names_runner login password '…' in role {RUNNER};",
                by="a superuser; then set RUNNER_DATABASE_URL to that role")
        )  # fmt: skip
    return warning(f"the role {session['role']} of runners may do more than they need: {_listed(further)}", *fixes)


def _listed(rights: set[TableRight]) -> str:
    """The rights by table, the first ones by name."""
    texts = sorted({f"{right.privilege} on {right.table}" for right in rights})
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _quoted(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'
