"""What the routes that steer have in common: refusals with their codes, whose a dataset is, the new state as answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Response
from pydantic import Field, PlainValidator, WithJsonSchema

from api.access import Caller
from api.parameters import Body
from api.problems import Problem, actions_of
from dataset_jobs.model.durations import parse_duration, parse_when
from dataset_jobs.model.requests import Conflict
from services.client import Client
from services.keys import Role

Given = TypeVar("Given")


def _duration(given: Any) -> timedelta:
    if isinstance(given, timedelta):
        return given
    try:
        return parse_duration(str(given))
    except ValueError as error:
        raise ValueError(f"expected {error}") from None


def _when(given: Any) -> datetime | timedelta:
    try:
        return parse_when(given if isinstance(given, str) else "")
    except ValueError as error:
        raise ValueError(f"expected {error}") from None


_DURATION = {"pattern": "^([0-9]{1,4}(ms|s|m|h|d))+$"}
Priority = Annotated[int, Field(ge=-32768, le=32767, description="A job with a higher one is claimed first.")]
Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    WithJsonSchema(
        {"type": "string", "description": "A number and its unit, such as 90d.", "examples": ["90d"], **_DURATION}
    ),
]
When = Annotated[
    datetime | timedelta,
    PlainValidator(_when),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", **_DURATION}],
            "description": "A time such as 2026-12-01T06:00Z, or a duration from now, such as 12h.",
            "examples": ["12h"],
        }
    ),
]


class Reason(Body):
    """Why, for those who look later."""

    reason: str | None = Field(default=None, max_length=500)


@contextmanager
def refused_as(code: str, kinds: Mapping[type[Conflict], str] | None = None) -> Iterator[None]:
    """A conflict is a problem of a code, with the actions that help.

    Args:
        code: unless its kind has another one.
        kinds: codes of kinds.
    """
    try:
        yield
    except Conflict as error:
        found = next((its for kind, its in (kinds or {}).items() if isinstance(error, kind)), code)
        raise Problem(found, str(error), **actions_of(error)) from None


def check_own(client: Client, caller: Caller, dataset_id: UUID) -> None:
    """Uploaders steer what they have uploaded; raises a Problem for what others have."""
    if caller.may(Role.ADMIN) or client.audit.is_upload_of(dataset_id, caller.key_id, caller.name):
        return
    raise Problem(
        "not-allowed",
        f"dataset {dataset_id} was not uploaded by {caller.name}: an uploader steers what it has uploaded, and the role"
        " admin everything",
        role=str(Role.ADMIN),
    )


def acted(state: Response, status: int = 200, location: str | None = None) -> Response:
    """The new state of a thing, as its GET gives it, as the answer to an act.

    Args:
        state: what the GET answers.
        status: of this answer.
        location: where the thing is, if that is not the request's address.
    """
    state.status_code = status
    state.headers["Cache-Control"] = "no-store"
    if location is not None:
        state.headers["Location"] = location
    return state


def said(body: Given | None, otherwise: Given) -> Given:
    """A body, which may be left out."""
    return otherwise if body is None else body
