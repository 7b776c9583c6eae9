"""United States, Social Security Administration: national, state and territory files.

https://www.ssa.gov/oact/babynames/limits.html: text without a header, one figure a line, names of at least five
children. National: `yobYYYY.txt`, `name,sex,count`, the year only in the file's name. State and territory: `XX.TXT`,
`state,sex,year,name,count`; TR holds the smaller territories together.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.contract import Parsed, Row, rows_of
from parser_runner.parsers.source import Source

FIRST_YEAR = 1880
COUNT_LIMIT = 2**31 - 1
NAME_LIMIT = 100

_YEAR_IN_NAME = re.compile(r"yob([0-9]{4})(?![0-9]).*\.txt", re.IGNORECASE)
_STATE_IN_NAME = re.compile(r"([A-Z]{2})\.txt", re.IGNORECASE)
_YEAR = re.compile(r"[0-9]{4}")
_NAME, _COUNT = rf"([A-Z][A-Za-z]{{1,{NAME_LIMIT - 1}}})", "([1-9][0-9]{0,8})"
_NATIONAL = re.compile(rf"^{_NAME},([FM]),{_COUNT}\r?$", re.MULTILINE)
_REGIONAL = re.compile(rf"^([A-Z]{{2}}),([FM]),([0-9]{{4}}),{_NAME},{_COUNT}\r?$", re.MULTILINE)


def _first_line(source: Source) -> str:
    """The first line, or nothing if it cannot be read as text."""
    try:
        return source.file.readline(1000).removeprefix(b"\xef\xbb\xbf").decode().strip()
    except UnicodeDecodeError:
        return ""


class National:
    """`yobYYYY.txt`."""

    name = "us-ssa-national"
    description = "lines of name,sex,count (yobYYYY.txt)"

    def recognise(self, source: Source) -> re.Match[str] | None:
        return re.fullmatch(r"[^,]+,[FM],[0-9]+", _first_line(source))

    def parse(self, source: Source, match: re.Match[str]) -> Parsed:
        _refuse_sex_hint(source)
        return Parsed(self.name, "births", None, self._rows(source, self._year(source)))

    def _year(self, source: Source) -> int:
        named = _YEAR_IN_NAME.fullmatch(source.own_name)
        year = int(named[1]) if named else source.year_hint
        if year is None:
            raise source.rejected(
                Reason.INVALID_FILENAME, "the year stands only in the file's name: expected yobYYYY.txt, or --year"
            )
        if source.year_hint not in (None, year):
            raise source.rejected(
                Reason.CONTRADICTORY, f"the file's name says {year}, but {source.year_hint} was given as its year"
            )
        if not FIRST_YEAR <= year <= datetime.now(UTC).year:
            raise source.rejected(
                Reason.INVALID_FILENAME, f"there are no figures of {year}: expected {FIRST_YEAR} to now"
            )
        return year

    def _rows(self, source: Source, year: int) -> Iterator[Row]:
        for number, found in source.matches(_NATIONAL):
            if isinstance(found, list):
                names, sexes, counts = zip(*found, strict=True)
                yield from rows_of(itertools.repeat(year), sexes, names, map(int, counts), itertools.count(number))
                continue
            fields = found.split(",")
            if len(fields) != 3:
                source.problem(f"expected 3 fields (name,sex,count), found {len(fields)}", number)
                continue
            row = _row(source, number, year, fields[1], fields[0], fields[2])
            if row is not None:
                yield row


class Regional:
    """`XX.TXT` of a state or territory."""

    name = "us-ssa-state"
    description = "lines of state,sex,year,name,count (XX.TXT)"

    def recognise(self, source: Source) -> re.Match[str] | None:
        return re.fullmatch(r"([A-Z]{2}),[FM],[0-9]{4},[^,]+,[0-9]+", _first_line(source))

    def parse(self, source: Source, match: re.Match[str]) -> Parsed:
        _refuse_sex_hint(source)
        region = match[1]
        named = _STATE_IN_NAME.fullmatch(source.own_name)
        if named and named[1].upper() != region:
            raise source.rejected(
                Reason.CONTRADICTORY, f"the file's name says {named[1].upper()}, but its first line is of {region}", 1
            )
        return Parsed(self.name, "births", f"US-{region}", self._rows(source, region))

    def _rows(self, source: Source, region: str) -> Iterator[Row]:
        years = range(FIRST_YEAR, datetime.now(UTC).year + 1)
        for number, found in source.matches(_REGIONAL):
            if not isinstance(found, list):
                records = [found.split(",")]
            elif rows := self._plain_rows(source, region, years, number, found):
                yield from rows
                continue
            else:
                records = found
            for line, fields in enumerate(records, number):
                row = self._row_of(source, region, years, line, fields)
                if row is not None:
                    yield row

    def _plain_rows(
        self, source: Source, region: str, possible: range, first: int, found: list[tuple[str, ...]]
    ) -> Iterator[Row] | None:
        """The rows of many lines; None where one of them is not of this region or not of a possible year."""
        states, sexes, digits, names, counts = zip(*found, strict=True)
        years = set(map(int, set(digits)))
        expected = years if source.year_hint is None else {source.year_hint}
        if set(states) != {region} or years != expected or not years.issubset(possible):
            return None
        return rows_of(map(int, digits), sexes, names, map(int, counts), itertools.count(first))

    def _row_of(self, source: Source, region: str, years: range, number: int, fields: Sequence[str]) -> Row | None:
        if len(fields) != 5:
            source.problem(f"expected 5 fields (state,sex,year,name,count), found {len(fields)}", number)
            return None
        state, sex, digits, name, count = fields
        if state != region:
            source.problem(f"the file is of {region}, but this line is of another state", number)
            return None
        if not (_YEAR.fullmatch(digits) and int(digits) in years):
            source.problem(f"expected a year from {FIRST_YEAR} to now in field 3", number)
            return None
        if source.year_hint not in (None, int(digits)):
            raise source.rejected(
                Reason.CONTRADICTORY, f"{source.year_hint} was given as the year, but this line is of {digits}", number
            )
        return _row(source, number, int(digits), sex, name, count)


def _refuse_sex_hint(source: Source) -> None:
    if source.sex_hint is not None:
        raise source.rejected(
            Reason.CONTRADICTORY, f"{source.sex_hint} was given as the sex, but every line of this format has its own"
        )


def _row(source: Source, number: int, year: int, sex: str, name: str, count: str) -> Row | None:
    """A row of checked fields; None, and a problem noted, where one of them is malformed."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name or len(name) > NAME_LIMIT or not name.isprintable() or not any(map(str.isalpha, name)):
        source.problem(f"expected a name of 1 to {NAME_LIMIT} characters", number)
    elif sex not in ("F", "M"):
        source.problem("expected F or M as the sex", number)
    elif not (count.isascii() and count.isdigit() and len(count) <= 10 and 0 < int(count) <= COUNT_LIMIT):
        source.problem(f"expected a whole number from 1 to {COUNT_LIMIT} as the count", number)
    else:
        return Row(year, sex, name, int(count), number)
    return None


PARSERS = [National(), Regional()]
