"""Files of the US Social Security Administration: their rows, and their names."""

import io
import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.limits import Limits
from parser_runner.parsers import Source, parse, parse_file
from tests.unit.ssa_files import GOOD, GOOD_STATE, THIS_YEAR, open_bytes, refused, rows_of

DATA = Path(__file__).parents[1] / "data"
NATIONAL = sorted((DATA / "us" / "national").glob("*.txt"))
TERRITORIES = DATA / "us" / "TR.TXT"


def without_ends(path: Path) -> list[list[str]]:
    """The file's fields, counted by hand as awk would: no parser of ours is asked."""
    return [line.split(",") for line in path.read_bytes().decode("ascii").replace("\r\n", "\n").split("\n") if line]


# Real files


def test_ten_recent_years_are_shipped() -> None:
    assert [path.name for path in NATIONAL] == [f"yob{year}.txt" for year in range(2015, 2025)]


@pytest.mark.parametrize("path", NATIONAL, ids=lambda path: path.name)
def test_a_national_file_is_read_whole(path: Path) -> None:
    parsed = parse_file(path, "US")
    read = [*parsed.rows]
    year = int(path.stem.removeprefix("yob"))
    assert (parsed.parser, parsed.measure, parsed.region) == ("us-ssa-national", "births", None)
    assert read == [
        (year, sex, name, int(count), line) for line, (name, sex, count) in enumerate(without_ends(path), 1)
    ]


def test_a_territories_file_is_read_whole() -> None:
    parsed = parse_file(TERRITORIES, "US")
    assert (parsed.parser, parsed.measure, parsed.region) == ("us-ssa-state", "births", "US-TR")
    assert [*parsed.rows] == [
        (int(year), sex, name, int(count), line)
        for line, (_, sex, year, name, count) in enumerate(without_ends(TERRITORIES), 1)
    ]


def test_the_table_of_the_shipped_files_has_their_counts() -> None:
    lines = (DATA / "README.md").read_text(encoding="utf-8").splitlines()
    table = [re.fullmatch(r"\| `(us/\S+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", line) for line in lines]
    found = [(row[1], *(int(cell.replace(",", "")) for cell in row.groups()[1:])) for row in table if row]
    counted = []
    for path in [*NATIONAL, TERRITORIES]:
        fields = without_ends(path)
        total = sum(int(line[-1]) for line in fields)
        counted.append((str(path.relative_to(DATA)), path.stat().st_size, len(fields), total))
    assert found == counted


# What a file may look like


@pytest.mark.parametrize(
    "content",
    [
        "Olivia,F,14718\r\nLiam,M,19659\r\n",
        "Olivia,F,14718\nLiam,M,19659\n",
        "Olivia,F,14718\nLiam,M,19659",
        "\ufeffOlivia,F,14718\r\nLiam,M,19659",
        "Olivia,F,14718\r\nLiam,M,19659\r\n\r\n\n\r\n",
    ],
    ids=["CRLF", "LF", "no end of the last line", "byte order mark", "blank lines at the end"],
)
def test_line_ends_and_a_byte_order_mark_make_no_difference(content: str) -> None:
    assert rows_of(content) == [(2020, "F", "Olivia", 14718, 1), (2020, "M", "Liam", 19659, 2)]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("Chloé", "Chloé"),
        ("Chloe\u0301", "Chloé"),
        (" Mary  Ann ", "Mary Ann"),
        ("D'Angelo", "D'Angelo"),
        ("Jo-Ann", "Jo-Ann"),
        ("La'", "La'"),
        ("back\\slash", "back\\slash"),
        ("Ἀθηνᾶ", "Ἀθηνᾶ"),
        ("x" * 100, "x" * 100),
    ],
)
def test_names_are_stored_as_published_in_one_normal_form(written: str, stored: str) -> None:
    assert [row.name for row in rows_of(f"{GOOD * 100}{written},F,5\n")] == [*["Olivia"] * 100, stored]


@pytest.mark.parametrize(("limit", "name", "fits"), [(3, "Alexandria", False), (3, "Ada", True), (1, "A", True),
    (200, "X" + "x" * 149, True), (200, "X" + "x" * 200, False), (100, "X" + "x" * 100, False)])  # fmt: skip
@pytest.mark.parametrize(("line", "filename"), [("{},F,5\n", "yob2020.txt"), ("AK,F,1910,{},5\n", "AK.TXT")])
def test_the_limit_of_a_name_s_length_holds(limit: int, name: str, fits: bool, line: str, filename: str) -> None:
    source = Source(filename, io.BytesIO(line.format(name).encode()), limits=Limits(name_chars=limit))
    rows = parse(source, "US").rows
    if fits:
        assert [row.name for row in rows] == [name]
    else:
        with pytest.raises(Rejected, match=f"line 1: expected a name of 1 to {limit} characters"):
            list(rows)


@pytest.mark.parametrize(("written", "count"), [("1", 1), ("007", 7), ("2147483647", 2**31 - 1)])
def test_a_count_is_any_whole_number_that_fits_the_table(written: str, count: int) -> None:
    assert [row.count for row in rows_of(f"{GOOD}Emma,F,{written}\n")] == [14718, count]


# File names and hints


@pytest.mark.parametrize("filename", ["yob1880.txt", "YOB1880.TXT", "yob1880 (1).txt", "yob1880-corrected.txt"])
def test_the_year_stands_in_the_files_name(filename: str) -> None:
    assert rows_of(GOOD, filename)[0].year == 1880


@pytest.mark.parametrize("filename", ["names.txt", "yob20201.txt", "yob202.txt", "yob２０２０.txt"])
def test_a_name_without_a_year_is_refused_unless_the_year_is_given(filename: str) -> None:
    error = refused(GOOD, filename)
    assert error.reason is Reason.INVALID_FILENAME
    assert (
        str(error)
        == f"{filename}: the year stands only in the file's name: expected yobYYYY.txt, or the year as a hint"
    )
    assert rows_of(GOOD, filename, year=2020)[0].year == 2020


def test_a_year_that_contradicts_the_files_name_is_refused() -> None:
    error = refused(GOOD, year=2019)
    assert error.reason is Reason.CONTRADICTORY
    assert str(error) == "yob2020.txt: the file's name says 2020, but the year was given as 2019"
    assert rows_of(GOOD, year=2020)


@pytest.mark.parametrize("year", [1879, THIS_YEAR + 1])
def test_a_year_of_which_there_are_no_figures_is_refused(year: int) -> None:
    for error in (refused(GOOD, f"yob{year}.txt"), refused(GOOD, "names.txt", year=year)):
        assert error.reason is Reason.INVALID_FILENAME
        assert f"there are no figures of {year}" in str(error)


@pytest.mark.parametrize(("content", "filename"), [(GOOD, "yob2020.txt"), (GOOD_STATE, "AK.TXT")])
def test_a_sex_is_refused_for_files_that_say_it_themselves(content: str, filename: str) -> None:
    assert refused(content, filename, sex="F").reason is Reason.CONTRADICTORY


def test_a_state_is_told_by_the_lines_whatever_the_file_is_called() -> None:
    assert [open_bytes(GOOD_STATE, name).region for name in ("AK.TXT", "ak.txt", "states.csv")] == ["US-AK"] * 3


def test_a_state_that_contradicts_the_files_name_is_refused() -> None:
    error = refused(GOOD_STATE, "WY.TXT")
    assert error.reason is Reason.CONTRADICTORY
    assert str(error) == "WY.TXT, line 1: the file's name says WY, but its first line is of AK"


def test_a_state_file_of_one_year_accepts_that_year() -> None:
    """Another year is refused."""
    assert rows_of(GOOD_STATE, "AK.TXT", year=1910)
    error = refused(GOOD_STATE + "AK,F,1911,Mary,12\n", "AK.TXT", year=1910)
    assert error.reason is Reason.CONTRADICTORY
    assert str(error) == "AK.TXT, line 2: the year was given as 1910, but this is of 1911"


# Whatever is submitted

lines = st.sampled_from([GOOD, GOOD_STATE, "\n", "\r", ",", "Emma,F,", "5", "\ufeff", "AK,M,", "\0", "é"]).map(
    str.encode
)


@given(st.sampled_from([b"", GOOD.encode(), GOOD_STATE.encode()]), st.binary() | st.lists(lines).map(b"".join))
@example(GOOD.encode(), b"\n" * 1_000_000)
@example(GOOD.encode(), b"," * 1_000_000)
@example(GOOD.encode(), b"\n" * 1_000_000 + b"x")
@example(GOOD_STATE.encode(), b"AK,F,9999999999" * 4000)
def test_any_bytes_at_all_are_rows_or_refused_and_soon(beginning: bytes, content: bytes) -> None:
    started = time.process_time()
    try:
        read = rows_of(beginning + content, "submitted", year=2020)
    except Rejected as error:
        assert error.problems
    else:
        for row in read:
            assert 1880 <= row.year <= THIS_YEAR
            assert row.gender in ("F", "M")
            assert 0 < len(row.name) <= 100
            assert row.name.isprintable()
            assert 0 < row.count < 2**31
    assert time.process_time() - started < 5


@pytest.mark.parametrize("name", ["yob2020-05-01.txt", "yob_2020-05-01.txt", "yob2020_Q1.txt", "names 01.05.2020.txt"])
def test_a_day_or_a_quarter_in_the_files_name_is_no_year(name: str) -> None:
    assert refused(GOOD, name).reason is Reason.INVALID_FILENAME
