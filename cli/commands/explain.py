"""`affirm-worker jobs explain`."""

import dataclasses
from typing import Any

from cli.options.common import AsJson, JobId
from cli.screen import output
from cli.screen.listing import Utc
from cli.session import session
from cli.wording.hints import advice_in_words
from cli.wording.obstacles import waits_in_words
from cli.wording.story import story
from services.story import Story

EPILOG = """
\b
Examples:
  affirm-worker jobs explain 5a7c910f
  affirm-worker jobs explain 5a7c910f-6f0b-4c0e-9a4e-2d1f3b5a7c91 --json
"""


def explain(
    job_id: JobId,
    utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Tells a job's story: every run with its end and the decision after it, and advice.

    All of it comes from the database, also long after the pods are gone.
    """
    with session() as it:
        told = it.client.story(it.client.jobs.find(job_id))
    if as_json:
        output.print_json(_as_json(told))
    else:
        output.say(*story(told))


def _as_json(told: Story) -> dict[str, Any]:
    return {
        "job": told.job,
        "sentence": told.sentence,
        "next_try": told.next_try,
        "waiting": told.waiting,
        "waits": waits_in_words(told),
        "runs": [
            {field.name: getattr(one.run, field.name) for field in dataclasses.fields(one.run)}
            | {"log": one.log, "advice": " ".join(map(advice_in_words, one.advice)) or None}
            for one in told.runs
        ],
        "timeline": told.timeline,
        "to_do": [advice_in_words(step) for step in told.advice],
        "actions": told.actions,
    }
