"""The formats that can be read."""

from fastapi import Request, Response
from pydantic import BaseModel

from api.access import Access
from api.conditional import answer
from api.context import Using
from api.declared import Topic

topic = Topic("parsers", "The formats that can be read.")


class ParserShape(BaseModel):
    """A format."""

    country: str
    format: str
    built_in: bool
    package: str | None
    description: str


class ParserList(BaseModel):
    """Formats."""

    data: list[ParserShape]
    meta: dict[str, int]


@topic.route(
    "GET", "/v1/parsers", Access.VIEWER, response_model=ParserList, problems=["country-not-found"],
    summary="List the formats", example="/v1/parsers?country=US",
)  # fmt: skip
def list_parsers(request: Request, using: Using, country: str | None = None) -> Response:
    """The formats that can be read, of one country or of all."""
    only = None if country is None else using.client.country(country)
    found = [
        {**one._asdict(), "built_in": one.package is None} for one in using.parsers() if only in (None, one.country)
    ]
    return answer(request, {"data": found, "meta": {"total": len(found)}})
