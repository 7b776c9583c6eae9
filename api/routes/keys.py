"""The keys of the API."""

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from api.access import Access
from api.acts import Duration, refused_as
from api.context import Requesting
from api.declared import Topic
from api.lists import Paging, list_of, one_of, page, sliced
from api.parameters import Body
from api.shapes import shape
from services.keys import Key, LastAdmin, Role
from services.to_json import to_json

topic = Topic("keys", "The keys of the API: who may do what.")

KEY = shape("Key", "A key, without its secret.", Key)
MADE_KEY = shape("MadeKey", "A new key. `key` is what its holder sends, and is shown this once.", Key, key=str)


class NewKey(Body):
    """A key."""

    name: str = Field(description="Who it is for, as lists and the audit have it.")
    role: Role
    expires_in: Duration | None = None


@topic.route(
    "GET", "/v1/keys", Access.ADMIN, response_model=list_of("KeyList", "Keys.", KEY), summary="List keys",
    problems=["field-invalid", "cursor-mismatch"], example="/v1/keys",
)  # fmt: skip
def list_keys(request: Request, client: Requesting, query: Annotated[Paging, Query()]) -> Response:
    """All keys by name, also those that are revoked or expired."""
    keys = sorted(client.keys.all(), key=_place)
    shown, follows = sliced(query, keys, _place)
    return page(request, query, to_json(shown), follows, client.now(), "name")


@topic.route(
    "POST", "/v1/keys", Access.ADMIN, status_code=201, response_model=one_of("OneMadeKey", "A new key.", MADE_KEY),
    problems=["field-invalid", "not-json", "exists"], summary="Make a key", example="/v1/keys",
)  # fmt: skip
def make_key(client: Requesting, body: NewKey) -> Response:
    """Makes a key. The answer has it this once: only a hash of it is kept."""
    with refused_as("exists"):
        made = client.keys.make(body.name, body.role, body.expires_in)
    return JSONResponse({"data": {**to_json(made.key), "key": made.text}}, 201, {"Cache-Control": "no-store"})


@topic.route(
    "DELETE", "/v1/keys/{key_id}", Access.ADMIN, status_code=204, response_class=Response,
    problems=["not-found", "last-admin"], summary="Revoke a key", example="/v1/keys/KEY_ID",
    responses={204: {"description": "It lets nobody in any more."}},
)  # fmt: skip
def revoke_key(client: Requesting, key_id: str) -> Response:
    """Revokes a key at once. The last one of an admin stays."""
    with refused_as("last-admin", {LastAdmin: "last-admin"}):
        client.keys.revoke(key_id)
    return Response(status_code=204)


def _place(key: Key) -> str:
    return f"{key.name} {key.id}"
