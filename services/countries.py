"""The countries, with what is loaded of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dataset_jobs.model.requests import UnknownCountry, unknown_country
from dataset_jobs.model.text import one_line
from dataset_jobs.store.client_connection import ClientDatabase, Row


@dataclass(frozen=True, slots=True)
class CountryStats:
    """What is loaded of a country.

    Args:
        dataset_count: its datasets, in whatever state.
        total_names: rows that count.
        first_year, last_year: of these rows; None without any.
    """

    dataset_count: int
    total_names: int
    first_year: int | None
    last_year: int | None


@dataclass(frozen=True, slots=True)
class Country:
    """A country.

    Args:
        code: ISO 3166-1 alpha-2.
    """

    id: UUID
    code: str
    name: str
    stats: CountryStats


@dataclass(frozen=True, slots=True)
class NamedCountry:
    """A country without its figures."""

    id: UUID
    code: str
    name: str


class Countries:
    """The countries of an installation.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the database has it.
    """

    def __init__(self, database: ClientDatabase) -> None:
        self._database = database

    def all(self) -> Sequence[Country]:
        """All of them, by code."""
        return [_country(row) for row in self._database.all("countries.read", code=None, id=None)]

    def by_code(self) -> Mapping[str, NamedCountry]:
        """All of them without figures, by code."""
        return {row["code"]: NamedCountry(**row) for row in self._database.all("countries.names")}

    def get(self, given: str) -> Country:
        """One by its id or its code, which may be in small letters; raises UnknownCountry."""
        country_id = _uuid(given)
        code = None if country_id else given.strip().upper()
        rows = self._database.all("countries.read", code=code, id=country_id)
        if rows:
            return _country(rows[0])
        if country_id:
            raise UnknownCountry(f"there is no country of the id {country_id}")
        known = [(row["code"], row["name"]) for row in self._database.all("submit.list_countries")]
        raise unknown_country(one_line(given), known)


def _uuid(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


def _country(row: Row) -> Country:
    stats = CountryStats(row["dataset_count"], row["total_names"], row["first_year"], row["last_year"])
    return Country(row["id"], row["code"], row["name"], stats)
