"""The same name, sex and year twice in one file: refused, with both places."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem
from dataset_jobs.model.places import Place, in_words
from parser_runner.parsers.contract import Row
from parser_runner.parsers.findings import PROBLEMS_KEPT, PROBLEMS_LIMIT
from parser_runner.parsers.source import Source

_STEP = 2048
_BUCKETS = 256
"""Hashes are compared a bucket at a time, which takes little memory."""


def without_duplicates(source: Source, rows: Iterable[Row], again: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """Passes rows on, and raises `Rejected` after the last one if two have the same year, sex and name.

    For `affirm-worker parse`, and for a runner after Postgres found a duplicate. It keeps a hash of eight bytes for
    each row. Only if two hashes are equal it reads the file again, compares the rows, and finds their places.

    Args:
        source: of the rows.
        rows: of all the file.
        again: the same rows once more.
    """
    buckets = [array("q") for _ in range(_BUCKETS)]
    number = 0
    for number, row in enumerate(rows, 1):
        key = hash(row[:3])
        buckets[key % _BUCKETS].append(key)
        if number % _STEP == 0:
            source.check_rows(number)
        yield row
    if not number:
        raise source.rejected(Reason.INVALID_FORMAT, "the file has no rows")
    source.check_rows(number)
    if repeated := {key for bucket in buckets for key in _repeated(bucket)}:
        for problem in _problems(again(), repeated):
            source.findings.problem(problem)
    source.raise_problems()


def _repeated(bucket: "array[int]") -> set[int]:
    if len({*bucket}) == len(bucket):
        return set()
    return {one for one, next_one in pairwise(sorted(bucket)) if one == next_one}


def _problems(rows: Iterable[Row], repeated: set[int]) -> list[Problem]:
    """A problem for each row whose key another one has. Different keys may have the same hash."""
    problems: list[Problem] = []
    first_place: dict[tuple[int, str, str], Place] = {}
    for row in rows:
        if hash(row[:3]) not in repeated:
            continue
        first = first_place.setdefault(row[:3], row.place)
        if first != row.place:
            reason = f"the same name and sex as in {in_words(first)}, for the same year"
            problems.append(Problem(reason, row.place))
        if len(problems) > PROBLEMS_KEPT + PROBLEMS_LIMIT:
            break
    return problems
