"""What runner and parser say to each other: a kind of one byte, then bytes or JSON.

A file may have taken over the parser. So the runner reads JSON and no pickles, checks every value, and takes nothing of
more than `MESSAGE_BYTES`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import (
    Faulty,
    Misconfigured,
    OutOfMemory,
    Problem,
    Rejected,
    RunError,
    Unavailable,
)
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.hints import Hint
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.outcome import KEPT_HINTS
from dataset_jobs.model.places import as_values, from_values
from dataset_jobs.model.report import Report, stored_report
from dataset_jobs.model.text import storable
from parser_runner.file_parser import FileToParse, ParsedFile, Suggested

MESSAGE_BYTES = 16 * 1024 * 1024

# From the runner.
FILE, BYTES, PARSE, SEND_ROWS, FIND_DUPLICATES = b"F", b"B", b"P", b"S", b"D"
CSV, REPORT, SUGGEST = b"C", b"R", b"G"
# From the parser.
PROGRESS, LOG, PARSED, ROWS, END, FAILED = b"p", b"l", b"d", b"r", b"e", b"f"
NOTHING = b"n"

TAKES_MORE = b"m"
"""In an END: the parser would read another plain file."""

_ERRORS: Mapping[str, type[RunError]] = {one.__name__: one for one in (Misconfigured, Unavailable, OutOfMemory, Faulty)}
_PROBLEMS = 20
_MOST_COVERED = 2 * 9999
_MOST_NAMES = 1000
_WORD = 200
_MOST_BESIDE = 256 * 1024
_BIGINT = 2**63


class Nonsense(Exception):
    """The parser said something that no parser of ours says."""


def to_json(values: Any) -> bytes:
    """JSON, on one line, as ASCII."""
    return json.dumps(values).encode()


def from_json(text: bytes) -> Any:
    """Raises Nonsense for anything else."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Nonsense from None


def file_as_json(asked: FileToParse) -> bytes:
    """The file that the parser should read."""
    return to_json(asdict(asked))


def file_from_json(text: bytes) -> FileToParse:
    """The parser trusts the runner."""
    values = json.loads(text)
    return FileToParse(values["filename"], values["country"], FileHints(**values["hints"]), Limits(**values["limits"]))


def parsed_as_json(parsed: ParsedFile) -> bytes:
    """A file that was read to its end."""
    values = {name: getattr(parsed, name) for name in ParsedFile.__slots__}
    covered = [(one.year, one.gender, one.rows, one.total) for one in parsed.coverage]
    return to_json({**values, "coverage": covered})


def parsed_from_json(text: bytes) -> ParsedFile:
    """Raises Nonsense."""
    match from_json(text):
        case {
            "parser": str(parser),
            "measure": "births" | "population" as measure,
            "region": str() | None as region,
            "top": int() | None as top,
            "coverage": [_, *_] as covered,
            "beside": dict(beside),
            "sex": "F" | "M" | None as sex,
            "frequent": list(names),
        } if _are_few(covered, names, beside):
            coverage = [_covered(one) for one in covered]
            frequent = [storable(one) for one in names if isinstance(one, str) and len(one) <= _WORD]
            return ParsedFile(_word(parser), measure, region and _word(region), top, coverage, beside, sex, frequent)
    raise Nonsense


def _are_few(covered: list[Any], names: list[Any], beside: dict[str, Any]) -> bool:
    return len(covered) <= _MOST_COVERED and len(names) <= _MOST_NAMES and len(to_json(beside)) <= _MOST_BESIDE


def _covered(values: Any) -> Covered:
    match values:
        case [int(year), "F" | "M" as gender, int(rows), int(total)] if (
            1 <= year <= 9999 and 1 <= rows <= total < _BIGINT
        ):
            return Covered(year, gender, rows, total)
    raise Nonsense


def _word(text: str) -> str:
    if len(text) > _WORD:
        raise Nonsense
    return storable(text)


def error_as_json(error: RunError) -> bytes:
    """Why the file was not read."""
    values: dict[str, Any] = {
        "kind": "Rejected" if isinstance(error, Rejected) else type(error).__name__,
        "reason": str(error.reason) if error.reason else None,
        "message": str(error),
        "hints": [hint.as_dict() for hint in error.hints[:KEPT_HINTS]],
    }
    if isinstance(error, Rejected):
        values["problems"] = [{"reason": one.reason, **as_values(one.place)} for one in error.problems[:_PROBLEMS]]
        values["more"] = error.more + len(error.problems[_PROBLEMS:])
    return to_json(values)


def error_from_json(text: bytes, filename: str) -> RunError:
    """The same error; a refusal is always of the file `filename`. Raises Nonsense."""
    match from_json(text):
        case {"kind": str(kind), "reason": str() | None as word, "message": str(message), "hints": list(said), **rest}:
            hints = [hint for hint in map(Hint.from_dict, said[:KEPT_HINTS]) if hint is not None]
            reason = _reason(word)
            if kind in _ERRORS:
                return _ERRORS[kind](message, reason, hints=hints)
            match rest:
                case {"problems": [_, *_] as problems, "more": int(more)} if kind == "Rejected" and reason:
                    found = [_problem(one) for one in problems[:_PROBLEMS]]
                    return Rejected(reason, filename, found, max(more, 0), hints)
    raise Nonsense


def _reason(word: str | None) -> Reason | None:
    try:
        return Reason(word) if word else None
    except ValueError:
        raise Nonsense from None


def _problem(values: Any) -> Problem:
    match values:
        case {"reason": str(reason), **place}:
            return Problem(reason, from_values(place))
    raise Nonsense


def report_as_values(report: Report) -> dict[str, Any]:
    """A report that people read, with the refusal."""
    names = ("filename", "country", "recognised", "measure", "region", "top")
    return {
        **{name: getattr(report, name) for name in names},
        "totals": [(one.year, one.gender, one.rows, one.total) for one in report.totals],
        "beside": report.beside_the_rows(),
        "known_as": [*report.known_as],
        "rejected": None if report.rejected is None else error_as_json(report.rejected).decode(),
    }


def report_from_values(values: Any, filename: str) -> Report:
    """The report; its refusal is of the file `filename`. Raises Nonsense."""
    match values:
        case {
            "filename": str(name),
            "country": str(country),
            "recognised": str() | None as recognised,
            "measure": str() | None as measure,
            "region": str() | None as region,
            "top": int() | None as top,
            "totals": list(totals),
            "beside": dict(beside),
            "known_as": list(known_as),
            "rejected": str() | None as rejected,
        }:
            error = None if rejected is None else error_from_json(rejected.encode(), filename)
            if error is None or isinstance(error, Rejected):
                covered = [_covered(one) for one in totals]
                about = Report(name, country, recognised, measure, region, top, covered)
                return replace(stored_report(about, beside), rejected=error, known_as=[*map(str, known_as)])
    raise Nonsense


def suggested_as_json(found: Suggested) -> bytes:
    """A proposed description."""
    values = {name: getattr(found, name) for name in ("document", "toml", "columns", "notes")}
    return to_json({**values, "tried": report_as_values(found.tried)})


def suggested_from_json(text: bytes, filename: str) -> Suggested:
    """Raises Nonsense."""
    match from_json(text):
        case {
            "document": dict(document),
            "toml": str(toml),
            "columns": str(columns),
            "notes": list(notes),
            "tried": tried,
        }:
            return Suggested(document, toml, columns, [*map(str, notes)], report_from_values(tried, filename))
    raise Nonsense
