"""Whether the API is up, and whether it can work: for probes, and in the old API's shapes."""

from datetime import UTC, datetime

from fastapi import Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from api.access import Access
from api.context import Context, Using
from api.declared import Topic
from dataset_jobs.model.errors import OtherSchema, RunError
from dataset_jobs.model.text import one_line
from dataset_jobs.version import own_version
from services.to_json import to_json

topic = Topic("health", "Whether the API is up, and whether it can work.")

_NOT_READY = {503: {"description": "It cannot work now.", "content": {"text/plain": {}}}}


class Checks(BaseModel):
    """What was checked."""

    database: str


class Health(BaseModel):
    """The old API's answer, and the names explorer's."""

    status: str
    timestamp: datetime
    version: str
    database: str
    checks: Checks


class Ready(BaseModel):
    """The old API's answer."""

    ready: bool


@topic.route(
    "GET",
    "/healthz",
    Access.PUBLIC,
    summary="Is it up",
    response_class=PlainTextResponse,
    gives=[],
    example="/healthz",
)
async def healthz() -> Response:
    """Whether the process answers; the database does not count."""
    return PlainTextResponse("ok\n")


@topic.route(
    "GET",
    "/readyz",
    Access.PUBLIC,
    summary="Can it work",
    response_class=PlainTextResponse,
    gives=[],
    responses=_NOT_READY,
    example="/readyz",
)
def readyz(using: Using) -> Response:
    """Whether it can work: the database answers, and has the tables of this version."""
    wrong = trouble(using)
    return PlainTextResponse(f"{wrong}\n" if wrong else "ok\n", 503 if wrong else 200)


@topic.route(
    "GET",
    "/health",
    Access.PUBLIC,
    summary="Health",
    response_model=Health,
    responses={503: {"model": Health, "description": "It cannot work now."}},
    example="/health",
)
def health(using: Using) -> Response:
    """The same in the shape of the old API."""
    wrong = trouble(using)
    word = "unhealthy" if wrong else "healthy"
    values = {
        "status": word,
        "timestamp": to_json(datetime.now(UTC)),
        "version": own_version(),
        "database": "disconnected" if wrong else "connected",
        "checks": {"database": word},
    }
    return JSONResponse(values, 503 if wrong else 200)


@topic.route(
    "GET",
    "/ready",
    Access.PUBLIC,
    summary="Ready",
    response_model=Ready,
    responses={503: {"model": Ready, "description": "It cannot work now."}},
    example="/ready",
)
def ready(using: Using) -> Response:
    """The same in the shape of the old API."""
    wrong = trouble(using)
    return JSONResponse({"ready": not wrong}, 503 if wrong else 200)


def trouble(context: Context) -> str:
    """What keeps it from working; empty if nothing does. It is shown to everybody, and names no address."""
    if context.stopping.is_set:
        return "stopping"
    try:
        context.client.check_schema()
    except OtherSchema as error:
        return one_line(str(error))
    except RunError as error:
        return one_line(f"the database cannot be used: {error.cause}")
    return ""
