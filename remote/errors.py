"""Answers that say no, as the errors that services raise: the exit codes are those of the command without an API."""

from collections.abc import Mapping
from typing import Any

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Faulty, Forbidden, Misconfigured, RunError, Unavailable
from dataset_jobs.model.requests import (
    BeingLoaded,
    Conflict,
    InvalidRequest,
    LoadedOtherwise,
    NotFound,
    UnknownCountry,
)
from dataset_jobs.model.text import one_line
from remote.reading import hints_in
from services.keys import LastAdmin

_OF_CODES: Mapping[str, type[RunError]] = {
    "not-found": NotFound,
    "country-not-found": UnknownCountry,
    "overlapping": LoadedOtherwise,
    "dataset-busy": BeingLoaded,
    "last-admin": LastAdmin,
    "storage-away": Unavailable,
    "database-away": Unavailable,
    "internal": Faulty,
}
_WAITING = (429, 503)
_AWAY = (408, 425, 429, 502, 503, 504, 507)
_LONGEST = 2_000


def is_about_waiting(status: int) -> bool:
    """Whether the same may pass if it is asked again after a moment."""
    return status in _WAITING


def error_of(address: str, request: str, status: int, values: Any, headers: Mapping[str, str]) -> RunError:
    """The error of an answer.

    Args:
        address: of the API.
        request: method and path.
        status: from 300 on.
        values: the JSON of the answer; None if it has none.
        headers: of the answer.
    """
    if 300 <= status < 400:
        to = one_line(headers.get("location", "another address"))[:200]
        return not_ours(address, f"it redirects to {to}")
    if not isinstance(values, dict) or not isinstance(values.get("code"), str):
        return _of_others(address, request, status)
    detail = one_line(str(values.get("detail") or values.get("title") or status))[:_LONGEST]
    if values.get("no_route") or status == 405:
        return not_ours(address, f"it does not know {request}; it may be of an older version than this command")
    hints = hints_in(values)
    if status in (401, 403):
        return Forbidden(f"{address}: {detail}", hints=hints)
    kind = _OF_CODES.get(values["code"])
    if kind is None and status in _AWAY:
        kind = Unavailable
    if kind is None:
        kind = Faulty if status >= 500 else Conflict if status == 409 else InvalidRequest
    where = f"{address}: " if issubclass(kind, Faulty) else ""
    return kind(f"{where}{detail}", _reason(values["code"]), hints=hints)


def not_ours(address: str, why: str) -> Misconfigured:
    """The error of an address that does not lead to an API of ours."""
    return Misconfigured(f"{address} does not answer as an API of affirm-worker: {why}", Reason.CONFIG)


def _of_others(address: str, request: str, status: int) -> RunError:
    """The error of an answer that is not of our API: a proxy's, or another program's."""
    said = f"{address}: {status} for {request}"
    if status in (401, 403, 407):
        return Forbidden(f"{said}, from something before the API")
    if status in _AWAY:
        return Unavailable(said)
    return not_ours(address, f"{status} for {request}")


def _reason(code: str) -> Reason | None:
    return Reason.STORAGE if code == "storage-away" else None
