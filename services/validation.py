"""What a load of a file would do, without storing it or writing a row.

A parser's process reads the file; services know no parser, so whoever starts the program hands over a `ReadReports`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias
from uuid import UUID

from dataset_jobs.model.coverage import years_in_words
from dataset_jobs.model.errors import Problem, Temporary
from dataset_jobs.model.report import Report
from dataset_jobs.store.client_connection import ClientDatabase
from services.dataset_maker import find_country
from services.submission import Submission

ReadReports: TypeAlias = Callable[[Submission, str, BinaryIO], Sequence[Report]]
"""Reads a file, of a country's code, from its open bytes, in a process without credentials.

The first report is of the whole file. If it is an archive of several regions, one of each file in it follows.

Raises:
    TookTooLong: it was stopped by the clock.
    RunError: the machine does not start the process, or the process failed.
"""


class TookTooLong(Temporary):
    """A file was not read within the time that it may take here. A load may take longer."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A dataset that counts for some of what a file covers.

    Args:
        years, sexes: of which both are; ascending.
        replaced: the file was to take its place there.
    """

    dataset_id: UUID
    filename: str
    years: Sequence[int]
    sexes: Sequence[str]
    replaced: bool


@dataclass(frozen=True, slots=True)
class Validation:
    """What a load of a file would do.

    Args:
        reports: see `ReadReports`.
        overlaps: other datasets that count for the same; none are looked for if the file is refused.
        dataset_id: the dataset that these bytes are already.
    """

    reports: Sequence[Report]
    overlaps: Sequence[Overlap] = ()
    dataset_id: UUID | None = None

    @property
    def report(self) -> Report:
        """Of the whole file."""
        return self.reports[0]

    @property
    def problems(self) -> list[Problem]:
        """All that keeps it from being loaded."""
        return [*self.report.problems, *(_in_words(one) for one in self.overlaps if not one.replaced)]

    @property
    def ok(self) -> bool:
        """Whether it would be loaded."""
        return not self.problems


def validate(
    database: ClientDatabase, submission: Submission, country: str, content: BinaryIO, read: ReadReports
) -> Validation:
    """Reads a file, and looks at what is loaded.

    Args:
        submission: the file, checked.
        country: ISO 3166-1 alpha-2 code.
        content: its bytes, from their beginning.
        read: by which parser.

    Raises:
        InvalidRequest: there is no such country.
        RunError: as the database has it, or `read`.
    """
    country_id, code = find_country(database, country)
    reports = read(submission, code, content)
    same = database.all("submit.find_dataset", country_id=country_id, sha256=submission.sha256)
    dataset_id = same[0]["id"] if same else None
    overlaps = [] if reports[0].rejected else _overlaps(database, submission, country_id, reports[0])
    return Validation(reports, overlaps, dataset_id)


def _overlaps(database: ClientDatabase, submission: Submission, country_id: UUID, report: Report) -> list[Overlap]:
    rows = database.all(
        "coverage.counting",
        country_id=country_id,
        region=report.region,
        measure=report.measure,
        years=[one.year for one in report.totals],
        sexes=[one.gender for one in report.totals],
        sha256=submission.sha256,
    )
    found: dict[UUID, Overlap] = {}
    for row in rows:
        same = [one for one in rows if one["id"] == row["id"]]
        found[row["id"]] = Overlap(
            row["id"],
            row["filename"],
            sorted({one["year"] for one in same}),
            sorted({one["sex"] for one in same}),
            row["id"] in submission.supersedes,
        )
    return [*found.values()]


def _in_words(overlap: Overlap) -> Problem:
    return Problem(
        f"{' and '.join(overlap.sexes)}, {years_in_words(overlap.years)} would count twice: in this file and in"
        f" {overlap.filename} (dataset {overlap.dataset_id}); to take the place of that one, the file has to replace it"
    )
