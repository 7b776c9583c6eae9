"""People's mistakes with files, in every format: the same rows, or a refusal that says why; never other rows.

Two limits are the nature of things. A figure of a matrix (PC-Axis, JSON-stat) has its name and year by its position
alone, so its lines cannot be told apart when they are swapped. And in South Australia's last position the publisher's
own lines are equal: one more of them looks the same.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from dataset_jobs.model.errors import Rejected
from parser_runner.parsers import Source, parse_whole
from parser_runner.parsers.contract import Row
from parser_runner.parsers.duplicates import without_duplicates
from parser_runner.parsers.start import start
from tests.unit.parsing import source
from tests.unit.samples import ALL_PARSERS, COUNTRIES, SAMPLES, InMemory, Sample
from tests.unit.workbooks import Rows, Value

TEXTS = [name for name, sample in SAMPLES.items() if sample.sheets is None]
WORKBOOKS = [name for name, sample in SAMPLES.items() if sample.sheets is not None]
MATRICES = frozenset(("ie-cso-pcaxis", "ie-cso-jsonstat"))
LISTS = [name for name in TEXTS if name not in MATRICES]
MOST = 15
"""Lines that are doubled or swapped of one sample."""

Figures = list[tuple[int, str, str, int]]
Lines = list[bytes]


def figures(rows: Iterator[Row]) -> Figures:
    return sorted(row[:4] for row in rows)


def read(name: str, sample: Sample) -> Figures | str:
    """The figures, or why they are refused."""
    try:
        if sample.sheets is None:
            return figures(parse_whole(source(sample.content, sample.name, hints=sample.hints), COUNTRIES[name]).rows)
        opened: Source = source(b"", sample.name, hints=sample.hints)
        opened._workbook = InMemory(sample.sheets)
        parser = ALL_PARSERS[name]
        match = parser.recognise(opened)
        if match is None:
            return "no known format"
        rows = [*start(parser, opened, match).rows]
        return figures(without_duplicates(opened, rows, lambda: rows))
    except Rejected as error:
        assert error.problems
        return str(error)


RIGHT: dict[str, Figures | str] = {name: read(name, sample) for name, sample in SAMPLES.items()}


def check(name: str, mistake: str, lines: Sequence[bytes]) -> Figures | str:
    """The figures of the changed file, which are the right ones, or the refusal."""
    found = read(name, replace(SAMPLES[name], content=b"".join(lines)))
    if isinstance(found, str):
        return found
    assert found == RIGHT[name], f"{name}, {mistake}: other rows"
    return found


def lines_of(name: str) -> Lines:
    content = SAMPLES[name].content
    lines = content.splitlines(keepends=True)
    return [*lines[:-1], lines[-1] if lines[-1].endswith(b"\n") else lines[-1] + b"\r\n"]


def first_of(name: str) -> int:
    """The index of the first line with a row."""
    sample = SAMPLES[name]
    places = (
        row.place for row in parse_whole(source(sample.content, sample.name, hints=sample.hints), COUNTRIES[name]).rows
    )
    return min(place for place in places if isinstance(place, int)) - 1


@pytest.mark.parametrize("name", LISTS)
def test_a_file_after_itself(name: str) -> None:
    lines = lines_of(name)
    check(name, "twice", [*lines, *lines])
    check(name, "twice, without the headings", [*lines, *lines[first_of(name) :]])


@pytest.mark.parametrize("name", sorted(MATRICES))
def test_a_matrix_after_itself(name: str) -> None:
    lines = lines_of(name)
    assert isinstance(check(name, "twice", [*lines, *lines]), str)


def of_another_year(line: bytes, counts: set[int]) -> bytes:
    """A line with a greater count: that of a row, or else the last figure, which is a part of a sum."""
    mark = max((b";", b",", b"\t"), key=line.count)
    fields = line.rstrip(b"\r\n").split(mark)
    digits = {at: int(text) for at, field in enumerate(fields) if (text := field.strip(b'"')).isdigit()}
    at = next((at for at, figure in digits.items() if figure in counts), max(digits, default=-1))
    if at >= 0:
        fields[at] = fields[at].replace(str(digits[at]).encode(), str(digits[at] + 3).encode())
    return mark.join(fields) + b"\r\n"


@pytest.mark.parametrize("name", LISTS)
def test_a_file_before_that_of_another_year(name: str) -> None:
    """With the same names, and other counts. Where the year is a column, these are two counts of one name."""
    lines, right = lines_of(name), RIGHT[name]
    assert not isinstance(right, str)
    counts = {count for *_, count in right}
    other = [of_another_year(line, counts) for line in lines[first_of(name) :]]
    assert other != lines[first_of(name) :]
    assert isinstance(check(name, "another year after it", [*lines, *other]), str)


@pytest.mark.parametrize("name", TEXTS)
def test_a_line_twice(name: str) -> None:
    lines = lines_of(name)
    for at in range(min(len(lines), MOST)):
        if name == "au-sa" and b"=345" in lines[at]:
            continue
        check(name, f"line {at + 1} twice", [*lines[: at + 1], *lines[at:]])
        if name not in MATRICES:
            check(name, f"line {at + 1} at the end again", [*lines, lines[at]])


@pytest.mark.parametrize("name", LISTS)
def test_two_lines_swapped(name: str) -> None:
    lines = lines_of(name)
    for at in range(min(len(lines) - 1, MOST)):
        for other in {at + 1, len(lines) - 1}:
            exchanged = [*lines]
            exchanged[at], exchanged[other] = exchanged[other], exchanged[at]
            check(name, f"lines {at + 1} and {other + 1} swapped", exchanged)


def without_column(content: bytes, column: int, delimiter: str) -> bytes:
    encoding = "latin-1"
    records = csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter)
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter)
    for record in records:
        writer.writerow([*record[:column], *record[column + 1 :]] if len(record) > column else record)
    return written.getvalue().encode(encoding)


@pytest.mark.parametrize("name", LISTS)
def test_a_column_less(name: str) -> None:
    """In a table with a column a year, the figures of that year are missing."""
    content = b"".join(lines_of(name))
    delimiter = max(",;\t", key=lambda mark: content.count(mark.encode()))
    width = max(map(len, csv.reader(io.StringIO(content.decode("latin-1"), newline=""), delimiter=delimiter)))
    right = RIGHT[name]
    for column in range(width):
        found = read(name, replace(SAMPLES[name], content=without_column(content, column, delimiter)))
        if not isinstance(found, str):
            years = {year for year, *_ in found}
            assert found == [row for row in right if row[0] in years], f"column {column + 1}: other rows"


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("renamed", ["data", "Copy of names", "2"])
def test_another_name(name: str, renamed: str) -> None:
    sample = SAMPLES[name]
    found = read(
        name, replace(sample, name=renamed + sample.name[sample.name.rindex(".") :] if "." in sample.name else renamed)
    )
    assert isinstance(found, str) or found == RIGHT[name]


def check_sheets(name: str, mistake: str, change: Callable[[Rows], Rows]) -> None:
    """Tries the change on each sheet in turn."""
    sample = SAMPLES[name]
    assert sample.sheets is not None
    for sheet in sample.sheets:
        found = read(name, replace(sample, sheets={**sample.sheets, sheet: change(sample.sheets[sheet])}))
        assert isinstance(found, str) or found == RIGHT[name], f"{name}, {sheet}, {mistake}: other rows"


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_sheet_after_itself(name: str) -> None:
    check_sheets(name, "twice", lambda rows: [*rows, *rows])
    check_sheets(name, "twice after a blank row", lambda rows: [*rows, [], *rows])


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_sheet_before_that_of_another_year(name: str) -> None:
    def more(value: Value) -> Value:
        return value + 3 if isinstance(value, int) and not isinstance(value, bool) and value < 1700 else value

    check_sheets(name, "another year", lambda rows: [*rows, *([more(value) for value in row] for row in rows)])


def doubled(rows: Rows, at: int) -> Rows:
    return [*rows[: at + 1], *rows[at:]]


def again(rows: Rows, at: int) -> Rows:
    return [*rows, *rows[at : at + 1]]


def swapped(rows: Rows, at: int) -> Rows:
    return [*rows[:at], *reversed(rows[at : at + 2]), *rows[at + 2 :]]


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_row_of_a_sheet_twice_or_swapped(name: str) -> None:
    sheets = SAMPLES[name].sheets
    assert sheets is not None
    for at in range(min(max(map(len, sheets.values())), MOST)):
        check_sheets(name, f"row {at + 1} twice", partial(doubled, at=at))
        check_sheets(name, f"row {at + 1} again", partial(again, at=at))
        check_sheets(name, f"rows {at + 1} and {at + 2} swapped", partial(swapped, at=at))


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_column_of_a_sheet_less(name: str) -> None:
    """The figures of whole years may be missing, if years stand side by side."""
    sample = SAMPLES[name]
    assert sample.sheets is not None
    right = RIGHT[name]
    for sheet, rows in sample.sheets.items():
        for column in range(max(map(len, rows), default=0)):
            fewer = [[*row[:column], *row[column + 1 :]] for row in rows]
            found = read(name, replace(sample, sheets={**sample.sheets, sheet: fewer}))
            if not isinstance(found, str):
                assert {*found} <= {*right}, f"{name}, {sheet}, column {column + 1}: other rows"
