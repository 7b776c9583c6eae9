"""`affirm-worker parse`."""

import csv
import io
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.settings import Settings
from cli.begin import settings_without_database
from cli.given import find_given, known_country
from cli.lazy import single
from cli.options import complete
from cli.options.common import AsJson, Name
from cli.options.files import HintOptions, taking
from cli.screen.formulas import quoted
from cli.screen.output import data_stream, print_json, say
from cli.screen.progress import open_display
from cli.wording.hints import lines_that_help
from cli.wording.report import left_out_lines, totals_lines
from cli.wording.suggestion import print_suggestion
from dataset_jobs.host import temporary_folder
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.limits import MIB
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.report import Report
from dataset_jobs.model.requests import InvalidRequest
from parser_runner.apart.parser import ParserParent
from parser_runner.file_parser import FileToParse
from parser_runner.machine import Machine, temporary_file
from services.report_words import NO_COUNTRY, about_the_file
from services.sources.addresses import is_address, shown_address
from services.sources.buckets import SCHEME
from services.sources.source import FileOnDisk, LocalFile
from services.submission import checked_hints, open_file

EPILOG = """
\b
Examples:
  affirm-worker parse yob2023.txt --country US | head
  affirm-worker parse renamed.txt --country US --year 2023 > 2023.csv
  affirm-worker parse boysnames2024.xlsx --country GB --report
  affirm-worker parse https://www.example.org/names/yob2023.txt --country US --report
  affirm-worker parse names.csv --country CH --suggest > zurich.toml
  affirm-worker parse names.csv --country CH --description zurich.toml --report
"""
commands = single()


@commands.command(epilog=EPILOG)
@taking(HintOptions)
def parse(
    given: HintOptions,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A publisher's file, under its own name: a path, an https:// or s3:// address, or - for stdin.",
        ),
    ],
    country: Annotated[
        str | None,
        typer.Option(
            "--country",
            "-c",
            metavar="CC",
            autocompletion=complete.countries,
            help="ISO 3166-1 code of the country, such as US; only --suggest works without.",
        ),
    ] = None,
    name: Name = None,
    validation: Annotated[
        bool, typer.Option("--report", help="Print what is in the file, what was left out and what is wrong.")
    ] = False,
    suggestion: Annotated[
        bool, typer.Option("--suggest", help="Propose a description of a list that no parser knows.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print names as published, also those that a spreadsheet takes for formulas.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Prints the rows of a file as CSV, or a report of it.

    No database is needed. The columns are year, gender, name and count. A file with errors prints
    no row but the errors, with their lines or cells, on stderr; the exit code is 65 then.

    A name that begins with = + - or @ gets an apostrophe before it, since spreadsheets take it for a formula. For
    programs there is --raw, which prints every name as it is published, and as it is loaded.

    With --suggest: a description in TOML, from the headings and the values, with comments on what is uncertain;
    keep it as a file, correct it, and give it as --description. docs/adding-a-parser.md has more.

    With --report: the format, years, rows, totals by year and sex, the smallest count, records that were left
    out or added up and why, and up to 20 errors; of an archive of several regions also a line for each file.
    --json prints the report as JSON.
    """
    if country is None and not suggestion:
        raise typer.BadParameter("missing", param_hint="--country")
    code = NO_COUNTRY if country is None else known_country(country)
    hints = checked_hints(given.hints())
    settings = settings_without_database()
    temporary_folder()
    with _fetched(file, settings, name) as local, closing(ParserParent.started()) as parsers:
        asked = FileToParse(local.path.name, code, hints, settings.limits)
        with closing(parsers.parser(asked)) as parser:
            with open_file(local.path) as opened:
                while block := opened.read(MIB):
                    parser.write(block)
            shown = shown_address(file) if is_address(file) else file
            if suggestion:
                print_suggestion(parser.suggested(), shown, as_json)
            elif validation or as_json:
                _print_report(parser.reports(), asked, shown, as_json)
            else:
                _print_rows(parser.csv(), asked, shown, raw)


@contextmanager
def _fetched(file: str, settings: Settings, name: str | None) -> Iterator[LocalFile]:
    """The file, which may be elsewhere; raises InvalidRequest for a folder."""
    if Path(file).is_dir() or (file.startswith(SCHEME) and file.endswith("/")):
        raise InvalidRequest(f"{file}: this is a folder; only one file can be parsed at a time")
    [source] = find_given([file], settings, name=name).sources
    with ExitStack() as kept:
        if isinstance(source, FileOnDisk):
            local = kept.enter_context(source.fetch(lambda _: None))
        else:
            with open_display(settings) as display:
                local = kept.enter_context(source.fetch(display.say))
        yield local


def _print_rows(blocks: Iterator[bytes], asked: FileToParse, file: str, raw: bool) -> None:
    # Either all rows or the errors: an error may be in the last line.
    with io.TextIOWrapper(temporary_file(Machine()), encoding="utf-8", newline="") as rows:
        rows.write("year,gender,name,count\n")
        try:
            rows.writelines(block.decode() if raw else _quoted(block) for block in blocks)
        except Rejected as rejected:
            for problem in rejected.problems:
                where = f"{file}, {problem}" if problem.place is not None else f"{file}: {problem}"
                say(where, to=sys.stderr)
            if rejected.more:
                say(f"{file}: and {rejected.more} more problems", to=sys.stderr)
            for line in _what_helps(rejected, file, asked.country, asked.filename, asked.hints):
                say(line, to=sys.stderr)
            raise typer.Exit(ExitCode.REJECTED) from None
        rows.seek(0)
        shutil.copyfileobj(rows, data_stream())


def _quoted(block: bytes) -> str:
    """Whole rows, with no name that is a formula."""
    text = io.StringIO()
    rows = csv.reader(io.StringIO(block.decode(), newline=""))
    csv.writer(text, lineterminator="\n").writerows((*others, quoted(name), count) for *others, name, count in rows)
    return text.getvalue()


def _print_report(reports: Sequence[Report], asked: FileToParse, file: str, as_json: bool) -> None:
    found, *members = reports
    if as_json:
        print_json(found.as_dict() | ({"members": [one.as_dict() for one in members]} if members else {}))
    else:
        say(*report_lines(found, file, asked.hints), *_member_lines(members))
    if found.rejected:
        raise typer.Exit(ExitCode.REJECTED)


def _member_lines(members: Sequence[Report]) -> list[str]:
    """The files of an archive, a line each."""
    if not members:
        return []
    lines = ["", f"{'file':<20}{'region':<16}{'years':<14}{'rows':>10}{'total':>14}"]
    for one in members:
        region = one.region or ""
        years = " to ".join(map(str, dict.fromkeys((one.years[0], one.years[-1])))) if one.years else ""
        wrong = f"  {one.rejected.problems[0]}" if one.rejected else ""
        lines.append(f"{one.filename:<20}{region:<16}{years:<14}{one.rows:>10,}{one.total:>14,}{wrong}")
    rows, total = sum(one.rows for one in members), sum(one.total for one in members)
    return [*lines, f"{'all':<50}{rows:>10,}{total:>14,}"]


def _what_helps(rejected: Rejected, file: Path | str, country: str, filename: str, said: FileHints) -> Iterator[str]:
    """What the refusal asks for, with what was said of the file."""
    return lines_that_help((hint.saying(country, filename, said), file) for hint in rejected.hints)


def report_lines(found: Report, file: Path | str, said: FileHints) -> list[str]:
    """The report of a file that is not loaded yet, for people.

    Args:
        found: the report.
        file: as the user names it.
        said: what was said of it.
    """
    about = [
        ("file", found.filename),
        ("result", f"refused: {found.rejected.reason}" if found.rejected else "can be loaded"),
        *about_the_file(found),
    ]
    lines = [f"{label:<10}{text}" for label, text in about]
    lines += [*totals_lines(found), *left_out_lines(found)]
    if found.rejected:
        lines += ["", "problems:", *(f"  {problem}" for problem in found.problems)]
        if found.rejected.more:
            lines.append(f"  and {found.rejected.more:,} more")
        lines += _what_helps(found.rejected, file, found.country, found.filename, said)
    return lines
