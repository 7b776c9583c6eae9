"""The failed jobs by cause and reason: how many, since when, what to do, and a retry of all of them."""

from datetime import timedelta

from fastapi import Request, Response

from api.access import Access
from api.context import Calling, Using
from api.declared import Topic
from api.problems import Problem
from dashboard import paths
from dashboard.declaring import shows
from dashboard.rendering import page
from services.failures import FailureGroup
from services.filters import NO_REASON
from services.keys import Role

topic = Topic("failed jobs", "The failed jobs by what they failed of.")

WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "all": None}
"""What `since` can be, and how long ago that is. All of them are of the figures that are kept for everybody."""

SHOWN = "24h"
"""The window at first."""


@shows(topic, "/failures", Access.VIEWER, problems=["field-invalid"])
def failures(request: Request, using: Using, caller: Calling, since: str = SHOWN) -> Response:
    """Groups, the largest first."""
    if since not in WINDOWS:
        why = f"there are {', '.join(WINDOWS)}"
        raise Problem("field-invalid", f"since: {why}", [{"field": "since", "message": why}], status=400)
    figures = using.sampler.figures()
    window = WINDOWS[since]
    found = figures.failures if window is None else using.client.failures(since=window)
    values = {
        "found": found,
        "groups": [(one, _words_of(one, since)) for one in found.groups],
        "windows": [
            (one, paths.FAILURES if one == SHOWN else f"{paths.FAILURES}?since={one}", one == since) for one in WINDOWS
        ],
        "all_time": window is None,
        "may_retry": caller.may(Role.ADMIN) and not using.settings.api_read_only,
        "as_of": figures.counted_at if window is None else figures.as_of,
    }
    return page(request, "failures", values)


def _words_of(group: FailureGroup, since: str) -> str:
    """The filter line of a group's jobs."""
    window = "" if WINDOWS[since] is None else f" ended:{since}"
    return f"state:failed cause:{group.jobs.cause} reason:{group.jobs.reason or NO_REASON}{window}"
