"""The same name, sex and year twice in one file: refused, with both lines."""

from collections.abc import Iterable, Iterator

from dataset_jobs.model.causes import Reason
from parser_runner.parsers import Row
from parser_runner.parsers.source import Source


def without_duplicates(source: Source, rows: Iterable[Row]) -> Iterator[Row]:
    """Passes rows on, and raises `Rejected` in the end if some of them have the same year, name and sex.

    Keeps every key in memory: for `affirm-worker parse`, and for a runner that Postgres has told of a duplicate.
    """
    first_line: dict[tuple[int, str, str], int] = {}
    for row in rows:
        key = (row.year, row.name, row.gender)
        first = first_line.setdefault(key, row.line)
        if first != row.line:
            source.problem(f"the same name and sex as in line {first}, for the same year", row.line)
        yield row
    if len(first_line) == 0:
        raise source.rejected(Reason.INVALID_FORMAT, "the file has no rows")
    source.raise_problems()
