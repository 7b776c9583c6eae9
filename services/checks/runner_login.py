"""Checks of the runners' login: what it may do beyond what `grants.sql` grants to runners. Nothing is changed."""

from collections.abc import Iterator

from dataset_jobs.migrations.rights import RUNNER, functions_of
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.store.client_connection import ClientConnection, ClientDatabase, Row
from services.checks.database import Expected
from services.checks.findings import Finding, Fix, failed, ok, warning, wrong
from services.checks.rights import (
    NEW_CONTROLLER,
    NEW_RUNNER,
    compare,
    grants,
    is_other_database,
    lacking,
    listed,
    named,
    quoted,
)

_SUPERUSER = "a superuser"
_OWNER = "the owner of the tables"


def check_logins(database: ClientDatabase, expected: Expected, runner: str | None) -> list[Finding]:
    """Whether controllers, runners and the owner of the tables have three logins.

    Args:
        database: of the controller's login.
        expected: of the database.
        runner: the role of the runners' own login, if a setting names one.
    """
    session, tables = database.only("doctor.session"), database.only("doctor.owner", schema=expected.schema)
    role = session["role"]
    if expected.embedded:
        return [ok("the embedded Postgres has one login, which this machine's user alone can use")]
    found = []
    if session["superuser"] or tables["owns"]:
        what = "is a superuser" if session["superuser"] else "owns the tables"
        found.append(warning(f"the role {role} of controllers and commands {what}: only migrations need it",
                             NEW_CONTROLLER))  # fmt: skip
    if runner is None:
        found.append(
            warning(
                f"RUNNER_DATABASE_URL is not set: runners that are started with these settings log in as {role}, with"
                " all its rights",
                NEW_RUNNER,
            )
        )
    elif runner == role:
        found.append(warning(f"runners log in as {role}, as controllers do, with all its rights", NEW_RUNNER))
    said = f"controllers log in as {role}, runners as {runner}, and {tables['owner']} owns the tables"
    return found or [ok(said)]


def check_runner_login(
    runner: ClientConnection, main: ClientDatabase, expected: Expected, role: str | None
) -> list[Finding]:
    """Whether the login of runners leads to the same database, and has the rights of a runner and no others.

    Args:
        runner: of the runners' login, not open yet.
        main: of the controller's.
        expected: of the database.
        role: of the runners' login, if its URL says it. Its settings may keep it from logging in, so another looks.
    """
    found = [*_settings(main, role)] if role else []
    try:
        with runner:
            found += _rights(runner, main, expected)
    except RunError as error:
        found.append(failed(error))
    role = role or "of runners"
    return found or [ok(f"the role {role} has the rights that runners need, and no more")]


def _settings(main: ClientDatabase, role: str) -> Iterator[Finding]:
    """A role may change its own settings, and they hold for all that log in after: of runners, for every runner."""
    rows = main.all("doctor.role_settings", role=role)
    if rows:
        name, database = quoted(role), quoted(rows[0]["database"])
        fix = Fix(
            sql=f"alter role {name} reset all; alter role {name} in database {database} reset all;", by=_SUPERUSER
        )
        yield warning(f"the role {role} of runners has settings of its own, which a runner may have made for all that"
                      f" follow: {named(row['setting'] for row in rows)}", fix)  # fmt: skip


def _rights(runner: ClientConnection, main: ClientDatabase, expected: Expected) -> list[Finding]:
    session, other = runner.only("doctor.session"), main.only("doctor.session")
    if is_other_database(session, other):
        return [wrong("RUNNER_DATABASE_URL leads to another database than DATABASE_URL")]
    role = session["role"]
    if not runner.only("doctor.schema", schema=expected.schema)["usable"]:
        return [wrong(f"the role {role} may not use the schema {expected.schema}", *grants(runner, role, RUNNER))]
    found = [*lacking(runner, role, expected.schema, RUNNER, "runners need")]
    if session["superuser"]:
        fix = Fix(sql=f"alter role {quoted(role)} nosuperuser; grant {RUNNER} to {quoted(role)};", by=_SUPERUSER)
        found.append(warning(f"the role {role} of runners is a superuser: a fault in a parser could do anything", fix))
    elif runner.only("doctor.owner", schema=expected.schema)["owns"]:
        found.append(warning(f"the role {role} of runners owns the tables: a fault in a parser could drop them",
                             NEW_RUNNER))  # fmt: skip
    elif role == other["role"]:
        found.append(warning(f"the role {role} of runners is the controller's, with all its rights", NEW_RUNNER))
    else:
        found += _beyond(runner, session, expected)
    return found


def _beyond(runner: ClientDatabase, session: Row, expected: Expected) -> Iterator[Finding]:
    """What the role may do that a runner does not need. It is neither a superuser nor the owner of the tables."""
    role, schema = session["role"], expected.schema
    powers = runner.only("doctor.powers", group=RUNNER)
    _, further = compare(runner, schema, RUNNER)
    functions = [row for row in runner.all("doctor.functions", schema=schema)
                 if row["callable"] and row["name"] not in functions_of(RUNNER)]  # fmt: skip
    revokes = tuple(Fix(sql=one, by=_SUPERUSER) for one in powers["revokes"])
    if further:
        yield warning(f"{_who(session)} may do more than they need: {listed(further)}",
                      *(revokes or _revoked_of_tables(role, schema)))  # fmt: skip
    if functions:
        yield warning(f"{_who(session)} may call more than they need: {named(row['name'] for row in functions)}",
                      *(revokes or _revoked_of_functions(role, functions)))  # fmt: skip
    if powers["groups"]:
        yield warning(f"{_who(session)} is in {named(powers['groups'])}", *revokes)
    if powers["attributes"]:
        fix = Fix(
            sql=f"alter role {quoted(role)} {' '.join(f'no{one}' for one in powers['attributes'])};", by=_SUPERUSER
        )
        yield warning(f"{_who(session)} has {named(powers['attributes'])}", fix)
    yield from _of_others(runner, session, schema)
    yield from _creating(session, powers)
    yield from _connections(session, expected)


def _of_others(runner: ClientDatabase, session: Row, schema: str) -> Iterator[Finding]:
    others = [row["name"] for row in runner.all("doctor.other_tables", schema=schema)]
    if others:
        sql = f"revoke all on {', '.join(others)} from public, {_runners(session['role'])};"
        yield warning(f"{_who(session)} has rights on tables that are not ours: {named(others)}",
                      Fix(sql=sql, by="their owner"))  # fmt: skip


def _creating(session: Row, powers: Row) -> Iterator[Finding]:
    role, database = session["role"], quoted(session["database"])
    for privilege, is_given in (("temporary", powers["temporary"]), ("create", powers["creating"])):
        if is_given:
            what = "temporary tables" if privilege == "temporary" else "schemas"
            sql = f"revoke {privilege} on database {database} from public, {_runners(role)};"
            yield warning(f"{_who(session)} may make {what} in the database",
                          Fix(sql=sql, by=f"{session['owner']}, who owns the database"))  # fmt: skip
    if powers["schemas"]:
        schemas = ", ".join(map(quoted, powers["schemas"]))
        sql = f"revoke create on schema {schemas} from public, {_runners(role)};"
        yield warning(f"{_who(session)} may make tables and functions in {named(powers['schemas'])}",
                      Fix(sql=sql, by="the owner of the schema"))  # fmt: skip


def _connections(session: Row, expected: Expected) -> Iterator[Finding]:
    role, limit, most = session["role"], session["role_limit"], session["most"]
    fix = Fix(sql=f"alter role {quoted(role)} connection limit {max(most // 2, expected.runner_connections)};",
              by=_SUPERUSER)  # fmt: skip
    controllers = expected.connections - expected.runner_connections
    if limit < 0:
        yield warning(f"{_who(session)} has no connection limit: runners can take all {most} connections, and"
                      " keep controllers out", fix)  # fmt: skip
    elif limit > most - controllers:
        yield warning(f"{_who(session)} may have {limit} of {most} connections at once: too few are left for a"
                      f" controller, which takes {controllers}", fix)  # fmt: skip
    elif limit < expected.runner_connections:
        yield warning(f"{_who(session)} may have {limit} connections at once, and the runs of this machine may"
                      f" take {expected.runner_connections}", fix)  # fmt: skip


def _revoked_of_tables(role: str, schema: str) -> tuple[Fix, ...]:
    name = quoted(schema)
    sql = (f"revoke all on all tables in schema {name} from public, {quoted(role)};"
           f" revoke all on all sequences in schema {name} from public, {_runners(role)};")  # fmt: skip
    return Fix(sql=sql, by=_OWNER), Fix(Hint(Action.MIGRATE), by=_OWNER)


def _revoked_of_functions(role: str, functions: list[Row]) -> tuple[Fix, ...]:
    signatures = ", ".join(row["signature"] for row in functions)
    return (Fix(sql=f"revoke execute on function {signatures} from public, {_runners(role)};", by=_OWNER),)


def _who(session: Row) -> str:
    return f"the role {session['role']} of runners"


def _runners(role: str) -> str:
    return f"{quoted(role)}, {RUNNER}"
