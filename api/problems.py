"""Errors as answers: bodies of RFC 9457, with the members that clients of the old API read.

`Problem` is raised anywhere below a route. `api/problem_codes.py` has the list of codes.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from api.links import linked
from api.problem_codes import PROBLEMS, Kind
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden, Misconfigured, RunError, Unavailable
from dataset_jobs.model.requests import (
    BeingLoaded,
    Conflict,
    InvalidRequest,
    LoadedOtherwise,
    NotFound,
    UnknownCountry,
)
from dataset_jobs.model.text import storable_values
from dataset_jobs.model.trouble import Quiet
from services.actions import offer
from services.countries import CountryExists, CountryInUse
from services.keys import LastAdmin

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)
_quiet = Quiet()

RETRY_SECONDS = 5
"""What `Retry-After` says while the database or the storage is away."""


class FieldError(TypedDict):
    """One field that is wrong.

    Args:
        field: its name; of a nested one with dots.
        message: what is wrong, and what to do.
    """

    field: str
    message: str


class Problem(Exception):
    """An answer that says no.

    Args:
        code: of `PROBLEMS`.
        detail: what happened here and what to do, for people.
        errors: the fields that are wrong.
        headers: further ones of the answer.
        status: one of the code's further statuses.
        more: further members of the body.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.kind: Kind = PROBLEMS[code]
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.status = status or self.kind.status
        self.more = more

    def body(self, path: str, request_id: str) -> bytes:
        """The body of the answer.

        Args:
            path: of the request. Below `/api/` the member `error` is a text, as the names explorer shows it.
            request_id: as in the header and in the log.
        """
        error: Any = self.detail
        if not path.startswith("/api/"):
            error = {"code": self.code, "message": self.detail, "details": self.errors}
        values = {
            "type": f"/problems/{self.code}",
            "title": self.kind.title,
            "status": self.status,
            "detail": self.detail,
            "instance": path,
            "code": self.code,
            "message": self.detail,
            "errors": self.errors,
            "error": error,
            "request_id": request_id,
            **self.more,
        }
        return json.dumps(storable_values(values)).encode()


def problem_of(error: Exception) -> Problem | None:
    """The answer to an error; None for a fault of this program."""
    if isinstance(error, Problem):
        return error
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    if code is not None:
        helps = actions_of(error) if isinstance(error, RunError) and error.hints else {}
        return Problem(code, str(error), **helps)
    return _of_machines(error) if isinstance(error, RunError) else None


def actions_of(error: RunError) -> dict[str, Any]:
    """What helps against an error, as a member of its problem."""
    found: dict[str, Any] = linked({"actions": [offer(hint) for hint in error.hints]})
    return found


_CODES: tuple[tuple[type[Exception], str], ...] = (
    (UnknownCountry, "country-not-found"),
    (NotFound, "not-found"),
    (LastAdmin, "last-admin"),
    (CountryExists, "exists"),
    (CountryInUse, "has-datasets"),
    (LoadedOtherwise, "overlapping"),
    (BeingLoaded, "dataset-busy"),
    (Conflict, "conflict"),
    (InvalidRequest, "field-invalid"),
)
"""What services refuse; the first that fits counts."""


def _of_machines(error: RunError) -> Problem | None:
    """Says which machine it is about. The rest is for the log: it may name hosts, and nobody has shown a key yet."""
    if not isinstance(error, Unavailable | Forbidden | Misconfigured):
        return None
    code = "storage-away" if error.reason in (Reason.STORAGE, Reason.TEMPORARY_IO) else "database-away"
    what = code.removesuffix("-away")
    if _quiet.is_due(str(error), time.monotonic()):
        _log.warning("%s: %s", code, error)
    if isinstance(error, Unavailable):
        detail = f"the {what} does not answer just now: try again in {RETRY_SECONDS} s"
    else:
        detail = f"the {what} cannot be used as it is: the log of the API says why"
    return Problem(code, detail, headers={"Retry-After": str(RETRY_SECONDS)})
