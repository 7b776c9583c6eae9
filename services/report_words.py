"""The report of a file in words, for every surface: what kind of list it is, and what was left out of it."""

from collections import Counter
from collections.abc import Iterator

from dataset_jobs.model.places import in_words
from dataset_jobs.model.report import Report

NO_COUNTRY = "XX"
"""Stands for the country of a list where none was given."""


def about_the_file(found: Report) -> list[tuple[str, str]]:
    """What kind of list it is, and what its rows are: a word and its value each."""
    about = [("format", found.recognised)] if found.recognised is not None else []
    if found.known_as:
        about.append(("known as", f"{' or '.join(found.known_as)}, without a description"))
    if found.measure is not None:
        about += [
            ("measure", found.measure),
            ("region", found.region or _everywhere(found.country)),
            ("names", f"the top {found.top} of each year and sex" if found.top else "all that are published"),
        ]
    if found.totals:
        years = found.years
        about += [
            ("years", str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]} ({len(years)} of them)"),
            ("rows", f"{found.rows:,}"),
            ("total", f"{found.total:,}"),
        ]
        if found.smallest is not None:
            about.append(("smallest", f"{found.smallest:,}"))
    return about


def left_out(found: Report) -> Iterator[tuple[int, str]]:
    """How many records are no rows; why, their sum and their first places."""
    for reason, count in found.left_out.items():
        total, places = found.left_out_totals.get(reason), found.left_out_places.get(reason, ())
        more = count > len(places)
        # Without a line several records have the same place.
        shown = "; ".join(_place(in_words(one), number, more) for one, number in Counter(places).items())
        shown += "; …" if places and more else ""
        figures = f", {total:,} in all" if total else ""
        yield count, f"{reason}{figures}{f': {shown}' if shown else ''}"


def _place(place: str, records: int, more: bool) -> str:
    """A place, and how many records have it if it is several; with `more`, others may have it too."""
    if records == 1:
        return place
    return f"{place} ({records:,} records{' or more' if more else ''})"


def _everywhere(country: str) -> str:
    return "all of the country" if country == NO_COUNTRY else f"all of {country}"
