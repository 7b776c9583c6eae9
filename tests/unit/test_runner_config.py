"""RUNNER_CONFIG as others than this version's chart write it."""

import json
from pathlib import Path
from typing import Any

import pytest

from controller.runner_config import read_runner_config, unknown_keys
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.version import own_version
from tests.unit import chart


def written(folder: Path, **more: Any) -> Path:
    path = folder / "runner.json"
    path.write_text(json.dumps(chart.runner_config() | more))
    return path


def test_keys_of_a_newer_chart_stop_no_controller(tmp_path: Path) -> None:
    """One that starts anew while an upgrade is held up finds the newer chart's file."""
    newer = read_runner_config(
        written(tmp_path, runtimeClassName="gvisor", allowed={"secrets": ["mine"], "images": ["a"]}, deadlineSeconds=7)
    )
    assert (newer.deadline_seconds, newer.allowed.secrets) == (7, frozenset({"mine"}))
    said = unknown_keys(newer)
    assert said is not None and said.startswith(
        f"RUNNER_CONFIG has keys that affirm-worker {own_version()} does not know: runtimeClassName, allowed.images."
    )
    assert unknown_keys(read_runner_config(written(tmp_path))) is None


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"image": ""}, "image"),
        ({"deadlineSeconds": "soon"}, "deadlineSeconds"),
        ({"podTemplate": {"sepc": {}}}, "podTemplate.sepc"),
    ],
)
def test_a_wrong_value_is_still_refused(more: dict[str, Any], place: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=rf"runner\.json: {place}: "):
        read_runner_config(written(tmp_path, **more))
