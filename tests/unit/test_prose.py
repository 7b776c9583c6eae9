"""Sentences on a terminal break between words; ids are whole, and a command has a line of its own."""

import pytest

from cli.screen.prose import fitted
from cli.screen.table import width_of

ID = "0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91"
SENTENCES = [
    f"error         rejected: yob1991.txt, line 7: the same name as in line 1; see dataset {ID} for the same year",
    f"affirm-worker: dataset {ID} has a job that is not finished yet: affirm-worker jobs show {ID}",
    "no controller that claims from pool default is running, so 12 jobs wait: POOL=default affirm-worker run",
    f"  - It failed and stays so: affirm-worker jobs retry {ID} or affirm-worker reprocess {ID}.",
]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_word_is_broken_and_none_is_lost(sentence: str, width: int) -> None:
    lines = [*fitted(sentence, width)]
    assert " ".join(" ".join(lines).split()).rstrip(".") == " ".join(sentence.split()).rstrip(".")
    for line in lines:
        assert width_of(line) <= width or len(line.split()) == 1 or "affirm-worker " in line


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_command_has_a_line_of_its_own(width: int) -> None:
    lines = [*fitted(SENTENCES[3], width)]
    assert lines[-3:] == [f"      affirm-worker jobs retry {ID}", "    or", f"      affirm-worker reprocess {ID}"]
    assert [*fitted(SENTENCES[2], width)][-1] == "  POOL=default affirm-worker run"


def test_a_line_that_is_a_command_stays_as_it_is() -> None:
    line = f"    affirm-worker jobs explain {ID}"
    assert [*fitted(line, 20)] == [line]


def test_a_value_stays_in_its_column() -> None:
    first, *others = fitted(SENTENCES[0], 60)
    assert first.startswith("error         rejected")
    assert others and all(line.startswith(" " * 14) and line[14] != " " for line in others)


def test_what_is_wider_than_its_letters_is_measured() -> None:
    assert [*fitted("名前 名前 名前", 10)] == ["名前 名前", "  名前"]
