"""The steps of a tick, as the documentation lists them."""

import re
from pathlib import Path
from typing import Any, cast

from controller.loop import Reconciler
from tests.fakes.launcher import FakeLauncher
from tests.kit.controller import controller

TEXT = Path(__file__).parents[2].joinpath("docs/architecture.md").read_text()


def steps_of(reconciler: Reconciler) -> list[str]:
    return ["observe", *" and ".join(reconciler.steps()).split(" and ")]


def a_reconciler() -> Reconciler:
    return controller(cast("Any", None), FakeLauncher())


def test_the_documentation_lists_the_steps_in_their_order() -> None:
    steps = steps_of(a_reconciler())
    [sentence] = re.findall(r"A tick of `controller/loop\.py` runs ([a-z, ]+), in this order", TEXT)
    assert re.split(r", | and ", sentence) == steps
    [diagram] = re.findall(r"^ +(observe -->.*)$", TEXT, re.MULTILINE)
    assert diagram.split(" --> ") == steps
    assert [name.lower() for name in re.findall(r"^\*\*(\w+)\*\* \(`controller/steps/", TEXT, re.MULTILINE)] == steps


def test_a_controller_that_stops_claims_and_launches_nothing() -> None:
    reconciler = a_reconciler()
    reconciler.stop_claiming()
    assert steps_of(reconciler) == ["observe", "settle", "rescue", "block", "give up"]
