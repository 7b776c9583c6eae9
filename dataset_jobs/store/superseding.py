"""A dataset that takes the place of others: what clients may ask for. What comes of it is the load's; see covering."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.rows import DictRow

from dataset_jobs.store.client_connection import ClientConnection, Transaction
from dataset_jobs.store.refusals import Conflict, NotFound, Refused
from dataset_jobs.store.submission import Submission


def check_replaced(database: ClientConnection, submission: Submission, country_id: UUID) -> None:
    """Refuses to replace what cannot be replaced; what becomes of it until the load is for the load to see."""
    found = {row["id"]: row for row in database.all("submit.replaced", ids=list(submission.supersedes))}
    for other_id in submission.supersedes:
        other = found.get(other_id)
        if other is None:
            raise NotFound(f"{submission.filename} cannot replace dataset {other_id}: there is no such dataset")
        what = f"{submission.filename} cannot replace dataset {other_id} ({other['filename']})"
        if other["country_id"] != country_id:
            raise Refused(f"{what}: that one is of another country")
        if not other["loaded"]:
            raise Conflict(f"{what}: that one is not loaded; delete it: affirm-worker datasets delete {other_id}")
        newer = database.all("coverage.superseded_by", dataset_key=other["key"])
        if newer and not newer[0]["partly"]:
            raise Conflict(f"{what}: that one is superseded already, by {_named(newer)}; replace that")


def _named(datasets: Sequence[DictRow]) -> str:
    return " and ".join(f"dataset {row['id']} ({row['filename']})" for row in datasets)


def refuse_superseded(transaction: Transaction, dataset: DictRow) -> None:
    """Raises Conflict where nothing of a dataset counts any more: to load it again would change nothing."""
    newer = transaction.all("coverage.superseded_by", dataset_key=dataset["key"])
    if newer and not newer[0]["partly"]:
        raise Conflict(
            f"dataset {dataset['id']} ({dataset['filename']}) is superseded by {_named(newer)}, and does not count; it"
            f" does again when that is deleted: affirm-worker datasets delete {newer[0]['id']}"
        )


def refuse_to_uncover(transaction: Transaction, dataset: DictRow) -> None:
    """Raises Conflict where several datasets would count for the same if this one were gone."""
    twice = transaction.all("coverage.twice_without", dataset_key=dataset["key"])
    if twice:
        raise Conflict(
            f"without dataset {dataset['id']} ({dataset['filename']}), {_named(twice)} would count for the same: delete"
            f" all but one of those first: affirm-worker datasets delete {twice[0]['id']}"
        )
