"""The countries, with what is loaded of each."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.model.requests import Conflict, InvalidRequest, UnknownCountry
from dataset_jobs.model.text import one_line
from dataset_jobs.store.client_connection import Acting, ClientDatabase, Row
from services.dataset_maker import find_country

NAME_LENGTH = 100


class CountryExists(Conflict):
    """There is a country of that code."""


class CountryInUse(Conflict):
    """A country has datasets or schedules."""


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


NOTHING_LOADED = CountryStats(0, 0, None, None)


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
        """All of them, by code. It counts all datasets, which takes a tenth of a second at 50,000."""
        return [_country(row) for row in self._database.all("countries.read", id=None)]

    def by_code(self, codes: Iterable[str]) -> Mapping[str, NamedCountry]:
        """Those of these codes, without figures."""
        return {row["code"]: NamedCountry(**row) for row in self._database.all("countries.names", codes=[*codes])}

    def named(self, given: str) -> NamedCountry:
        """One by its id or its code, without figures; raises UnknownCountry."""
        _, code = find_country(self._database, one_line(given))
        found = self.by_code([code]).get(code)
        if found is None:
            raise UnknownCountry(f"country {code} was removed just now")
        return found

    def get(self, given: str) -> Country:
        """One by its id or its code, which may be in small letters; raises UnknownCountry."""
        country_id, _ = find_country(self._database, one_line(given))
        rows = self._database.all("countries.read", id=country_id)
        if not rows:
            raise UnknownCountry(f"there is no country of the id {country_id}")
        return _country(rows[0])

    def add(self, code: str, name: str) -> Country:
        """Adds one.

        Args:
            code: two letters, also small ones.
            name: in a line.

        Raises:
            InvalidRequest: code or name cannot be.
            CountryExists: there is one of that code.
        """
        upper = code.strip().upper()
        if not re.fullmatch("[A-Z]{2}", upper):
            raise InvalidRequest(f"code {one_line(code)!r}: expected two letters, as in ISO 3166-1")
        _check(name)

        def work(acting: Acting) -> None:
            if acting.one("countries.add", code=upper, name=name) is None:
                raise CountryExists(f"there is a country {upper} already")
            acting.detail = {"name": name}

        self._database.act(Act.COUNTRY_ADD, target_of("country", upper), work)
        return self.get(upper)

    def rename(self, given: str, name: str) -> Country:
        """Gives one, by id or code, another name; raises UnknownCountry or InvalidRequest."""
        _check(name)
        found = self.get(given)

        def work(acting: Acting) -> None:
            if acting.one("countries.rename", id=found.id, name=name) is None:
                raise UnknownCountry(f"country {found.code} was removed just now")
            acting.detail = {"name": name, "before": found.name}

        self._database.act(Act.COUNTRY_CHANGE, target_of("country", found.code), work)
        return self.get(str(found.id))

    def remove(self, given: str) -> None:
        """Removes one, by id or code.

        Raises:
            UnknownCountry: there is no such country.
            CountryInUse: it has datasets or schedules.
        """
        found = self.get(given)
        used = CountryInUse(f"country {found.code} has datasets or schedules: they must go first")

        def work(acting: Acting) -> None:
            if acting.one_unless_used(used, "countries.remove", id=found.id) is None:
                acting.nothing_done()
            acting.detail = {"name": found.name}

        self._database.act(Act.COUNTRY_REMOVE, target_of("country", found.code), work)


def _check(name: str) -> None:
    if not name.strip() or name != one_line(name) or len(name) > NAME_LENGTH:
        raise InvalidRequest(f"name {one_line(name)[:40]!r}: expected one line of 1 to {NAME_LENGTH} characters")


def _country(row: Row) -> Country:
    stats = CountryStats(row["dataset_count"], row["total_names"], row["first_year"], row["last_year"])
    return Country(row["id"], row["code"], row["name"], stats)
