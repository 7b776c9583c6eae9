"""A described list of each shape, for fuzzing: the parser of its description, and a small file."""

from dataset_jobs.model.description import Description
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers.contract import AnyParser
from parser_runner.parsers.descriptions.described import Described
from tests.unit.samples import Sample
from tests.unit.workbooks import Rows, xlsx

_SHEET: Rows = [["Girls born in 2020"], ["Name", "Count"], ["Ada", 5], ["Bea", "-"], ["Total", 5]]
_LONG = "year=Year(XXXX=-) name=Name sex=Sex(F=F M=M ?=-) count=Count(..=-)"
_LINES = {
    "described-long": (_LONG, b"Year,Name,Sex,Count\n2019,Ada,F,5\n2019,Bo,M,4\n2020,Ada,F,..\nXXXX,Cleo,?,1\n"),
    "described-wide": (
        "name=Name sex=Sex count='No {year}'(''=- 0=-)",
        b"Name;Sex;No 2019;No 2020\nAda;F;5;\nBo;M;4;0\n",
    ),
    "described-blocks": (
        "block=F(name=Name count=Count) block=M(name=Name count=Count) file_year=2020",
        b"Name\tCount\tName\tCount\nAda\t9\tBo\t8\nBea\t7\t\t\n",
    ),
    "described-bare": ("name=#1 sex=#2 count=#3 file_year=2020 charset=cp1252", b"Zo\xe9,F,9\nBo,M,8\n"),
    "described-sheet": ("name=Name count=Count(-=-) file_year=title file_sex=title", None),
}

DESCRIBED_SAMPLES: dict[str, Sample] = {}
DESCRIBED_PARSERS: dict[str, AnyParser] = {}
for _name, (_line, _content) in _LINES.items():
    _said = Description.from_columns(f"{_line} measure=births")
    DESCRIBED_PARSERS[_name] = Described(_said, "CH")
    _hints = FileHints(description=_said.as_json())
    if _content is None:
        DESCRIBED_SAMPLES[_name] = Sample("names.xlsx", xlsx({"S": _SHEET}), {"S": _SHEET}, hints=_hints)
    else:
        DESCRIBED_SAMPLES[_name] = Sample("names.csv", _content, hints=_hints)
