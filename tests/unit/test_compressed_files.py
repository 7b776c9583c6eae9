"""Compressed files are read; what is no list is named for what it is, with what to do."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.limits import Limits
from tests.unit.parsing import refusal, reported, rows, zipped
from tests.unit.workbooks import xlsx

SSA = b"Testina,F,700\r\nProbert,M,500\r\n"
ROWS = [(2017, "F", "Testina", 700), (2017, "M", "Probert", 500)]
PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
TASMANIA = FileHints(format="au-tas-years")
_HEADINGS = ["Year", "Name", "Number"]
BOOK = xlsx({"Female": [_HEADINGS, [2011, "ruby", 70]], "Male": [_HEADINGS, [2011, "jack", 80]]})
SCOTLAND = "Year,Sex,Name,Number,Rank\r\n2024,Boy,Probert,5,1\r\n2024,Girl,Testina,7,1\r\n"
ABOUT = "All names given to babies, 1974 to 2024\r\nNames with a count of 2 or less have been redacted\r\n"


@pytest.mark.parametrize("ending", PACKERS)
def test_a_compressed_file_is_read_under_the_name_of_its_content(ending: str) -> None:
    pack = PACKERS[ending]
    assert rows(pack(SSA), f"yob2017.txt.{ending}", "US") == ROWS
    assert rows(pack(SSA), f"YOB2017.TXT.{ending.upper()}", "US") == ROWS
    assert rows(pack(SSA[:15]) + pack(SSA[15:]), f"yob2017.txt.{ending}", "US") == ROWS
    assert rows(pack(SSA.decode().encode("utf-16")), f"yob2017.txt.{ending}", "US") == ROWS
    assert rows(pack(BOOK), f"tas.xlsx.{ending}", "AU", hints=TASMANIA) == [
        (2011, "F", "ruby", 70),
        (2011, "M", "jack", 80),
    ]
    assert rows(pack(zipped({"yob2017.txt": SSA})), f"names.zip.{ending}", "US") == ROWS


@pytest.mark.parametrize("ending", PACKERS)
def test_lines_of_a_compressed_file_are_those_of_its_content(ending: str) -> None:
    error = refusal(PACKERS[ending](SSA + b"Ada,F,x\n"), f"yob2017.txt.{ending}", "US")
    assert str(error).startswith(f"yob2017.txt.{ending}, line 3: ")


@pytest.mark.parametrize("ending", PACKERS)
def test_a_compressed_file_that_is_damaged_is_refused(ending: str) -> None:
    packed = PACKERS[ending](SSA * 50)
    name = f"yob2017.txt.{ending}"
    for end in range(8, len(packed)):
        assert "cut off" in str(refusal(packed[:end], name, "US")), end
    assert "other bytes follow" in str(refusal(packed + b"garbage", name, "US"))
    assert "other bytes follow" in str(refusal(packed + b"\0", name, "US"))
    middle = len(packed) // 2
    for change in (b"\0\0\0", b"\xff\xff\xff"):
        error = refusal(packed[:middle] + change + packed[middle + 3 :], name, "US")
        assert error.reason is Reason.INVALID_FORMAT


@pytest.mark.parametrize("ending", PACKERS)
def test_a_bomb_is_refused_before_it_is_unpacked(ending: str) -> None:
    name, bomb = f"yob2017.txt.{ending}", PACKERS[ending](bytes(30_000_000))
    assert "LIMIT_UNPACKED_RATIO" in str(refusal(bomb, name, "US"))
    limits = Limits(file_mib=1, unpacked_ratio=10_000_000)
    error = refusal(bomb, name, "US", limits=limits)
    assert error.reason is Reason.TOO_LARGE
    assert "LIMIT_FILE_MIB" in str(error)


def test_an_empty_compressed_file_is_empty() -> None:
    assert "the file is empty" in str(refusal(gzip.compress(b""), "yob2017.txt.gz", "US"))


def _tar(name: str = "yob2017.txt") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(SSA)
        archive.addfile(member, io.BytesIO(SSA))
    return content.getvalue()


def _document(member: str) -> bytes:
    return zipped({"[Content_Types].xml": "<Types/>", member: "<document/>"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_tar(), "this is a tar archive: unpack it and submit its files"),
        (gzip.compress(_tar()), "this is a tar archive: unpack it and submit its files"),
        (gzip.compress(gzip.compress(SSA)), "compressed by gzip within another: unpack it"),
        (zipped({"boys.xlsx": BOOK}), "the archive has workbooks: unpack it and submit each workbook"),
        (zipped({"names.zip": zipped({"yob2017.txt": SSA})}), "has archives or compressed files in it: unpack it"),
        (zipped({"yob2017.txt.gz": gzip.compress(SSA)}), "has archives or compressed files in it: unpack it"),
        (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40), "this is a 7z archive: unpack it"),
        (b"Rar!\x1a\x07\0" + bytes(40), "this is a RAR archive: unpack it"),
        (b"\x28\xb5\x2f\xfd" + bytes(40), "this is a file compressed by zstd: unpack it"),
        (b"%PDF-1.4\n%\xe2\xe3\n1 0 obj", "this is a PDF document: submit the publisher's table"),
        (b"{\\rtf1\\ansi names}", "this is an RTF document: submit the publisher's table"),
        (b"PAR1" + bytes(40), "this is a Parquet file: submit the table as CSV"),
        (b"SQLite format 3\0" + bytes(40), "this is an SQLite database: submit the table as CSV"),
        (b'{"names": [{"name": "Testina", "count": 7}]}', "this is JSON of no known format"),
        (b'[["Testina", 7]]', "this is JSON of no known format"),
        (_document("word/document.xml"), "this is a Word document: submit the publisher's table"),
        (_document("ppt/presentation.xml"), "this is a PowerPoint document: submit the publisher's table"),
    ],
)
@pytest.mark.parametrize("country", ["US", "AU"])
def test_what_is_no_list_is_named_with_what_to_do(content: bytes, said: str, country: str) -> None:
    error = refusal(content, "names", country)
    assert error.reason is Reason.INVALID_FORMAT
    assert said in str(error)


def test_texts_beside_the_lists_of_an_archive_are_counted() -> None:
    expected = [(2024, "M", "Probert", 5), (2024, "F", "Testina", 7)]
    for members in (
        {"full-list-1974-2024.csv": SCOTLAND, "metadata.csv": ABOUT},
        {"about.txt": ABOUT, "full-list-1974-2024.csv": SCOTLAND},
    ):
        assert rows(zipped(members), "full-list-1974-2024.zip", "GB") == expected
        left_out = reported(zipped(members), "full-list-1974-2024.zip", "GB").left_out
        assert left_out == {"texts beside the lists in the archive": 1}


@pytest.mark.parametrize(
    "beside",
    [
        "Ada,7\n",
        "Notes\nAda;F;7\n",
        "Names\nAda\t7\nBerta\t8\n",
        "Ada 7\nBerta 8\n",
        "7 Ada\n8 Berta\n9 Carla\n",
        zipped({"a.csv": SCOTLAND}),
        b"\0\1\2",
        "",
    ],
)
def test_what_may_be_a_list_in_an_archive_is_not_passed_over(beside: str | bytes) -> None:
    error = refusal(zipped({"full-list-1974-2024.csv": SCOTLAND, "other.csv": beside}), "full-list-1974-2024.zip", "GB")
    assert "other.csv" in str(error)


def test_an_archive_of_read_mes_is_refused() -> None:
    assert "no known format of GB" in str(refusal(zipped({"a.txt": ABOUT, "b.txt": ABOUT}), "lists.zip", "GB"))


# OpenDocument

_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
_ODS = "application/vnd.oasis.opendocument.spreadsheet"


def ods(rows_of: list[list[str | int]], manifest: str = "", more: str = "") -> bytes:
    """A workbook of LibreOffice, with a list of each sex."""

    def cell(value: str | int) -> str:
        if isinstance(value, int):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    def sheet(name: str, rows: list[list[str | int]], more: str = "") -> str:
        lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
        return f"<table:table table:name='{name}'>{lines}{more}</table:table>"

    names = "".join(f' xmlns:{name}="{_OFFICE}{name}:1.0"' for name in ("office", "table", "text"))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("mimetype", _ODS)
        archive.writestr(
            "content.xml",
            f"<?xml version='1.0'?><office:document-content{names}><office:body><office:spreadsheet>"
            f"{sheet('Female', GIRLS)}{sheet('Male', rows_of, more)}"
            "</office:spreadsheet></office:body></office:document-content>",
        )
        archive.writestr(
            "META-INF/manifest.xml", f"<manifest:manifest xmlns:manifest='x'>{manifest}</manifest:manifest>"
        )
    return content.getvalue()


GIRLS: list[list[str | int]] = [["Year", "Name", "Number"], [2011, "ruby", 70]]
LIST: list[list[str | int]] = [["Year", "Name", "Number"], [2011, "jack", 80], [2012, "tom", 70]]


def test_an_open_document_workbook_is_read() -> None:
    assert rows(ods(LIST), "tas.ods", "AU", hints=TASMANIA) == [
        (2011, "F", "ruby", 70),
        (2011, "M", "jack", 80),
        (2012, "M", "tom", 70),
    ]
    empty = (
        "<table:table-row table:number-rows-repeated='1048570'>"
        "<table:table-cell table:number-columns-repeated='1024'/></table:table-row>"
    )
    assert len(rows(ods(LIST, more=empty), "tas.ods", "AU", hints=TASMANIA)) == 3


def test_an_open_document_workbook_that_is_encrypted_is_refused() -> None:
    manifest = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    assert "the workbook is encrypted" in str(refusal(ods(LIST, manifest), "tas.ods", "AU", hints=TASMANIA))


def test_an_open_document_workbook_has_the_limit_of_memory() -> None:
    many = (
        "<table:table-row table:number-rows-repeated='1048570'><table:table-cell office:value-type='float'"
        " office:value='5' table:number-columns-repeated='1024'/></table:table-row>"
    )
    error = refusal(ods(LIST, more=many), "tas.ods", "AU", hints=TASMANIA)
    assert error.reason in (Reason.TOO_LARGE, Reason.INVALID_FORMAT)


@pytest.mark.parametrize("kind", ["date", "time"])
@pytest.mark.parametrize(
    "value",
    ["0001-01-01", "0000-00-00", "9999-12-31T24:00", "-0001-01-01", "PT99999999999H", "P1Y", "2020-02-30"],
)
def test_odd_dates_and_times_of_a_workbook_are_read_or_refused(kind: str, value: str) -> None:
    cell = f'<table:table-cell office:value-type="{kind}" office:{kind}-value="{value}"/>'
    more = f"<table:table-row>{cell * 3}</table:table-row>"
    error = refusal(ods(LIST, more=more), "tas.ods", "AU", hints=TASMANIA)
    assert error.reason is Reason.INVALID_FORMAT
