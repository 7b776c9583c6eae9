"""Victoria, Births, Deaths and Marriages: "Top 100 baby names", a workbook a year.

https://www.bdm.vic.gov.au/births/naming-your-child/popular-baby-names
Boys and girls stand side by side, each with a rank of its own or with one for both. The sexes stand above the headings
(Male, Female), or in them (Name - Male). The year stands in a title, in a column of its own or in the sheet's name; in
some years only in the file's name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import Malformed, Value, label_of, noted_year, text_of, year_of, years_in
from parser_runner.parsers.wide import Block, read_blocks
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import detect_sex, refuse_sex_hint, resolve_year

# One name has stood there twice, each time with a rank and a count of its own: both are children.
_RULES = Rules(falling=True, adds_up=AddUp(reason="lines of the same name", at_most=2, names_in_1000=10))
_TOP = re.compile(r"top[ -]([1-9]\d{0,8}) baby names", re.ASCII)
_OTHERS = re.compile(
    r"queensland|new south wales|(?:south|western) australia|tasmania|territory"
    r"|(?<![a-z])(?:qld|nsw|sa|wa|tas|nt|act)(?![a-z])",
    re.IGNORECASE,
)
_NAMES = ("name", "given name", "first name")
_COUNTS = ("count", "number")
_RANKS = ("rank", "position")


class _Found(NamedTuple):
    """The headings of the two lists.

    `year` is the column of the year, -1 if there is none. `own` is whether title or headings are the publisher's own.
    """

    sheet: Sheet
    header: int
    columns: list[tuple[str, int, int]]
    year: int
    own: bool

    @property
    def titles(self) -> str:
        above = self.sheet.head()[: self.header - 1]
        return f"{self.sheet.name} | {' | '.join(text for row in above for text in map(text_of, row) if text)}"


@dataclass(frozen=True)
class Victoria:
    """The most frequent names of one year.

    Args:
        name, description, shared, named: as in `Parser`. A shared one takes the files without anything of the
            publisher's own: other registries have names and counts by sex side by side, too.
    """

    name: str
    description: str
    shared: bool = False
    named: re.Pattern[str] | None = None
    region: str = "AU-VIC"

    def recognise(self, source: Source) -> _Found | None:
        """The lists, on the first sheet that has them."""
        found = next(filter(None, map(_find, source.sheets())), None)
        return found if found and found.own != self.shared else None

    def parse(self, source: Source, match: _Found) -> Parsed:
        """Starts reading."""
        refuse_sex_hint(source)
        if _OTHERS.search(source.own_name):
            message = "the file's name is of another state or territory, but this has the shape of Victoria's files"
            raise source.rejected(Reason.CONTRADICTORY, message)
        titles = match.titles
        year = _year(source, match, titles)
        top = _TOP.search(titles.casefold())
        blocks = [Block(year, sex, name, count) for sex, name, count in match.columns]
        rows = read_blocks(source, _OneYear(source, match, year), match.header, blocks, _RULES)
        return Parsed(self.name, "births", self.region, rows, int(top[1]) if top else 100)


class _OneYear:
    """The sheet, whose column of the year must have the same one everywhere."""

    def __init__(self, source: Source, found: _Found, year: int) -> None:
        self._source = source
        self._found = found
        self._year = year
        self.head = found.sheet.head
        self.place = found.sheet.place

    def records(self) -> Iterator[tuple[int, Sequence[Value]]]:
        """As the sheet's."""
        column = self._found.year
        for number, record in self._found.sheet.records():
            if number > self._found.header and column >= 0 and self._has_name(record):
                self._check(record[column], number)
            yield number, record

    def _has_name(self, record: Sequence[Value]) -> bool:
        return any(text_of(record[name]) for _, name, _ in self._found.columns)

    def _check(self, value: Value, number: int) -> None:
        try:
            if year_of(value) == self._year:
                return
            reason = f"this is of another year than {self._year}"
        except Malformed as error:
            reason = str(error)
        self._source.problem(reason, self.place(number, self._found.year))


def _year(source: Source, found: _Found, titles: str) -> int:
    sheet, column = found.sheet, found.year
    place = sheet.place(1, 0)
    noted = noted_year(titles)
    years = years_in(titles) or ([] if noted is None else [noted])
    if column >= 0:
        first = sheet.head()[found.header : found.header + 1]
        years = list(dict.fromkeys([*years, *(year for row in first for year in years_in(text_of(row[column])))]))
        place = sheet.place(found.header + 1, column)
    if len(years) > 1:
        message = f"the sheet speaks of {' and of '.join(map(str, years))}: expected one year"
        raise source.rejected(Reason.CONTRADICTORY, message, place)
    return resolve_year(source, years[0] if years else None, place, named=True)


def _find(sheet: Sheet) -> _Found | None:
    above: list[Value] = []
    for number, record in enumerate(sheet.head(), 1):
        labels = [*map(label_of, record)]
        columns = _columns(labels, [*map(label_of, above)])
        if sorted(sex for sex, _, _ in columns) == ["F", "M"] and labels.count("year") <= 1:
            year = labels.index("year") if "year" in labels else -1
            found = _Found(sheet, number, columns, year, own=False)
            return found._replace(own=_is_own(found.titles.casefold(), [labels[name] for _, name, _ in columns]))
        above = record
    return None


def _is_own(titles: str, headings: Sequence[str]) -> bool:
    """Whether the title or the headings of the names are Victoria's, and the title is of no other state."""
    theirs = "top 100 baby names" in titles or sorted(headings) == ["name - female", "name - male"]
    return theirs and not _OTHERS.search(titles)


def _columns(labels: Sequence[str], above: Sequence[str]) -> list[tuple[str, int, int]]:
    """Sex, column of names and column of counts."""
    if not {*_RANKS}.intersection(labels):
        return []
    found = []
    for column, (label, following) in enumerate(pairwise(labels)):
        if label.startswith(_NAMES) and following in _COUNTS:
            # The title of a pair begins over its rank.
            sex = detect_sex(label) or detect_sex(" ".join(above[max(0, column - 1) : column + 2]))
            if sex is not None:
                found.append((sex, column, column + 1))
    return found


PARSERS = [
    Victoria(
        "au-vic",
        "a workbook titled Top 100 Baby Names, or with the headings Rank, Name - Male, Count, Name - Female and Count",
    ),
    Victoria(
        "au-vic-by-sex",
        "a workbook with Male and Female above Rank, Given Name and Count (Top-100-Baby-Names-Victoria-2020.xlsx)",
        shared=True,
        named=re.compile(r"victoria", re.IGNORECASE),
    ),
]
