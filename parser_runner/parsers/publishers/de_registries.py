"""Lists of the program that many German registry offices use: vorname, anzahl, geschlecht, and position since 2017.

Nothing in such a file says the city: Bonn, Ulm and many others publish the same. So each city's format is shared, and
needs the uploader's word or the city's word in the file's name.

All given names of a child are counted, the second and third too, down to those of one child. Lists with positions have
a line for each position of a name. They are added up, so a row means the same in all years: the children with that
name in any position.
"""

import re
from collections.abc import Mapping

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, Table

BERLIN = "DE-BE"
COLOGNE = "DE-NW-05315"
LEIPZIG = "DE-SN-14713"
MUNICH = "DE-BY-09162"
"""Codes of regions: ISO 3166-2 has Berlin only. The others are its code of the state, then the official key of the
municipality (AGS)."""

BERLIN_DISTRICTS: Mapping[str, str] = {
    "DE-BE-11001": "Mitte",
    "DE-BE-11002": "Friedrichshain-Kreuzberg",
    "DE-BE-11003": "Pankow",
    "DE-BE-11004": "Charlottenburg-Wilmersdorf",
    "DE-BE-11005": "Spandau",
    "DE-BE-11006": "Steglitz-Zehlendorf",
    "DE-BE-11007": "Tempelhof-Schöneberg",
    "DE-BE-11008": "Neukölln",
    "DE-BE-11009": "Treptow-Köpenick",
    "DE-BE-11010": "Marzahn-Hellersdorf",
    "DE-BE-11011": "Lichtenberg",
    "DE-BE-11012": "Reinickendorf",
}
"""ISO 3166-2's code of the state, then the official key of the district."""

_NAMES: Mapping[str, str] = {
    BERLIN: "berlin",
    COLOGNE: "köln|koeln|koln|cologne",
    LEIPZIG: "leipzig",
    MUNICH: "münchen|muenchen|munchen|munich",
    "DE-BE-11001": "mitte",
    "DE-BE-11002": r"friedrichshain|kreuzberg|f\.-k\.",
    "DE-BE-11003": "pankow",
    "DE-BE-11004": r"charlottenburg|wilmersdorf|c\.-w\.",
    "DE-BE-11005": "spandau",
    "DE-BE-11006": r"steglitz|zehlendorf|s\.-z\.",
    "DE-BE-11007": r"tempelhof|schöneberg|schoeneberg|t\.-s\.",
    "DE-BE-11008": "neukölln|neukoelln|nkn",
    "DE-BE-11009": r"treptow|köpenick|koepenick|t\.-k\.",
    "DE-BE-11010": r"marzahn|hellersdorf|m\.-h\.",
    "DE-BE-11011": "lichtenberg|libg",
    "DE-BE-11012": "reinickendorf|rdf",
    "the registry office for births abroad (Standesamt I)": r"standesamt[ _-]i|i[ _]in[ _]berlin",
}
"""Words in the names of files; for Berlin's districts its short forms too."""

_NOT_THE_CITY = "bei|bezirk|bistum|erzbistum|kreis|land|landkreis|lk|raum|regbez|regierungsbezirk|region|umland|und"


def _word(texts: str) -> str:
    """A pattern for one of several texts as a word of its own; ö may be o with a combining mark."""
    decomposed = texts.replace("ö", "(?:ö|o\u0308)").replace("ü", "(?:ü|u\u0308)")
    return rf"(?<![^\W\d_])(?:{decomposed})(?![^\W\d_])"


_WORDS = {place: re.compile(_word(texts), re.IGNORECASE) for place, texts in _NAMES.items()}


def city_word(region: str) -> re.Pattern[str]:
    """A pattern for a city in a file's name; it does not find the county, the region or the neighbours of that name."""
    return re.compile(rf"\A(?!.*{_word(_NOT_THE_CITY)}).*{_word(_NAMES[region])}", re.IGNORECASE)


def check_place(source: Source, region: str | None) -> None:
    """Refuses a file whose name has another place.

    Raises:
        Rejected: it has.
    """
    for place, word in _WORDS.items():
        around = place == BERLIN and region in BERLIN_DISTRICTS
        if place != region and not around and word.search(source.own_name):
            message = f"these would be figures of {region}, but the file's name has a word of {place}"
            raise source.rejected(Reason.CONTRADICTORY, message)


class RegistryList(TextList):
    """A list of one year and city."""

    def parse(self, source: Source, match: tuple[Table, Header]) -> Parsed:
        parsed = super().parse(source, match)
        check_place(source, parsed.region)
        return parsed


def registry_list(
    name: str, region: str, *, names: tuple[str, ...] = ("vorname",), districts: Mapping[str, str] | None = None
) -> RegistryList:
    """A city's lists.

    Args:
        name: of the format.
        region: of the city.
        names: all headings that the city has for the names.
        districts: codes and names of its districts. Then the uploader must say which part it is, or that it is the
            whole: the names of such files do not.
    """
    return RegistryList(
        name=name,
        description=f"lines of {names[-1]},anzahl,geschlecht, or of anzahl;vorname;geschlecht;position",
        columns=Columns(name=names, count=("anzahl",), sex=("geschlecht",), over=("position",)),
        charset="cp1252",
        rules=Rules(
            sexes={"w": "F", "m": "M"},
            nameless="records without a name",
            falling=True,
            adds_up=AddUp(reason="positions of the same given name"),
        ),
        region=None if districts else region,
        named_year=True,
        shared=True,
        named=None if districts else city_word(region),
        regions=(region, *districts) if districts else (),
        region_names=districts or {},
    )
