"""Lines of one name that are added up: only where the publisher's rule says so, and within its bound."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dataset_jobs.model.places import InMember, in_words
from parser_runner.parsers.contract import Row
from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.values import COUNT_LIMIT


@dataclass(frozen=True, kw_only=True, slots=True)
class AddUp:
    """Why and how far a format has several lines of one name in a year and sex. What goes beyond refuses the file.

    If the list has the column that it is summed over (`Columns.over`: province, position), only lines that differ there
    are added up, and the bounds below do not count.

    Args:
        reason: what is added up, for the report.
        at_most: lines of one name, as measured in the publisher's files; 1 if only `over` tells lines apart.
        names_in_1000: how many names of a list are repeated at most, of a thousand; one may always be.
        equal: whether two lines may also have the same count, if the ranks prove that no line was doubled: each is 1
            more than the number of lines with a greater count. Otherwise such a line refuses the file.
        ranks_differ: whether lines of one name have different ranks, as a line that was doubled has not. For blocks
            side by side with a column of ranks.
    """

    reason: str
    at_most: int = 1
    names_in_1000: int = 0
    equal: bool = False
    ranks_differ: bool = False


@dataclass(slots=True)
class _Sum:
    row: Row
    places: dict[str, LocalPlace]
    """By the text in the column that is summed over; without one by the number of the line of this name."""
    counts: set[int]
    ranks: set[str]


class Adder:
    """Adds lines of the same name, sex and year up.

    Args:
        source: gets the problems, and the number of lines added.
        rule: of the format.
    """

    def __init__(self, source: Source, rule: AddUp) -> None:
        self._source = source
        self._rule = rule
        self._sums: dict[tuple[int, str, str], _Sum] = {}
        self.equal = 0
        """How many lines were added to one with the same count."""

    def add(self, row: Row, over: str | None = None, rank: str = "") -> None:
        """Takes a line.

        Args:
            row: with a place in this file, not in an archive.
            over: the text in the column that is summed over; None if there is no such column.
            rank: the text in the column of ranks, if `AddUp.ranks_differ` asks for it.
        """
        place = row.place
        assert not isinstance(place, InMember)
        key = (row.year, row.gender, row.name)
        found = self._sums.get(key)
        if found is None:
            self._sums[key] = _Sum(row, {"1" if over is None else over: place}, {row.count}, {rank})
            return
        first = next(iter(found.places.values()))
        if over is not None:
            if over in found.places:
                what = "the same name, sex and year as in {}, with the same text in the column that is summed over"
                self._source.problem(what.format(in_words(found.places[over])), place)
                return
        elif len(found.places) >= self._rule.at_most:
            few = "one line" if self._rule.at_most == 1 else f"at most {self._rule.at_most} lines"
            what = f"the same name and sex as in {in_words(first)}, for the same year: expected {few} of a name"
            self._source.problem(what, place)
            return
        elif self._rule.ranks_differ and rank in found.ranks:
            what = f"the same line as in {in_words(first)}: this publisher's lines of one name differ in their ranks"
            self._source.problem(what, place)
            return
        elif row.count in found.counts and self._rule.equal:
            self.equal += 1
        elif row.count in found.counts:
            what = f"the same line as in {in_words(first)}: this publisher's lines of one name differ in their counts"
            self._source.problem(what, place)
            return
        found.places[str(len(found.places) + 1) if over is None else over] = place
        found.counts.add(row.count)
        found.ranks.add(rank)
        found.row = found.row._replace(count=found.row.count + row.count)
        self._source.added(self._rule.reason)

    def rows(self, *, bounded: bool = True) -> Iterator[Row]:
        """The sums, in the order of the first lines.

        Args:
            bounded: whether too many repeated names are a problem: not if a column tells the lines apart.
        """
        if bounded:
            self._check_share()
        for found in self._sums.values():
            if found.row.count <= COUNT_LIMIT:
                yield found.row
            else:
                place = next(iter(found.places.values()))
                self._source.problem(f"added up, the count is more than {COUNT_LIMIT}", place)

    def _check_share(self) -> None:
        names = Counter((year, sex) for year, sex, _ in self._sums)
        repeated: Counter[tuple[int, str]] = Counter()
        for (year, sex, _), found in self._sums.items():
            if len(found.places) == 1:
                continue
            repeated[year, sex] += 1
            most = max(1, names[year, sex] * self._rule.names_in_1000 // 1000)
            if repeated[year, sex] > most:
                first, second, *_ = found.places.values()
                few = "one name" if most == 1 else f"{most} names"
                what = (
                    f"the same name and sex as in {in_words(first)}, for the same year: expected {few} with two lines"
                )
                self._source.problem(what, second)
                return
