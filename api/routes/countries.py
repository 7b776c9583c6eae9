"""The countries."""

from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel

from api.access import Access
from api.conditional import answer
from api.context import Using
from api.declared import Topic
from services.countries import Countries, Country

topic = Topic("countries", "The countries, and what is loaded of each.")


class YearRange(BaseModel):
    """The first and the last year."""

    min: int
    max: int


class Stats(BaseModel):
    """What is loaded of a country."""

    dataset_count: int
    total_names: int
    year_range: YearRange | None


class CountryShape(BaseModel):
    """A country."""

    id: UUID
    code: str
    name: str
    stats: Stats


class CountryList(BaseModel):
    """All countries."""

    data: list[CountryShape]
    meta: dict[str, int]


class OneCountry(BaseModel):
    """One country."""

    data: CountryShape


@topic.route(
    "GET", "/v1/countries", Access.NAMES, response_model=CountryList, summary="List the countries",
    example="/v1/countries",
)  # fmt: skip
def list_countries(request: Request, using: Using) -> Response:
    """All countries by their codes, with what is loaded of each."""
    found = [shape(one) for one in Countries(using.client.database).all()]
    return answer(request, {"data": found, "meta": {"total": len(found)}})


@topic.route(
    "GET", "/v1/countries/{country}", Access.NAMES, response_model=OneCountry, problems=["country-not-found"],
    summary="Show a country", example="/v1/countries/US",
)  # fmt: skip
def show_country(request: Request, using: Using, country: str) -> Response:
    """One country by its id or its code."""
    return answer(request, {"data": shape(Countries(using.client.database).get(country))})


def shape(country: Country) -> dict[str, Any]:
    """A country as the API gives it."""
    stats = country.stats
    years = None if stats.first_year is None else {"min": stats.first_year, "max": stats.last_year}
    return {
        "id": country.id,
        "code": country.code,
        "name": country.name,
        "stats": {"dataset_count": stats.dataset_count, "total_names": stats.total_names, "year_range": years},
    }
