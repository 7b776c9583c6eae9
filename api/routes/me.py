"""Who the caller is."""

from datetime import datetime

from fastapi import Request, Response
from pydantic import BaseModel

from api.access import Access
from api.conditional import answer
from api.context import Calling, Using
from api.declared import MIB, Topic

topic = Topic("me", "Who the caller is.")


class Limits(BaseModel):
    """What the caller may take."""

    requests_per_minute: int
    max_file_size: int


class MeShape(BaseModel):
    """The caller. `key_id` and `expires_at` are of the key, if there is one."""

    name: str
    role: str
    via: str
    key_id: str | None
    expires_at: datetime | None
    read_only: bool
    limits: Limits


class Me(BaseModel):
    """The caller."""

    data: MeShape


@topic.route("GET", "/v1/me", Access.VIEWER, response_model=Me, summary="Show who you are", example="/v1/me")
async def me(request: Request, using: Using, caller: Calling) -> Response:
    """The caller's name, role and limits."""
    settings = using.settings
    values = {
        "name": caller.name,
        "role": caller.role,
        "via": caller.via,
        "key_id": caller.key_id,
        "expires_at": caller.expires_at,
        "read_only": settings.api_read_only,
        "limits": {
            "requests_per_minute": settings.api_requests_per_minute,
            "max_file_size": settings.limit_file_mib * MIB,
        },
    }
    return answer(request, {"data": values})
