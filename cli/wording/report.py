"""A report of a file for people: of `parse --report` before a load, of `datasets show` and `load` after it."""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from cli.screen.words import SHORT_ID
from dataset_jobs.model.places import in_words
from dataset_jobs.model.report import Report

NO_COUNTRY = "XX"
"""Stands for the country of a list where none was given."""

SHOWN_FILES = 20
"""Files whose left-out records are named, of a load of many."""

SHOWN_TOTALS = 10
"""Years and sexes that are shown of a load of one file: its rows, which follow, should be on the screen too."""


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


def totals_lines(found: Report) -> list[str]:
    """The rows and sums of each year and sex."""
    if not found.totals:
        return []
    return [
        "",
        f"{'year':<6}{'sex':<5}{'rows':>10}{'total':>14}",
        *(f"{one.year:<6}{one.gender:<5}{one.rows:>10,}{one.total:>14,}" for one in found.totals),
    ]


def left_out_lines(found: Report) -> list[str]:
    """The records that are no rows, or were added to another one, and why. No lines if there are none."""
    lines: list[str] = []
    if found.left_out:
        lines += ["", "left out:"]
        for reason in found.left_out:
            lines.append(_left_out(found, reason))
    if found.added:
        lines += ["", "added to another record of the same name:"]
        for reason, count in found.added.items():
            lines.append(f"{count:>10,}  {reason}")
    return lines


def left_out_in_a_line(found: Report) -> str:
    """How many records were left out and why, the most first; empty if none were."""
    most = sorted(found.left_out.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count:,} {reason}" for reason, count in most)


def lines_of_loads(reports: Mapping[UUID, Report], files: int, show: str) -> list[str]:
    """The loads of several files, a line of each that left something out; or the whole report of the only file.

    Args:
        reports: of the datasets that were loaded.
        files: how many were given.
        show: the command that shows a dataset, without its id.
    """
    if files == len(reports) == 1:
        [(dataset, report)] = reports.items()
        lines = ["", *(f"{label:<10}{text}" for label, text in [("file", report.filename), *about_the_file(report)])]
        if len(report.totals) <= SHOWN_TOTALS:
            lines += totals_lines(report)
        else:
            lines += ["", "rows and totals of each year and sex:", f"  {show} {str(dataset)[:SHORT_ID]}"]
        return lines + left_out_lines(report)
    found = {dataset: report for dataset, report in reports.items() if report.left_out}
    if not found:
        return []
    named = [f"  {report.filename}: {left_out_in_a_line(report)}" for report in found.values()]
    more = len(named) - SHOWN_FILES
    if more > 0:
        named[SHOWN_FILES:] = [f"  and of {more:,} more file{'' if more == 1 else 's'}"]
    which = "where and why:" if len(found) == 1 else "where and why, for the first of them:"
    return ["", "left out:", *named, which, f"  {show} {str(next(iter(found)))[:SHORT_ID]}"]


def _left_out(found: Report, reason: str) -> str:
    """How many records, their sum and their first places."""
    count, total = found.left_out[reason], found.left_out_totals.get(reason)
    places = found.left_out_places.get(reason, ())
    more = count > len(places)
    # Without a line several records have the same place.
    shown = "; ".join(_place(in_words(one), number, more) for one, number in Counter(places).items())
    shown += "; …" if places and more else ""
    figures = f", {total:,} in all" if total else ""
    return f"{count:>10,}  {reason}{figures}{f': {shown}' if shown else ''}"


def _place(place: str, records: int, more: bool) -> str:
    """A place, and how many records have it if it is several; with `more`, others may have it too."""
    if records == 1:
        return place
    return f"{place} ({records:,} records{' or more' if more else ''})"


def _everywhere(country: str) -> str:
    return "all of the country" if country == NO_COUNTRY else f"all of {country}"
