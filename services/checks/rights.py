"""Checks of rights: what our roles may do in the database, against what `grants.sql` grants. Nothing is changed."""

from collections.abc import Iterable, Iterator

from dataset_jobs.migrations.rights import CONTROLLER, EVERY_TABLE, RUNNER, TableRight, functions_of, rights_of
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.store.client_connection import ClientDatabase, Row
from services.checks.findings import Finding, Fix, ok, warning, wrong

_SHOWN = 4
"""Rights that are named; of more it says how many."""

NEW_RUNNER = Fix(
    sql=f"create role names_runner login password '…' connection limit 50 in role {RUNNER};",
    by="a superuser; then set RUNNER_DATABASE_URL to that role",
)
NEW_CONTROLLER = Fix(
    sql=f"create role names_controller login password '…' connection limit 25 in role {CONTROLLER};",
    by="a superuser; then set DATABASE_URL to that role, except for migrations",
)
"""Logins as docs/operations.md makes them."""


def check_rights(database: ClientDatabase, schema: str) -> list[Finding]:
    """Whether the role can do what controllers and clients do."""
    session = database.only("doctor.session")
    found = [*lacking(database, session["role"], schema, CONTROLLER, "controllers and commands need")]
    terminating = database.only("doctor.terminating", schema=schema)
    if terminating["callable"] and not terminating["effective"]:
        owner = quoted(terminating["owner"])
        found.append(
            warning(
                f"the owner of the tables, {terminating['owner']}, may not end connections of other roles: a run that"
                " is given up while it loads keeps its slot until its connection is gone",
                Fix(sql=f"grant pg_signal_backend to {owner};", by="a superuser"),
            )
        )
    return found or [ok(f"the role {session['role']} may do what controllers and commands do")]


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


def compare(database: ClientDatabase, schema: str, group: str) -> tuple[set[TableRight], set[TableRight]]:
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


def lacking(database: ClientDatabase, role: str, schema: str, group: str, who: str) -> Iterator[Finding]:
    """What the role lacks of a group's rights on tables, and which functions it may not call."""
    missing, _ = compare(database, schema, group)
    if missing:
        yield wrong(f"the role {role} lacks rights that {who}: {listed(missing)}", *grants(database, role, group))
    functions = {row["name"]: row["callable"] for row in database.all("doctor.functions", schema=schema)}
    refused = sorted(name for name in functions_of(group) if not functions.get(name))
    if refused:
        called = named(refused)
        yield wrong(f"the role {role} may not call functions that {who}: {called}", *grants(database, role, group))


def listed(rights: set[TableRight]) -> str:
    """The rights by table, the first ones by name."""
    return named(sorted({f"{right.privilege} on {right.table}" for right in rights}))


def named(names: Iterable[str]) -> str:
    """The first ones by name, and how many more there are."""
    texts = [*names]
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
