"""The workflows on GitHub only call make, with no more rights than they need, and nothing in them can be swapped."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
MAY_WRITE = {
    ("release.yml", "publish"): {"packages", "id-token", "attestations"},
    ("release.yml", "announce"): {"contents"},
}
"""What a job writes; all others only read the code."""

EVERY = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
PINNED = re.compile(r"uses: ([\w-]+/[\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$")


def workflow(path: Path) -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load(path.read_text())
    return read


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = workflow(path)["jobs"]
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path).values():
        yield from job["steps"]


def goals() -> set[str]:
    """What the Makefile has rules for."""
    text = (ROOT / "Makefile").read_text()
    named = re.findall(r"^([a-z0-9-]+(?: [a-z0-9-]+)*):(?!=)", text, re.MULTILINE)
    return {goal for names in named for goal in names.split()} | {".venv/.dev"}


def faults(text: str) -> list[str]:
    """The lines that use an action by a name that somebody can move."""
    used = [line.strip().removeprefix("- ") for line in text.splitlines() if re.match(r"\s*(- )?uses:", line)]
    return [line for line in used if not PINNED.fullmatch(line)]


def test_both_workflows_are_there() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]


@EVERY
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    assert "uses:" in path.read_text()
    assert faults(path.read_text()) == []


def test_one_action_has_one_commit_everywhere() -> None:
    found = [line for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line]
    pins = {line.split("uses: ")[1] for line in found}
    assert len(pins) == len({pin.partition("@")[0] for pin in pins})


@pytest.mark.parametrize("pin", ["v6", "v6.0.2", "main", "de0fac2"])
def test_a_pin_that_can_move_is_seen(pin: str) -> None:
    assert faults(f"      - uses: actions/checkout@{pin} # v6.0.2\n") == [f"uses: actions/checkout@{pin} # v6.0.2"]


@EVERY
def test_every_job_says_its_rights_and_few_write(path: Path) -> None:
    assert workflow(path)["permissions"] == {}, "what a job does not state it does not have"
    for name, job in jobs(path).items():
        rights = job["permissions"]
        assert {right for right, how in rights.items() if how != "read"} == MAY_WRITE.get((path.name, name), set())
        assert {right for right, how in rights.items() if how == "read"} <= {"contents"}
        assert job["timeout-minutes"] <= 120


@EVERY
def test_strangers_changes_run_without_rights_or_secrets(path: Path) -> None:
    """`pull_request_target` and `workflow_run` give a stranger's code the rights of the repository."""
    triggers = workflow(path)[True]  # YAML reads `on` so
    assert {*triggers} <= {"push", "pull_request"}
    if "pull_request" in triggers:
        assert "secrets." not in path.read_text()
        assert not any(one[0] == path.name for one in MAY_WRITE)


@EVERY
def test_every_step_calls_make_and_nothing_else(path: Path) -> None:
    called = [step["run"] for step in steps(path) if "run" in step]
    assert called
    for command in called:
        found = re.fullmatch(r'(?:sudo )?make (?:--silent )?(\S+)(?: >> "\$GITHUB_OUTPUT")?', command)
        assert found, command
        assert found[1] in goals(), f"make {found[1]}: the Makefile has no such goal"


@EVERY
def test_no_shell_reads_what_github_fills_in(path: Path) -> None:
    """A branch may be called $(anything)."""
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


@EVERY
def test_no_later_step_finds_the_token_of_the_checkout(path: Path) -> None:
    checkouts = [step for step in steps(path) if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(jobs(path))
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_nothing_is_pushed_before_everything_is_checked() -> None:
    release = jobs(FOLDER / "release.yml")
    assert release["publish"]["needs"] == "check" and release["announce"]["needs"] == "publish"
    assert {"make check", "make release-check"} <= {step.get("run") for step in release["check"]["steps"]}
