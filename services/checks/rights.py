"""Checks of rights: what our roles may do in the database, against what `grants.sql` grants. Nothing is changed."""

from collections.abc import Iterator

from dataset_jobs.migrations.rights import CONTROLLER, EVERY_TABLE, RUNNER, TableRight, rights_of
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.store.client_connection import ClientConnection, ClientDatabase, Row
from services.checks.findings import Finding, Fix, ok, warning, wrong

_SHOWN = 4
"""Rights that are named; of more it says how many."""


def check_rights(database: ClientDatabase, schema: str) -> list[Finding]:
    """Whether the role can do what controllers and clients do."""
    missing, _ = _compare(database, schema, CONTROLLER)
    session = database.only("doctor.session")
    found = [*_missing(database, session, missing, CONTROLLER, "controllers and commands need")]
    terminating = database.only("doctor.terminating", schema=schema)
    if terminating["there"] and not terminating["callable"]:
        found.append(_refused_function(session, CONTROLLER))
    elif terminating["there"] and not terminating["effective"]:
        owner = quoted(terminating["owner"])
        found.append(
            warning(
                f"the owner of the tables, {terminating['owner']}, may not end connections of other roles: a run that"
                " is given up while it loads keeps its slot until its connection is gone",
                Fix(sql=f"grant pg_signal_backend to {owner};", by="a superuser"),
            )
        )
    return found or [ok(f"the role {session['role']} may do what controllers and commands do")]


def check_runner_login(runner: ClientConnection, main: ClientDatabase, schema: str) -> list[Finding]:
    """Whether the login of runners leads to the same database, and has the rights of a runner and no others."""
    session, other = runner.only("doctor.session"), main.only("doctor.session")
    if is_other_database(session, other):
        return [wrong("RUNNER_DATABASE_URL leads to another database than DATABASE_URL")]
    if not runner.only("doctor.schema", schema=schema)["usable"]:
        role = session["role"]
        return [wrong(f"the role {role} may not use the schema {schema}", *grants(runner, role, RUNNER))]
    missing, further = _compare(runner, schema, RUNNER)
    found = [*_missing(runner, session, missing, RUNNER, "runners need")]
    terminating = runner.only("doctor.terminating", schema=schema)
    if terminating["there"] and not terminating["callable"]:
        found.append(_refused_function(session, RUNNER))
    if session["superuser"]:
        role = quoted(session["role"])
        found.append(
            warning(
                f"the role {session['role']} of runners is a superuser: a fault in a parser could do anything",
                Fix(sql=f"alter role {role} nosuperuser; grant {RUNNER} to {role};", by="a superuser"),
            )
        )
    elif further:
        found.append(_too_many(runner, session, further))
    return found or [ok(f"the role {session['role']} has the rights that runners need, and no more")]


def grants(database: ClientDatabase, role: str, group: str) -> tuple[Fix, ...]:
    """How the role gets the rights of a group: by becoming a member; or the group gets them anew."""
    state = database.only("doctor.groups", group=group)
    if state["member"]:
        return (Fix(Hint(Action.MIGRATE), by="the owner of the tables"),)
    made = () if state["there"] else (Fix(Hint(Action.MIGRATE), by="a role that may create roles"),)
    return (*made, Fix(sql=f"grant {group} to {quoted(role)};", by="a superuser"))


def is_other_database(one: Row, other: Row) -> bool:
    """Whether two sessions are on different databases; a server is known by the moment of its start."""
    return bool((one["database"], one["started"]) != (other["database"], other["started"]))


def quoted(role: str) -> str:
    """A role's name as SQL takes it."""
    return '"' + role.replace('"', '""') + '"'


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
        yield wrong(f"the role {role} lacks rights that {who}: {_listed(missing)}", *grants(database, role, group))


def _refused_function(session: Row, group: str) -> Finding:
    role = session["role"]
    sql = f"grant {group} to {quoted(role)};"
    return wrong(f"the role {role} may not call terminate_runners", Fix(sql=sql, by="a superuser"))


def _too_many(runner: ClientDatabase, session: Row, further: set[TableRight]) -> Finding:
    role = quoted(session["role"])
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
