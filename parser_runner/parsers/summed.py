"""Figures of parts (counties, groups of people) that add up to one figure of the whole, each part at most once.

`Columns.over` and `AddUp` are for parts that differ in their texts. This is for parts that the parser must know: two
texts may be one part, all parts must be there, and the publisher may repeat lines.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dataset_jobs.model.places import Cell, in_words
from parser_runner.parsers.contract import Row
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import TextTable
from parser_runner.parsers.values import COUNT_LIMIT, Value
from parser_runner.parsers.year_and_sex import IN_WORDS

Figure = tuple[Row, str]
"""A row, and the part that its figure counts."""

_Key = tuple[int, str, str, str]
"""Year, sex, name and part."""


class CurrentTable(TextTable):
    """Delimited text that keeps the record it read last, for columns that `read_list` does not read."""

    current: Sequence[Value] = ()

    def records(self) -> Iterator[tuple[int, list[str]]]:
        for number, record in super().records():
            self.current = record
            yield number, record


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeated:
    """A publisher's habit to repeat lines. An equal line is one line.

    Args:
        reason: why lines are left out, for the report.
        at_most: how often one line stands, as measured in the publisher's files.
    """

    reason: str
    at_most: int


def summed(
    source: Source,
    figures: Iterable[Figure],
    part: str,
    reason: str,
    *,
    repeated: Repeated | None = None,
    at_least: int = 1,
) -> Iterator[Row]:
    """Adds the figures of different parts up to one row for each year, sex and name.

    Two figures of one part, year, sex and name are never added.

    Args:
        source: gets a problem for each figure that stands twice, and the counts for the report.
        figures: the rows and their parts.
        part: what a part is, for messages.
        reason: why figures are added up, for the report.
        repeated: how far a figure may stand again with the same count; None if it never may.
        at_least: how many parts each year and sex has, or somebody took parts out, and the sums are not of the whole.
    """
    seen: dict[_Key, Row] = {}
    times: Counter[_Key] = Counter()
    sums: dict[tuple[int, str, str], Row] = {}
    parts: dict[tuple[int, str], set[str]] = {}
    for row, of in figures:
        whole = (row.year, row.gender, row.name)
        key = (*whole, of)
        parts.setdefault(whole[:2], set()).add(of)
        first = seen.setdefault(key, row)
        if first is not row:
            times[key] += 1
            if repeated is not None and first.count == row.count and times[key] < repeated.at_most:
                source.skip(repeated.reason)
            else:
                what = f"the same name, sex and {part} as in {in_words(first.place)}, for the same year"
                source.problem(what, _local(row))
        elif added := sums.get(whole):
            sums[whole] = added._replace(count=added.count + row.count)
            source.added(reason)
        else:
            sums[whole] = row
    for (year, sex), found in parts.items():
        if len(found) < at_least:
            what = f"{IN_WORDS[sex]} of {year} have figures of {len(found)} parts ({part}), expected {at_least} or more"
            source.problem(f"{what}: this is not the whole list")
    for row in sums.values():
        if row.count <= COUNT_LIMIT:
            yield row
        else:
            source.problem(f"added up, the count is more than {COUNT_LIMIT}", _local(row))


def _local(row: Row) -> int | Cell | None:
    # Before an archive is put together, a row's place is local.
    return row.place if isinstance(row.place, int | Cell) else None
