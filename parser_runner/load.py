"""From rows to COPY: blocks of text lines in the order of the primary key of `names`."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import Faulty
from dataset_jobs.model.places import Place
from parser_runner.parsers.contract import Row
from parser_runner.parsers.values import COUNT_LIMIT, NO_COUNT

BLOCK_LINES = 8192
"""Lines per message to Postgres: some hundred KiB."""

PROGRESS_ROWS = 2048

LAST_YEAR = 9999

_NOT_THE_ROWS = "the process that parses gave other rows than it said"


class Unloadable(Exception):
    """A row that the table cannot hold. Built-in parsers yield none; a parser of another package may.

    Args:
        reason: the fault, without the row's contents.
        place: of the row in the file.
    """

    def __init__(self, reason: str, place: Place) -> None:
        super().__init__(reason)
        self.place = place


@dataclass(frozen=True, slots=True)
class SortedRows:
    """All rows of a dataset, ready for COPY.

    Args:
        lines: year, name, gender, folded_name and count, separated by tabs, each with its line feed; `of_dataset` puts
            the dataset's key before them. They are in the order of the primary key: under the C collation a line sorts
            by code points as its columns do, because a tab is less than any character of a name.
        coverage: every year and sex among them, ascending.
        smallest: the smallest count; None if there are no rows.
    """

    lines: list[str]
    coverage: list[Covered]
    smallest: int | None = None

    def blocks(self) -> Iterator[bytes]:
        """The lines, BLOCK_LINES at a time."""
        for start in range(0, len(self.lines), BLOCK_LINES):
            yield "".join(self.lines[start : start + BLOCK_LINES]).encode()


def sort_rows(rows: Iterable[Row], progress: Callable[[int], None]) -> SortedRows:
    """Reads all rows and sorts them.

    Args:
        rows: in any order.
        progress: called with the number of rows read so far; it may raise, which ends the reading.

    Raises:
        Unloadable: the table cannot hold one of them.
    """
    lines: list[str] = []
    found: dict[tuple[int, str], tuple[int, int]] = {}
    smallest: int | None = None
    unread = iter(rows)
    # Checks of a whole batch are cheaper than checks of each row.
    while batch := list(islice(unread, PROGRESS_ROWS)):
        years, genders, names, counts, places = zip(*batch, strict=True)
        least = min(counts)
        if max(counts) > COUNT_LIMIT or least < 1 or max(years) > LAST_YEAR or min(years) < 1:
            raise _unloadable(years, counts, places)
        smallest = least if smallest is None else min(smallest, least)
        lines += _lines(years, genders, names, counts)
        _cover(found, years, genders, counts)
        progress(len(lines))
    lines.sort()
    return SortedRows(lines, [Covered(*key, *found[key]) for key in sorted(found)], smallest)


def of_dataset(dataset_key: int, blocks: Iterable[bytes], rows: int) -> Iterator[bytes]:
    """Puts the dataset's key before every line, so that no line can be of another dataset, whoever has made it.

    Args:
        dataset_key: of the rows' dataset.
        blocks: whole lines, as `SortedRows.blocks` gives them.
        rows: how many lines there should be.

    Raises:
        Faulty: there are more or fewer lines, or they are not separated by line feeds.
    """
    start = f"{dataset_key}\t".encode()
    separator = b"\n" + start
    for block in blocks:
        rows -= block.count(b"\n")
        # Postgres takes the first line end for that of all lines.
        if not block.endswith(b"\n") or b"\r" in block or rows < 0:
            raise Faulty(_NOT_THE_ROWS)
        yield b"%b%b\n" % (start, block[:-1].replace(b"\n", separator))
    if rows:
        raise Faulty(_NOT_THE_ROWS)


def _unloadable(years: Sequence[int], counts: Sequence[int], places: Sequence[Place]) -> Unloadable:
    for year, count, place in zip(years, counts, places, strict=True):
        if not 1 <= count <= COUNT_LIMIT:
            return Unloadable(NO_COUNT, place)
        if not 1 <= year <= LAST_YEAR:
            return Unloadable(f"expected a year from 1 to {LAST_YEAR}", place)
    raise AssertionError("one of them is out of bounds")


def _lines(years: Sequence[int], genders: Sequence[str], names: Sequence[str], counts: Sequence[int]) -> list[str]:
    letters = "".join(names)
    if not letters.isprintable():
        raise ValueError("a parser has given a name with control characters")
    keys = map(str.lower if letters.isascii() else fold, names)
    if _alike(years, genders):
        start, middle = f"{years[0]}\t", f"\t{genders[0]}\t"
        alike = zip(names, keys, counts, strict=True)
        lines = [f"{start}{name}{middle}{key}\t{count}\n" for name, key, count in alike]
    else:
        mixed = zip(years, names, genders, keys, counts, strict=True)
        lines = [f"{year}\t{name}\t{gender}\t{key}\t{count}\n" for year, name, gender, key, count in mixed]
    # In COPY's text format a backslash starts an escape.
    return [line.replace("\\", "\\\\") for line in lines] if "\\" in letters else lines


def _alike(years: Sequence[int], genders: Sequence[str]) -> bool:
    """Whether all rows have one year and sex. Most batches of most files do."""
    return len(set(years)) == len(set(genders)) == 1


def _cover(
    found: dict[tuple[int, str], tuple[int, int]], years: Sequence[int], genders: Sequence[str], counts: Sequence[int]
) -> None:
    """Adds the rows and their counts to the coverage found so far."""
    if _alike(years, genders):
        rows, total = found.get((years[0], genders[0]), (0, 0))
        found[years[0], genders[0]] = (rows + len(counts), total + sum(counts))
        return
    for key, count in zip(zip(years, genders, strict=True), counts, strict=True):
        rows, total = found.get(key, (0, 0))
        found[key] = (rows + 1, total + count)


@lru_cache(maxsize=1 << 14)
def fold(name: str) -> str:
    """The search key of a name, which ignores letter case: casefolded, NFC."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
