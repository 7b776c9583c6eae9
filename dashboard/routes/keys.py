"""Keys: who may come in; a new one is shown once, on the page that answers the form."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response

from api.access import Access
from api.context import Context, Requesting, Using
from api.declared import Topic
from dashboard import paths
from dashboard.declaring import shows, takes
from dashboard.forms import Form, form_of
from dashboard.rendering import page
from dataset_jobs.model.durations import parse_duration
from dataset_jobs.model.requests import Conflict, InvalidRequest
from services.key_words import told
from services.keys import Role

topic = Topic("pages of keys", "The keys, for admins.")

_NEW: Mapping[str, str] = {"name": "", "role": "viewer", "expires_in": "90d"}


@shows(topic, paths.KEYS, Access.ADMIN)
def keys(request: Request, using: Using) -> Response:
    """All of them without their secrets, also those revoked and expired."""
    return _page(request, using, _NEW)


@takes(topic, paths.KEYS, Access.ADMIN)
def make_key(request: Request, using: Using, client: Requesting, form: Annotated[Form, Depends(form_of)]) -> Response:
    """Makes one. This answer alone has it: it is in no address, and sent again the form makes none."""
    try:
        made = client.keys.make(form.text("name"), _role(form), _expires_in(form))
    except InvalidRequest as error:
        return _page(request, using, {**_NEW, **form.said}, error)
    return page(request, "made_key", {"made": made})


def _page(request: Request, using: Context, said: Mapping[str, str], error: InvalidRequest | None = None) -> Response:
    client = using.client
    now = client.now()
    values = {"keys": told(client.keys.all(), now), "now": now, "said": said, "wrong": error, "roles": [*Role]}
    return page(request, "keys", values, 200 if error is None else 409 if isinstance(error, Conflict) else 422)


def _role(form: Form) -> Role:
    try:
        return Role(form.text("role"))
    except ValueError:
        raise InvalidRequest(f"role: there are {', '.join(Role)}") from None


def _expires_in(form: Form) -> timedelta | None:
    given = form.text("expires_in")
    try:
        return parse_duration(given) if given else None
    except ValueError as error:
        raise InvalidRequest(f"expires in: expected {error}, such as 90d") from None
