"""Made-up files of the US Social Security Administration, and what the parsers make of them."""

import io
from datetime import UTC, datetime

import pytest

from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers import Parsed, Row, parse
from parser_runner.parsers.source import Source

THIS_YEAR = datetime.now(UTC).year

GOOD = "Olivia,F,14718\n"
GOOD_STATE = "AK,F,1910,Mary,14\n"


def open_bytes(
    content: str | bytes, filename: str = "yob2020.txt", year: int | None = None, sex: str | None = None
) -> Parsed:
    data = content.encode() if isinstance(content, str) else content
    return parse(Source(filename, io.BytesIO(data), FileHints(year=year, sex=sex)), "US")


def rows_of(content: str | bytes, filename: str = "yob2020.txt", year: int | None = None) -> list[Row]:
    return [*open_bytes(content, filename, year).rows]


def refused(
    content: str | bytes, filename: str = "yob2020.txt", year: int | None = None, sex: str | None = None
) -> Rejected:
    with pytest.raises(Rejected) as caught:
        list(open_bytes(content, filename, year, sex).rows)
    return caught.value
