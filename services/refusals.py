"""What is refused of a job and of its dataset, and why: when it is asked for, and before, so that it is not offered."""

from collections.abc import Callable
from dataclasses import asdict

from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.requests import Conflict
from dataset_jobs.model.states import JobState, JobType, state_of
from dataset_jobs.store.client_connection import ClientDatabase, Row, Transaction
from dataset_jobs.store.views import JobView
from services.replacements import refuse_superseded, refuse_to_uncover


def refuse_to_retry(asked: Transaction | ClientDatabase, job: Row, dataset: Row) -> None:
    """Raises Conflict if a job cannot be put back into the queue.

    Args:
        asked: who reads what else counts.
        job: its id, state, type and end.
        dataset: as `datasets.lock` or `datasets.facts` has it, with `unfinished_job`.
    """
    state = JobState(job["state"])
    if state is JobState.COMPLETED:
        raise Conflict(
            f"job {job['id']} has completed; to load its dataset again, reprocess it",
            hints=[Hint(Action.REPROCESS_DATASET, dataset_id=dataset["id"])],
        )
    if not state.finished:
        raise Conflict(f"job {job['id']} is not finished: it is {state}")
    what = f"job {job['id']} ({dataset['filename']}): its dataset"
    if dataset["unfinished_job"] is not None:
        raise Conflict(
            f"{what} has another job that is not finished yet",
            hints=[Hint(Action.EXPLAIN_JOB, job_id=dataset["unfinished_job"])],
        )
    if dataset["loaded"] and (job["type"] == JobType.PARSE or dataset["loaded_at"] > job["finished_at"]):
        raise Conflict(
            f"{what} was loaded by another job since; to load it again, reprocess it",
            hints=[Hint(Action.REPROCESS_DATASET, dataset_id=dataset["id"])],
        )
    refuse_superseded(asked, dataset)


def refuse_to_reprocess(asked: Transaction | ClientDatabase, dataset: Row) -> None:
    """Raises Conflict if a dataset cannot be loaded again."""
    if dataset["unfinished_job"] is not None:
        raise Conflict(
            f"dataset {dataset['id']} ({dataset['filename']}) has a job that is not finished yet",
            hints=[Hint(Action.EXPLAIN_JOB, job_id=dataset["unfinished_job"])],
        )
    refuse_superseded(asked, dataset)


def refuse_to_delete(asked: Transaction | ClientDatabase, dataset: Row) -> None:
    """Raises Conflict if a dataset cannot be deleted."""
    for held in asked.all("datasets.holding_run", dataset_id=dataset["id"]):
        raise Conflict(
            f"dataset {dataset['id']} ({dataset['filename']}) is held by a run; delete it when that has ended, or"
            " cancel the job first",
            hints=[Hint(Action.CANCEL_JOB, job_id=held["job_id"])],
        )
    refuse_to_uncover(asked, dataset)


def refusals(database: ClientDatabase, job: JobView) -> dict[Action, Conflict]:
    """What would be refused now of a job and its dataset, though its state allows it. Nothing is locked."""
    state = state_of(job.state)
    datasets = database.all("datasets.facts", dataset_id=job.dataset_id)
    if state in (None, JobState.RUNNING) or not datasets:
        return {}
    [dataset] = datasets
    found: dict[Action, Conflict] = {}

    def ask(action: Action, refuse: Callable[[], None]) -> None:
        try:
            refuse()
        except Conflict as refusal:
            found[action] = refusal

    if state in (JobState.FAILED, JobState.CANCELLED):
        ask(Action.RETRY_JOB, lambda: refuse_to_retry(database, asdict(job), dataset))
    ask(Action.REPROCESS_DATASET, lambda: refuse_to_reprocess(database, dataset))
    ask(Action.DELETE_DATASET, lambda: refuse_to_delete(database, dataset))
    return found
