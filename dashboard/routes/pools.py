"""A pool: why it has no more runs, what came of its runs, and its past."""

from fastapi import Request, Response

from api.access import Access
from api.context import Using
from api.declared import Topic
from api.problems import Problem
from dashboard.declaring import shows
from dashboard.rendering import page
from dashboard.views.history import WINDOWS, charts_of
from services.figures import pool_history, pool_now
from services.pool_lines import pool_line

topic = Topic("pages of pools", "A pool and its past.")

SHOWN = "3h"
"""How far back the charts go at first."""


@shows(topic, "/pools/{name}", Access.VIEWER, problems=["not-found", "field-invalid"])
def show_pool(request: Request, using: Using, name: str, window: str = SHOWN) -> Response:
    """The pool as it stands now; its queue is that of the figures."""
    if window not in WINDOWS:
        why = f"there are {', '.join(WINDOWS)}"
        raise Problem("field-invalid", f"window: {why}", [{"field": "window", "message": why}], status=400)
    client, figures = using.client, using.sampler.figures()
    details, now = pool_now(client.database, figures, name), client.now()
    length, step = WINDOWS[window]
    values = {
        "line": pool_line(details.pool, figures.past.get(name)),
        "details": details,
        "problems": [one for one in figures.problems if one.pool == name],
        "charts": charts_of(pool_history(client.database, name, now - length, now, step)),
        "windows": [(one, one == window) for one in WINDOWS],
        "now": now,
    }
    return page(request, "pool", values)
