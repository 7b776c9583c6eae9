"""Which years and sexes the rows of a dataset are of."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Covered:
    """One year and sex of a dataset, with how many rows it has of it and the sum of their counts."""

    year: int
    gender: str
    rows: int
    total: int


def years_in_words(years: Iterable[int]) -> str:
    """Years as people write them: `1996 to 2020, 2022`."""
    spans: list[list[int]] = []
    for year in sorted(set(years)):
        if spans and year == spans[-1][1] + 1:
            spans[-1][1] = year
        else:
            spans.append([year, year])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in spans)
