"""How the whole installation is: what is wrong, the pools, the controllers."""

from datetime import datetime
from typing import Any

from fastapi import Request, Response

from api.access import Access
from api.conditional import answer
from api.context import Using
from api.declared import Topic
from api.links import linked
from api.lists import one_of
from api.routes.pools import CONTROLLER, POOL, controller_values, pool_values
from api.routes.schedules import SCHEDULE, schedule_values
from api.shapes import model, shape
from dataset_jobs.store.views import Blocked
from dataset_jobs.version import own_version
from services.figures import Figures
from services.problems import Problem
from services.to_json import to_json

topic = Topic("status", "How the whole installation is.")

VERSIONS = model("Versions", "Of this API, and of the schema of the database.", api=str, database=int)
PROBLEM = shape(
    "Obstacle",
    "Something that is wrong. A smaller `severity` is worse.",
    Problem,
    outlook=str,
    fault_in_words=str,
)
BLOCKED_JOBS = shape("BlockedJobs", "Jobs that cannot start for the same reason; `job_id` is one of them.", Blocked)
STATUS = model(
    "Status", "How the installation is. The worst problem comes first.",
    problems=list[PROBLEM], pools=list[POOL], controllers=list[CONTROLLER],  # type: ignore[valid-type]
    listening=int, blocked=list[BLOCKED_JOBS], failing=list[SCHEDULE],  # type: ignore[valid-type]
    states=dict[str, int], counted_at=datetime, versions=VERSIONS, as_of=datetime,
)  # fmt: skip


@topic.route(
    "GET", "/v1/status", Access.VIEWER, response_model=one_of("OneStatus", "The status.", STATUS),
    summary="Show the status", example="/v1/status",
)  # fmt: skip
def show_status(request: Request, using: Using) -> Response:
    """What is wrong, the worst first, with what can be done; the pools, the controllers. `as_of` says how old it is."""
    return answer(request, {"data": status_values(using.sampler.figures())})


def status_values(figures: Figures) -> dict[str, Any]:
    """The figures as the API gives them."""
    values = {
        "problems": [problem_values(one) for one in figures.problems],
        "pools": [pool_values(one, figures.past.get(one.name)) for one in figures.status.pools],
        "controllers": [controller_values(one) for one in figures.status.controllers],
        "listening": figures.status.listening,
        "blocked": figures.status.blocked,
        "failing": [schedule_values(one) for one in figures.status.failing],
        "states": figures.states,
        "counted_at": figures.counted_at,
        "versions": {"api": own_version(), "database": figures.schema},
        "as_of": figures.as_of,
    }
    found: dict[str, Any] = to_json(values)
    return found


def problem_values(problem: Problem) -> dict[str, Any]:
    """A problem as the API gives it."""
    return {**linked(problem), "outlook": problem.outlook, "fault_in_words": problem.fault.words}
