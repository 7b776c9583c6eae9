"""The keys of the API."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from api.access import Access
from api.conditional import answer, done
from api.context import Requesting, Using
from api.declared import Topic
from api.parameters import Body
from api.problems import Problem
from dataset_jobs.model.durations import parse_duration
from services.keys import NAME_LENGTH, Role
from services.to_json import to_json

topic = Topic("keys", "The keys of the API, for admins.")


class KeyShape(BaseModel):
    """A key without its secret. Times are null where there is none."""

    id: str
    name: str
    role: str
    made_by: str
    made_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


class MadeKeyShape(KeyShape):
    """A new key; `key` is given this once."""

    key: str


class KeyList(BaseModel):
    """Keys."""

    data: list[KeyShape]
    meta: dict[str, int]


class MadeKeyAnswer(BaseModel):
    """A new key."""

    data: MadeKeyShape


class NewKey(Body):
    """A key to make.

    Attributes:
        name: who it is for.
        role: what it may do.
        expires_in: its end from now on, such as 90d; none if it is left out.
    """

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
    role: Role
    expires_in: Annotated[str, Field(max_length=40, examples=["90d"])] | SkipJsonSchema[None] = None


@topic.route(
    "GET", "/v1/keys", Access.ADMIN, response_model=KeyList, summary="List the keys", example="/v1/keys"
)  # fmt: skip
def list_keys(request: Request, client: Requesting) -> Response:
    """All keys without their secrets, also those revoked and expired; the newest first."""
    found = client.keys.all()
    return answer(request, {"data": found, "meta": {"total": len(found)}})


@topic.route(
    "POST", "/v1/keys", Access.ADMIN, status_code=201, response_model=MadeKeyAnswer,
    problems=["field-invalid", "not-json", "conflict"], summary="Make a key",
    example="/v1/keys --json '{\"name\": \"import\", \"role\": \"uploader\"}'",
)  # fmt: skip
def make_key(client: Requesting, body: NewKey) -> Response:
    """Makes a key. The answer has it this once: only a hash of it is kept."""
    made = client.keys.make(body.name, body.role, _duration(body.expires_in))
    return done({"data": {**to_json(made.key), "key": made.text}}, 201, {"Location": f"/v1/keys/{made.key.id}"})


@topic.route(
    "DELETE", "/v1/keys/{key_id}", Access.ADMIN, status_code=204, problems=["not-found", "last-admin"],
    summary="Revoke a key", example="/v1/keys/3kX9mQ2z",
)  # fmt: skip
def revoke_key(using: Using, client: Requesting, key_id: str) -> None:
    """Revokes a key at once; one that is revoked already stays so. The last one of an admin stays."""
    client.keys.revoke(key_id)
    using.lately.forget(key_id)


def _duration(given: str | None) -> timedelta | None:
    if given is None:
        return None
    try:
        return parse_duration(given)
    except ValueError as error:
        message = f"expected {error}, such as 90d"
        raise Problem(
            "field-invalid", f"expires_in: {message}", [{"field": "expires_in", "message": message}]
        ) from None
