"""Ireland, Central Statistics Office: tables of first names as PC-Axis files (VSA10 of boys, VSA11 of girls).

https://data.cso.ie: names by years by statistic, which are the rank and the number of births. The names are those that
were among the first 100 in some year; ".." stands where a name has no figure.
"""

from collections.abc import Iterator
from typing import Literal

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.long import ZERO
from parser_runner.parsers.pcaxis import Matrix, read_matrix
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import NO_LETTERS, Malformed, NoLetters, count_of, name_of, year_of
from parser_runner.parsers.year_and_sex import check_year, detect_sex, resolve_sex

_FIRST = 110
"""A list of the first 100 of a year has this many at most, with ties."""

_SUPPRESSED = "suppressed or absent figures (..)"


class FirstNames:
    """One sex, all years."""

    name = "ie-cso-pcaxis"
    description = "a PC-Axis file (.px) of Name by Year by Statistic, with Registered Births as a statistic"

    def recognise(self, source: Source) -> Literal[True] | None:
        head = source.head().lstrip(b"\xef\xbb\xbf")
        return (head.startswith((b"CHARSET=", b"AXIS-VERSION=")) and b"AXIS-VERSION" in head) or None

    def parse(self, source: Source, match: Literal[True]) -> Parsed:
        matrix = read_matrix(source)
        names, years, statistics = (_dimension(source, matrix, word) for word in ("name", "year", "statistic"))
        births = [index for index, text in enumerate(statistics.values) if "births" in text.casefold()]
        if len(births) != 1 or len(matrix.dimensions) != 3:
            message = "expected names by years by statistic, and births as one of the statistics"
            raise source.rejected(Reason.INVALID_FORMAT, message, matrix.line)
        sex = resolve_sex(source, detect_sex(matrix.title), 1)
        ranks = [index for index, text in enumerate(statistics.values) if text.casefold().startswith("rank")]
        top = _top(matrix, years.position, statistics.position, ranks[0]) if ranks else None
        where = (names.position, years.position, statistics.position)
        return Parsed(self.name, "births", None, self._rows(source, matrix, where, births[0], sex), top)

    def _rows(
        self, source: Source, matrix: Matrix, where: tuple[int, int, int], births: int, sex: str
    ) -> Iterator[Row]:
        at_name, at_year, at_statistic = where
        for index, text, line in matrix.cells():
            if index[at_statistic] != births:
                continue
            if text.startswith('"'):
                source.skip(_SUPPRESSED, place=line)
                continue
            try:
                year = year_of(matrix.dimensions[at_year][1][index[at_year]])
                check_year(source, year, line)
                count = count_of(text)
                name = name_of(matrix.dimensions[at_name][1][index[at_name]], source.limits.name_chars)
            except NoLetters:
                source.skip(NO_LETTERS, 1, line, count)
                continue
            except Malformed as error:
                source.problem(str(error), line)
                continue
            if count:
                yield Row(year, sex, name, count, line)
            else:
                source.skip(ZERO, place=line)


class _Dimension:
    def __init__(self, position: int, values: list[str]) -> None:
        self.position = position
        self.values = values


def _dimension(source: Source, matrix: Matrix, word: str) -> _Dimension:
    found = [index for index, (name, _) in enumerate(matrix.dimensions) if word in name.casefold()]
    if len(found) != 1:
        message = f"expected one dimension of the matrix to be the {word}"
        raise source.rejected(Reason.INVALID_FORMAT, message, matrix.line)
    return _Dimension(found[0], matrix.dimensions[found[0]][1])


def _top(matrix: Matrix, at_year: int, at_statistic: int, rank: int) -> int | None:
    """100, unless all names of every year are there: these tables have those that ever were among the first 100."""
    ranks: dict[int, list[int]] = {}
    for index, text, _ in matrix.cells():
        if index[at_statistic] == rank and text.isdecimal() and len(text) < 10:
            ranks.setdefault(index[at_year], []).append(int(text))
    whole = all(_FIRST < max(of_year) <= len(of_year) for of_year in ranks.values())
    return None if ranks and whole else 100


PARSERS = [FirstNames()]
