"""The status of a ParserPool."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from controller.pools.status import MESSAGE_LIMIT, SpecState, pool_status
from dataset_jobs.model.pools import PoolFigures
from dataset_jobs.model.text import one_line
from tests.unit import chart

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
TEMPLATE = {"runner": {"image": "runner:1"}}
IDLE = PoolFigures("default", NOW, 0, 0, 0, 0, 0, 10, 100, False)
BUSY = PoolFigures("default", NOW, 7, 2, 8, 2, 10, 10, 100, False, 10, "17 wait or run", NOW - timedelta(minutes=3))
GOOD = SpecState(3, "", 3, TEMPLATE, "affirm.dev/pool=default")
REFUSED = SpecState(3, "spec.podTemplate.spec.containers[0].image: Required value", 2, TEMPLATE, "x")


def status(figures: PoolFigures = IDLE, spec_state: SpecState = GOOD) -> dict[str, Any]:
    return pool_status(figures, spec_state, {})


def conditions(made: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in made["conditions"]}


def test_it_tells_the_figures() -> None:
    made = status(BUSY)
    assert (made["queued"], made["scheduled"], made["running"], made["pending"]) == (7, 2, 8, 2)
    assert (made["desired"], made["reason"], made["selector"]) == (10, "17 wait or run", "affirm.dev/pool=default")
    assert made["oldestQueuedSince"] == "2026-11-24T09:57:00Z"
    assert made["inForce"] == {"generation": 3, **TEMPLATE}
    assert made["observedGeneration"] == 3


def test_all_that_it_writes_is_in_the_schema() -> None:
    crd = yaml.safe_load((chart.CHART / "files" / "parserpools.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    assert {*schema} == {*status(BUSY)}
    everything = SpecState(3, "", 3, {"runner": {}, "podTemplate": {}}, "x")
    assert {*schema["inForce"]["properties"]} == {*status(BUSY, everything)["inForce"]}
    assert {*schema["conditions"]["items"]["properties"]} == {*status(BUSY)["conditions"][0]}


@pytest.mark.parametrize(
    ("figures", "spec_state", "state", "expected"),
    [
        (IDLE, GOOD, "Open", {"Ready": ("True", "Serving"), "Progressing": ("False", "Idle"),
                              "Limited": ("False", "WithinLimits"), "Blocked": ("False", "NotBlocked")}),
        (BUSY, GOOD, "Limited", {"Ready": ("True", "Serving"), "Progressing": ("True", "Running"),
                                   "Limited": ("True", "AtMaximum")}),
        (replace(BUSY, queued=0), GOOD, "Open", {"Limited": ("False", "WithinLimits")}),
        (replace(BUSY, maximum=50, max_pending=2), GOOD, "Limited", {"Limited": ("True", "PendingPods")}),
        (replace(BUSY, running=0, waits_for_error="0/3 nodes"), GOOD, "Limited",
         {"Progressing": ("True", "WaitingForRoom")}),
        (replace(BUSY, paused=True, running=0, pending=0, in_use=0), GOOD, "Paused",
         {"Ready": ("False", "Paused"), "Progressing": ("False", "Waiting"), "Limited": ("False", "WithinLimits")}),
        (replace(IDLE, blocked_cause="cannot_start", blocked_reason="image", blocked_error="no such"), GOOD, "Blocked",
         {"Ready": ("False", "Blocked"), "Blocked": ("True", "Image")}),
        (replace(IDLE, blocked_cause="cannot_start", blocked_error="x"), GOOD, "Blocked",
         {"Blocked": ("True", "CannotStart")}),
        (BUSY, REFUSED, "Refused", {"Ready": ("False", "Refused"), "Progressing": ("True", "Running")}),
    ],
)  # fmt: skip
def test_state_and_conditions_follow_from_the_facts(
    figures: PoolFigures, spec_state: SpecState, state: str, expected: dict[str, tuple[str, str]]
) -> None:
    made = status(figures, spec_state)
    assert made["state"] == state
    assert expected.items() <= conditions(made).items()


def test_a_refusal_names_the_path_and_what_holds_instead() -> None:
    [ready] = [one for one in status(BUSY, REFUSED)["conditions"] if one["type"] == "Ready"]
    assert ready["message"] == (
        "generation 3 is refused, and runs are made as generation 2 has it: "
        "spec.podTemplate.spec.containers[0].image: Required value"
    )
    [ready] = [one for one in status(BUSY, replace(REFUSED, in_force=None))["conditions"] if one["type"] == "Ready"]
    assert "nothing of it is in force" in ready["message"]


@pytest.mark.parametrize("figures", [IDLE, BUSY])
@pytest.mark.parametrize("spec_state", [GOOD, REFUSED])
def test_nothing_is_written_while_nothing_changes_however_long_that_takes(
    figures: PoolFigures, spec_state: SpecState
) -> None:
    made = status(figures, spec_state)
    stored = {name: value for name, value in made.items() if value is not None}
    assert pool_status(replace(figures, now=LATER), spec_state, stored) == {}


def test_only_changes_of_the_status_are_written() -> None:
    """Only a changed condition has a new time."""
    before = status(BUSY)
    changed = pool_status(replace(BUSY, now=LATER, queued=0, oldest_queued_since=None), GOOD, before)
    assert {*changed} == {"state", "queued", "oldestQueuedSince", "conditions"}
    assert changed["oldestQueuedSince"] is None
    times = {one["type"]: one["lastTransitionTime"] for one in changed["conditions"]}
    assert times["Limited"] == "2026-11-24T10:05:00Z"
    assert times["Ready"] == times["Progressing"] == times["Blocked"] == "2026-11-24T10:00:00Z"


def test_what_others_say_is_one_line_within_its_bytes() -> None:
    figures = replace(
        IDLE, blocked_cause="cannot_start", blocked_reason="image", blocked_error="\x1b[2J\n" + "名" * 999
    )
    made = status(figures, replace(GOOD, refusal="\u202e" + "名" * 999))
    for condition in made["conditions"]:
        assert len(condition["message"].encode()) <= MESSAGE_LIMIT
        assert condition["message"] == one_line(condition["message"])
