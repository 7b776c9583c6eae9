"""Lists of name, sex and count without headings: the US publisher's are never births of Portugal, nor the reverse."""

from pathlib import Path

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.hints import Action
from tests.unit.parsing import refusal, rows

DATA = Path(__file__).parents[1] / "data"
US = sorted((DATA / "us" / "national").glob("*.txt"))
PORTUGAL = sorted((DATA / "pt").glob("*.csv"))


def cut(path: Path, first: int, lines: int) -> bytes:
    return b"".join(path.read_bytes().splitlines(keepends=True)[first : first + lines])


@pytest.mark.parametrize("path", US[::3], ids=lambda path: path.name)
@pytest.mark.parametrize("name", ["nomes-registados-2017.csv", "names.csv", "yob2017.txt"])
def test_a_us_file_is_never_portugals(path: Path, name: str) -> None:
    for hints in (FileHints(year=2017), FileHints(year=2017, format="pt-irn-bare")):
        for content in (path.read_bytes(), path.read_bytes().replace(b"\r\n", b"\n"), path.read_bytes().upper()):
            assert refusal(content, name, "PT", hints=hints).reason is Reason.INVALID_FORMAT


@pytest.mark.parametrize("path", PORTUGAL, ids=lambda path: path.name)
def test_a_file_of_portugal_is_never_the_us(path: Path) -> None:
    for hints in (FileHints(year=2016), FileHints(year=2016, format="us-ssa-national")):
        for content in (path.read_bytes(), path.read_bytes().decode().upper().encode(), cut(path, 1, 40)):
            for name in ("yob2016.txt", "names.csv", path.name):
                assert refusal(content, name, "US", hints=hints).reason is Reason.INVALID_FORMAT


@pytest.mark.parametrize("lines", [1, 2, 10, 99, 100, 500])
@pytest.mark.parametrize("first", [0, 17_000, 31_000])
def test_a_cut_of_a_us_file_is_read(first: int, lines: int) -> None:
    for content in (cut(US[0], first, lines), cut(US[0], first, lines).replace(b"\r\n", b"\n")):
        assert len(rows(content, "yob2015.txt", "US")) == len(rows(content, "any", "US", year=2015)) == lines
        assert refusal(content, "any", "PT", year=2015).reason in (Reason.INVALID_FORMAT, Reason.UNDECIDED)


@pytest.mark.parametrize("lines", [10, 99, 100, 500])
@pytest.mark.parametrize("path", PORTUGAL[1:], ids=lambda path: path.name)
def test_a_cut_of_a_file_of_portugal_is_read(path: Path, lines: int) -> None:
    for first in (0, 1000, 2500):
        assert rows(cut(path, first, lines), "any", "PT", year=2016)
        assert refusal(cut(path, first, lines), "any", "US", year=2016).reason is Reason.INVALID_FORMAT


SAME = "Maria,F,700\nMatilde,F,500\nRodrigo,M,500\n"
MIXED = "Maria,F,700\nRodrigo,M,600\nMatilde,F,500\nDiogo,M,400\nLeonor,F,300\n"


def test_the_files_name_tells_a_few_lines() -> None:
    assert rows(SAME, "nomes-registados-2016.csv", "PT")
    assert rows(SAME, "yob2016.txt", "US")
    assert refusal(SAME, "nomes-registados-2016.csv", "US", year=2016).reason is Reason.INVALID_FORMAT
    assert refusal(SAME, "yob2016.txt", "PT", year=2016).reason is Reason.INVALID_FORMAT
    assert rows(MIXED, "yob2016.txt", "US")


def test_few_lines_of_portugal_need_a_word() -> None:
    error = refusal(SAME, "names.csv", "PT", year=2016)
    assert error.reason is Reason.UNDECIDED
    assert [(hint.action, hint.country, hint.format) for hint in error.hints] == [
        (Action.SUBMIT_AS_FORMAT, "PT", "pt-irn-bare")
    ]
    assert len(rows(SAME, "names.csv", "PT", hints=FileHints(year=2016, format="pt-irn-bare"))) == 3


def test_few_lines_in_disorder_need_a_word() -> None:
    error = refusal(MIXED, "names.csv", "US", year=2016)
    assert error.reason is Reason.UNDECIDED
    assert [(hint.country, hint.format) for hint in error.hints] == [("US", "us-ssa-national")]
    assert len(rows(MIXED, "names.csv", "US", hints=FileHints(year=2016, format="us-ssa-national"))) == 5
    assert len(rows(SAME, "names.csv", "US", year=2016)) == 3


def test_many_lines_in_disorder_need_a_word() -> None:
    """A list of a state, of names with five children or more, in its own order."""
    by_name = b"\n".join(sorted(cut(US[0], 0, 500).splitlines()))
    assert refusal(by_name, "california_2016.csv", "US", year=2016).reason is Reason.UNDECIDED
    assert len(rows(by_name, "yob2016.txt", "US")) == 500
    assert len(rows(by_name, "any", "US", hints=FileHints(year=2016, format="us-ssa-national"))) == 500


@pytest.mark.parametrize(
    "content",
    [
        "MARIA,F,700\nRODRIGO,M,500\n",
        "maria,F,700\nrodrigo,M,500\n",
        "Maria,F,700\nJoão,M,500\n",
        "Maria,F,700\nSantiago,I,1\n",
        "Maria,F,3\nRodrigo,M,1\n",
    ],
)
def test_one_habit_of_portugal_tells_a_few_lines(content: str) -> None:
    assert rows(content, "any", "PT", year=2016)
    assert refusal(content, "yob2016.txt", "US").reason is Reason.INVALID_FORMAT


def test_one_changed_line_makes_no_other_publisher() -> None:
    changed = cut(US[0], 0, 200) + "Zoë,F,5\nAda,F,3\n".encode()
    assert len(rows(changed, "yob2015.txt", "US")) == 202
    assert refusal(changed, "nomes.csv", "PT", year=2015).reason is Reason.INVALID_FORMAT
