"""Errors of requests. Each message says why, and its hints say what to do."""

from collections.abc import Sequence
from difflib import get_close_matches
from unicodedata import normalize

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import Permanent
from dataset_jobs.model.hints import Action, Hint

_OTHER_WORDS = {
    "AE": "UAE",
    "AR": "ARG",
    "AT": "AUT OSTERREICH",
    "AU": "AUS",
    "BE": "BEL BELGIE BELGIQUE BELGIEN",
    "CA": "CAN",
    "CH": "CHE SCHWEIZ SUISSE SVIZZERA SWISS",
    "CL": "CHL",
    "DE": "DEU GER DEUTSCHLAND",
    "DK": "DNK DANMARK",
    "ES": "ESP SPA ESPANA CATALONIA CATALUNYA",
    "FI": "FIN SF SUOMI",
    "FR": "FRA",
    "GB": "UK GBR EN ENG ENGLAND SCT SCOTLAND WLS WALES NIR NORTHERNIRELAND BRITAIN GREATBRITAIN",
    "GR": "EL GRC ELLADA",
    "IE": "IRL EIRE",
    "IL": "ISR",
    "IT": "ITA ITALIA",
    "NO": "NOR NORGE NOREG",
    "NZ": "NZL AOTEAROA",
    "PT": "PRT POR",
    "SE": "SWE SVERIGE",
    "SI": "SVN SLO SLOVENIJA",
    "US": "USA AMERICA",
    "UY": "URY URU",
}
"""Words that people use for a country: code of three letters, own name, parts. Without accents and spaces."""

_CODES = {word: code for code, words in _OTHER_WORDS.items() for word in words.split()}


class InvalidRequest(Permanent):
    """The request is understood and not done."""

    cause = Cause.REJECTED


class NotFound(InvalidRequest):
    """There is no such dataset, job or schedule."""


class UnknownCountry(InvalidRequest):
    """There is no such country."""


class Conflict(InvalidRequest):
    """It cannot be done in the state that the dataset is in."""


class LoadedOtherwise(Conflict):
    """The same bytes are loaded already, under another name or with other hints."""


class BeingLoaded(Conflict):
    """The same bytes are being loaded just now, under another name or with other hints."""


def unknown_country(given: str, countries: Sequence[tuple[str, str]]) -> InvalidRequest:
    """The error of a country that is not in the table, with what may have been meant.

    Args:
        given: the code or name in the request.
        countries: all codes and names there are.
    """
    names = dict(countries)
    if not names:
        return InvalidRequest(
            f"country {given!r}: no country is known yet; migrate the database", hints=[Hint(Action.MIGRATE)]
        )
    meant = [f"{code} ({names[code]})" for code in _close(given.strip(), names)]
    hint = f"did you mean {' or '.join(meant)}?" if meant else "use its ISO 3166-1 code of two letters"
    return UnknownCountry(f"unknown country {given!r}: {hint}")


def unknown_pool(pool: str) -> InvalidRequest:
    """The error of a pool that is not in the table."""
    return InvalidRequest(
        f"there is no pool {pool!r} yet; a controller makes it when it starts",
        hints=[Hint(Action.RUN_CONTROLLER, name=pool)],
    )


def _close(given: str, names: dict[str, str]) -> list[str]:
    other = _CODES.get(_plain(given))
    if other in names:
        return [other]
    by_name = {name.casefold(): code for code, name in names.items()}
    folded = given.casefold()
    if folded in by_name:
        return [by_name[folded]]
    if len(given) > 2:
        begins = [code for name, code in by_name.items() if name.startswith(folded)]
        close = [by_name[name] for name in get_close_matches(folded, by_name, n=3, cutoff=0.7)]
        return list(dict.fromkeys(close or begins))[:3]
    reversed_code = given.upper()[::-1]
    begins = [code for name, code in by_name.items() if folded and name.startswith(folded)]
    return ([reversed_code] if reversed_code in names else begins)[:3]


def _plain(word: str) -> str:
    """A word in capital letters, without accents and spaces."""
    return "".join(one for one in normalize("NFKD", word).upper() if one.isalpha())
