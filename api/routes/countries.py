"""The countries: list, show, add, change, remove."""

from typing import Any, Self
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field, model_validator

from api.access import Access
from api.acts import done, refused_as
from api.conditional import answer
from api.context import Requesting, Using
from api.declared import Topic
from api.parameters import Body
from services.countries import Countries, Country, CountryExists, CountryInUse

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


class NewCountry(Body):
    """A country."""

    code: str = Field(
        description="Its two letters by ISO 3166-1.", examples=["SE"], json_schema_extra={"pattern": "^[A-Za-z]{2}$"}
    )
    name: str


class CountryChange(Body):
    """What changes of a country; what is left out stays."""

    code: str | None = Field(None, description="Only while there are no datasets and schedules of it.")
    name: str | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.code is None and self.name is None:
            raise ValueError("give a code or a name")
        return self


_CONFLICTS = {CountryExists: "exists", CountryInUse: "has-datasets"}


@topic.route(
    "POST", "/v1/countries", Access.ADMIN, status_code=201, response_model=OneCountry, summary="Add a country",
    problems=["field-invalid", "not-json", "exists"], example="/v1/countries",
)  # fmt: skip
def add_country(request: Request, using: Using, client: Requesting, body: NewCountry) -> Response:
    """Adds a country. Those of ISO 3166-1 are there already, and each migration brings them back."""
    with refused_as("exists"):
        made = client.countries.add(body.code, body.name)
    return done(show_country(request, using, str(made.id)), 201, f"/v1/countries/{made.code}")


@topic.route(
    "PATCH", "/v1/countries/{country}", Access.ADMIN, response_model=OneCountry, summary="Change a country",
    problems=["field-invalid", "not-json", "country-not-found", "exists", "has-datasets"], example="/v1/countries/SE",
)  # fmt: skip
def change_country(request: Request, using: Using, client: Requesting, country: str, body: CountryChange) -> Response:
    """Changes a country's name; its code only while there are no datasets and schedules of it."""
    with refused_as("exists", _CONFLICTS):
        changed = client.countries.change(country, code=body.code, name=body.name)
    return done(show_country(request, using, str(changed.id)))


@topic.route(
    "DELETE", "/v1/countries/{country}", Access.ADMIN, status_code=204, response_class=Response,
    problems=["country-not-found", "has-datasets"], summary="Remove a country", example="/v1/countries/SE",
    responses={204: {"description": "It is gone."}},
)  # fmt: skip
def remove_country(client: Requesting, country: str) -> Response:
    """Removes a country that no dataset and no schedule is of."""
    with refused_as("has-datasets"):
        client.countries.remove(country)
    return Response(status_code=204)


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
