"""No value is cut: at any width it is whole, or its column is not there and named, or it is text with an ellipsis."""

import re
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import iter_modules
from uuid import UUID

import pytest

import cli.commands
from cli.screen.output import SENTENCES, table
from cli.screen.table import ELLIPSIS, FITTING, Choice, Column, PlainRows, chosen, plain_lines, table_lines, width_of
from cli.screen.words import short
from dataset_jobs.model.requests import InvalidRequest

WHEN = datetime(2026, 11, 30, 3, 15, 59, tzinfo=UTC)
ID = UUID("0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91")
TEXT = "Vornamenstatistik Tempelhof-Schöneberg 名前_2022-01-01_2022-12-31.csv"
VALUES = {
    "dataset": ID,
    "job": ID,
    "country": "US",
    "status": "reprocessing",
    "state": "completed",
    "result": "already loaded",
    "type": "reprocess",
    "years": "1900 to 2020",
    "sexes": "FM",
    "region": "DE-NW-05315",
    "measure": "population",
    "superseded": "partly",
    "submitted": WHEN,
    "runs at": WHEN,
    "finished": WHEN,
    "next": WHEN,
    "last": WHEN,
    "cron": "*/15 3-5 1,15 * 1-5",
    "zone": "America/Argentina/Buenos_Aires",
    "pool": "nightly-reloads",
    "described by": "ParserPool affirm-worker/nightly-reloads",
    "name": "statistics-norway",
    "oldest wait": "119 min",
    "in use / max": "1,234 / 20,000",
    "format": "de-leipzig-side-by-side",
    "built in": True,
}
TABLES = {
    f"{module.name}.{name}": value
    for module in iter_modules(cli.commands.__path__)
    for name, value in vars(import_module(f"cli.commands.{module.name}")).items()
    if isinstance(value, list) and value and all(isinstance(one, Column) for one in value)
}


def _row(columns: list[Column]) -> list[object]:
    return [
        TEXT if column.text else "a sentence" if column.below else VALUES.get(column.name, 1_234_567)
        for column in columns
    ]


def test_every_table_of_the_commands_is_tried() -> None:
    assert len(TABLES) >= 7


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("name", TABLES)
def test_at_any_width_each_value_is_whole_or_its_column_is_named(
    name: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    columns = TABLES[name]
    row = _row(columns)
    lines = [*table_lines(columns, [row, row], FITTING, width)]
    gone = re.sub(r" \(.*|not shown: ", "", lines[-1]).split(", ") if lines[-1].startswith("not shown") else []
    shown = "\n".join(lines[: -1 if gone else None])
    for column, value in zip(columns, row, strict=True):
        if column.below:
            continue
        if any(one.removesuffix(" UTC") == column.name for one in gone):
            assert column.spare
            continue
        text = short(value)
        assert text in shown or (column.text and ELLIPSIS in shown), f"{column.name} is cut"
    records = not lines[0].rstrip().endswith(columns[-1].name) and lines[0].split("  ")[0] == columns[0].name
    assert records or all(width_of(line) <= width for line in lines if not line.startswith("not shown"))


def test_many_sentences_do_not_push_the_table_off_the_screen() -> None:
    columns = TABLES["jobs.JOBS"]
    lines = [*table(columns, [_row(columns)] * 28, "nothing")]
    assert sum("a sentence" in line for line in lines) == SENTENCES
    assert lines[-1] == "23 more: affirm-worker jobs explain ID"


def test_a_name_keeps_its_end_where_the_year_stands() -> None:
    lines = [
        *table_lines([Column("file", text=True, keeps_end=True), Column("rows")], [[TEXT, 1_234_567]], FITTING, 40)
    ]
    assert lines[1].startswith("Vornamenstatistik T") and "…-12-31.csv" in lines[1]


def test_everything_is_shown_if_somebody_wants_it() -> None:
    columns = TABLES["datasets.DATASETS"]
    line = [*table_lines(columns, [_row(columns)], Choice(wide=True), 40)][1]
    assert all(part in line for part in (str(ID), TEXT, "2026-11-30", "DE-NW-05315"))


def test_columns_are_shown_in_the_order_that_somebody_wants() -> None:
    columns = TABLES["datasets.DATASETS"]
    for lines in (
        [*table_lines(columns, [_row(columns)], chosen("Rows, country", wide=False), 40)],
        [*plain_lines(columns, [_row(columns)], chosen("rows,country", wide=False))],
    ):
        assert [line.split() for line in lines] == [["rows", "country"], ["1234567", "US"]]


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidRequest, match="column 'row': there is none of that name; there are dataset, country, "):
        [*plain_lines(TABLES["datasets.DATASETS"], [], chosen("row", wide=False))]


def test_times_of_today_have_no_date_and_the_heading_names_the_zone() -> None:
    now = datetime.now(UTC).replace(hour=12, minute=5, second=9)
    lines = [*table_lines([Column("finished")], [[now], [WHEN.replace(year=2020)]], FITTING, 80)]
    zone = now.astimezone().strftime("%Z")
    assert lines[0] == f"finished {zone}"
    assert lines[1] == now.astimezone().strftime("%H:%M:%S")
    assert lines[2].startswith("2020-11-30")


def test_rows_that_come_one_after_the_other_are_in_columns() -> None:
    columns = TABLES["jobs.JOBS"]
    rows = PlainRows(columns, chosen("state,file,rows", wide=False))
    row = _row(columns)
    heading, line = rows.heading([row]), rows.line(row)
    assert line.split("  ")[0] == "completed"
    assert heading.index("file") == line.index(TEXT)
    assert len(heading.split()) == 3
