"""Datasets that take the place of others: what clients can ask for. The load does it; see `store/coverage.py`."""

from collections.abc import Sequence
from uuid import UUID

from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.store.client_connection import ClientDatabase, Row, Transaction
from services.submission import Submission


def check_replaced(database: ClientDatabase, submission: Submission, country_id: UUID) -> None:
    """Refuses a replacement that is impossible now. The load checks again."""
    if not submission.supersedes:
        return
    found = {row["id"]: row for row in database.all("submit.replaced", ids=list(submission.supersedes))}
    for other_id in submission.supersedes:
        other = found.get(other_id)
        if other is None:
            raise NotFound(f"{submission.filename} cannot replace dataset {other_id}: there is no such dataset")
        what = f"{submission.filename} cannot replace dataset {other_id} ({other['filename']})"
        if other["country_id"] != country_id:
            raise InvalidRequest(f"{what}: that one is of another country")
        if not other["loaded"]:
            raise Conflict(
                f"{what}: that one is not loaded; delete it", hints=[Hint(Action.DELETE_DATASET, dataset_id=other_id)]
            )
        newer = database.all("coverage.superseded_by", dataset_key=other["key"])
        if newer and not newer[0]["partly"]:
            raise Conflict(f"{what}: that one is superseded already, by {_named(newer)}; replace that")


def _named(datasets: Sequence[Row]) -> str:
    return " and ".join(f"dataset {row['id']} ({row['filename']})" for row in datasets)


def refuse_superseded(asked: Transaction | ClientDatabase, dataset: Row) -> None:
    """Raises Conflict if a dataset is superseded wholly: loading it again would change nothing."""
    newer = asked.all("coverage.superseded_by", dataset_key=dataset["key"])
    if newer and not newer[0]["partly"]:
        raise Conflict(
            f"dataset {dataset['id']} ({dataset['filename']}) is superseded by {_named(newer)}, and does not count; it"
            " does again when that is deleted",
            hints=[Hint(Action.DELETE_DATASET, dataset_id=newer[0]["id"])],
        )


def refuse_to_uncover(asked: Transaction | ClientDatabase, dataset: Row) -> None:
    """Raises Conflict if several datasets would count for the same without this one."""
    twice = asked.all("coverage.twice_without", dataset_key=dataset["key"])
    if twice:
        raise Conflict(
            f"without dataset {dataset['id']} ({dataset['filename']}), {_named(twice)} would count for the same: delete"
            " all but one of those first",
            hints=[Hint(Action.DELETE_DATASET, dataset_id=twice[0]["id"])],
        )
