"""Sweden's exports of the Statistical Database: both sexes, years as columns, the newborn only."""

import pytest

from dataset_jobs.model.causes import Reason
from tests.unit.parsing import refusal, reported, rows

EXPORT = (
    '"tilltalsnamn"\t"kön"\t"2021"\t"2022"\r\n'
    '"Åsa"\t"flickor"\t..\t7\r\n'
    '"Åsa"\t"pojkar"\t..\t..\r\n'
    '"Björn"\t"pojkar"\t12\t5\r\n'
)
EXPECTED = [(2022, "F", "Åsa", 7), (2021, "M", "Björn", 12), (2022, "M", "Björn", 5)]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", ["\t", ";", ","])
@pytest.mark.parametrize("title", ["", '"Nyfödda efter tilltalsnamn, kön och år"\r\n\r\n'])
def test_an_export_is_read_with_any_separator(encoding: str, delimiter: str, title: str) -> None:
    content = (title + EXPORT.replace("\t", delimiter)).encode(encoding)
    assert rows(content, "000004F5_20230427-104949.csv", "SE") == EXPECTED


def test_the_columns_may_stand_in_another_order() -> None:
    turned = "\n".join("\t".join(line.split("\t")[::-1]) for line in EXPORT.splitlines())
    assert sorted(rows(turned, "any.csv", "SE")) == sorted(EXPECTED)


def test_an_export_is_of_births() -> None:
    found = reported(EXPORT, "any.csv", "SE")
    assert (found.recognised, found.measure, found.region) == ("se-scb-statbank", "births", None)
    assert found.left_out == {"years without a figure (..)": 3}


@pytest.mark.parametrize("sexes", [("kvinnor", "män"), ("totalt", "pojkar"), ("girls", "boys")])
def test_population_is_not_taken_for_births(sexes: tuple[str, str]) -> None:
    """Of the whole population there are tables with the same headings, of women and men."""
    content = EXPORT.replace("flickor", sexes[0]).replace("pojkar", sexes[1])
    assert "line 2: expected flickor or pojkar as the sex" in str(refusal(content, "any.csv", "SE"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\t12\t", "\t-\t", "line 4: expected a whole number"),
        ("\t12\t", "\t1 2\t", "line 4: expected a whole number"),
        ("\t12\t5", "\t12", "line 4: expected 4 fields, found 3"),
        ('"Björn"', '"Åsa"', "line 5: the same name and sex as in line 4"),
        ('"Björn"', '""', "line 4: expected a name"),
        ('"2021"', '"2022"', "no known format of SE"),
        ('"2021"', '"Andel 2021"', "no known format of SE"),
    ],
)
def test_malformed_lines_are_refused_by_number(old: str, new: str, said: str) -> None:
    content = EXPORT.replace(old, new)
    content += '"Åsa"\t"pojkar"\t1\t3\r\n' if "same name" in said else ""
    assert said in str(refusal(content, "any.csv", "SE"))


def test_hints_must_not_contradict_the_headings() -> None:
    assert refusal(EXPORT, "any.csv", "SE", year=2022).reason is Reason.CONTRADICTORY
    assert refusal(EXPORT, "any.csv", "SE", sex="F").reason is Reason.CONTRADICTORY
