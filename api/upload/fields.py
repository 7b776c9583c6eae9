"""What a client says of an upload, in the fields of a form or in the parameters of an address."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from api.problems import FieldError, Problem
from dataset_jobs.model.description import Description
from dataset_jobs.model.description_parts import MEASURES
from dataset_jobs.model.durations import parse_when
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line
from services.submission import (
    checked_batch,
    checked_format,
    checked_region,
    checked_sex,
    checked_sha256,
    checked_year,
    described,
)

FIELDS: Mapping[str, str] = {
    "country": "The ISO 3166-1 code of the file's country, such as US.",
    "country_id": "Its id instead, of GET /v1/countries.",
    "year": "The year of all figures, if a renamed file has lost it.",
    "sex": "F or M, of all figures, if the file has lost it.",
    "format": "The name of the format, such as de-koeln, if the content fits several.",
    "region": "The part of the country, such as DE-NW-05315, if the file does not say it.",
    "columns": "The columns of a list that no parser knows, such as: name=vorname count=Anzahl",
    "measure": "births or population: what such a list counts, if columns does not say it.",
    "replaces": "The id of a dataset whose place the file takes; may be repeated.",
    "priority": "A job with a higher one is claimed first; from -32768 to 32767.",
    "run_at": "The job is not claimed before then: a time such as 2026-12-01T06:00Z, or a duration such as 12h.",
    "pool": "The queue of the job.",
    "sha256": "What the file hashes to, in hexadecimal: other bytes are refused.",
    "batch": "A name of your own, by which files are found that were sent together.",
    "validate_only": "true: only check the file, as POST /v1/datasets/validate does.",
}
"""The names that there are, with what they mean."""

IN_THE_ADDRESS = ("validate_only",)
"""Those that a form's address may have too."""

_LOWEST, _HIGHEST = -32768, 32767
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for.

    Args:
        country: a code or an id.
        hints: what it says of the file.
        replaces: the datasets whose place the file takes.
        priority, run_at, pool: of the job; None for the installation's pool.
        sha256: what the file should hash to.
        batch: the name under which files are found that were submitted together.
        validate_only: nothing is to be kept.
    """

    country: str
    hints: FileHints
    replaces: Sequence[UUID]
    priority: int
    run_at: datetime | timedelta | None
    pool: str | None
    sha256: str | None
    batch: str | None
    validate_only: bool


@dataclass(slots=True)
class _Reader:
    """Reads values, and collects what is wrong with them."""

    given: Mapping[str, Sequence[str]]
    wrong: list[FieldError] = field(default_factory=list)

    def value(self, name: str, read: Callable[[str], Value]) -> Value | None:
        """One value; an empty one counts as none."""
        return next(iter(self.values(name, read)), None)

    def values(self, name: str, read: Callable[[str], Value]) -> list[Value]:
        """All values of a field."""
        found = []
        for text in filter(None, map(str.strip, self.given.get(name, ()))):
            try:
                found.append(read(text))
            except (InvalidRequest, ValueError) as error:
                self.wrong.append({"field": name, "message": str(error)})
        return found


def read_fields(given: Mapping[str, Sequence[str]]) -> Asked:
    """Reads the fields; their names are known already.

    Raises:
        Problem: some are wrong; it has all of them.
    """
    reader = _Reader(given)
    hints = FileHints(
        year=reader.value("year", lambda text: checked_year(_integer(text, "a year, such as 2023"))),
        sex=reader.value("sex", checked_sex),
        format=reader.value("format", checked_format),
        region=reader.value("region", checked_region),
    )
    asked = Asked(
        country=_country(reader),
        hints=_described(reader, hints),
        replaces=reader.values("replaces", _dataset),
        priority=reader.value("priority", _priority) or 0,
        run_at=reader.value("run_at", _when),
        pool=reader.value("pool", str),
        sha256=reader.value("sha256", checked_sha256),
        batch=reader.value("batch", checked_batch),
        validate_only=reader.value("validate_only", _boolean) or False,
    )
    if reader.wrong:
        detail = "; ".join(f"{one['field']}: {one['message']}" for one in reader.wrong)
        raise Problem("field-invalid", detail, reader.wrong)
    return asked


def _country(reader: _Reader) -> str:
    code, given_id = reader.value("country", str), reader.value("country_id", str)
    if code and given_id and code.casefold() != given_id.casefold():
        reader.wrong.append({"field": "country", "message": "give country or country_id, not both"})
    elif not code and not given_id:
        message = "missing: send country=US, or country_id with an id of GET /v1/countries"
        reader.wrong.append({"field": "country", "message": message})
    return code or given_id or ""


def _described(reader: _Reader, hints: FileHints) -> FileHints:
    columns, measure = reader.value("columns", Description.from_columns), reader.value("measure", _measure)
    if columns is None:
        if measure is not None:
            reader.wrong.append({"field": "measure", "message": "goes with columns"})
        return hints
    try:
        return described(hints, columns, measure)
    except InvalidRequest as error:
        reader.wrong.append({"field": "measure", "message": str(error)})
        return hints


def _integer(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidRequest(f"'{one_line(text)[:40]}': expected {what}") from None


def _priority(text: str) -> int:
    number = _integer(text, f"a whole number from {_LOWEST} to {_HIGHEST}")
    if not _LOWEST <= number <= _HIGHEST:
        raise InvalidRequest(f"{number}: expected a whole number from {_LOWEST} to {_HIGHEST}")
    return number


def _when(text: str) -> datetime | timedelta:
    try:
        return parse_when(text)
    except ValueError as error:
        raise InvalidRequest(f"'{one_line(text)[:40]}': expected {error}") from None


def _dataset(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidRequest(f"'{one_line(text)[:40]}': expected the id of a dataset") from None


def _measure(text: str) -> str:
    if text not in MEASURES:
        raise InvalidRequest(f"'{one_line(text)[:40]}': expected {' or '.join(MEASURES)}")
    return text


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise InvalidRequest(f"'{one_line(text)[:40]}': expected true or false")
