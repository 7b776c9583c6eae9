"""A validation report of a file: its content, the records left out and why, its problems. It needs no database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dataset_jobs.model.errors import Problem, Rejected
from dataset_jobs.model.places import Place, as_values
from parser_runner.parsers import known_formats, parse_whole
from parser_runner.parsers.archive import text_members
from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.findings import Findings
from parser_runner.parsers.source import Source


@dataclass(frozen=True, slots=True)
class Totals:
    """Rows and sum of one year and sex."""

    year: int
    sex: str
    rows: int
    total: int


@dataclass(frozen=True, slots=True)
class Report:
    """The validation report of a file.

    Args:
        filename, country: as submitted.
        recognised: the name of the format; None if it is of no known one.
        parsed: measure, region and top of the file; None if it was refused before they were known.
        totals: by year and sex, ascending; of a refused file, as far as it was read.
        smallest: the smallest count; None if there are no rows.
        left_out: how many records or figures are no rows, by the reason.
        left_out_totals: the sum of their counts, if they had any, by the reason.
        left_out_places: the first places of them, by the reason.
        added: how many records were added to others of the same name, by the reason.
        rejected: the refusal, or None.
        known_as: the formats that would read the file without its description.
    """

    filename: str
    country: str
    recognised: str | None = None
    parsed: Parsed | None = None
    totals: Sequence[Totals] = ()
    smallest: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    left_out_totals: Mapping[str, int] = field(default_factory=dict)
    left_out_places: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)
    rejected: Rejected | None = None
    known_as: Sequence[str] = ()

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(one.rows for one in self.totals)

    @property
    def total(self) -> int:
        """The sum of all counts."""
        return sum(one.total for one in self.totals)

    @property
    def years(self) -> list[int]:
        """Ascending."""
        return sorted({one.year for one in self.totals})

    @property
    def sexes(self) -> list[str]:
        """F, M or both."""
        return sorted({one.sex for one in self.totals})

    @property
    def problems(self) -> Sequence[Problem]:
        """The problems that were kept."""
        return self.rejected.problems if self.rejected else ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        parsed, rejected = self.parsed, self.rejected
        return {
            "file": self.filename,
            "country": self.country,
            "accepted": rejected is None,
            "format": self.recognised,
            "known_as": [*self.known_as],
            "measure": parsed.measure if parsed else None,
            "region": parsed.region if parsed else None,
            "top": parsed.top if parsed else None,
            "years": self.years,
            "sexes": self.sexes,
            "rows": self.rows,
            "total": self.total,
            "smallest": self.smallest,
            "totals": [{"year": t.year, "sex": t.sex, "rows": t.rows, "total": t.total} for t in self.totals],
            "left_out": dict(self.left_out),
            "left_out_totals": dict(self.left_out_totals),
            "left_out_places": {
                reason: [as_values(place) for place in places] for reason, places in self.left_out_places.items()
            },
            "added": dict(self.added),
            "reason": str(rejected.reason) if rejected else None,
            "problems": [{"problem": one.reason, **as_values(one.place)} for one in self.problems],
            "more_problems": rejected.more if rejected else 0,
        }


def reports_of_members(source: Source, country: str) -> Iterator[Report]:
    """A report of each text file in an archive, as if it were submitted alone.

    Raises:
        Rejected: the archive is damaged.
    """
    for member in text_members(source):
        member.findings = Findings(source.filename)
        yield replace(report(member, country), filename=member.own_name)


def report(source: Source, country: str) -> Report:
    """Reads a file until its end or its refusal."""
    rows: dict[tuple[int, str], int] = {}
    totals: dict[tuple[int, str], int] = {}
    parsed, rejected, smallest = None, None, None
    known_as: Sequence[str] = ()
    try:
        known_as = known_formats(source, country) if source.hints.description is not None else ()
        parsed = parse_whole(source, country)
        for year, sex, _, count, _ in parsed.rows:
            key = (year, sex)
            rows[key] = rows.get(key, 0) + 1
            totals[key] = totals.get(key, 0) + count
            if smallest is None or count < smallest:
                smallest = count
    except Rejected as error:
        rejected = error
    return Report(
        source.filename,
        country,
        source.findings.recognised,
        parsed,
        [Totals(*key, rows[key], totals[key]) for key in sorted(rows)],
        smallest,
        dict(sorted(source.findings.skipped.items())),
        dict(sorted(source.findings.figures.items())),
        dict(sorted(source.findings.places.items())),
        dict(sorted(source.findings.added.items())),
        rejected,
        known_as,
    )
