"""Lists of name, sex and count without headings: what tells those of two publishers apart.

The US Social Security Administration and Portugal's IRN write the same three fields. Measured over all 145 national
files (yob1880.txt to yob2024.txt) and Portugal's two of this shape:

| | US | Portugal |
| --- | --- | --- |
| letters of names | ASCII; the first a capital, all others small | one name in eight has another letter |
| smallest count | 5 | 1; five in six lines have fewer than 5 |
| order | all F, then all M; each by count descending, then by name | by count; names of equal counts in no order |

A cut of a few lines may have nothing of this.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import neg

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem, Rejected
from dataset_jobs.model.hints import Action, Hint
from parser_runner.parsers.source import Source

_HEAD = 64 * 1024
"""Bytes that are looked at: several thousand lines."""

_LINE = re.compile(
    r'^ ?"?([^",;|\t\r\n]+)"? ?[,;|\t] ?"?([FMIfmi]|[Ff]emale|[Mm]ale)"? ?[,;|\t] ?"?([0-9]{1,10})"?[,;|\t ]{0,9}\r?$',
    re.MULTILINE,
)
_PLAIN = re.compile(r"^([A-Z][a-z]+),([FM]),([0-9]{1,10})\r?$", re.MULTILINE)
"""All lines of the US files."""
_SMALLEST = 5
_MANY = 100
"""Lines in which, if there are so many, either publisher's habits show."""
_SHARE = 50
"""One line in so many with a habit proves it; fewer are single lines that somebody changed."""


NAMED_PORTUGAL = re.compile(r"nomes", re.IGNORECASE)
NAMED_US = re.compile(r"yob[0-9]{4}", re.IGNORECASE)
"""What the publishers call these files. Of a few lines such a name tells whose they are."""


@dataclass(frozen=True, slots=True)
class BareList:
    """What the first lines of a list show.

    Args:
        lines: how many have three such fields.
        accents: names with letters that are not ASCII.
        undecodable: those of them that are not UTF-8. The US file that has one is refused for that line.
        other_case: names in capitals, or without one at the beginning.
        small: counts below 5.
        undetermined: lines of the sex I.
        disorder: how often a line does not follow the one before, in the order of the US files.
    """

    lines: int
    accents: int
    undecodable: int
    other_case: int
    small: int
    undetermined: int
    disorder: int

    @property
    def _portuguese(self) -> int:
        return max(self.accents, self.small) + self.undetermined

    @property
    def is_us(self) -> bool:
        """Whether nothing speaks against the US publisher, but perhaps the order."""
        if self.lines >= _MANY:
            return self._portuguese * _SHARE < self.lines and self.other_case * 2 <= self.lines
        few_children = self.small > 1 and self.small * 2 >= self.lines
        other_letters = self.accents > self.undecodable or self.other_case * 2 > self.lines
        return not (other_letters or few_children or self.undetermined)

    @property
    def is_in_order(self) -> bool:
        """Whether the lines are in the order of the US files, but for one, or for one in many, that was changed."""
        return self.disorder <= 1 or self.disorder * _SHARE < self.lines

    @property
    def is_portuguese(self) -> bool:
        """Whether something speaks for Portugal. False of a few lines that might be either's, too."""
        if self.lines >= _MANY:
            return self._portuguese * _SHARE >= self.lines
        return bool(self._portuguese or self.other_case)

    @property
    def is_undecided(self) -> bool:
        """Whether these are so few lines that they may be of either publisher."""
        return self.lines < _MANY and self.is_us and not self.is_portuguese


def look_at(source: Source) -> BareList:
    """The habits that the first lines of a file show."""
    return _look_at(source.head(_HEAD))


@lru_cache(maxsize=4)
def _look_at(head: bytes) -> BareList:
    # Several formats ask, each when it recognises the file and when it starts.
    text = _text(head)
    found = _PLAIN.findall(text)
    plain = len(found) > text.count("\n") - 1 and bool(found)
    if not plain:
        found = _LINE.findall(text)
    if not found:
        return BareList(0, 0, 0, 0, 0, 0, 0)
    names, sexes, digits = zip(*found, strict=True)
    counts = [*map(int, digits)]
    # A US file has nothing odd: what is asked first of each is fast.
    return BareList(
        lines=len(found),
        accents=0 if plain else sum(not name.isascii() for name in names),
        undecodable=0 if plain else sum(any("\udc80" <= letter <= "\udcff" for letter in name) for name in names),
        other_case=0 if plain else sum(map(_is_in_other_case, names)),
        small=0 if min(counts) >= _SMALLEST else sum(count < _SMALLEST for count in counts),
        undetermined=sexes.count("I") + sexes.count("i"),
        disorder=_disorder([*zip(map(str.upper, sexes), map(neg, counts), names, strict=True)]),
    )


def _is_in_other_case(name: str) -> bool:
    name = name.strip()
    return not name[:1].isupper() or (len(name) > 1 and name.isupper())


def _disorder(lines: Sequence[tuple[str, int, str]]) -> int:
    return 0 if [*lines] == sorted(lines) else sum(before > after for before, after in pairwise(lines))


def _text(head: bytes) -> str:
    return head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def undecided(source: Source, country: str, name: str) -> Rejected:
    """The refusal of lines that may be of either publisher, or of anybody."""
    message = (
        "these lines of name, sex and count may be of the US, of Portugal or of another publisher, and nothing tells:"
        " if they are the whole country's, say the format"
    )
    hint = Hint(Action.SUBMIT_AS_FORMAT, country=country, format=name)
    return Rejected(Reason.UNDECIDED, source.filename, Problem(message, source.place(1)), hints=[hint])
