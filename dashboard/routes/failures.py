"""The failed jobs by cause and reason: how many, since when, what to do, and a retry of all of them."""

from datetime import timedelta

from fastapi import Request, Response

from api.access import Access
from api.context import Using
from api.declared import Topic
from api.problems import Problem
from dashboard import paths
from dashboard.declaring import shows
from dashboard.rendering import page
from services.failures import FailureGroup

topic = Topic("failed jobs", "The failed jobs by what they failed of.")

WINDOWS = {"": None, "1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
"""What `since` can be, and how long ago that is. All of them are of the figures that are kept for everybody."""


@shows(topic, "/failures", Access.VIEWER, problems=["field-invalid"])
def failures(request: Request, using: Using, since: str = "") -> Response:
    """Groups, the largest first."""
    if since not in WINDOWS:
        why = f"there are {', '.join(filter(None, WINDOWS))}"
        raise Problem("field-invalid", f"since: {why}", [{"field": "since", "message": why}], status=400)
    figures = using.sampler.figures()
    window = WINDOWS[since]
    found = figures.failures if window is None else using.client.failures(since=window)
    values = {
        "found": found,
        "groups": [(one, _jobs_of(one)) for one in found.groups],
        "windows": [(one or "all", f"/failures?since={one}" if one else "/failures", one == since) for one in WINDOWS],
        "as_of": figures.counted_at if window is None else figures.as_of,
    }
    return page(request, "failures", values)


def _jobs_of(group: FailureGroup) -> str:
    """The list of a group's jobs."""
    reason = f" reason:{group.jobs.reason}" if group.jobs.reason else ""
    return paths.jobs(f"state:failed cause:{group.jobs.cause}{reason}")
