"""Says why a load is refused: another dataset counts for some of the same. See docs/decisions/0008-what-counts.md."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.coverage import years_in_words
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.store.runner_values import Assignment, Loaded


def refused(assignment: Assignment, loaded: Loaded, others: Sequence[Mapping[str, Any]]) -> Rejected:
    """The refusal; names this dataset, and the first of those that it overlaps.

    Args:
        assignment, loaded: this dataset, and what was to be loaded.
        others: the years and sexes that count already, each with its dataset.
    """
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
        Hint(Action.SUBMIT_AS_REPLACEMENT, dataset_id=UUID(other["id"]), country=assignment.country),
        Hint(Action.DELETE_DATASET, dataset_id=assignment.dataset_id),
    ]
    return Rejected(Reason.OVERLAPPING, assignment.filename, message, hints=hints)
