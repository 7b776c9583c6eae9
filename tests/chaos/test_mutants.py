"""The harness bites: chaos finds it if the product lacks one safety."""

from pathlib import Path

import pytest

from tests.chaos.mutants import MUTANTS, chaos, mutate

SEEDS = range(1, 11)
"""What is found depends on chance; not to be found in so many tries is a fault of the harness."""


@pytest.mark.parametrize("name", MUTANTS)
def test_what_comes_of_it_is_found_where(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    mutate(folder, MUTANTS[name])
    for seed in SEEDS:
        done = chaos(folder, name, seed)
        if done.returncode != 0:
            break
    assert done.returncode == 1, done.stdout + done.stderr
    assert "runs=" in done.stdout, done.stderr
