"""Doctor: what works and what does not, and the command that puts it right; also while the database is lost."""

from datetime import UTC, datetime

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from api.access import Access
from api.context import Context, Using
from api.declared import Topic
from api.exchange import exchange_of
from dashboard import paths
from dashboard.declaring import shows, takes
from dashboard.frame import Frame, here_of, theme_of
from dashboard.rendering import FRAGMENT, HEADERS, rendered
from dataset_jobs.model.errors import RunError
from services.figures import Figures

topic = Topic("doctor", "Checks of all that the API works with.", without_database=True)

PATIENCE_SECONDS = 2.0
"""How long the button waits for the end of the checks; then the page loads itself again until they are over."""

AGAIN_SECONDS = 2


@shows(topic, paths.DOCTOR, Access.ADMIN)
def doctor(request: Request, using: Using) -> Response:
    """The last checks, of whoever asked for them. It asks the database nothing."""
    last = using.doctor.last()
    frame = Frame(
        here_of(request), exchange_of(request.scope).caller, _figures(using), theme_of(request.headers), None,
        FRAGMENT in request.headers, using.settings.api_read_only,
    )  # fmt: skip
    at_work = last is not None and last.ended_at is None
    headers = {"Refresh": f"{AGAIN_SECONDS}; url={paths.DOCTOR}"} if at_work else {}
    values = {"last": last, "at_work": at_work, "now": datetime.now(UTC)}
    return rendered(frame, "doctor", values, headers=headers)


@takes(topic, paths.DOCTOR, Access.ADMIN, changes=False)
def check(using: Using) -> Response:
    """Has the checks made, unless they are being made already."""
    using.doctor.look(PATIENCE_SECONDS)
    return RedirectResponse(paths.DOCTOR, 303, HEADERS)


def _figures(using: Context) -> Figures | None:
    try:
        return using.sampler.figures()
    except RunError:  # the check of the database says why
        return None
