"""Writes the coverage of a load, and the datasets that it replaces: in its transaction, after the rows and the fence.

A unique index decides which of two datasets counts. So this is safe for loads that commit at the same time: the second
one waits for the first. See docs/decisions/0008-what-counts.md.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import DictRow

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.coverage import Covered, years_in_words
from dataset_jobs.model.errors import Rejected, Unavailable
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.store.runner_values import Assignment, Loaded
from dataset_jobs.store.statements import statement


def cover(connection: psycopg.Connection[DictRow], assignment: Assignment, loaded: Loaded) -> None:
    """Writes what the dataset's new rows are of.

    Args:
        connection: in the load's transaction.
        assignment: whose rows.
        loaded: their description.

    Raises:
        Rejected: another dataset counts for some of it, and neither was submitted to replace the other.
        Unavailable: that other one was deleted in the meantime.
    """
    about = {
        "dataset_id": assignment.dataset_id,
        "dataset_key": assignment.dataset_key,
        "country_id": assignment.country_id,
        "region": loaded.region,
        "measure": loaded.measure,
        **_columns(loaded.coverage),
    }
    connection.execute(statement("coverage.uncover"), about)
    if assignment.supersedes:
        connection.execute(statement("coverage.supersede"), {**about, "supersedes": assignment.supersedes})
    counts = {(row["year"], row["gender"]) for row in connection.execute(statement("coverage.cover"), about)}
    left = [one for one in loaded.coverage if (one.year, one.gender) not in counts]
    if not left:
        return
    others = connection.execute(statement("coverage.overlapping"), {**about, **_columns(left)}).fetchall()
    if foreign := [other for other in others if not other["replaces_this"]]:
        raise _refused(assignment, loaded, foreign)
    holders = {(other["year"], other["gender"]): other["key"] for other in others}
    if len(holders) != len(left):
        raise Unavailable("database: a dataset that counts for the same was deleted just now", Reason.DATABASE)
    found = [holders[one.year, one.gender] for one in left]
    connection.execute(statement("coverage.cover_superseded"), {**about, **_columns(left), "holders": found})


def _columns(coverage: Sequence[Covered]) -> dict[str, Any]:
    return {
        "years": [one.year for one in coverage],
        "genders": [one.gender for one in coverage],
        "row_counts": [one.rows for one in coverage],
        "total_counts": [one.total for one in coverage],
    }


def _refused(assignment: Assignment, loaded: Loaded, others: Sequence[DictRow]) -> Rejected:
    """Names this dataset, and the first of those that it overlaps."""
    other = others[0]
    same = [one for one in others if one["key"] == other["key"]]
    years, sexes = years_in_words(one["year"] for one in same), " and ".join(sorted({one["gender"] for one in same}))
    more = len({one["key"] for one in others}) - 1
    message = (
        f"{loaded.measure} of {loaded.region or assignment.country}, {sexes}, {years} would count twice: in this file"
        f" (dataset {assignment.dataset_id}) and in {other['filename']} (dataset {other['id']})"
        f"{f' and {more} more' if more else ''}; if this file is to take the place of that one, submit it again as"
        " its replacement"
    )
    hints = [
        Hint(Action.SUBMIT_AS_REPLACEMENT, dataset_id=other["id"], country=assignment.country),
        Hint(Action.DELETE_DATASET, dataset_id=assignment.dataset_id),
    ]
    return Rejected(Reason.OVERLAPPING, assignment.filename, message, hints=hints)
