"""Publishers' files: what the parsers make of each, held against figures that were counted without them.

`tests/data/figures.csv` has both. The files that are too large to ship are checked where AFFIRM_CORPUS names a folder.
"""

import re

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.report import Report
from parser_runner.parsers.report import report
from parser_runner.parsers.source import Source
from tests.unit.publisher_files import DATA, FIGURES, FOLDERS, said_of

SHIPPED = [path for path in FIGURES if (DATA / path).exists()]
RANKS_ONLY = "gb-eaw/historicalnames2024.xlsx"


AT_HAND = {path: folder / path for path in [*FIGURES, RANKS_ONLY] for folder in FOLDERS if (folder / path).exists()}


def report_of(path: str, country: str) -> Report:
    where = AT_HAND[path]
    with where.open("rb") as file:
        return report(Source(where.name, file, said_of(path)), country)


@pytest.mark.skipif(len(FOLDERS) == 1, reason="the files that are not shipped: AFFIRM_CORPUS names no folder of them")
def test_all_files_are_at_hand() -> None:
    assert FIGURES.keys() <= AT_HAND.keys()


@pytest.mark.parametrize("path", [path for path in AT_HAND if path in FIGURES])
def test_a_publishers_file_gives_the_figures_that_others_have_counted(path: str) -> None:
    known = FIGURES[path]
    found = report_of(path, known["country"])
    assert found.problems == ()
    added, left_out = sum(found.added.values()), sum(found.left_out.values())
    assert (found.rows + added, found.total) == (int(known["counted_records"]), int(known["counted_total"]))
    assert {
        "format": found.recognised,
        "measure": found.measure,
        "region": found.region or "",
        "top": str(found.top or ""),
        "first_year": str(found.years[0]),
        "last_year": str(found.years[-1]),
        "sexes": "".join(found.sexes),
        "rows": str(found.rows),
        "total": str(found.total),
        "smallest": str(found.smallest),
        "left_out": str(left_out),
        "added": str(added),
    }.items() <= known.items()


def test_ranks_without_counts_are_refused_and_it_is_said_what_was_expected() -> None:
    error = report_of(RANKS_ONLY, "GB").rejected
    assert error is not None
    assert error.reason is Reason.INVALID_FORMAT
    assert "expected one sheet with all names and their counts" in str(error)
    assert "ranks without counts" in str(error)


def test_every_publisher_but_those_with_large_files_only_or_no_licence_is_shipped() -> None:
    formats = {FIGURES[path]["format"] for path in SHIPPED}
    not_shipped = {line["format"] for line in FIGURES.values()} - formats
    assert not_shipped == {
        "au-nsw",
        "au-vic",
        "au-vic-by-sex",
        "be-statbel-newborn",
        "be-statbel-provinces",
        "ca-bc",
        "ca-ontario",
        "cl-registro-civil",
        "es-idescat-newborns",
        "fi-dvv-first-names",
        "fr-insee",
        "fr-paris",
        "gb-nisra-full-lists",
        "il-cbs",
        "no-ssb-10467",
        "us-ssa-state",
    }


def test_the_table_of_sources_has_every_files_size() -> None:
    lines = (DATA / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [re.match(r"\| `([^`]+)` \| ([\d,]+) \|", line) for line in lines]
    listed = {row[1]: int(row[2].replace(",", "")) for row in rows if row}
    ours = {"README.md", ".gitattributes", "figures.csv", "count.sh"}
    files = (path for path in DATA.rglob("*") if path.is_file() and path.relative_to(DATA).parts[0] != "evidence")
    assert listed == {path.relative_to(DATA).as_posix(): path.stat().st_size for path in files if path.name not in ours}
