"""The countries."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field

from api.access import Access
from api.conditional import answer, done
from api.context import Requesting, Using
from api.declared import Topic
from api.parameters import Body
from services.countries import NAME_LENGTH, NOTHING_LOADED, Country

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


class CountryListMeta(BaseModel):
    """How many there are, and when they were counted."""

    total: int
    as_of: datetime


class CountryList(BaseModel):
    """All countries."""

    data: list[CountryShape]
    meta: CountryListMeta


class OneCountry(BaseModel):
    """One country."""

    data: CountryShape


class CountryMeta(BaseModel):
    """When it was counted what is loaded."""

    as_of: datetime


class CountedCountry(OneCountry):
    """One country, with what was loaded of it at some time."""

    meta: CountryMeta


@topic.route(
    "GET", "/v1/countries", Access.NAMES, response_model=CountryList, summary="List the countries",
    example="/v1/countries",
)  # fmt: skip
def list_countries(request: Request, using: Using) -> Response:
    """All countries by their codes, with what was loaded of each a few seconds ago: `meta.as_of` says when."""
    counted, at = using.countries.get()
    found = [shape(one) for one in counted]
    return answer(request, {"data": found, "meta": {"total": len(found), "as_of": at}})


@topic.route(
    "GET", "/v1/countries/{country}", Access.NAMES, response_model=CountedCountry, problems=["country-not-found"],
    summary="Show a country", example="/v1/countries/US",
)  # fmt: skip
def show_country(request: Request, using: Using, country: str) -> Response:
    """One country by its id or its code, with what was loaded of it a few seconds ago: `meta.as_of` says when."""
    named = using.client.countries.named(country)
    counted, at = using.countries.get()
    stats = next((one.stats for one in counted if one.id == named.id), NOTHING_LOADED)
    data = shape(Country(named.id, named.code, named.name, stats))
    return answer(request, {"data": data, "meta": {"as_of": at}})


class NewCountry(Body):
    """A country to add.

    Attributes:
        code: two letters, as in ISO 3166-1.
        name: in a line.
    """

    code: Annotated[str, Field(min_length=2, max_length=2)]
    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]


class CountryName(Body):
    """Another name for a country."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]


@topic.route(
    "POST", "/v1/countries", Access.ADMIN, status_code=201, response_model=OneCountry,
    problems=["field-invalid", "not-json", "exists"], summary="Add a country",
    example="/v1/countries --json '{\"code\": \"XK\", \"name\": \"Kosovo\"}'",
)  # fmt: skip
def add_country(using: Using, client: Requesting, body: NewCountry) -> Response:
    """Adds a country. Those of ISO 3166-1 are there from the beginning."""
    made = client.countries.add(body.code, body.name)
    using.countries.forget()
    return done({"data": shape(made)}, 201, {"Location": f"/v1/countries/{made.id}"})


@topic.route(
    "PATCH", "/v1/countries/{country}", Access.ADMIN, response_model=OneCountry,
    problems=["field-invalid", "not-json", "country-not-found"], summary="Rename a country",
    example="/v1/countries/GB --json '{\"name\": \"Great Britain\"}'",
)  # fmt: skip
def rename_country(using: Using, client: Requesting, country: str, body: CountryName) -> Response:
    """Gives a country another name. Its code stays: files and formats have it."""
    renamed = client.countries.rename(country, body.name)
    using.countries.forget()
    return done({"data": shape(renamed)})


@topic.route(
    "DELETE", "/v1/countries/{country}", Access.ADMIN, status_code=204,
    problems=["country-not-found", "has-datasets"], summary="Remove a country", example="/v1/countries/XK",
)  # fmt: skip
def remove_country(using: Using, client: Requesting, country: str) -> None:
    """Removes a country without datasets and schedules. Migrations bring those of ISO 3166-1 back."""
    client.countries.remove(country)
    using.countries.forget()


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
