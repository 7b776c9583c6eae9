"""Settings: who looks on, with which logins; the way to keys, audit and doctor; versions and licences."""

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from api.access import Access
from api.context import Calling, Requesting, Using
from api.cookies import token_of
from api.declared import Topic
from dashboard import paths
from dashboard.declaring import shows, takes
from dashboard.rendering import HEADERS, page
from dashboard.vendored import vendored
from dataset_jobs.migrations import LATEST
from dataset_jobs.version import own_version

topic = Topic("settings", "Who looks on, versions and licences.")


@shows(topic, paths.SETTINGS)
def settings(request: Request, using: Using, caller: Calling) -> Response:
    """What everybody may know of themselves and of the program."""
    client, token = using.client, token_of(request.headers)
    sessions = client.web_sessions.of_key(caller.key_id, token) if caller.key_id and token else ()
    values = {
        "caller": caller,
        "sessions": sessions,
        "now": client.now(),
        "version": own_version(),
        "schema": using.sampler.figures().schema,
        "latest": LATEST,
        "vendored": vendored(),
        "requests": using.settings.api_requests_per_minute,
    }
    return page(request, "settings", values)


@takes(topic, "/logout-others", Access.VIEWER, changes=False)
def log_out_others(request: Request, using: Using, client: Requesting, caller: Calling) -> Response:
    """Ends the logins of other browsers with the same key."""
    token = token_of(request.headers)
    if token and caller.key_id is not None:
        client.web_sessions.end_others(caller.key_id, token)
        using.lately.forget(caller.key_id)
    return RedirectResponse(paths.with_outcome(paths.SETTINGS, "logged-out-others"), 303, HEADERS)
