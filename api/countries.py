"""Countries as addresses name them: by code, or by id as old clients do."""

from uuid import UUID

from services.client import Client
from services.countries import Countries


def country_code(client: Client, given: str | None) -> str | None:
    """The code of a country that is given by its code or its id, if it is; raises UnknownCountry."""
    if given is None:
        return None
    try:
        UUID(given)
    except ValueError:
        return client.country(given)
    return Countries(client.database).get(given).code
