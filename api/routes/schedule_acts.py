"""What is done to schedules: add, change, remove, run, pause, resume."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar
from urllib.parse import quote

from fastapi import Request, Response
from pydantic import Field, model_validator

from api.access import Access
from api.acts import Priority, acted, refused_as
from api.context import Context, Requesting, Using
from api.countries import country_code
from api.lists import one_of
from api.parameters import Body
from api.problems import Problem
from api.routes.schedules import SCHEDULE, show_schedule, topic
from dataset_jobs.model.file_hints import FileHints
from services.client import Client
from services.schedules import AtAddress, BadCron, Change, How, ScheduleExists, find_folder

__all__ = ["topic"]

Answer = TypeVar("Answer")

_SCHEDULE = one_of("OneSchedule", "A schedule.", SCHEDULE)
_HINTS = ("year", "sex", "format", "region")
_IN_BODY = ("field-invalid", "not-json")


class _Hints(Body):
    """What is said of the files."""

    year: int | None = None
    sex: str | None = Field(None, description="F or M.")
    format: str | None = None
    region: str | None = None


class NewSchedule(_Hints):
    """A schedule: a folder of storage, or the address of one file."""

    name: str = Field(
        description="Lower-case letters, digits and hyphens, at most 63.",
        json_schema_extra={"pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"},
    )
    cron: str = Field(max_length=200, description="Minute, hour, day of month, month, day of week.")
    timezone: str = Field("UTC", max_length=100)
    location: str | None = Field(None, max_length=1000, description="A folder of storage, such as incoming/fr.")
    url: str | None = Field(None, max_length=2000, description="Or the address of one file, such as https://….")
    filename: str | None = Field(None, description="The publisher's name of the file at the address.")
    country: str = Field(description="ISO code, or the country's id.")
    pool: str | None = Field(None, max_length=200, description="The installation's if it is left out.")
    priority: Priority = 0

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.location is None) is (self.url is None):
            raise ValueError("give location or url, one of the two")
        if self.filename is not None and self.url is None:
            raise ValueError("filename: it goes with url")
        return self


class ScheduleChange(_Hints):
    """What changes; what is left out stays, and null takes a hint away. Another place or country makes another
    schedule: remove this one, and add that."""

    cron: str | None = Field(None, max_length=200)
    timezone: str | None = Field(None, max_length=100)
    pool: str | None = Field(None, max_length=200)
    priority: Priority | None = None


@topic.route(
    "POST", "/v1/schedules", Access.ADMIN, status_code=201, response_model=_SCHEDULE, summary="Add a schedule",
    problems=[*_IN_BODY, "country-not-found", "exists", "bad-cron"], example="/v1/schedules",
)  # fmt: skip
def add(request: Request, using: Using, client: Requesting, body: NewSchedule) -> Response:
    """Adds a schedule, whose first tick is the next one from now. A folder is one of the installation's storage; there
    is no way to other folders of the server."""
    place: str | AtAddress
    place = find_folder(using.storage, body.location or "") if body.url is None else AtAddress(body.url, body.filename)
    country = country_code(client, body.country) or ""
    hints = FileHints(**{name: getattr(body, name) for name in _HINTS})
    with _cron(), refused_as("exists", {ScheduleExists: "exists"}):
        made = client.schedules.add(
            body.name, body.cron, body.timezone, place, country, body.pool or using.settings.pool, body.priority, hints
        )
    return acted(show_schedule(request, using, made.name), 201, f"/v1/schedules/{quote(made.name, safe='')}")


@topic.route(
    "PATCH", "/v1/schedules/{name}", Access.ADMIN, response_model=_SCHEDULE, summary="Change a schedule",
    problems=[*_IN_BODY, "not-found", "bad-cron"], example="/v1/schedules/NAME",
)  # fmt: skip
def change(request: Request, using: Using, client: Requesting, name: str, body: ScheduleChange) -> Response:
    """Changes when a schedule is due, and what is said of its files from then on."""
    hints: dict[str, Any] = {one: getattr(body, one) for one in _HINTS if one in body.model_fields_set}
    with _cron():
        client.schedules.change(name, Change(body.cron, body.timezone, body.pool, body.priority, hints))
    return acted(show_schedule(request, using, name))


@topic.route(
    "DELETE", "/v1/schedules/{name}", Access.ADMIN, status_code=204, response_class=Response, problems=["not-found"],
    summary="Remove a schedule", example="/v1/schedules/NAME", responses={204: {"description": "It is gone."}},
)  # fmt: skip
def remove(client: Requesting, name: str) -> Response:
    """Removes a schedule; what it has submitted stays."""
    client.schedules.remove(name)
    return Response(status_code=204)


@topic.route(
    "POST", "/v1/schedules/{name}/run", Access.ADMIN, status_code=202, response_model=_SCHEDULE,
    problems=["not-found", "at-work"], summary="Run a schedule now", example="/v1/schedules/NAME/run",
)  # fmt: skip
def run(request: Request, using: Using, client: Requesting, name: str) -> Response:
    """Looks through the folder or at the address now, also if the schedule is paused; its ticks stay as they are.
    `looking` says how long that takes, and then `files`, `submitted` and `error` what came of it."""
    return begin_look(using, client, name, lambda: acted(show_schedule(request, using, name), 202))


def begin_look(using: Context, client: Client, name: str, claimed: Callable[[], Answer]) -> Answer:
    """Has a schedule done now, beside the answer.

    Args:
        using, client: what it works with; the client acts as the caller.
        name: of the schedule.
        claimed: makes the answer, when the schedule is claimed and before the look begins.

    Raises:
        NotFound: there is no such schedule.
        Problem: somebody is at it, or this API has enough to do.
    """
    with refused_as("at-work"):
        tick = client.schedules.begin_by_hand(name)
    answer = claimed()

    def look(stopping: Any) -> None:
        client.schedules.do_by_hand(tick, How(using.storage, using.settings.look_limits, stopping=stopping))

    if not using.background.look(name, look):
        client.schedules.give_back(tick)
        raise Problem("at-work", "this API does as many looks as it may just now: ask again")
    return answer


@topic.route(
    "POST", "/v1/schedules/{name}/pause", Access.ADMIN, response_model=_SCHEDULE, problems=["not-found"],
    summary="Pause a schedule", example="/v1/schedules/NAME/pause",
)  # fmt: skip
def pause(request: Request, using: Using, client: Requesting, name: str) -> Response:
    """Nothing is looked at by its ticks any more."""
    client.schedules.pause(name, True)
    return acted(show_schedule(request, using, name))


@topic.route(
    "POST", "/v1/schedules/{name}/resume", Access.ADMIN, response_model=_SCHEDULE, problems=["not-found"],
    summary="Resume a schedule", example="/v1/schedules/NAME/resume",
)  # fmt: skip
def resume(request: Request, using: Using, client: Requesting, name: str) -> Response:
    """Its ticks are done again; one makes up for those that it missed."""
    client.schedules.pause(name, False)
    return acted(show_schedule(request, using, name))


@contextmanager
def _cron() -> Iterator[None]:
    try:
        yield
    except BadCron as error:
        raise Problem("bad-cron", str(error), [{"field": "cron", "message": str(error)}]) from None
