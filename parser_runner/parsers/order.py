"""Whether a list begins again: then two lists were put into one file, or one twice."""

from dataclasses import dataclass

from dataset_jobs.model.places import in_words
from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.totals import may_be_a_total
from parser_runner.parsers.values import Value, text_of

TWO_LISTS = "these are two lists in one file, or one twice; submit each alone"
HEADINGS_AGAIN = f"the headings come again: {TWO_LISTS}"

_FIRST_RANKS = frozenset(("1", "=1", "1=", 1, 1.0))

_Key = tuple[int | None, str | None, str | None]
"""Year, sex, and the text in the column that is summed over."""


@dataclass(slots=True)
class _List:
    first: int
    """The first count."""
    last: int
    place: LocalPlace
    name: str
    again: bool = False


class Order:
    """Watches the ranks and counts of lists.

    A list begins again where a later line has rank 1 with another count or the first name; or, in formats whose lists
    fall from the most frequent name on, where a count rises again to at least half of the first one. Small rises are
    passed over: publishers correct a count and leave the line where it was.

    Args:
        source: gets the problems, one for each list.
        falling: whether the publisher's lists fall.
    """

    def __init__(self, source: Source, *, falling: bool) -> None:
        self._source = source
        self._falling = falling
        self._lists: dict[_Key, _List] = {}

    def see(self, key: _Key, rank: Value, name: str, count: int, place: LocalPlace) -> None:
        """Takes a line.

        Args:
            key: of the list that it is in.
            rank: the cell with the rank; empty if there is none.
            name, count: of the line.
            place: of the line.
        """
        found = self._lists.get(key)
        if found is None:
            if not may_be_a_total(name):
                self._lists[key] = _List(count, count, place, name)
            return
        if rank in _FIRST_RANKS and (count != found.first or name == found.name):
            what = f"has rank 1 again, as in {in_words(found.place)}"
        elif count > found.last and self._falling and count * 2 >= found.first:
            what = f"rises again, after it fell from the most frequent name on (first in {in_words(found.place)})"
        else:
            found.last = count
            return
        if not found.again and not may_be_a_total(name):
            found.again = True
            self._source.problem(f"the list {what}: {TWO_LISTS}", place)


class Ranks:
    """Whether ranks prove the number of lines: each is 1 more than the number of lines with a greater count."""

    def __init__(self) -> None:
        self._lines = 0
        self._greater = 0
        self._last: int | None = None
        self.wrong: LocalPlace | None = None
        """The first line whose rank does not fit."""

    def see(self, rank: Value, count: int, place: LocalPlace) -> None:
        """Takes a line, also one that is left out."""
        if count != self._last:
            self._last, self._greater = count, self._lines
        self._lines += 1
        if self.wrong is None and text_of(rank).strip("=") != str(self._greater + 1):
            self.wrong = place
