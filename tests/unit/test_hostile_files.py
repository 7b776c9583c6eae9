"""Files that somebody has made to harm: each is refused, or read as what it is. docs/formats.md has the whole list."""

import io
import stat
import struct
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.limits import Limits
from parser_runner.apart.parser import ParserParent
from parser_runner.file_parser import FileToParse
from parser_runner.parsers import workbook
from tests.unit.parsing import opened, refusal, rows, zipped
from tests.unit.workbooks import raw_xlsx, xlsx

YEAR_2020 = "Emma,F,15433\n"
SECRET = "root:"
ONE_CELL = "<sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>{}</t></is></c></row></sheetData>"


def changed(workbook: bytes, path: str, text: str) -> bytes:
    """The workbook with another text of a part."""
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), path}:
            new.writestr(name, text if name == path else old.read(name))
    return into.getvalue()


def part(workbook: bytes, path: str) -> str:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return archive.read(path).decode()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_in_an_archive_are_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for count in (5, 6):
            archive.writestr("yob2020.txt", f"Emma,F,{count}\n")
    assert "two files of the same name" in str(refusal(content.getvalue(), "names.zip", "US"))


def test_files_of_an_archive_on_the_same_bytes_are_refused() -> None:
    """Each entry of the directory points at the first file, under another name."""
    content = bytearray(zipped({f"yob{year}.txt": YEAR_2020 for year in range(1900, 1910)}))
    at = content.index(b"PK\x01\x02")
    while (at := content.find(b"PK\x01\x02", at)) >= 0:
        struct.pack_into("<I", content, at + 42, 0)
        at += 4
    assert "damaged or cut off" in str(refusal(bytes(content), "names.zip", "US"))


@pytest.mark.parametrize("folder", ["../../", "/etc/", "C:\\windows\\", "./"])
def test_only_the_last_part_of_a_members_path_counts(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "one" / "two"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert rows(zipped({f"{folder}yob2020.txt": YEAR_2020}), "names.zip", "US") == [(2020, "F", "Emma", 15433)]
    assert [*tmp_path.rglob("*.txt")] == []


def test_a_link_in_an_archive_is_not_followed() -> None:
    link = zipfile.ZipInfo("yob2020.txt")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    error = refusal(content.getvalue(), "names.zip", "US")
    assert error.reason is Reason.INVALID_FORMAT
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    "definitions",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY x SYSTEM "http://127.0.0.1:9/">',
        '<!ENTITY % y SYSTEM "file:///etc/passwd"> %y; <!ENTITY x "a">',
        '<!ENTITY a "'
        + "z" * 1000
        + '">'
        + "".join(f'<!ENTITY {to} "{f"&{of};" * 50}">' for of, to in zip("abcdefgh", "bcdefghx", strict=True)),
    ],
    ids=["a file", "an address", "a parameter", "billion laughs"],
)
def test_entities_of_a_workbook_are_not_expanded(definitions: str) -> None:
    book = raw_xlsx({"Table": ONE_CELL.format("&x;")})
    path = "xl/worksheets/sheet1.xml"
    text = part(book, path)
    head, rest = text.split("?>", 1)
    error = refusal(changed(book, path, f"{head}?><!DOCTYPE worksheet [{definitions}]>{rest}"), "names.xlsx", "GB")
    assert SECRET not in str(error)
    assert "zzzz" not in str(error)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://127.0.0.1:9/x.xml", "../../../../etc/passwd"])
def test_links_of_a_workbook_lead_nowhere(target: str) -> None:
    book = xlsx({"Table": [["Name", "Count"], ["Emma", 5]]})
    path = "xl/_rels/workbook.xml.rels"
    text = part(book, path).replace("Target='worksheets/sheet1.xml'", f"Target='{target}' TargetMode='External'")
    assert target in text
    assert SECRET not in str(refusal(changed(book, path, text), "names.xlsx", "GB"))


@pytest.mark.parametrize("cell", ["0001-01-01", "9999-12-31T23:59:59", "1-01-01", "-5", "x" * 40])
def test_odd_dates_of_a_workbook_refuse_it(cell: str) -> None:
    book = raw_xlsx({"Table": f"<sheetData><row r='1'><c r='A1' t='d'><v>{cell}</v></c></row></sheetData>"})
    assert refusal(book, "names.xlsx", "GB").reason is not Reason.TOO_LARGE


@pytest.mark.parametrize("text", ["1-01-01", "2020-13-01", ""])
def test_a_date_that_python_has_not_is_a_text(text: str) -> None:
    """The reader gives none today; one that does is no crash."""
    assert workbook._date(text) == text


@pytest.mark.parametrize("count", ["inf", "-inf", "NaN", "1e400", "1e300", "-1", "0x10"])
def test_counts_that_are_no_counts_are_refused(count: str) -> None:
    """Each is a number for some program."""
    heading = "<row r='1'><c r='A1' t='inlineStr'><is><t>Top names for baby boys, 2007</t></is></c></row>"
    columns = "".join(
        f"<c r='{at}2' t='inlineStr'><is><t>{text}</t></is></c>" for at, text in (("A", "Name"), ("B", "Count"))
    )
    row = f"<row r='3'><c r='A3' t='inlineStr'><is><t>Noah</t></is></c><c r='B3'><v>{count}</v></c></row>"
    book = raw_xlsx({"6": f"<sheetData>{heading}<row r='2'>{columns}</row>{row}</sheetData>"})
    assert "cell B3" in str(refusal(book, "boys.xlsx", "GB"))
    assert rows(
        changed(book, "xl/worksheets/sheet1.xml", part(book, "xl/worksheets/sheet1.xml").replace(count, "7")),
        "boys.xlsx",
        "GB",
    ) == [(2007, "M", "Noah", 7)]


@pytest.mark.parametrize(
    "content", ["\n" * 200_000, "," * 60_000, "A" * 3_000_000 + ",F,5\n"], ids=["blank lines", "commas", "a line"]
)
def test_texts_of_one_thing_are_refused(content: str) -> None:
    error = refusal(content, "yob2020.txt", "US")
    assert len(str(error)) < 500


@pytest.mark.parametrize("country", ["IT", "GB", "NZ", "IE"])
def test_headings_of_brackets_are_read_in_linear_time(country: str) -> None:
    """Each took a second for every cell once: the limit of processor time refuses it then."""
    book = xlsx({"Table": [["A[" * 32_500] * 15]})
    with closing(ParserParent.started()) as parent:
        asked = FileToParse("names.xlsx", country, limits=Limits(cpu_seconds=5))
        with closing(parent.parser(asked)) as parser, pytest.raises(Rejected) as raised:
            parser.write(book)
            parser.parse(lambda rows_done: None)
    assert raised.value.reason is not Reason.TOO_LARGE


@pytest.mark.parametrize(
    "name", ["\x1b[31mEmma", "Em\0ma", "\u202eammE", "\x1b]52;c;cm0=\x07", "Emma\x9b0m", "Em\u2028ma"]
)
def test_names_that_drive_a_terminal_are_refused(name: str) -> None:
    with pytest.raises(Rejected) as raised:
        list(opened(f"{name},F,5\n", "yob2020.txt", "US").rows)
    assert name not in str(raised.value)


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "@SUM(A1:A9)", "+A1", "-1+1"])
def test_what_a_spreadsheet_takes_for_a_formula_is_no_command_here(name: str) -> None:
    """It is loaded as published, or refused as no name; nothing runs it."""
    try:
        assert rows(f"{name},F,5\n", "yob2020.txt", "US")[0][2] == name
    except Rejected as error:
        assert error.reason is Reason.INVALID_FORMAT
