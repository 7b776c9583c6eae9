"""France, INSEE: "Fichier des prénoms", all years since 1900, of the country or by department, packed or not.

https://www.insee.fr/fr/statistiques/8595130, before 2025 https://www.insee.fr/fr/statistiques/7633685
Names of fewer than 20 children since 1900 are one aggregate of each year (_PRENOMS_RARES). Figures of fewer than three
children are one aggregate of the name, without a year (XXXX). Neither is a name of a year. The headings were sexe,
preusuel, annais and nombre until 2024; since then they are sexe, prenom, periode and valeur, since 2025 with the rank
(rang), and with counts that INSEE rounds to multiples of five.

The file by department (dpt2021.csv) also has the department of birth, dpt. Its records without a year have none either
(XX). A dataset has one region, so the file is divided into one of each department, or the uploader names the one to
load. Departments are not added up: figures below three are in the records without year and department, so the sum is
less than the country's figure.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem, Rejected
from dataset_jobs.model.hints import Action, Hint
from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.division import Piece
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, TextTable, find_header
from parser_runner.parsers.values import is_year, label_of, text_of, year_of
from parser_runner.parsers.whose_file import region_given
from parser_runner.parsers.year_and_sex import refuse_sex_hint

_NAME, _COUNT, _YEAR = ("preusuel", "prenom"), ("nombre", "valeur"), ("annais", "periode")
_DEPARTMENT = ("dpt", "dep")
_NATIONAL = Columns(name=_NAME, count=_COUNT, year=_YEAR, sex=("sexe",), other=("rang",))
_DEPARTMENTAL = Columns(name=_NAME, count=_COUNT, year=_YEAR, sex=("sexe",), other=("rang", *_DEPARTMENT))
_CHARSET = "cp1252"
"""INSEE's, and those of spreadsheet programs."""
_RULES = Rules(
    sexes={"1": "M", "2": "F"},
    no_names={"_prenoms_rares": "aggregates of rare names (_PRENOMS_RARES)"},
    no_years={"XXXX": "records without a year (XXXX)"},
)

# INSEE has the whole of Corsica under 20, and had the overseas departments under 97.
_METROPOLITAN = [f"{number:02}" for number in range(1, 96)]
_OVERSEAS = ["971", "972", "973", "974", "976"]
_CODES = {
    **{code: f"FR-{code}" for code in [*_METROPOLITAN, "2A", "2B", *_OVERSEAS]},
    "20": "FR-20R",
    "75": "FR-75C",
}
"""ISO 3166-2 codes by INSEE's of the departments."""
_WITHOUT_REGION = {"97", "XX"}

_NO_DEPARTMENT = "expected a department, such as 01, 2A or 971"
_OTHERS = "records of other departments"
_FORMER = "births before 1968 in the former departments Seine (75) and Seine-et-Oise (78)"
_SPLIT = ("75", "78")
_SPLIT_IN = 1968
"""In this year, six departments replaced the Seine and Seine-et-Oise; two of them kept the numbers."""


class _Found(NamedTuple):
    table: TextTable
    delimiter: str
    header: Header
    department: int
    """The column of the department."""


class Departments:
    """All years of a department, both sexes."""

    name = "fr-insee-departments"
    description = "lines of sexe;preusuel;annais;dpt;nombre (dpt2021.csv), or the archive with them"
    regions = tuple(sorted(_CODES.values()))

    def recognise(self, source: Source) -> _Found | None:
        for table in TextTable.each(source, _CHARSET):
            if header := find_header(table, _DEPARTMENTAL):
                labels = [*map(label_of, table.head()[header.record - 1])]
                at = [column for column, label in enumerate(labels) if label in _DEPARTMENT]
                return _Found(table, table.delimiter, header, at[0]) if len(at) == 1 else None
        return None

    def parse(self, source: Source, match: _Found) -> Parsed:
        refuse_sex_hint(source)
        region = self._region(source, match)
        code = next(code for code, known in _CODES.items() if known == region)
        rows = read_list(source, _OneDepartment(source, match, code), match.header, _RULES, None, None)
        return Parsed(self.name, "births", region, rows)

    def _region(self, source: Source, match: _Found) -> str:
        """The region that was given, else that of the only department."""
        if source.hints.region is not None:
            return region_given(source, self.regions)
        several, code = _first_departments(match)
        source.rewind()
        if not several and code is not None:
            return _CODES[code]
        message = (
            "the file has several departments, and their sum is not the figure of the country: submit each of them as a"
            " dataset of its own, or give the region of the one to load, such as FR-69 or FR-75C"
        )
        hint = Hint(Action.SUBMIT_SPLIT, country="FR")
        problem = Problem(message, source.place(match.header.record))
        raise Rejected(Reason.SEVERAL_REGIONS, source.filename, problem, hints=[hint])

    def divide(self, source: Source, match: _Found) -> Iterator[Piece] | None:
        """The list of each department, with its headings; None if there is one department only."""
        several, _ = _first_departments(match)
        source.rewind()
        return self._pieces(source, match) if several else None

    def _pieces(self, source: Source, match: _Found) -> Iterator[Piece]:
        table, _, header, column = match
        headings = ""
        begun: set[str] = set()
        for number, record in table.records():
            text = _line(record)
            code = text_of(record[column]) if len(record) == header.width else None
            if number <= header.record:
                headings += text
            elif code in _CODES:
                region = _CODES[code]
                yield Piece(region, text if region in begun else headings + text)
                begun.add(region)
            elif code is None and any(map(text_of, record)):
                source.problem(f"expected {header.width} fields, found {len(record)}", number)
            elif code in _WITHOUT_REGION:
                source.skip("records without a department")
            elif any(map(text_of, record)):
                source.problem(_NO_DEPARTMENT, number)


class _OneDepartment(TextTable):
    """The list with the records of one department only."""

    def __init__(self, source: Source, found: _Found, code: str) -> None:
        super().__init__(source, found.delimiter, _CHARSET)
        self._file = source
        self._found = found
        self._code = code

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """As the list's."""
        _, _, header, column = self._found
        others = former = read = 0
        for number, record in super().records():
            code = text_of(record[column]) if number > header.record and len(record) == header.width else None
            if code == self._code and code in _SPLIT and _is_before_split(record[header.year]):
                former += 1
            elif code is None or code == self._code:
                read += code is not None
                yield number, record
            elif code in _CODES or code in _WITHOUT_REGION:
                others += 1
            elif any(map(text_of, record)):
                self._file.problem(_NO_DEPARTMENT, number)
        # An archive may have a file for each department.
        if others and not read and not former and self._file.member is None:
            self._file.problem(f"expected records of department {self._code}, found only those of others")
        self._file.skip(_OTHERS, others)
        self._file.skip(_FORMER, former)


def _line(record: Sequence[str]) -> str:
    line = ";".join(record)
    if line.count(";") == len(record) - 1 and '"' not in line and line.isprintable():
        return f"{line}\r\n"
    quoted = io.StringIO()
    csv.writer(quoted, delimiter=";").writerow(record)
    return quoted.getvalue()


def _is_before_split(year: str) -> bool:
    return is_year(year) and year_of(year) < _SPLIT_IN


def _first_departments(found: _Found) -> tuple[bool, str | None]:
    """Whether there are several departments, and the first one."""
    table, _, header, column = found
    first = None
    for number, record in table.records():
        code = text_of(record[column]) if number > header.record and len(record) == header.width else ""
        if code in _CODES and code != first:
            if first is not None:
                return True, first
            first = code
    return False, first


PARSERS = [
    TextList(
        name="fr-insee",
        description="lines of sexe;preusuel;annais;nombre (nat2020.csv), or the archive with them",
        columns=_NATIONAL,
        charset=_CHARSET,
        rules=_RULES,
    ),
    Departments(),
]
