"""Each mutant can still be made: what it changes stands where it should. `make guards` shows that each is found."""

import pytest

from tests.chaos import mutants as of_chaos
from tests.guards import MUTANTS
from tests.kit.changes import ROOT, changed, texts_of

CHANGES = {**{name: mutant.changes for name, mutant in MUTANTS.items()}, **of_chaos.MUTANTS}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_mutant_changes_stands_there_once(name: str) -> None:
    before = texts_of(ROOT, CHANGES[name])
    assert changed(before, CHANGES[name]) != before


@pytest.mark.parametrize("tests", sorted({mutant.tests for mutant in MUTANTS.values()}))
def test_the_tests_that_should_find_a_mutant_are_there(tests: str) -> None:
    for one in tests.split(" "):
        path, _, name = one.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {name}" in text
