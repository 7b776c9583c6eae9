"""Lines below a list: what the author declares is passed over at the end, counted, and nothing else is."""

import re
from pathlib import Path

import pytest

from dataset_jobs.model.errors import Rejected
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.start import start
from parser_runner.parsers.tables import Columns
from parser_runner.parsers.testkit import check_parser

HEAD = "Vorname;Geschlecht;Jahr;Anzahl\nAda;w;2020;5\nBo;m;2020;4\n"


def parser(footer: str | None) -> TextList:
    return TextList(
        name="li-office",
        description="lines of Vorname;Geschlecht;Jahr;Anzahl",
        columns=Columns(name=("vorname",), sex=("geschlecht",), year=("jahr",), count=("anzahl",)),
        rules=Rules(sexes={"w": "F", "m": "M"}),
        footer=None if footer is None else re.compile(footer),
    )


def read(tmp_path: Path, text: str, footer: str | None = "Quelle: .*|Stand .*") -> tuple[int, dict[str, int]]:
    path = tmp_path / "names.csv"
    path.write_text(text, encoding="utf-8")
    source = Source(path.name, path.open("rb"))
    found = parser(footer)
    try:
        match = found.recognise(source)
        assert match is not None
        source.rewind()
        return len([*start(found, source, match).rows]), dict(source.findings.skipped)
    finally:
        source.close()


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        ("Quelle: BFS", 1),
        ("Quelle: BFS;;;\n", 1),
        ("\nQuelle: BFS; Bern\nStand 2020\n\n", 2),
        ("Quelle: BFS\n" * 30, 30),
    ],
)
def test_declared_lines_at_the_end_are_counted(tmp_path: Path, end: str, lines: int) -> None:
    rows, skipped = read(tmp_path, HEAD + end)
    assert (rows, skipped["lines below the list"]) == (2, lines)


def test_other_lines_at_the_end_refuse_the_file(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="line 4: expected 4 fields, found 1"):
        read(tmp_path, HEAD + "Bemerkung: BFS\n")


def test_without_a_declaration_the_line_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="line 4: expected 4 fields, found 1"):
        read(tmp_path, HEAD + "Quelle: BFS\n", None)


def test_a_declared_line_within_the_list_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="line 4: a line that belongs below the list stands within it"):
        read(tmp_path, HEAD + "Quelle: BFS\nCleo;w;2020;3\n")


def test_a_record_is_never_taken_for_a_footer(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD, ".*") == (2, {})
    with pytest.raises(Rejected, match="line 4: expected a whole number"):
        read(tmp_path, HEAD + "Cleo;w;2020;x\n", ".*")


def test_a_parser_with_a_footer_keeps_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text(HEAD + "Cleo;w;2020;3\nQuelle: BFS\n", encoding="utf-8")
    check_parser(parser("Quelle: .*"), path)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"footer": "Quelle"}, r"footer is a str: expected re.compile"),
        ({"delimiters": "x"}, "delimiters is 'x': expected some of"),
        ({"title": "Vornamen"}, "title is 'Vornamen': write it in small letters"),
        ({"bare": ("name",)}, "expected either columns, or bare"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        TextList(name="li-x", description="x", columns=Columns(name=("n",), count=("c",)), **wrong)  # type: ignore[arg-type]
