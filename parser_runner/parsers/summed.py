"""Figures of parts (counties, groups of people) that add up to one figure of the whole, each part at most once."""

from collections.abc import Iterable, Iterator, Sequence

from dataset_jobs.model.places import Cell, in_words
from parser_runner.parsers.contract import Row
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import TextTable
from parser_runner.parsers.values import COUNT_LIMIT, Value

Figure = tuple[Row, str]
"""A row, and the part that its figure counts."""


class CurrentTable(TextTable):
    """Delimited text that keeps the record it read last, for columns that `read_list` does not read."""

    current: Sequence[Value] = ()

    def records(self) -> Iterator[tuple[int, list[str]]]:
        for number, record in super().records():
            self.current = record
            yield number, record


def summed(
    source: Source, figures: Iterable[Figure], part: str, reason: str, repeated: str | None = None
) -> Iterator[Row]:
    """Adds the figures of different parts up to one row for each year, sex and name.

    Two figures of one part, year, sex and name are never added.

    Args:
        source: gets a problem for each figure that stands twice, and the counts for the report.
        figures: the rows and their parts.
        part: what a part is, for messages.
        reason: why figures are added up, for the report.
        repeated: why a figure that stands twice, with the same count, is left out once; None if it is a problem.
    """
    seen: dict[tuple[int, str, str, str], Row] = {}
    sums: dict[tuple[int, str, str], Row] = {}
    for row, of in figures:
        key = (row.year, row.gender, row.name)
        first = seen.setdefault((*key, of), row)
        if first is not row:
            if repeated is not None and first.count == row.count:
                source.skip(repeated)
            else:
                again = f"the same name, sex and {part} as in {in_words(first.place)}, for the same year"
                source.problem(again, _local(row))
        elif whole := sums.get(key):
            sums[key] = whole._replace(count=whole.count + row.count)
            source.added(reason)
        else:
            sums[key] = row
    for row in sums.values():
        if row.count <= COUNT_LIMIT:
            yield row
        else:
            source.problem(f"added up, the count is more than {COUNT_LIMIT}", _local(row))


def _local(row: Row) -> int | Cell | None:
    # Before an archive is put together, a row's place is local.
    return row.place if isinstance(row.place, int | Cell) else None
