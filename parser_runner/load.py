"""From rows to COPY: text lines, sorted for the primary key of `names`, in blocks."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dataset_jobs.model.coverage import Covered
from parser_runner.parsers.contract import Row

BLOCK_LINES = 8192
"""Lines that are sent to Postgres at a time: some hundred KiB."""

PROGRESS_ROWS = 2048


@dataclass(frozen=True, slots=True)
class SortedRows:
    """All rows of a dataset, as COPY wants them.

    Args:
        lines: dataset_key, year, name, gender, folded_name and count, parted by tabs, each with its line feed.
            In the order of the primary key: the code points of a line sort as its columns do under the C collation,
            since a tab is less than anything that a name may hold.
        coverage: every year and sex among them, ascending.
    """

    lines: list[str]
    coverage: list[Covered]

    def blocks(self) -> Iterator[bytes]:
        """The lines, many at a time."""
        for start in range(0, len(self.lines), BLOCK_LINES):
            yield "".join(self.lines[start : start + BLOCK_LINES]).encode()


def sort_rows(dataset_key: int, rows: Iterable[Row], progress: Callable[[int], None]) -> SortedRows:
    """Reads all rows and sorts them.

    Args:
        dataset_key: of the dataset they belong to.
        rows: as the parser yields them.
        progress: called with the number of rows read so far; may raise, to break off.
    """
    lines: list[str] = []
    found: dict[tuple[int, str], tuple[int, int]] = {}
    # Rows of the same year and sex stand together in most files: they are counted as one.
    of_year, of_gender, first, total = 0, "", 0, 0
    for year, gender, name, count, _ in rows:
        if year != of_year or gender != of_gender:
            _add(found, of_year, of_gender, len(lines) - first, total)
            of_year, of_gender, first, total = year, gender, len(lines), 0
        total += count
        if not name.isprintable():
            raise ValueError("a parser has given a name with control characters")
        folded = name.lower() if name.isascii() else fold(name)
        line = f"{dataset_key}\t{year}\t{name}\t{gender}\t{folded}\t{count}\n"
        # Text COPY reads a backslash as the beginning of an escape.
        lines.append(line.replace("\\", "\\\\") if "\\" in line else line)
        if len(lines) % PROGRESS_ROWS == 0:
            progress(len(lines))
    _add(found, of_year, of_gender, len(lines) - first, total)
    lines.sort()
    progress(len(lines))
    return SortedRows(lines, [Covered(*key, *found[key]) for key in sorted(found)])


def _add(found: dict[tuple[int, str], tuple[int, int]], year: int, gender: str, rows: int, total: int) -> None:
    if rows:
        rows_before, total_before = found.get((year, gender), (0, 0))
        found[year, gender] = (rows_before + rows, total_before + total)


def fold(name: str) -> str:
    """The key under which a name is found whatever its letter case: casefolded, NFC."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
