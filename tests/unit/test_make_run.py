"""`make run`: what it calls, whatever the path of the checkout."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUB = """#!/bin/sh
echo "home=$AFFIRM_WORKER_HOME"
printf '%s\\n' "$@"
"""


@pytest.fixture(params=["plain", "a b", "l'été 50%"])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One that is set up, whose command says how it is called."""
    folder: Path = tmp_path / request.param
    for name in ("requirements/run.txt", "pyproject.toml", ".venv/bin/python", ".venv/.run"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    shutil.copy(ROOT / "Makefile", folder)
    command = folder / ".venv/bin/affirm-worker"
    command.write_text(STUB)
    command.chmod(0o755)
    return folder


def make_run(checkout: Path, *variables: str, **environment: str) -> list[str]:
    inherited = {name: value for name, value in os.environ.items() if name == "PATH"}
    done = subprocess.run(
        ["make", "run", *variables],
        env=inherited | environment,
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_it_has_the_home_of_all_other_commands(checkout: Path) -> None:
    assert make_run(checkout, "FILES=a.txt") == ["home=", "load", "a.txt", "--country", "US"]
    assert make_run(checkout, "FILES=a.txt", AFFIRM_WORKER_HOME="/tmp/x y")[0] == "home=/tmp/x y"


def test_files_with_spaces_are_given_in_quotes(checkout: Path) -> None:
    called = make_run(checkout, "FILES='a b.xlsx' c.txt", "COUNTRY=GB")
    assert called[1:] == ["load", "a b.xlsx", "c.txt", "--country", "GB"]


def test_a_misspelt_variable_does_not_load_the_samples(checkout: Path) -> None:
    done = subprocess.run(["make", "run", "FILE=x"], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "make run takes FILES=, not FILE=" in done.stderr
    assert "load" not in done.stdout


def test_kept_up_it_serves_what_it_has_loaded(checkout: Path) -> None:
    called = make_run(checkout, "FILES=a.txt", "KEEP=1")
    assert called == ["home=", "load", "a.txt", "--country", "US", "home=", "serve", "--with-controller"]


@pytest.mark.parametrize(("code", "serves"), [(1, True), (65, False), (130, False)])
def test_a_load_that_was_refused_or_stopped_is_not_kept_up(checkout: Path, code: int, serves: bool) -> None:
    command = checkout / ".venv/bin/affirm-worker"
    command.write_text(f'#!/bin/sh\necho "$1 $API_LOCAL_ROLE"\n[ "$1" = serve ] || exit {code}\n')
    done = subprocess.run(
        ["make", "run", "FILES=a.txt", "KEEP=1"], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert ("serve uploader" in done.stdout.splitlines()) is serves
