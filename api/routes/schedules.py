"""Schedules: when which folder or address is looked at, and what came of it."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request, Response

from api.access import Access
from api.conditional import answer
from api.context import Using
from api.declared import Topic
from api.lists import Paging, list_of, one_of, page, sliced
from api.shapes import shape
from dataset_jobs.store.views import ScheduleView
from services.to_json import to_json

topic = Topic("schedules", "Schedules: what is looked at again and again.")

SCHEDULE = shape("Schedule", "A schedule.", ScheduleView, links=dict[str, str])


@topic.route(
    "GET", "/v1/schedules", Access.VIEWER, response_model=list_of("ScheduleList", "Schedules.", SCHEDULE),
    problems=["field-invalid", "cursor-mismatch"], summary="List schedules", example="/v1/schedules",
)  # fmt: skip
def list_schedules(request: Request, using: Using, query: Annotated[Paging, Query()]) -> Response:
    """Schedules by name, with the result of each one's last look."""
    shown, follows = sliced(query, using.client.schedules.list(), lambda one: one.name)
    return page(request, query, [schedule_values(one) for one in shown], follows, using.client.now(), "name")


@topic.route(
    "GET", "/v1/schedules/{name}", Access.VIEWER, response_model=one_of("OneSchedule", "A schedule.", SCHEDULE),
    problems=["not-found"], summary="Show a schedule", example="/v1/schedules/NAME",
)  # fmt: skip
def show_schedule(request: Request, using: Using, name: str) -> Response:
    """A schedule with what it says of its files, and the result of its last look."""
    return answer(request, {"data": schedule_values(using.client.schedules.get(name))})


def schedule_values(schedule: ScheduleView) -> dict[str, Any]:
    """A schedule as the API gives it."""
    return {**to_json(schedule), "links": {"self": f"/v1/schedules/{quote(schedule.name, safe='')}"}}
