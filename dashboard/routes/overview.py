"""The overview: is something wrong, since when, whose fault, does it pass by itself, what can I press."""

from fastapi import Request, Response

from api.access import Access
from api.context import Using
from api.declared import Topic
from dashboard import paths
from dashboard.declaring import shows
from dashboard.rendering import page
from dashboard.shared import shared_of
from dashboard.views.sparks import spark_of
from dataset_jobs.model.states import JobState
from dataset_jobs.version import own_version
from services.incident import incident_report
from services.pool_lines import pool_lines

topic = Topic("overview", "How the whole installation is.")


@shows(topic, paths.HOME, Access.VIEWER)
def overview(request: Request, using: Using) -> Response:
    """All of it is kept for everybody: a viewer more costs no query."""
    figures = using.sampler.figures()
    values = {
        "figures": figures,
        "report": incident_report(figures, own_version()),
        "recent": shared_of(request).recent(),
        "pools": pool_lines(figures.status.pools, figures.past),
        "sparks": {name: spark_of(past) for name, past in shared_of(request).queues().items()},
        "alive": [one for one in figures.status.controllers if one.is_alive],
        "is_empty": not any(figures.states[state] for state in JobState),
    }
    return page(request, "overview", values)
