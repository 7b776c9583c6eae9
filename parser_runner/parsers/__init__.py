"""From a publisher's file to rows: a module per publisher, and parsers of other packages. See docs/adding-a-parser.md.

A parser module has `PARSERS`, a list of `Parser` objects. Another package names its module in the entry-point group
`affirm_worker.parsers`, under the country's code in lower case.
"""

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, Problem, Rejected
from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.limits import MIB, Limits
from dataset_jobs.model.places import InMember
from parser_runner.parsers.archive import is_beside_lists, text_members
from parser_runner.parsers.contract import AnyParser, Parsed, Parser, Row
from parser_runner.parsers.duplicates import without_duplicates
from parser_runner.parsers.findings import Findings
from parser_runner.parsers.source import Source
from parser_runner.parsers.start import start
from parser_runner.parsers.unknown import Other, how_to_describe, unknown
from parser_runner.parsers.whose_file import (
    Recognised,
    all_recognised,
    check_named,
    check_region,
    is_refused,
    is_shared,
    the_one,
)

if TYPE_CHECKING:
    from parser_runner.parsers.packages import Broken, Further

__all__ = [
    "AnyParser",
    "Parsed",
    "Parser",
    "Row",
    "Source",
    "countries",
    "parse",
    "parse_file",
    "parsers_of",
]

_log = logging.getLogger(__name__)

_BUILT_IN: dict[str, tuple[str, ...]] = {
    "AR": ("ar_renaper",),
    "AT": ("at_wien",),
    "AU": ("au_sa", "au_nsw", "au_qld", "au_vic", "au_tas"),
    "BE": ("be_statbel",),
    "CA": ("ca_ontario", "ca_bc"),
    "CH": ("ch_zuerich",),
    "CL": ("cl_registro_civil",),
    "DE": ("de_berlin", "de_koeln", "de_leipzig", "de_muenchen"),
    "DK": ("dk_dst",),
    "ES": ("es_idescat",),
    "FI": ("fi_dvv",),
    "FR": ("fr_insee", "fr_paris"),
    "GB": ("gb_ons", "gb_nrs", "gb_nisra"),
    "IE": ("ie_cso",),
    "IL": ("il_cbs",),
    "IT": ("it_istat",),
    "NO": ("no_ssb",),
    "NZ": ("nz_dia",),
    "PT": ("pt_irn",),
    "SE": ("se_scb",),
    "SI": ("si_surs",),
    "US": ("us_ssa", "us_nyc", "us_nys"),
    "UY": ("uy_montevideo",),
}


def parsers_of(country: str) -> Sequence[AnyParser]:
    """This package's parsers for a country, by its ISO 3166-1 code."""
    return [
        parser
        for module in _BUILT_IN.get(country, ())
        for parser in import_module(f"parser_runner.parsers.publishers.{module}").PARSERS
    ]


def further_parsers_of(country: str) -> "Further":
    """The parsers of other packages for a country, and what is broken of them."""
    # Import it only now: a search of the installed packages takes longer than parsing most files.
    from parser_runner.parsers.packages import load_packages

    return load_packages(country, parsers_of(country))


def countries() -> list[str]:
    """The countries with parsers, of this package or of others."""
    from parser_runner.parsers.packages import packaged_countries

    return sorted({*_BUILT_IN, *packaged_countries()})


def parse_file(
    path: Path,
    country: str,
    hints: FileHints = NO_HINTS,
    limits: Limits | None = None,
) -> Parsed:
    """Parses a local file, and refuses duplicates, which Postgres would find otherwise.

    Args:
        path: of the file.
        country: ISO 3166-1 code.
        hints: what the uploader says of it.
        limits: on the file.

    Raises:
        Rejected: at once, or while the rows are read.
    """
    return parse_whole(Source(path.name, path.open("rb"), hints, limits), country)


def parse_whole(source: Source, country: str) -> Parsed:
    """As `parse`, and refuses duplicates and files without rows. Closes the source after the last row."""
    try:
        parsed = parse(source, country)
    except BaseException:
        source.close()
        raise
    return replace(
        parsed, rows=_closing(source, without_duplicates(source, parsed.rows, lambda: rows_again(source, country)))
    )


def rows_again(source: Source, country: str) -> Iterator[Row]:
    """The rows of a file that was read to its end without a problem. What was left out is not counted again."""
    findings = source.findings
    source.rewind()
    source.findings = Findings(source.filename)
    try:
        yield from parse(source, country).rows
    finally:
        source.findings = findings


def _closing(source: Source, rows: Iterator[Row]) -> Iterator[Row]:
    with closing(source):
        yield from rows


def parse(source: Source, country: str) -> Parsed:
    """Finds the parser of a file by country and content, and starts it.

    Args:
        source: the file, its name and the hints given at submit.
        country: ISO 3166-1 code.

    Raises:
        Rejected: the country has no parser, or none recognises the file. Also while the rows are read.
        Misconfigured: none recognises the file, and a package that may know it is broken.
    """
    if source.size > source.limits.file_mib * MIB:
        message = f"the file has {source.size} bytes, more than {source.limits.file_mib} MiB (LIMIT_FILE_MIB)"
        raise Rejected(Reason.TOO_LARGE, source.filename, message)
    if source.hints.description is not None:
        return _parse_described(source, country, source.hints.description)
    parsers = parsers_of(country)
    found = all_recognised(source, parsers) if source.size else []
    chosen = the_one(source, country, found)
    broken: Sequence[Broken] = ()
    if chosen is None:
        from parser_runner.parsers.packages import recognised_by_packages

        further = further_parsers_of(country)
        if not (parsers or further.parsers or further.broken):
            message = f"there is no parser for files of {country}"
            raise Rejected(Reason.NO_PARSER, source.filename, message, hints=[how_to_describe(country)])
        parsers = [*parsers, *(one.parser for one in further.parsers)]
        found, broken = recognised_by_packages(source, country, further)
        chosen = the_one(source, country, found)
    if chosen is None and source.member is None and source.size and source.is_zip and source.workbook() is None:
        return _parse_archive(source, country)
    if chosen is None:
        usable = {parser.name for parser in parsers} - {one.format for one in broken}
        if broken and source.size and source.hints.format not in usable:
            # The file is not at fault. Once the package is fixed, the same try can pass.
            said = "; ".join(map(str, broken))
            message = f"no working parser of {country} knows {source.filename}, and one is broken: {said}"
            raise Misconfigured(message, Reason.CONFIG)
        raise unknown(source, country, parsers, lambda: _elsewhere(source, country))
    for one in broken:
        _log.warning("%s", one)
    parser, match = chosen
    check_named(source, parser, found)
    source.findings.recognised = parser.name
    parsed = start(parser, source, match)
    check_region(source, parsed.region)
    return parsed


def known_formats(source: Source, country: str) -> list[str]:
    """The formats of a country that recognise a file by what is their publishers' own. Rewinds.

    Raises:
        Rejected: the file is damaged, or over a limit.
    """
    found = all_recognised(source, parsers_of(country)) if source.size else []
    return [one.parser.name for one in found if not is_shared(one.parser)]


def _parse_described(source: Source, country: str, description: str) -> Parsed:
    """Parses a file by its description: no other format is asked."""
    # Few files have one.
    from parser_runner.parsers.descriptions.described import described

    parser = described(source, country, description)
    source.findings.recognised = parser.name
    if source.member is None and source.size and source.is_zip and source.workbook() is None:
        return _parse_archive(source, country)
    match = parser.recognise(source)
    source.rewind()
    parsed = start(parser, source, match)
    check_region(source, parsed.region)
    return parsed


def _parse_archive(source: Source, country: str) -> Parsed:
    """Parses an archive of text files as one dataset: all of one format, measure and region."""
    members = _parsed_members(source, country)
    try:
        first, parsed = next(members)
    except BaseException:
        members.close()
        raise

    def rows() -> Iterator[Row]:
        with closing(members):
            yield from _within(first, parsed.rows)
            for member, other in members:
                _check_alike(member, country, parsed, other)
                yield from _within(member, other.rows)

    return replace(parsed, rows=rows())


def _parsed_members(source: Source, country: str) -> Generator[tuple[Source, Parsed], None, None]:
    """The lists of an archive. Texts beside them (metadata, a read-me) are passed over and counted."""
    refused = None
    lists = 0
    with closing(text_members(source)) as members:
        for member in members:
            try:
                parsed = parse(member, country)
            except (Rejected, Misconfigured) as error:
                if not is_beside_lists(member):
                    raise (_placed(member, error) if isinstance(error, Rejected) else error) from None
                member.skip("texts beside the lists in the archive")
                refused = refused or error
                continue
            lists += 1
            yield member, parsed
    if not lists and refused:
        raise refused


def _placed(member: Source, error: Rejected) -> Rejected:
    """The refusal of a file in an archive, which names the file."""
    problems = [problem if problem.place else replace(problem, place=member.place(None)) for problem in error.problems]
    return Rejected(error.reason or Reason.INVALID_FORMAT, error.filename, problems, error.more, error.hints)


def _check_alike(member: Source, country: str, parsed: Parsed, other: Parsed) -> None:
    hints = [Hint(Action.SUBMIT_SPLIT, country=country)]
    for what, one, another, reason in (
        ("format", parsed.parser, other.parser, Reason.INVALID_FORMAT),
        ("measure", parsed.measure, other.measure, Reason.INVALID_FORMAT),
        ("region", parsed.region, other.region, Reason.SEVERAL_REGIONS),
        ("length of lists", parsed.top, other.top, Reason.INVALID_FORMAT),
    ):
        if one != another:
            message = f"the files in the archive differ in their {what}, {one} and {another}"
            problem = Problem(f"{message}: submit each of them as a dataset of its own", member.place(None))
            raise Rejected(reason, member.filename, problem, hints=hints)


def _within(member: Source, rows: Iterator[Row]) -> Iterator[Row]:
    name = member.member
    assert name is not None
    for row in rows:
        # Members are text, so their places are lines.
        assert isinstance(row.place, int)
        yield Row(row.year, row.gender, row.name, row.count, InMember(name, row.place))


def refuse_if_refused(source: Source, country: str) -> None:
    """Refuses a list of a publisher whose lists cannot be loaded, however they are described.

    Raises:
        Rejected: it is one, and why.
    """
    for one in all_recognised(source, [parser for parser in parsers_of(country) if is_refused(parser)]):
        start(one.parser, source, one.match)
    source.rewind()


def _elsewhere(source: Source, country: str) -> list[Other]:
    """The formats of other countries that are surely the file's."""
    found: list[Other] = []
    for code in _BUILT_IN:
        if code != country:
            try:
                recognised = all_recognised(source, parsers_of(code))
            except Rejected:
                continue
            sure = [one for one in recognised if not (is_shared(one.parser) or is_refused(one.parser))]
            found += [Other(code, one.parser, _refusal(source, one)) for one in sure]
    return found


def _refusal(source: Source, one: Recognised) -> str | None:
    """Why the format refuses the file at once, whatever is said of it; None if it does not."""
    try:
        start(one.parser, source, one.match)
    except Rejected as rejected:
        return rejected.problems[0].reason if rejected.reason is Reason.INVALID_FORMAT else None
    finally:
        source.rewind()
    return None
