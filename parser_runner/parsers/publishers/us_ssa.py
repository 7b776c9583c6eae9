"""United States, Social Security Administration: national, state and territory files.

https://www.ssa.gov/oact/babynames/limits.html: text without a header, one figure per line, names of at least five
children. National: `yobYYYY.txt`, `name,sex,count`, the year only in the file's name. State and territory: `XX.TXT`,
`state,sex,year,name,count`; TR holds the smaller territories together.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import cache

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.hints import Action, Hint
from parser_runner.parsers.bare_lines import HEADINGS_ADDED, BareLines, are_headings, fields_of, find_bare_lines
from parser_runner.parsers.bare_names import NAMED_PORTUGAL, NAMED_US, look_at, undecided
from parser_runner.parsers.contract import Parsed, Row, rows_of
from parser_runner.parsers.descriptions.heading_words import COUNT, NAME, SEX, YEAR
from parser_runner.parsers.named_period import year_named
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import (
    NO_COUNT,
    NO_LETTERS,
    Malformed,
    NoLetters,
    count_of,
    has_letter,
    name_of,
    this_year,
)
from parser_runner.parsers.year_and_sex import check_year, refuse_sex_hint

_SINCE = 1880
"""There are no figures of earlier years."""

_PLAIN_NAME_CHARS = 100
"""Longer names, if LIMIT_NAME_CHARS allows them, are read line by line."""

_YEAR_IN_NAME = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")
_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}
_STATE_IN_NAME = re.compile(r"^([A-Z]{2})\.txt$", re.IGNORECASE)
_STATE = re.compile(r"[A-Z]{2}")
_YEAR = re.compile(r"[0-9]{4}")
_NATIONAL = (NAME, SEX, COUNT)
_REGIONAL = (frozenset({"state", "territory", "st"}), SEX, YEAR, NAME, COUNT)
"""Headings that somebody may have added, for each column."""
_COUNT = "([1-9][0-9]{0,8})"


@cache
def _national(name_chars: int) -> re.Pattern[str]:
    """A plain line, as nearly all are, with a name of at most `name_chars` characters."""
    return re.compile(rf"^{_name(name_chars)},([FM]),{_COUNT}\r?$", re.MULTILINE)


@cache
def _regional(name_chars: int) -> re.Pattern[str]:
    """See `_national`."""
    return re.compile(rf"^([A-Z]{{2}}),([FM]),([0-9]{{4}}),{_name(name_chars)},{_COUNT}\r?$", re.MULTILINE)


def _name(name_chars: int) -> str:
    return rf"([A-Z][A-Za-z]{{0,{min(name_chars, _PLAIN_NAME_CHARS) - 1}}})"


def _is_national(fields: Sequence[str]) -> bool:
    return len(fields) == 3 and has_letter(fields[0]) and _is_sex(fields[1]) and _is_figure(fields[2])


def _is_regional(fields: Sequence[str]) -> bool:
    return (
        len(fields) == 5
        and _STATE.fullmatch(fields[0]) is not None
        and _is_sex(fields[1])
        and _YEAR.fullmatch(fields[2]) is not None
        and has_letter(fields[3])
        and _is_figure(fields[4])
    )


def _is_sex(text: str) -> bool:
    return text.casefold() in _SEXES


def _is_figure(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _has_headings(lines: BareLines, headings: Sequence[frozenset[str]]) -> bool:
    """Whether somebody added headings to the list, which has none."""
    return lines.above is not None and are_headings(lines.above, headings)


def _is_said(source: Source, name: str, word: re.Pattern[str]) -> bool:
    """Whether the uploader or the file's name says the format: a list with headings may be anybody's."""
    return source.hints.format == name or word.search(source.own_name) is not None


def _is_ssa(source: Source) -> bool:
    """Whether the lines may be this publisher's: Portugal's have the same three fields. See `bare_names`."""
    return not NAMED_PORTUGAL.search(source.own_name) and look_at(source).is_us


def _refuse_if_undecided(source: Source, name: str) -> None:
    """Refuses lines in another order than this publisher's, unless the file's name or the uploader says whose it is.

    Anybody may write names, sexes and counts so, of a state or a city too.
    """
    if not (look_at(source).is_in_order or NAMED_US.search(source.own_name) or source.hints.format):
        raise undecided(source, "US", name)


class National:
    """`yobYYYY.txt`."""

    name = "us-ssa-national"
    description = "lines of name,sex,count (yobYYYY.txt), F before M, with names in ASCII letters and no small counts"

    def recognise(self, source: Source) -> BareLines | None:
        found = find_bare_lines(source, len(_NATIONAL), _is_national)
        if found is not None and _has_headings(found, _NATIONAL) and not _is_said(source, self.name, NAMED_US):
            return None
        return found if _is_ssa(source) else None

    def parse(self, source: Source, match: BareLines) -> Parsed:
        refuse_sex_hint(source)
        _refuse_if_undecided(source, self.name)
        return Parsed(self.name, "births", None, self._rows(source, match, self._year(source)))

    def _year(self, source: Source) -> int:
        named = {int(digits) for digits in _YEAR_IN_NAME.findall(source.own_name)}
        year = named.pop() if len(named) == 1 else source.year_hint
        if year is None or len(named) > 1:
            found = " and no other year" if named else ""
            raise source.rejected(
                Reason.INVALID_FILENAME,
                f"the year stands only in the file's name: expected yobYYYY.txt{found}, or the year as a hint",
                hints=[Hint(Action.SUBMIT_WITH_YEAR)],
            )
        if source.year_hint not in (None, year):
            raise source.rejected(
                Reason.CONTRADICTORY, f"the file's name says {year}, but the year was given as {source.year_hint}"
            )
        if not _SINCE <= year <= this_year():
            raise source.rejected(Reason.INVALID_FILENAME, f"there are no figures of {year}: expected {_SINCE} to now")
        if source.year_hint is None and year_named(source, named=True) != year:
            message = (
                "the file's name has a day, not the year of the figures: expected yobYYYY.txt, or the year as a hint"
            )
            raise source.rejected(Reason.INVALID_FILENAME, message, hints=[Hint(Action.SUBMIT_WITH_YEAR)])
        return year

    def _rows(self, source: Source, lines: BareLines, year: int) -> Iterator[Row]:
        for number, found in source.matches(_national(source.limits.name_chars)):
            if isinstance(found, list):
                names, sexes, counts = zip(*found, strict=True)
                yield from rows_of(itertools.repeat(year), sexes, names, map(int, counts), itertools.count(number))
                continue
            if number < lines.first and _has_headings(lines, _NATIONAL):
                source.skip(HEADINGS_ADDED, place=number)
                continue
            fields = fields_of(found, lines.separator, len(_NATIONAL))
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

    def recognise(self, source: Source) -> BareLines | None:
        found = find_bare_lines(source, len(_REGIONAL), _is_regional)
        if found is not None and _has_headings(found, _REGIONAL) and not _is_said(source, self.name, _STATE_IN_NAME):
            return None
        return found

    def parse(self, source: Source, match: BareLines) -> Parsed:
        refuse_sex_hint(source)
        region = match.record[0]
        named = _STATE_IN_NAME.fullmatch(source.own_name)
        if named and named[1].upper() != region:
            raise source.rejected(
                Reason.CONTRADICTORY,
                f"the file's name says {named[1].upper()}, but its first line is of {region}",
                match.first,
            )
        return Parsed(self.name, "births", f"US-{region}", self._rows(source, match, region))

    def _rows(self, source: Source, lines: BareLines, region: str) -> Iterator[Row]:
        years = range(_SINCE, this_year() + 1)
        for number, found in source.matches(_regional(source.limits.name_chars)):
            if not isinstance(found, list):
                if number < lines.first and _has_headings(lines, _REGIONAL):
                    source.skip(HEADINGS_ADDED, place=number)
                    continue
                records = [fields_of(found, lines.separator, len(_REGIONAL))]
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
        """The rows of many lines; None if one line has another region or an impossible year."""
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
            source.problem(f"expected a year from {_SINCE} to now in field 3", number)
            return None
        check_year(source, int(digits), number)
        return _row(source, number, int(digits), sex, name, count)


def _row(source: Source, number: int, year: int, sex: str, name: str, count: str) -> Row | None:
    """A row of checked fields; None, and a problem noted, if one of them is malformed."""
    figure = 0
    try:
        if not _is_sex(sex):
            raise Malformed("expected F or M as the sex")
        figure = count_of(count)
        # This publisher leaves names without children out.
        if figure == 0:
            raise Malformed(NO_COUNT)
        checked = name_of(name, source.limits.name_chars)
    except NoLetters:
        source.skip(NO_LETTERS, 1, number, figure)
        return None
    except Malformed as error:
        source.problem(str(error), number)
        return None
    return Row(year, _SEXES[sex.casefold()], checked, figure, number)


PARSERS = [National(), Regional()]
