"""Countries as addresses name them: by code, or by id as old clients do."""

from services.client import Client


def country_code(client: Client, given: str | None) -> str | None:
    """The code of a country that is given by its code or its id, if it is; raises UnknownCountry."""
    return None if given is None else client.country(given)
