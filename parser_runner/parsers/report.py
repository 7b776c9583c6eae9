"""Makes the report of a file: its content, the records left out and why, its problems. It needs no database."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.report import Report
from parser_runner.parsers import known_formats, parse_whole
from parser_runner.parsers.archive import text_members
from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.findings import Findings
from parser_runner.parsers.source import Source


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
    covered = [Covered(*key, rows[key], totals[key]) for key in sorted(rows)]
    return replace(report_of(source, country, parsed, covered, smallest), rejected=rejected, known_as=known_as)


def report_of(
    source: Source, country: str, parsed: Parsed | None, totals: Sequence[Covered], smallest: int | None
) -> Report:
    """The report of a file whose rows were read.

    Args:
        source: with the findings of that reading.
        country: ISO 3166-1 code.
        parsed: None if the file was refused before it was known.
        totals: of the rows, by year and sex, ascending.
        smallest: the smallest count among them; None if there are none.
    """
    findings = source.findings
    return Report(
        source.filename,
        country,
        parsed.parser if parsed else findings.recognised,
        parsed.measure if parsed else None,
        parsed.region if parsed else None,
        parsed.top if parsed else None,
        totals,
        smallest,
        dict(sorted(findings.skipped.items())),
        dict(sorted(findings.figures.items())),
        dict(sorted(findings.places.items())),
        dict(sorted(findings.added.items())),
    )
