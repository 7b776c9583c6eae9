"""A report of a file for people: of `parse --report` before a load, of `datasets show` and `load` after it."""

from collections.abc import Mapping
from uuid import UUID

from cli.screen.words import SHORT_ID
from dataset_jobs.model.report import Report
from services.report_words import about_the_file, left_out

SHOWN_FILES = 20
"""Files whose left-out records are named, of a load of many."""

SHOWN_TOTALS = 10
"""Years and sexes that are shown of a load of one file: its rows, which follow, should be on the screen too."""


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
        lines += (f"{count:>10,}  {text}" for count, text in left_out(found))
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
