"""Made-up contents of publishers' files, one for each format without a shipped file."""

import itertools
from datetime import date

from tests.unit.workbooks import Rows, Value

INSEE = "sexe;preusuel;annais;nombre\r\n1;JEAN;1900;14000\r\n2;ÉLISE;1901;5\r\n"
DEPARTMENTS = "sexe;preusuel;annais;dpt;nombre\r\n1;JEAN;1968;75;140\r\n2;ÉLISE;2021;75;5\r\n"
PARIS = (
    "Nombre prénoms déclarés;Sexe;Annee;Prenoms;Nombre total cumule par annee\r\n"
    "77;F;2012;Alix;84\r\n7;M;2012;Alix;84\r\n"
)
ONTARIO = (
    "Ontario Top Baby Names (Female) / Noms (Femme) ,,\nYear/Année,Name/Nom,Frequency/Fréquence\n1913,MARGARET,6\n"
)
NORWAY = (
    '"10467: Born persons, by first name, year and contents"\r\n\r\n"first name";"year";"Born persons"\r\n'
    '"Aagot";"1880";..\r\n"Aagot";"1945";7\r\n"Åse";"1946";.\r\n"Åse";"1947";12\r\n'
)
NORWAY_BY_YEAR = (
    '"10467: Born persons, by first name, contents and year"\r\n\r\n'
    '"first name";"Born persons 1945";"Born persons 1946"\r\n"Aagot";7;..\r\n"Åse";.;12\r\n'
)
CATALONIA = (
    "\ufeffNoms més freqüents dels nadons. 2022\nCatalunya\n"
    '"Font: Idescat, a partir de l\'estadística de naixements."\n'
    "Nota: el ‰ ha estat calculat sobre el total de nascuts vius a l'any i en el lloc de residència seleccionats.\n"
    "Nota: Només es mostren els noms de freqüència igual o superior a 4.\n"
    '".. Dada confidencial, amb baixa fiabilitat o no disponible"\n'
    "Institut d'Estadística de Catalunya\nhttp://www.idescat.cat/nadons/\n"
    "Pos.,Sexe,Nom,Rànquing. Freqüència,Rànquing. ‰\n"
    "1,D,PROVÍNIA/PROVINIA,440,7,81\n2,H,PROBERT,433,8\n1206,D,TESTINA ZOE,4,0,07\n"
)
BC = "Name,1915,1916,Total\nAALIYAH,0,7,7\nZOÀ,5,0,5\n"
NSW = "\ufeffRank,Name,Number,Gender,Year\r\n1,Noah,496,Male,2024\r\n1,Isla,400,Female,2024\r\n"
SCOTLAND = (
    '"Full list of first forenames given to boys, Scotland, 2019 in rank order",,,\r\n,,,\r\n"NB: * sadly",,,\r\n'
    "Rank1,Boys' names,Number of babies,NB\r\n,,,\r\n1,Jack,354,*\r\n2=,Rory,12, \r\n"
    ",,,\r\nFootnote,,,\r\n© Crown,,,\r\n"
)
SA = "Given Name,Amount,Position\r\nJOHN,477,1\r\nUNNAMED,50,2\r\nJOHN,2,=192\r\n(NOT,1,=345\r\nCHLOÉ,1,=345\r\n"
SA_NAME = "male_cy1944_top.csv"


def large_file() -> bytes:
    """A good file that is too large to be kept in memory while it is read."""
    names = map("".join, itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=5))
    return "".join(f"AK,F,1910,X{name},7\n" for name in itertools.islice(names, 500_000)).encode()


PX = (
    'CHARSET="ANSI";\r\nAXIS-VERSION="2000";\r\nTITLE="Boys Names by Name, Year and Statistic";\r\nSTUB="Name";\r\n'
    'HEADING="Year","Statistic";\r\nVALUES("Name")="Jack","Seán";\r\nVALUES("Year")="1998","1999";\r\n'
    'VALUES("Statistic")="Rank of Name","Registered Births in Ireland (Number)";\r\nNOTE="a;\r\nb";\r\nDATA=\r\n'
    '3 543 3 743 \r\n".." ".." 101 0 \r\n'
)

JSON_STAT = {
    "class": "dataset",
    "id": ["STATISTIC", "TLIST(A1)", "C02512V04117"],
    "size": [2, 2, 2],
    "label": "Boys Names in Ireland with 3 or More Occurrences",
    "dimension": {
        "STATISTIC": {
            "label": "Statistic",
            "category": {
                "index": ["VSA50C01", "VSA50C02"],
                "label": {
                    "VSA50C01": "Boys Names in Ireland with 3 or More Occurrences",
                    "VSA50C02": "Boys Names in Ireland with 3 or More Occurrences Rank",
                },
            },
        },
        "TLIST(A1)": {"label": "Year", "category": {"index": ["2019", "2020"], "label": {"2019": "2019"}}},
        "C02512V04117": {
            "label": "Names",
            "category": {"index": ["0002", "0001"], "label": {"0001": "Jack", "0002": "Se\u00e1n"}},
        },
    },
    "value": [12, 656, None, 587, 9, 1, None, 1],
    "version": "2.0",
}
CSO_CSV = (
    '\ufeff"STATISTIC","Statistic Label","TLIST(A1)","Year","C03895V04646","Names","UNIT","VALUE"\r\n'
    '"VSA50C01","Boys Names in Ireland with 3 or More Occurrences","2023","2023","0001","Jack","Number","583"\r\n'
    '"VSA50C01","Boys Names in Ireland with 3 or More Occurrences","2023","2023","0002","Seán","Number",""\r\n'
    '"VSA50C02","Boys Names Rank","2023","2023","0001","Jack","Number","1"\r\n'
)


def ons(title: str, header: list[Value], *lines: list[Value]) -> Rows:
    return [[None, "Contents"], [], [None, title], [], header, [], *lines]


def newborn(country: str, *regions: str, mark: str | None = None) -> Rows:
    """A sheet of Statbel's newborn: the country and its regions side by side."""
    header = [cell for area in (country, *regions) for cell in (area, None, mark)]
    return [
        header,
        [1, "Laura", 1484, 1, "Sarah", 146, 1, "Laura", 811, 1, "Laura", 549],
        [2, "Sarah", 914, 2, "Laura", 124, None, None, None, None, None, None],
    ]


ONS_TITLE = "Top names for baby boys in England and Wales, 2007"
ONS_LIST = ons(
    ONS_TITLE, [None, "Rank", "Name", "Count"], [None, 1, "JACK ", 10779], [None, 2, True, 3], [], [],
    [None, "Notes:"], [None, "Source: Office for National Statistics (ONS)", None, None, "Released: 2008"],
)  # fmt: skip
ONS_TOP = ons(
    "Top 100 names for baby boys, 2007", [None, "Rank", "Name", "Count", "Change"], [None, 1, "JACK", 5, "+1"]
)
FINLAND: dict[str, Rows] = {
    "Miehet kaikki": [["Etunimi", "Lukumäärä"], ["Juhani", 281516]],
    "Miehet ens": [["Etunimi", "Lukumäärä"], ["Juha", 44293]],
    "Naiset ens": [["Etunimi", "Lukumäärä"], ["Tuula", 30346]],
    "Saate": [[], ["Poimintapäivä", date(2022, 8, 4)], ["Rekisteritilanne", date(2021, 8, 3)]],
}


def statbel(sex: str, year: int, *names: tuple[str, int]) -> Rows:
    """A sheet of one province, and another one for the names that come again."""
    provinces: list[list[Value]] = []
    found: list[str] = []
    for name, count in names:
        place: list[Value] = ["10000", "BE21", "Anvers"] if name in found else ["04000", "BE10", "Bruxelles"]
        provinces.append([len([one for one in provinces if one[3] == place[2]]) + 1, *place, name, count])
        found.append(name)
    return [
        [f"Prénoms des {sex} nouveau-nés par province/région {year}", None, None, None, None, "Contenu"],
        ["Rang", "Refnis", "NUTS2", "Province/région", "Prénom", "Nombre"],
        *provinces,
    ]


CORNERS = (
    "<sheetData><row r='1'><c r='A1'><v>1</v></c></row>"
    "<row r='1048576'><c r='XFD1048576'><v>2</v></c></row></sheetData>"
)

CHILE = 'Nombre,Total\nISABELLA,3102\n"TRINIDAD,ANTONELLA",1\nMARÍA-JOSÉ,2\n'
SLOVENIA_NEWBORN = (
    '"Baby boys\' first names, Slovenia, annually",,,,\n,,,,\nFIRST NAME,Number 2018,Number 2019,Rank 2018,Rank 2019\n'
    "Aleš,7,-,192,-\nLuka,250,301,1,1\n"
)


def israel_list(
    title: str, *lines: list[Value], years: tuple[int, ...] = (2020, 2021), period: str = "2020-2021"
) -> Rows:
    notes: Rows = [[], [title], ["נכון לאפריל 2022"], ["- = חוסר מקרים"], [".. = פחות מ-5 מקרים"], []]
    return [*notes, ["שם פרטי", f"סך הכל בשנים\n{period}", *years], *lines]


_GROUPS: list[tuple[str, str, list[list[Value]]]] = [
    ("יהודים", "בנים", [["אדם", 120, ".", 100], ["משה", 70, 60, 7]]),
    ("יהודיות", "בנות", [["תמר", 40, "..", 30]]),
    ("מוסלמים", "בנים", [["אדם", 60, "..", 50]]),
    ("מוסלמיות", "בנות", [["מרים", 25, 5, 20]]),
    ("נוצרים", "בנים", [["אדם", 9, "-", 5]]),
    ("נוצריות", "בנות", [["מרים", 9, ".", 8]]),
    ("דרוזים", "בנים", [["אדהם", 6, ".", 6]]),
    ("דרוזיות", "בנות", [["תמר", 7, ".", 7]]),
    ("אחרים", "בנים", [["דניאל", 6, ".", 6]]),
    ("אחרות", "בנות", [["ניקול", 6, ".", 6]]),
]
ISRAEL: dict[str, Rows] = {
    sheet: israel_list(f"שמות פרטיים של {sex} לפי שנת לידה", *lines) for sheet, sex, lines in _GROUPS
}
