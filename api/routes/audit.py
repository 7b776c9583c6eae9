"""The audit: who did what."""

from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import AwareDatetime, Field

from api.access import Access
from api.context import Using
from api.declared import Topic
from api.lists import Paging, key_place, list_of, page
from api.shapes import shape
from services.audit import AuditEntry, AuditFilter
from services.to_json import to_json

topic = Topic("audit", "Who did what, by which way.")

ENTRY = shape("AuditEntry", "Something that somebody did.", AuditEntry)


class AuditQuery(Paging):
    """Which acts."""

    actor: str | None = Field(None, description="The name of a key or a user, or os-user@host.")
    action: str | None = Field(None, description="Such as job.cancel.")
    target: str | None = Field(None, description="Such as job/ID or pool/NAME.")
    since: AwareDatetime | None = Field(None, description="At that time or later.")


@topic.route(
    "GET", "/v1/audit", Access.ADMIN, response_model=list_of("AuditList", "Acts.", ENTRY), summary="List the audit",
    problems=["field-invalid", "cursor-mismatch"], example="/v1/audit?action=job.cancel",
)  # fmt: skip
def list_audit(request: Request, using: Using, query: Annotated[AuditQuery, Query()]) -> Response:
    """What people have done, the newest first."""
    which = AuditFilter(query.actor, query.action, query.target, query.since)
    found = using.client.audit.page(which, query.limit, key_place(query))
    return page(request, query, to_json(found.items), found.next, using.client.now())
