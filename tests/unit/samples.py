"""A small file of each format: the publisher's own, shortened, or a made-up one where none is shipped."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from parser_runner.parsers import AnyParser, countries, parsers_of
from parser_runner.parsers.whose_file import is_refused
from parser_runner.parsers.workbook import Sheet, Workbook
from tests.unit.parsing import zipped
from tests.unit.sample_contents import (
    BC,
    CATALONIA,
    CHILE,
    CSO_CSV,
    DEPARTMENTS,
    FINLAND,
    INSEE,
    ISRAEL,
    JSON_STAT,
    NORWAY,
    NORWAY_BY_YEAR,
    NSW,
    ONS_LIST,
    ONS_TOP,
    ONTARIO,
    PARIS,
    PX,
    SA,
    SCOTLAND,
    SLOVENIA_NEWBORN,
    newborn,
    statbel,
)
from tests.unit.workbooks import Rows, xlsx

DATA = Path(__file__).parents[1] / "data"
LINES = 40
"""That are taken of a publisher's text file."""

_TITLE = "MOST POPULAR {} BABY NAMES FOR 2015 IN DESCENDING ORDER:"


@dataclass(frozen=True)
class Sample:
    """A file, under a name with all that such names say; of a workbook the sheets too.

    `hints` are what only the uploader can say.
    """

    name: str
    content: bytes
    sheets: Mapping[str, Rows] | None = None
    hints: FileHints = NO_HINTS


def _text(path: str, hints: FileHints = NO_HINTS) -> Sample:
    file = DATA / path
    return Sample(file.name, b"".join(file.read_bytes().splitlines(keepends=True)[:LINES]), hints=hints)


def _book(name: str, sheets: Mapping[str, Rows]) -> Sample:
    return Sample(name, xlsx(sheets), sheets)


SAMPLES: dict[str, Sample] = {
    "at-wien-newborns": _text("at/wien/l9ogdvornamentop500-cut.csv"),
    "us-ssa-national": _text("us/national/yob2015.txt"),
    "us-ssa-state": _text("us/TR.TXT"),
    "us-nyc": _text("us/nyc/popular_baby_names-cut.csv"),
    "us-nys": _text("us/nys/Baby_Names__Beginning_2007-cut.csv"),
    "uy-montevideo": _text("uy/nombre_nacim_x_anio_sexo-cut.csv"),
    "cl-registro-civil": Sample("registro-civil-females2019.csv", CHILE.encode()),
    "si-surs-population": _text("si/females-by-year-cut.csv"),
    "si-surs-newborn": Sample("baby-boys.csv", SLOVENIA_NEWBORN.encode("cp1250")),
    "au-nsw": Sample("popular_baby_names_1952_to_2024.csv", NSW.encode()),
    "au-qld-year": _text("au/qld/20150309_BDM_Top-100-Baby-Names-2010.csv"),
    "au-qld-years": _text("au/qld/20180718_BDM_Top-100-Baby-Names-1960-to-2005.csv"),
    "au-sa": Sample("male_cy1944_top.csv", SA.encode("cp1252")),
    "au-sa-number": _text("au/sa/femalecy2016top.csv"),
    "ca-bc": Sample("bc-popular-girls-names.csv", BC.encode()),
    "ca-ontario": Sample("ontario.csv", ONTARIO.encode()),
    "ch-zuerich-newborns": _text("ch/zuerich/bev_vornamen_baby_seit1993-cut.csv"),
    "de-berlin": _text("de/berlin/2012/mitte.csv", FileHints(year=2012, region="DE-BE-11001")),
    "de-koeln": _text("de/koeln/Vornamen_2018_Koeln.csv"),
    "de-leipzig-side-by-side": _text("de/leipzig/Vornamen_Leipzig_2014.csv"),
    "de-leipzig": _text("de/leipzig/Vornamen_Leipzig_2021.csv"),
    "de-muenchen": _text("de/muenchen/Vornamen_Muenchen_2013.csv"),
    "es-idescat-newborns": Sample("nomscatalunya.csv", CATALONIA.encode()),
    "fr-insee": Sample("nat.csv", INSEE.encode()),
    "fr-insee-departments": Sample("dpt2021.csv", DEPARTMENTS.encode()),
    "fr-paris": Sample("paris.csv", PARIS.encode()),
    "gb-nrs-full-list": Sample("Boys.csv", SCOTLAND.encode("cp1252")),
    "gb-nrs-all-years": Sample("all.csv", b"yr,sex,FirstForename,number,rank,position\n1974,B,David,1794,1,1\n"),
    "gb-nrs-since-1974": Sample("full-list-1974-2024.csv", b"Year,Sex,Name,Number,Rank\n1974,Boy,David,1794,1\n"),
    "ie-cso-pcaxis": Sample("VSA10.px", PX.encode("cp1252")),
    "ie-cso-jsonstat": Sample("VSA50.json", json.dumps(JSON_STAT, indent=2).encode()),
    "ie-cso-csv": Sample("VSA50.csv", CSO_CSV.encode()),
    "nz-figure-nz": _text("nz/nznames-1988-cut.csv"),
    "se-scb-statbank": _text("se/000004F5-cut.csv"),
    "no-ssb-10467-years": Sample("females.csv", NORWAY_BY_YEAR.encode("latin-1")),
    "no-ssb-10467": Sample("females.csv", NORWAY.encode("latin-1")),
    "pt-irn": _text("pt/nomes-registados-2014.csv"),
    "pt-irn-bare": _text("pt/nomes-registados-2015.csv"),
    "au-tas-year": _book("tas.xlsx", {"A": [[_TITLE.format("male")], [], ["jack", 41]]}),
    "au-tas-years": _book(
        "tasmaniantopbabynames.xlsx",
        {
            "Female": [["Year", "Name", "Number"], [2011, "olivia", 40]],
            "Male": [["Year", "Name", "Number"], [2011, "jack ", 80]],
        },
    ),
    "au-vic-by-sex": _book(
        "Top-100-Baby-Names-Victoria-2020.xlsx",
        {
            "S": [
                [None, "Male", None, None, "Female"],
                ["Rank", "Given Name", "Count", "Rank", "Given Name", "Count"],
                [1, "Oliver", 546, 1, "Charlotte", 413],
            ]
        },
    ),
    "au-vic": _book(
        "2024.xlsx",
        {"S": [["Rank", "Name - Male", "Count", "Rank", "Name - Female", "Count"], [1, "Oliver", 570, 1, "Isla", 389]]},
    ),
    "be-statbel-provinces": _book("be.xlsx", {"F_PROV2017": statbel("filles", 2017, ("Lina", 113), ("Lina", 7))}),
    "be-statbel-newborn": _book(
        "Prénoms_Filles.xlsx", {"1995": newborn("Belgique", "Bruxelles", "Flandre", "Wallonie")}
    ),
    "dk-dst-newborn": _book(
        "dk.xlsx",
        {"Ark1": [["Piger født i 2020"], ["Nr.", "Navn", "Antal", "Pr. 1000"], [1, "ALMA", 500, 16.1], [None, 0, 6]]},
    ),
    "fi-dvv-first-names": _book("fi.xlsx", FINLAND),
    "gb-ons-baby-names": _book("boys.xlsx", {"Table 1": ONS_TOP, "6": ONS_LIST}),
    "gb-ons-all-years": _book(
        "babynames1996to2025.xlsx",
        {
            "Table_1": [
                ["Table 1: Names for baby girls, England and Wales, 1996 to 2025"],
                ["Name", "2025 Rank", "2025 Count", "2024 Rank", "2024 Count"],
                ["Amelia", 1, 7, 2, 5],
                ["Olga", "[x]", "[x]", 3, 3],
            ]
        },
    ),
    "gb-nisra-full-lists": _book(
        "ni.xlsx",
        {
            "T": [
                ["Full List of First Forenames Given to Baby Boys"],
                ["1997 Name", "Number of Babies", "Rank", "1998 Name", "Number of Babies", "Rank"],
                ["Matthew", 410, 1, "Ryan", 346, 2],
                ["Zyon", "..", "..", None, None, None],
            ]
        },
    ),
    "il-cbs": _book("names.xlsx", ISRAEL),
    "it-istat-top": _book(
        "it.xls",
        {
            "tav": [
                ["Tavola 2.9 - I 30 nomi più frequenti - Anno 2018"],
                [None, "Nomi maschili", "Nati con quel nome", None, "Nomi femminili", "Nati con quel nome"],
                [None, None, "v.a.", None, None, "v.a."],
                [1, "LEONARDO", 7690, None, "SOFIA", 6400],
            ]
        },
    ),
    "nz-dia": _book(
        "nz.xlsx",
        {
            "G": [
                ["Top 100 Baby Girls' Names in New Zealand"],
                [None, 1954, None, None, 1955, None],
                [None, "Name", "No.", "Name", None, "No"],
                [1, "Susan", 735, None, "Susan", 743],
                [],
                [None, None, "Note: (a)", None, None, None],
            ]
        },
    ),
    "se-scb-newborn": _book(
        "se.xlsx", {"B": [["Flickors tilltalsnamn"], ["Namn / Name", "1998", "1999"], ["Åsa", "13", "-"]]}
    ),
}
"""By the name of the format."""

ARCHIVE = Sample("nat.zip", zipped({"nat.csv": INSEE}))

COUNTRIES: dict[str, str] = {
    parser.name: country for country in countries() for parser in parsers_of(country) if not is_refused(parser)
}
ALL_PARSERS: dict[str, AnyParser] = {
    parser.name: parser for country in countries() for parser in parsers_of(country) if parser.name in COUNTRIES
}


class InMemory(Workbook):
    """A workbook of sheets that are at hand, for parsers to be tried on many of them."""

    def __init__(self, sheets: Mapping[str, Rows]) -> None:
        width = {name: max((len(row) for row in rows), default=0) for name, rows in sheets.items()}
        self._rows = [[[*row, *[""] * (width[name] - len(row))] for row in rows] for name, rows in sheets.items()]
        self.sheets = [Sheet(self, index, name) for index, name in enumerate(sheets)]

    def read(self, index: int, rows: int | None) -> Iterator[list[object]]:  # type: ignore[override]
        for row in self._rows[index][:rows]:
            yield ["" if value is None else value for value in row]

    def close(self) -> None:
        """There is no process."""
