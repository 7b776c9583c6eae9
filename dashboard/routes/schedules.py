"""Schedules: when which folder or address is looked at, what came of it, and forms that add and change them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.responses import RedirectResponse

from api.access import Access
from api.context import Context, Requesting, Using
from api.declared import Topic
from dashboard import paths
from dashboard.declaring import shows, takes
from dashboard.forms import Form, form_of
from dashboard.rendering import HEADERS, page
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.requests import Conflict, InvalidRequest
from dataset_jobs.store.views import ScheduleView
from services.address_look import LookLimits
from services.client import Client
from services.schedule_words import told
from services.schedules import AtAddress, Change, find_folder, look_at

topic = Topic("pages of schedules", "Schedules, and forms that add and change them.")

LOOK_SECONDS = 20.0
"""How long somebody who adds a schedule waits for the server of its address."""

_FIELDS = (
    "name", "cron", "timezone", "location", "url", "filename", "country", "pool", "priority", "year", "sex", "format",
    "region", "unlooked",
)  # fmt: skip
_NEW: Mapping[str, str] = {**dict.fromkeys(_FIELDS, ""), "timezone": "UTC", "priority": "0"}


@shows(topic, paths.SCHEDULES)
def schedules(request: Request, using: Using) -> Response:
    """All of them, by name."""
    client = using.client
    values = {"schedules": [told(one) for one in client.schedules.list()], "now": client.now()}
    return page(request, "schedules", values)


@shows(topic, "/new-schedule", Access.ADMIN)
def new_schedule(request: Request, using: Using) -> Response:
    """The form that adds one."""
    return _new_form(request, using, {**_NEW, "pool": using.settings.pool})


@takes(topic, "/new-schedule", Access.ADMIN)
def add_schedule(
    request: Request, using: Using, client: Requesting, form: Annotated[Form, Depends(form_of)]
) -> Response:
    """Adds one, with the checks and the words of `affirm-worker schedules add`."""
    try:
        name = _added(using, client, form)
    except (InvalidRequest, Unavailable) as error:
        return _new_form(request, using, {**_NEW, **form.said}, error)
    return _done(name, "schedule-added")


@shows(topic, f"{paths.SCHEDULES}/{{name}}", problems=["not-found"])
def show_schedule(request: Request, using: Using, name: str) -> Response:
    """One of them, with what is said of its files; for admins with a form that changes it."""
    one = using.client.schedules.get(name)
    return _page_of(request, using, one, _said(one))


@takes(topic, f"{paths.SCHEDULES}/{{name}}", Access.ADMIN, problems=["not-found"])
def change_schedule(
    request: Request, using: Using, client: Requesting, name: str, form: Annotated[Form, Depends(form_of)]
) -> Response:
    """Changes when it is due, and what is said of its files from then on."""
    one = client.schedules.get(name)
    try:
        client.schedules.change(name, _change(form))
    except InvalidRequest as error:
        return _page_of(request, using, one, {**_said(one), **form.said}, error)
    return _done(name, "schedule-changed")


def _added(using: Context, client: Client, form: Form) -> str:
    if bool(form.text("location")) is bool(form.text("url")):
        raise InvalidRequest("give a folder or an address, one of the two")
    if form.text("filename") and not form.text("url"):
        raise InvalidRequest("the name of the file goes with an address")
    place: str | AtAddress = AtAddress(form.text("url"), form.text("filename") or None)
    if not form.text("url"):
        place = find_folder(using.storage, form.text("location"))
    priority, hints, country = (
        form.number("priority") or 0,
        FileHints(**_hints(form)),
        client.country(form.text("country")),
    )
    if not form.text("unlooked"):
        _look(lambda: look_at(place, lambda: using.storage, _limits(using)))
    pool = form.text("pool") or using.settings.pool
    made = client.schedules.add(
        form.text("name"), form.text("cron"), form.text("timezone"), place, country, pool, priority, hints
    )  # fmt: skip
    return made.name


def _look(look: Callable[[], object]) -> None:
    """Errors say how to go without."""
    try:
        look()
    except (InvalidRequest, Unavailable) as error:
        said = f'{error}; with "do not look there now" the schedule is added all the same'
        raise type(error)(said, error.reason) from None


def _limits(using: Context) -> LookLimits:
    limits = using.settings.look_limits
    return replace(limits, patience=replace(limits.patience, total=min(LOOK_SECONDS, limits.patience.total)))


def _hints(form: Form) -> dict[str, Any]:
    texts = {name: form.text(name) or None for name in ("sex", "format", "region")}
    return {"year": form.number("year"), **texts}


def _change(form: Form) -> Change:
    return Change(
        form.text("cron"), form.text("timezone"), form.text("pool"), form.number("priority") or 0, _hints(form)
    )


def _said(one: ScheduleView) -> Mapping[str, str]:
    """The fields of the form that changes it."""
    values = {
        "cron": one.cron, "timezone": one.timezone, "pool": one.pool, "priority": one.priority, "year": one.year_hint,
        "sex": one.sex_hint, "format": one.format_hint, "region": one.region_hint,
    }  # fmt: skip
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _new_form(
    request: Request, using: Context, said: Mapping[str, str], error: InvalidRequest | Unavailable | None = None
) -> Response:
    values = {"said": said, "wrong": error, "pools": using.client.pools.names()}
    return page(request, "new_schedule", values, _status(error))


def _page_of(
    request: Request, using: Context, one: ScheduleView, said: Mapping[str, str], error: InvalidRequest | None = None
) -> Response:
    values = {
        "told": told(one), "said": said, "wrong": error, "pools": using.client.pools.names(), "now": using.client.now(),
    }  # fmt: skip
    return page(request, "schedule", values, _status(error))


def _status(error: InvalidRequest | Unavailable | None) -> int:
    return 200 if error is None else 409 if isinstance(error, Conflict) else 422


def _done(name: str, outcome: str) -> Response:
    return RedirectResponse(paths.with_outcome(paths.schedule(name), outcome), 303, HEADERS)
