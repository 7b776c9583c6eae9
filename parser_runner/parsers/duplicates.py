"""The same name, sex and year twice in one file: refused, with both places."""

from collections.abc import Iterable, Iterator

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem
from dataset_jobs.model.places import Place, in_words
from parser_runner.parsers.contract import Row
from parser_runner.parsers.source import Source

_STEP = 2048


def without_duplicates(source: Source, rows: Iterable[Row]) -> Iterator[Row]:
    """Passes rows on, and raises `Rejected` after the last one if two have the same year, name and sex.

    Keeps every key in memory: for `affirm-worker parse`, and for a runner after Postgres found a duplicate.
    """
    first_place: dict[tuple[int, str, str], Place] = {}
    for number, row in enumerate(rows, 1):
        first = first_place.setdefault((row.year, row.name, row.gender), row.place)
        if first != row.place:
            reason = f"the same name and sex as in {in_words(first)}, for the same year"
            source.findings.problem(Problem(reason, row.place))
        if number % _STEP == 0:
            source.check_rows(number)
        yield row
    if not first_place:
        raise source.rejected(Reason.INVALID_FORMAT, "the file has no rows")
    source.check_rows(number)
    source.raise_problems()
