"""The validation report, and `affirm-worker parse` and `parsers list` that print it."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from cli.wording.report import left_out_in_a_line, left_out_lines, lines_of_loads
from dataset_jobs.model.places import Cell, Figure, InMember, Place, as_values, from_values
from dataset_jobs.model.report import Report, stored_report
from parser_runner.parsers import countries
from parser_runner.parsers.findings import Findings
from services.report_words import about_the_file
from tests.unit.command_line import run
from tests.unit.parsing import reported
from tests.unit.sample_contents import INSEE

TOO_FEW = "1;ANNE;1900\n"
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def insee(tmp_path: Path) -> Path:
    path = tmp_path / "nat2020.csv"
    path.write_text(INSEE + "2;_PRENOMS_RARES;1900;7\n1;ÉMILE;1900;25\n2;ZOÉ;XXXX;3\n", encoding="utf-8")
    return path


def test_a_report_is_for_people(insee: Path) -> None:
    found = run("parse", insee, "--country", "fr", "--report")
    assert found.exit_code == 0
    assert found.stdout.splitlines() == [
        "file      nat2020.csv",
        "result    can be loaded",
        "format    fr-insee",
        "measure   births",
        "region    all of FR",
        "names     all that are published",
        "years     1900 to 1901 (2 of them)",
        "rows      3",
        "total     14,030",
        "smallest  5",
        "",
        "year  sex        rows         total",
        "1900  M             2        14,025",
        "1901  F             1             5",
        "",
        "left out:",
        "         1  aggregates of rare names (_PRENOMS_RARES), 7 in all: line 4",
        "         1  records without a year (XXXX), 3 in all: line 6",
    ]


def test_a_place_of_several_records_is_named_once() -> None:
    places = [InMember("boys.csv", None)] * 4 + [InMember("girls.csv", 7)]
    whole = Report("a.zip", "GB", left_out={"blank": 5}, left_out_places={"blank": places})
    assert left_out_lines(whole)[-1] == "         5  blank: member 'boys.csv' (4 records); member 'girls.csv', line 7"
    part = Report("a.zip", "GB", left_out={"blank": 174}, left_out_places={"blank": places[:4]})
    assert left_out_lines(part)[-1] == "       174  blank: member 'boys.csv' (4 records or more); …"


def test_no_country_is_not_named_by_its_stand_in() -> None:
    assert ("region", "all of the country") in about_the_file(Report("a.csv", "XX", measure="births"))


def test_a_report_is_for_programs(insee: Path) -> None:
    found = run("parse", insee, "--country", "FR", "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout) == {
        "file": "nat2020.csv",
        "country": "FR",
        "accepted": True,
        "format": "fr-insee",
        "known_as": [],
        "measure": "births",
        "region": None,
        "top": None,
        "years": [1900, 1901],
        "sexes": ["F", "M"],
        "rows": 3,
        "total": 14030,
        "smallest": 5,
        "totals": [
            {"year": 1900, "sex": "M", "rows": 2, "total": 14025},
            {"year": 1901, "sex": "F", "rows": 1, "total": 5},
        ],
        "left_out": {"aggregates of rare names (_PRENOMS_RARES)": 1, "records without a year (XXXX)": 1},
        "left_out_totals": {"aggregates of rare names (_PRENOMS_RARES)": 7, "records without a year (XXXX)": 3},
        "left_out_places": {
            "aggregates of rare names (_PRENOMS_RARES)": [{"line": 4}],
            "records without a year (XXXX)": [{"line": 6}],
        },
        "added": {},
        "reason": None,
        "problems": [],
        "more_problems": 0,
    }


def test_a_report_of_a_refused_file_names_twenty_errors_and_counts_the_rest(insee: Path) -> None:
    with insee.open("a", encoding="utf-8") as file:
        file.write(TOO_FEW * 25)
    found = run("parse", insee, "--country", "FR", "--report")
    assert found.exit_code == 65
    lines = found.stdout.splitlines()
    assert lines[1] == "result    refused: invalid_format"
    at = lines.index("problems:")
    assert lines[at + 1] == "  line 7: expected 4 fields, found 3"
    assert len(lines[at + 1 : -1]) == 20
    assert lines[-1] == "  and 5 more"
    as_json = json.loads(run("parse", insee, "--country", "FR", "--report", "--json").stdout)
    assert as_json["problems"][0] == {"problem": "expected 4 fields, found 3", "line": 7}
    assert (as_json["accepted"], as_json["reason"], as_json["more_problems"]) == (False, "invalid_format", 5)
    assert as_json["rows"] == 3


def test_places_are_members_and_cells_in_json_too() -> None:
    archive = DATA / "gb-sct" / "babies-first-names-20-full-list.zip"
    found = json.loads(run("parse", archive, "--country", "GB", "--sex", "F", "--json").stdout)
    assert found["problems"][0]["member"] == "babies-first-names-20-full-list_Boys.csv"
    assert found["problems"][0]["line"] == 5
    assert (found["format"], found["accepted"]) == ("gb-nrs-full-list", False)
    workbook = DATA / "gb-eaw" / "boysnames2022.xlsx"
    found = json.loads(run("parse", workbook, "--country", "GB", "--year", "2021", "--json").stdout)
    assert (found["problems"][0]["sheet"], found["problems"][0]["cell"]) == ("Table_6", "A5")


def test_rows_are_csv_and_all_or_none(insee: Path) -> None:
    assert run("parse", insee, "--country", "FR").stdout.splitlines()[:2] == [
        "year,gender,name,count",
        "1900,M,JEAN,14000",
    ]
    with insee.open("a", encoding="utf-8") as file:
        file.write(TOO_FEW)
    found = run("parse", insee, "--country", "FR")
    assert (found.exit_code, found.stdout) == (65, "")
    assert found.stderr == f"{insee}, line 7: expected 4 fields, found 3\n"


def test_limits_are_settings_of_the_command_too(insee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMIT_ROWS", "2")
    found = run("parse", insee, "--country", "FR")
    assert found.exit_code == 65
    assert "the file has more than 2 rows (LIMIT_ROWS)" in found.stderr


def test_the_formats_are_listed_by_country() -> None:
    lines = run("parsers", "list").stdout.splitlines()
    assert lines[0].split() == ["country", "format", "built", "in", "description"]
    as_json = json.loads(run("parsers", "list", "--json").stdout)
    assert len(as_json) == len(lines) - 1
    assert {one["country"] for one in as_json} == set(countries())
    assert next(one for one in as_json if one["format"] == "au-sa") == {
        "country": "AU",
        "format": "au-sa",
        "built_in": True,
        "package": None,
        "description": "lines of Given Name,Amount,Position (female_cy2013_top.csv), or the archive of them",
    }
    assert len({one["format"] for one in as_json}) == len(as_json)


def test_a_report_says_what_was_added_up() -> None:
    found = reported("nome,numero,genero\nAna,161,F\nAna,1,F\n", "n-2014.csv", "PT")
    assert (found.rows, found.total, dict(found.added)) == (1, 162, {"lines of the same name": 1})


def test_a_stored_report_is_the_one_of_the_file(insee: Path) -> None:
    found = reported(insee.read_bytes(), insee.name, "FR")
    about = replace(found, smallest=None, left_out={}, left_out_totals={}, left_out_places={}, added={})
    beside = json.loads(json.dumps(found.beside_the_rows()))
    # The database keeps no order.
    turned = {
        name: dict(reversed(value.items())) if isinstance(value, dict) else value for name, value in beside.items()
    }
    read = stored_report(about, turned)
    assert read == found
    assert [*read.left_out] == [*found.left_out]


@pytest.mark.parametrize(
    "place",
    [3, Cell("Table 6", 12, 3), Cell("x", 9, 731), Figure(17), InMember("a.csv", 4), InMember("a.csv", None),
     InMember("a.csv", Cell("Table 6", 1, 27)), InMember("a.json", Figure(2))],
)  # fmt: skip
def test_a_place_is_read_again_from_its_values(place: Place) -> None:
    assert from_values(json.loads(json.dumps(as_values(place)))) == place


@pytest.mark.parametrize("values", [None, 3, [], {}, {"line": "3"}, {"sheet": "a"}, {"sheet": "a", "cell": "C0"}])
def test_no_other_values_are_a_place(values: object) -> None:
    assert from_values(values) is None


def test_a_report_stays_small_whatever_a_parser_says() -> None:
    findings = Findings("any.csv")
    for number in range(5000):
        findings.skip(f"{number} " * 200, 1, InMember("m" * 5000, number), 1)
        findings.skip("known", 1, Cell("s" * 5000, number + 1, 1), 1)
        findings.add(f"{number} " * 200, 1)
    assert findings.skipped.total() == 10000
    assert findings.added.total() == 5000
    found = Report(
        "any.csv", "XX", left_out=findings.skipped, left_out_totals=findings.figures, left_out_places=findings.places,
        added=findings.added,
    )  # fmt: skip
    assert found.left_out["known"] == 5000
    assert len(json.dumps(found.beside_the_rows())) < 100_000


def test_what_was_left_out_fits_in_a_line() -> None:
    assert left_out_in_a_line(Report("a.csv", "FR")) == ""
    found = Report("a.csv", "FR", left_out={"blank": 1, "cells suppressed": 57389, "rows without a year": 36675})
    assert left_out_in_a_line(found) == "57,389 cells suppressed, 36,675 rows without a year, 1 blank"


def test_a_load_of_many_files_names_the_first_that_left_something_out() -> None:
    some = {
        UUID(int=number << 96): Report(f"{number}.csv", "FR", left_out={"blank": number} if number else {})
        for number in range(50)
    }
    lines = lines_of_loads(some, 50, "affirm-worker datasets show")
    assert lines[:3] == ["", "left out:", "  1.csv: 1 blank"]
    assert lines[-4:] == [
        "  20.csv: 20 blank", "  and of 29 more files", "where and why, for the first of them:",
        "  affirm-worker datasets show 00000001",
    ]  # fmt: skip
    assert lines_of_loads({UUID(int=1): Report("a.csv", "FR", left_out={})}, 2, "show") == []


def test_what_helps_is_not_listed_among_the_problems(tmp_path: Path) -> None:
    file = tmp_path / "pankow.csv"
    file.write_text("vorname;anzahl;geschlecht\nTESTINA;9;w\n")
    said = ("--country", "DE", "--format", "de-berlin", "--region", "DE-BE-11003")
    problems, helps = run("parse", file, *said, "--report").stdout.split("problems:\n")[1].split("\n\n")
    assert "affirm-worker" not in problems
    assert f"submit {file} {' '.join(said[:2])} --year YYYY {' '.join(said[2:])}" in helps
