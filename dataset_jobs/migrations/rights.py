"""The rights that each group role needs, as `grants.sql` has them."""

import re
from importlib.resources import files
from typing import NamedTuple

CONTROLLER, RUNNER, API = "affirm_controller", "affirm_runner", "affirm_api"
"""The group roles of controllers and clients, of runners, and of an HTTP API."""

EVERY_TABLE = "*"


class TableRight(NamedTuple):
    """A privilege on a table, or on one of its columns.

    Args:
        table: its name, or `EVERY_TABLE`.
        privilege: such as SELECT.
        column: empty for the whole table.
    """

    table: str
    privilege: str
    column: str = ""


_GRANT = re.compile(r"\bgrant\s+(?P<privileges>[^;']+?)\s+on\s+(?P<tables>[^;']+?)\s+to\s+(?P<roles>[^;']+?)\s*[;']")
_PRIVILEGE = re.compile(r"(\w+)\s*(?:\(([^()]*)\))?")
_NOT_OF_TABLES = ("function", "schema")


def rights_of(role: str) -> frozenset[TableRight]:
    """The rights on tables that `grants.sql` grants to a group role."""
    found: set[TableRight] = set()
    for grant in _GRANT.finditer(_text()):
        tables = grant["tables"].split()
        if role not in _words(grant["roles"]) or tables[0] in _NOT_OF_TABLES:
            continue
        names = [EVERY_TABLE] if tables[:2] == ["all", "tables"] else _words(grant["tables"])
        for privilege, columns in _PRIVILEGE.findall(grant["privileges"]):
            found |= {
                TableRight(table, privilege.upper(), column) for table in names for column in _words(columns) or [""]
            }
    return frozenset(found)


def functions_of(role: str) -> frozenset[str]:
    """The names of the functions that `grants.sql` lets a group role call."""
    return frozenset(
        name
        for grant in _GRANT.finditer(_text())
        if role in _words(grant["roles"]) and grant["tables"].startswith("function")
        for name in re.findall(r"\b(\w+)\s*\(", grant["tables"])
    )


def _text() -> str:
    """`grants.sql`, without its comments."""
    return re.sub(r"--.*", "", files(__package__).joinpath("grants.sql").read_text(encoding="utf-8"))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
