"""New Zealand's lists by Figure.NZ: a line a name, year and rank."""

import pytest

from dataset_jobs.model.causes import Reason
from tests.unit.parsing import opened, refusal, reported, rows

LISTS = (
    "Year,Sex,Rank,Name,Value,Value Unit,Value Label,Null Reason\n"
    "1954,Boys,1,John,1389,number,Number of babies,\n"
    "1954,Girls,1,Christine,779,number,Number of babies,\n"
    "1955,Girls,1,Susan,,number,Number of babies,Not published\n"
)
EXPECTED = [(1954, "M", "John", 1389), (1954, "F", "Christine", 779)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_each_line_is_a_name(delimiter: str) -> None:
    content = LISTS.replace(",", delimiter)
    assert rows(content, "nznames.csv", "NZ") == EXPECTED
    found = reported(content, "nznames.csv", "NZ")
    assert found.left_out == {"lines without a figure": 1}
    assert (found.recognised, found.measure, found.top) == ("nz-figure-nz", "births", 100)


def test_a_name_at_two_ranks_is_added_up() -> None:
    content = LISTS + "1954,Boys,100,John,52,number,Number of babies,\n"
    assert rows(content, "any.csv", "NZ")[0] == (1954, "M", "John", 1441)
    assert reported(content, "any.csv", "NZ").added == {"lines of the same name": 1}


@pytest.mark.parametrize("again", ["1954,Boys,1,John,1389", "1954,Boys,1,David,1389", "1954,Boys,1,John,12"])
def test_a_rank_twice_is_refused_with_both_lines(again: str) -> None:
    error = refusal(f"{LISTS}{again},number,Number of babies,\n", "any.csv", "NZ")
    assert str(error).startswith("any.csv, line 5: the same year, sex and rank as in line 2")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("number,Number", "percent,Number", "line 2: expected number and Number of babies in fields 6 and 7"),
        ("Number of babies", "Number of dogs", "line 2: expected number and Number of babies in fields 6 and 7"),
        ("Boys", "All", "line 2: expected Girls or Boys as the sex"),
        ("1389", "1,389", "line 2: expected 8 fields, found 9"),
        ("1389", "1389.5", "line 2: expected a whole number"),
        ("Null Reason", "Reason", "no known format of NZ"),
    ],
)
def test_what_counts_no_babies_is_refused(old: str, new: str, said: str) -> None:
    assert said in str(refusal(LISTS.replace(old, new), "any.csv", "NZ"))


def test_hints_must_not_contradict_the_lines() -> None:
    assert refusal(LISTS, "any.csv", "NZ", sex="F").reason is Reason.CONTRADICTORY
    assert refusal(LISTS, "any.csv", "NZ", year=1953).reason is Reason.CONTRADICTORY
    assert opened(LISTS, "any.csv", "NZ").region is None
