"""The countries, with what is loaded of each: list, show, add, change, remove."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.model.requests import Conflict, InvalidRequest, UnknownCountry, unknown_country
from dataset_jobs.model.text import one_line
from dataset_jobs.store.client_connection import Acting, ClientDatabase, Row

_CODE = re.compile("[A-Z]{2}")
NAME_LENGTH = 200


class CountryExists(Conflict):
    """Another country has the code."""


class CountryInUse(Conflict):
    """Datasets or schedules refer to it."""


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

    def add(self, code: str, name: str) -> Country:
        """Adds a country; code and name in any letter case.

        Raises:
            InvalidRequest: the code or the name cannot be.
            CountryExists: there is one of the code.
        """
        code, name = _checked_code(code), _checked_name(name)

        def work(acting: Acting) -> UUID:
            row = acting.one("countries.add", code=code, name=name)
            if row is None:
                raise CountryExists(f"there is a country {code} already")
            acting.detail = {"name": name}
            return UUID(str(row["id"]))

        return self.get(str(self._database.act(Act.COUNTRY_ADD, target_of("country", code), work)))

    def change(self, given: str, *, code: str | None = None, name: str | None = None) -> Country:
        """Gives a country, by id or code, another code or another name; None leaves it.

        Raises:
            UnknownCountry: there is no such country.
            InvalidRequest: the code or the name cannot be.
            CountryExists: another country has the code.
            CountryInUse: it shall have another code, but there are datasets or schedules of it: those know it.
        """
        country = self.get(given)
        code, name = None if code is None else _checked_code(code), None if name is None else _checked_name(name)

        def work(acting: Acting) -> None:
            now = self._locked(acting, country)
            after = {"code": code or now["code"], "name": name or now["name"]}
            if after["code"] != now["code"]:
                _refuse_used(acting, now, "has another code only")
            if after == {"code": now["code"], "name": now["name"]}:
                acting.nothing_done()
                return
            if acting.one("countries.change", id=country.id, **after) is None:
                raise CountryExists(f"there is a country {after['code']} already")
            acting.detail = {one: {"from": now[one], "to": value} for one, value in after.items() if value != now[one]}

        self._database.act(Act.COUNTRY_CHANGE, target_of("country", country.code), work)
        return self.get(str(country.id))

    def remove(self, given: str) -> None:
        """Removes a country, by id or code.

        Raises:
            UnknownCountry: there is no such country.
            CountryInUse: there are datasets or schedules of it.
        """
        country = self.get(given)

        def work(acting: Acting) -> None:
            now = self._locked(acting, country)
            _refuse_used(acting, now, "is removed only")
            acting.execute("countries.remove", id=country.id)
            acting.detail = {"name": now["name"]}

        self._database.act(Act.COUNTRY_REMOVE, target_of("country", country.code), work)

    def _locked(self, acting: Acting, country: Country) -> Row:
        row = acting.one("countries.lock", id=country.id)
        if row is None:
            raise UnknownCountry(f"there is no country {country.code} any more")
        return row


def _uuid(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


def _country(row: Row) -> Country:
    stats = CountryStats(row["dataset_count"], row["total_names"], row["first_year"], row["last_year"])
    return Country(row["id"], row["code"], row["name"], stats)


def _refuse_used(acting: Acting, country: Row, does: str) -> None:
    [uses] = acting.all("countries.uses", id=country["id"])
    used = [what for what in ("datasets", "schedules") if uses[what]]
    if used:
        raise CountryInUse(f"there are {' and '.join(used)} of {country['code']}: it {does} when those are gone")


def _checked_code(code: str) -> str:
    upper = code.strip().upper()
    if not _CODE.fullmatch(upper):
        raise InvalidRequest(f"code {one_line(code)[:20]!r}: expected the two letters of ISO 3166-1, such as SE")
    return upper


def _checked_name(name: str) -> str:
    stripped = name.strip()
    if not stripped or stripped != one_line(stripped) or len(stripped) > NAME_LENGTH:
        raise InvalidRequest(f"name of a country: expected one line of 1 to {NAME_LENGTH} characters")
    return stripped
