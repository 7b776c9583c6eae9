"""A report of a file for people: of `parse --report` before a load, of `datasets show` and `load` after it."""

import sys
import textwrap

from cli.table import terminal_width
from dataset_jobs.model.places import in_words
from dataset_jobs.model.report import Report

_INDENT = 12
"""Of a reason: the columns of its count and the gap."""


def about_the_file(found: Report) -> list[tuple[str, str]]:
    """What kind of list it is, and what its rows are: a word and its value each."""
    about = [("format", found.recognised)] if found.recognised is not None else []
    if found.known_as:
        about.append(("known as", f"{' or '.join(found.known_as)}, without a description"))
    if found.measure is not None:
        about += [
            ("measure", found.measure),
            ("region", found.region or f"all of {found.country}"),
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
            lines += _left_out(found, reason)
    if found.added:
        lines += ["", "added to another record of the same name:"]
        for reason, count in found.added.items():
            lines += _wrapped(count, reason)
    return lines


def left_out_in_a_line(found: Report) -> str:
    """How many records were left out and why, the most first; empty if none were."""
    most = sorted(found.left_out.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count:,} {reason}" for reason, count in most)


def _left_out(found: Report, reason: str) -> list[str]:
    """How many records, their sum and their first places."""
    count, total = found.left_out[reason], found.left_out_totals.get(reason)
    places = found.left_out_places.get(reason, ())
    shown = "; ".join(map(in_words, places)) + ("; …" if places and count > len(places) else "")
    figures = f", {total:,} in all" if total else ""
    return _wrapped(count, f"{reason}{figures}{f': {shown}' if shown else ''}")


def _wrapped(count: int, text: str) -> list[str]:
    """A count and its text; on a terminal on several lines, none of which breaks a word."""
    line = f"{count:>10,}  {text}"
    if not sys.stdout.isatty() or len(line) <= terminal_width():
        return [line]
    width = max(terminal_width(), 2 * _INDENT)
    return textwrap.wrap(line, width, subsequent_indent=" " * _INDENT, break_long_words=False, break_on_hyphens=False)
