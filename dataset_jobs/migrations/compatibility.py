"""Whether this program may work on a database of another schema: an older program may, if the database says so."""

import re
from collections.abc import Callable
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import OtherSchema
from dataset_jobs.model.hints import Action, Hint

FIRST_TO_SAY = 23
"""The first migration that says whether older programs may go on. No program is older and may work beside it."""

_SAYS = re.compile(r"-- Older programs: (go on|stop)\.$", re.MULTILINE)


class Oldest(NamedTuple):
    """The oldest program that may work on a database.

    Args:
        schema: the schema version that it has to know, at least.
        program: the version of a program that knows it.
    """

    schema: int
    program: str


def stops_older_programs(text: str) -> bool:
    """What a migration says in its first line.

    Raises:
        ValueError: it says nothing.
    """
    said = _SAYS.match(text)
    if said is None:
        raise ValueError("a migration begins with '-- Older programs: go on.' or '-- Older programs: stop.'")
    return said[1] == "stop"


def check_schema(version: int, known: int, oldest: Callable[[], Oldest]) -> None:
    """Checks that a program may work on a database.

    Args:
        version: of the database's schema.
        known: the newest version that the program knows.
        oldest: asks the database for the oldest program; called only if its schema is newer than the program.

    Raises:
        OtherSchema: it may not. The message names the versions, and what to do.
    """
    if version < known:
        raise OtherSchema(
            f"the database's schema is older than this affirm-worker: {version}, and {known} is needed; migrate it",
            Reason.DATABASE,
            hints=[Hint(Action.MIGRATE)],
        )
    if version > known and (needed := oldest()).schema > known:
        raise OtherSchema(
            f"the database's schema is newer than this affirm-worker: {version}, which only programs that know"
            f" {needed.schema} may use, and this one knows {known}; install affirm-worker {needed.program} or newer,"
            " or restore a backup from before the upgrade",
            Reason.DATABASE,
        )
