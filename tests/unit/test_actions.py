"""Actions as buttons and links have them."""

from uuid import UUID

import pytest

from dataset_jobs.model.hints import Action, Advice, Hint
from services.actions import Offer, Target, Verb, offer
from services.to_json import to_json

JOB, DATASET = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize("action", Action)
def test_every_action_has_a_target_and_a_label(action: Action) -> None:
    made = offer(Hint(action, JOB, DATASET, "name", "US", file="a.txt"))
    assert made.label
    assert "affirm-worker" not in made.label
    needs_id = {Target.JOB: str(JOB), Target.DATASET: str(DATASET), Target.POOL: "name", Target.SCHEDULE: "name"}
    assert made.id == needs_id.get(made.target, made.id)


def test_a_file_is_submitted_again_with_what_was_said() -> None:
    hint = Hint(Action.SUBMIT_WITH_YEAR, JOB, DATASET, country="FR", file="a.csv", region="FR-75C", sex="F")
    said = {"country": "FR", "filename": "a.csv", "region": "FR-75C", "sex": "F"}
    assert offer(hint) == Offer(
        Verb.RESUBMIT, Target.FILE, None, "Upload it again with its year", said, ("file", "year")
    )


def test_a_format_that_nobody_said_is_asked_for() -> None:
    made = offer(Hint(Action.SUBMIT_AS_FORMAT, JOB, country="AU", file="a.csv", format="NAME", region="CODE"))
    assert made.parameters == {"country": "AU", "filename": "a.csv"}
    assert made.asks == ("file", "format", "region")


def test_a_replacement_names_the_dataset_or_asks_for_it() -> None:
    assert offer(Hint(Action.SUBMIT_AS_REPLACEMENT, dataset_id=DATASET)).parameters["replaces"] == str(DATASET)
    assert offer(Hint(Action.SUBMIT_AS_REPLACEMENT)).asks == ("file", "replaces")


def test_advice_in_json_has_its_actions() -> None:
    document = to_json(Advice("Retry it.", (Hint(Action.RETRY_JOB, JOB, DATASET, country="US"),)))
    assert document["text"] == "Retry it."
    assert document["actions"] == [
        {"action": "retry", "target": "job", "id": str(JOB), "label": "Retry now", "parameters": {}, "asks": []}
    ]
