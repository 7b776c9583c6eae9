"""Operations: one act over all that match, how far it is, and what was refused."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from api.access import Access
from api.conditional import answer
from api.context import Using
from api.declared import Topic
from api.lists import Paging, key_place, list_of, one_of, page
from api.shapes import shape
from services.operations import Operation
from services.to_json import to_json

topic = Topic("operations", "Operations: one act over all that match a filter.")

OPERATION = shape("Operation", "An operation: `done` of `of` are dealt with.", Operation, by=str, links=dict[str, str])


@topic.route(
    "GET", "/v1/operations", Access.VIEWER, response_model=list_of("OperationList", "Operations.", OPERATION),
    problems=["cursor-mismatch"], summary="List operations", example="/v1/operations",
)  # fmt: skip
def list_operations(request: Request, using: Using, query: Annotated[Paging, Query()]) -> Response:
    """Operations, the newest first."""
    found = using.client.operations.page(query.limit + 1, key_place(query))
    shown = found[: query.limit]
    follows = shown[-1].key if len(found) > len(shown) else None
    return page(request, query, [operation_values(one) for one in shown], follows, using.client.now())


@topic.route(
    "GET", "/v1/operations/{operation_id}", Access.VIEWER, problems=["not-found"], summary="Show an operation",
    response_model=one_of("OneOperation", "An operation.", OPERATION), example="/v1/operations/OPERATION_ID",
)  # fmt: skip
def show_operation(request: Request, using: Using, operation_id: UUID) -> Response:
    """An operation: how far it is, and what was refused, with why."""
    return answer(request, {"data": operation_values(using.client.operations.get(operation_id))})


def operation_values(operation: Operation) -> dict[str, Any]:
    """An operation as the API gives it."""
    links = {"self": f"/v1/operations/{operation.id}"}
    return {**to_json(operation), "by": operation.made_by, "links": links}
