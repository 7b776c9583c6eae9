"""`affirm-worker reprocess`."""

from typing import Annotated, Any

import typer

from cli.lazy import single
from cli.options.common import AsJson, Priority, RunAt
from cli.screen import output
from cli.session import session
from cli.waiting import Timeout, Wait, check_timeout, wait_and_tell
from cli.wording.obstacles import unserved_in_words

EPILOG = """
\b
Examples:
  affirm-worker reprocess 0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91
  affirm-worker reprocess 0f9c5d4e --priority -5 --run-at 12h --json
  affirm-worker reprocess 0f9c5d4e --wait --timeout 10m
"""
DatasetId = Annotated[
    str, typer.Argument(metavar="DATASET_ID", help="The dataset; the first digits of its id are enough.")
]
commands = single()


@commands.command(epilog=EPILOG)
def reprocess(
    dataset_id: DatasetId,
    priority: Priority = 0,
    run_at: RunAt = None,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Enqueues a job that loads a dataset again.

    It reads the stored file. The rows there are stay readable until the new ones are committed, and stay
    if the job fails. With --wait the exit code is 0 if it is loaded, else 1; --json then prints the job when it
    is over.
    """
    check_timeout(timeout, wait=wait)
    with session() as it:
        dataset = it.client.datasets.find(dataset_id)
        job, kind = it.client.datasets.reprocess(dataset, priority=priority, pool=it.pool, run_at=run_at)
        unserved = it.client.unserved(it.pool)
        result: dict[str, Any] = {
            "dataset_id": dataset,
            "job_id": job,
            "type": kind,
            "controller_running": unserved is None,
        }
        if not as_json:
            output.say(f"job {job} ({kind}) for dataset {dataset} is {'queued' if run_at is None else 'scheduled'}")
        elif not wait:
            output.print_json(result)
        if unserved is not None and not wait:  # while it waits it says so itself
            output.said_no(unserved_in_words(unserved, it.settings.pool))
        if wait:
            wait_and_tell(it, [job], timeout, as_json=as_json)
