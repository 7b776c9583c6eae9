"""Ireland, Central Statistics Office: tables of first names, in three of the forms in which data.cso.ie gives them.

https://data.cso.ie: names by years by statistic, which are the number of births and the rank. VSA50 (boys) and VSA60
(girls) have all names of three or more children since 1964; the older VSA10 and VSA11 those that were among the first
100 in some year. A name has no figure in most years: `..` in PC-Axis files, null in JSON-stat, an empty field in CSV.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.jsonstat import BYTES_LIMIT, is_json, read_dataset
from parser_runner.parsers.long import ZERO, Rules, read_list
from parser_runner.parsers.pcaxis import read_matrix
from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.tables import Header, TextTable
from parser_runner.parsers.values import (
    NO_LETTERS,
    Malformed,
    NoLetters,
    Value,
    count_of,
    label_of,
    name_of,
    year_of,
)
from parser_runner.parsers.year_and_sex import check_year, detect_sex, resolve_sex

_FIRST = 110
"""A list of the first 100 of a year has this many at most, with ties."""

_WHOLE = "3 or more"
"""In the title of a table of all names."""


_IRELAND = re.compile(r"(?<!northern )\bireland\b")
_CODED = (
    ("statistic",), ("statistic label", "statistic"), ("tlist(a1)",), ("year",),
    (), ("names", "name"), ("unit",), ("value",),
)  # fmt: skip
_PLAIN = (("statistic",), ("year",), ("names", "name"), ("unit",), ("value",))
"""The headings of a CSV file, today's and those before 2022. The fifth of today's is the code of the list of names."""
_LIST_CODE = re.compile(r"c\d{5}v\d{5}", re.ASCII)

_Cells = Callable[[], Iterable[tuple[tuple[int, ...], Value, LocalPlace]]]
"""The figures that are there: index in every dimension, figure, place."""


class _Dimension(NamedTuple):
    label: str
    values: Sequence[str]


class _Cube(NamedTuple):
    """A matrix of either form: which of its dimensions is which, and the statistics."""

    dimensions: Sequence[_Dimension]
    name: int
    year: int
    statistic: int
    births: int
    rank: int | None
    title: str


class PcAxis:
    """One sex, all years."""

    name = "ie-cso-pcaxis"
    description = "a PC-Axis file (.px) of Name by Year by Statistic, with Registered Births as a statistic"

    def recognise(self, source: Source) -> Literal[True] | None:
        head = source.head().lstrip(b"\xef\xbb\xbf")
        return (head.startswith((b"CHARSET=", b"AXIS-VERSION=")) and b"AXIS-VERSION" in head) or None

    def parse(self, source: Source, match: Literal[True]) -> Parsed:
        matrix = read_matrix(source)
        dimensions = [_Dimension(name, values) for name, values in matrix.dimensions]
        cube = _cube(source, dimensions, matrix.title, matrix.line)

        def cells() -> Iterator[tuple[tuple[int, ...], Value, LocalPlace]]:
            for index, text, line in matrix.cells():
                if not text.startswith('"'):
                    yield index, text, line

        return _parsed(source, self.name, cube, cells, "..", 1)


class JsonStat:
    """One sex, all years."""

    name = "ie-cso-jsonstat"
    description = "a JSON-stat 2.0 file (.json) of STATISTIC by Year by Names, with the births of each name"

    def recognise(self, source: Source) -> Literal[True] | None:
        return (is_json(source) and b'"dimension"' in source.head(BYTES_LIMIT)) or None

    def parse(self, source: Source, match: Literal[True]) -> Parsed:
        dataset = read_dataset(source)
        dimensions = [_Dimension(one.label or one.code, one.categories) for one in dataset.dimensions]
        cube = _cube(source, dimensions, dataset.label, None)
        return _parsed(source, self.name, cube, dataset.cells, "null", None)


def _cube(source: Source, dimensions: Sequence[_Dimension], title: str, place: LocalPlace | None) -> _Cube:
    name, year, statistic = (_position(source, dimensions, word, place) for word in ("name", "year", "statistic"))
    statistics = [*map(label_of, dimensions[statistic].values)]
    ranks = [index for index, text in enumerate(statistics) if _is_rank(text)]
    births = [index for index, text in enumerate(statistics) if _counts_births(text)]
    if len(births) != 1 or len(ranks) > 1 or len(births) + len(ranks) != len(statistics) or len(dimensions) != 3:
        message = "expected names by years by statistic, and births as one of the statistics"
        raise source.rejected(Reason.INVALID_FORMAT, message, place)
    about = " | ".join([title, *statistics])
    if not _IRELAND.search(about.casefold()):
        message = "expected a table of Ireland, by its title or its statistics"
        raise source.rejected(Reason.INVALID_FORMAT, message, place)
    return _Cube(dimensions, name, year, statistic, births[0], ranks[0] if ranks else None, about)


def _position(source: Source, dimensions: Sequence[_Dimension], word: str, place: LocalPlace | None) -> int:
    found = [index for index, dimension in enumerate(dimensions) if word in dimension.label.casefold()]
    if len(found) != 1:
        message = f"expected one dimension of the matrix to be the {word}"
        raise source.rejected(Reason.INVALID_FORMAT, message, place)
    return found[0]


def _is_rank(statistic: str) -> bool:
    return statistic.startswith("rank") or "rank" in statistic.split()


def _counts_births(statistic: str) -> bool:
    return not _is_rank(statistic) and ("births" in statistic or "names in ireland" in statistic)


def _parsed(source: Source, parser: str, cube: _Cube, cells: _Cells, absent: str, place: LocalPlace | None) -> Parsed:
    sex = resolve_sex(source, detect_sex(cube.title), place)
    return Parsed(parser, "births", None, _rows(source, cube, cells, sex, absent), _top(cube, cells))


def _rows(source: Source, cube: _Cube, cells: _Cells, sex: str, absent: str) -> Iterator[Row]:
    names, years = cube.dimensions[cube.name].values, cube.dimensions[cube.year].values
    found = 0
    for index, figure, place in cells():
        if index[cube.statistic] != cube.births:
            continue
        found += 1
        try:
            year = year_of(years[index[cube.year]])
            check_year(source, year, place)
            count = count_of(figure)
            name = name_of(names[index[cube.name]], source.limits.name_chars)
        except NoLetters:
            source.skip(NO_LETTERS, 1, place, count)
            continue
        except Malformed as error:
            source.problem(str(error), place)
            continue
        if count:
            yield Row(year, sex, name, count, place)
        else:
            source.skip(ZERO, place=place)
    source.skip(f"suppressed or absent figures ({absent})", len(names) * len(years) - found)


def _top(cube: _Cube, cells: _Cells) -> int | None:
    """100, unless all names of every year are there: some tables have only those that ever were among the first 100."""
    if _WHOLE in cube.title.casefold():
        return None
    ranks: dict[int, list[int]] = {}
    for index, figure, _ in cells():
        if index[cube.statistic] == cube.rank:
            try:
                ranks.setdefault(index[cube.year], []).append(count_of(figure))
            except Malformed:
                continue
    whole = all(_FIRST < max(of_year) <= len(of_year) for of_year in ranks.values())
    return None if ranks and whole else 100


class _Figures(TextTable):
    """A CSV file: its lines of ranks left out, and the sex in place of the statistic that says it."""

    def header(self) -> Header | None:
        """The columns, if headings and statistics are this publisher's; `sex` is that of the statistics."""
        first, *lines = self.head() or [[]]
        labels = [*map(label_of, first)]
        columns = (len(labels), " | ".join(labels))
        if _are(labels, _CODED) and _LIST_CODE.fullmatch(labels[4]):
            found = Header(1, 5, 7, 3, 1, *columns)
        elif _are(labels, _PLAIN):
            found = Header(1, 2, 4, 1, 0, *columns)
        else:
            return None
        statistics = [label_of(line[found.sex]) for line in lines if len(line) == found.width]
        return found if any(map(_IRELAND.search, statistics)) else None

    def records(self) -> Iterator[tuple[int, list[str]]]:
        header = self.header()
        for number, record in super().records():
            if header is not None and len(record) == header.width and number > 1:
                statistic = label_of(record[header.sex])
                if _is_rank(statistic):
                    self._source.skip("ranks")
                    continue
                if not _counts_births(statistic):
                    reason = f"expected a statistic of births or of ranks in field {header.sex + 1}"
                    self._source.problem(reason, number)
                    continue
                record[header.sex] = detect_sex(statistic) or ""
            yield number, record


def _are(labels: Sequence[str], order: Sequence[Sequence[str]]) -> bool:
    return len(labels) == len(order) and all(
        not known or label in known for label, known in zip(labels, order, strict=True)
    )


class Csv:
    """One sex or both, all years."""

    name = "ie-cso-csv"
    description = "lines of STATISTIC, Statistic Label, TLIST(A1), Year, a code (C03895V04646), Names, UNIT and VALUE"

    def recognise(self, source: Source) -> tuple[_Figures, Header] | None:
        for table in _Figures.each(source, "cp1252"):
            if header := table.header():
                return table, header
        return None

    def parse(self, source: Source, match: tuple[_Figures, Header]) -> Parsed:
        table, header = match
        labels = [record[header.sex] for record in table.head()[1:] if len(record) == header.width]
        whole = any(_WHOLE in label.casefold() for label in labels)
        said = next(filter(None, map(detect_sex, labels)), None)
        sex: str | None = None
        if said is None:
            # The older tables say it nowhere.
            header, sex = replace(header, sex=-1), resolve_sex(source, named=True)
        elif source.sex_hint is not None:
            sex = resolve_sex(source, said, 2)
        sexes = {one: one for one in "FM" if sex in (None, one)}
        rules = Rules(sexes=sexes, suppressed={"": "suppressed or absent figures (no VALUE)"})
        rows = read_list(source, table, header, rules, None, sex)
        return Parsed(self.name, "births", None, rows, None if whole else 100)


PARSERS = [PcAxis(), JsonStat(), Csv()]
