"""Files that are not what they should be: damaged, encrypted, too large, or of another kind; and their charsets."""

import io
import re
import struct
import zipfile

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.limits import Limits
from tests.unit.parsing import refusal, rows, source, zipped
from tests.unit.sample_contents import BC, CORNERS, INSEE, NORWAY, NSW, ONS_LIST
from tests.unit.workbooks import raw_xlsx, xlsx

NSW_TEXT = NSW.removeprefix("\ufeff") + "2,Zoë,7,Female,2024\r\n"
FILE = "nsw-popular.csv"

# Charsets


@pytest.mark.parametrize(
    "content",
    [
        NSW_TEXT.encode(),
        b"\xef\xbb\xbf" + NSW_TEXT.encode(),
        NSW_TEXT.encode("cp1252"),
        NSW_TEXT.encode("utf-16"),
        NSW_TEXT.replace("Zoë", "Zoe\u0308").encode(),
    ],
    ids=["UTF-8", "with a mark", "declared", "UTF-16", "decomposed"],
)
def test_the_charset_is_that_of_the_mark_or_utf_8_or_the_declared_one(content: bytes) -> None:
    assert rows(content, FILE, "AU")[-1] == (2024, "F", "Zoë", 7)


def test_bytes_that_the_declared_charset_does_not_have_are_named_by_their_line() -> None:
    content = NSW_TEXT.encode("cp1252") + b"3,\x81b,7,Female,2024\r\n"
    assert str(refusal(content, FILE, "AU")) == f"{FILE}, line 5: byte 3 is not cp1252"


def test_utf_16_that_is_cut_off_is_refused() -> None:
    assert "not UTF-16" in str(refusal(NSW_TEXT.encode("utf-16")[:-1], FILE, "AU"))


# Other kinds of files


@pytest.mark.parametrize(
    "content",
    [
        "<html><table><tr><td>Rank</td></tr></table></html>",
        '\ufeff<?xml version="1.0"?><Workbook/>',
        "MIME-Version: 1.0\r\n",
    ],
)
def test_html_saved_as_a_workbook_is_called_what_it_is(content: str) -> None:
    error = refusal(content, "boys2010.xls", "GB")
    assert str(error) == (
        "boys2010.xls: this is HTML or XML, whatever the file's name says: "
        "submit the publisher's table as text or as a workbook"
    )
    assert error.reason is Reason.INVALID_FORMAT


@pytest.mark.parametrize(
    "country", ["AU", "BE", "CA", "DE", "DK", "FI", "FR", "GB", "IE", "IT", "NO", "NZ", "PT", "SE"]
)
@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"name,births,decade\nAda,3,1990\n", b"id;prenom\n1;Ada\n", bytes(range(256)), xlsx({"A": [["x"]]})],
    ids=["empty", "blank", "somebody's table", "somebody else's", "bytes", "somebody's workbook"],
)
def test_other_peoples_files_are_refused_in_one_short_sentence(country: str, content: bytes) -> None:
    """With what was expected, or how near the file is to a format, and how to see all."""
    error = refusal(content, "names.csv", country)
    assert error.reason is Reason.INVALID_FORMAT
    if content:
        said = r"no known format of \w\w: (expected .|the nearest is .|its (first lines|sheets) fit none of the \d+ )"
        assert re.search(said, str(error))
        assert error.hints[0] == Hint(Action.LIST_FORMATS, country=country)
    else:
        assert str(error) == "names.csv: the file is empty"
    assert len(str(error)) < 400


def test_ranks_without_counts_are_called_so() -> None:
    error = refusal("Rank,Name\n1,Isla\n", "a.csv", "AU")
    assert str(error) == "a.csv, line 1: no known format of AU: there are ranks, but no counts"
    assert error.hints[0] == Hint(Action.LIST_FORMATS, country="AU")


# Archives


def test_an_archive_that_is_cut_off_is_refused() -> None:
    whole = zipped({"nat.csv": INSEE})
    assert "damaged or cut off" in str(refusal(whole[:-30], "nat.zip", "FR"))


def test_a_member_that_is_damaged_is_refused_by_its_name() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("nat.csv", INSEE)
    bad = content.getvalue().replace(b"JEAN", b"JEAM", 1)
    assert "damaged or cut off: 'nat.csv'" in str(refusal(bad, "nat.zip", "FR"))


def test_an_archive_that_is_encrypted_is_refused() -> None:
    content = bytearray(zipped({"nat.csv": INSEE}))
    # The flag stands in the directory, 8 bytes after its signature.
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "the archive is encrypted" in str(refusal(bytes(content), "nat.zip", "FR"))


def test_an_archive_without_text_is_refused() -> None:
    assert "no file in the archive ends in .csv" in str(refusal(zipped({"a.pdf": "x"}), "nat.zip", "FR"))


def test_an_archive_in_an_archive_is_not_opened() -> None:
    inner = zipped({"nat.csv": INSEE})
    assert refusal(zipped({"nat.csv": inner, "b.csv": INSEE}), "nat.zip", "FR").reason is Reason.INVALID_FORMAT


def test_files_of_several_kinds_in_an_archive_are_refused() -> None:
    two = zipped({"AK.TXT": "AK,F,1910,Mary,14\n", "WY.TXT": "WY,F,1910,Mary,14\n"})
    assert "differ in their region, US-AK and US-WY: submit each of them" in str(refusal(two, "namesbystate.zip", "US"))
    national = zipped({"yob1880.txt": "Mary,F,7065\n", "yob1881.txt": "Mary,F,6919\n", "NationalReadMe.pdf": "x"})
    assert [row[:1] for row in rows(national, "names.zip", "US")] == [(1880,), (1881,)]


BOMB = zipped({"nat.csv": b"0" * 4_000_000})


@pytest.mark.parametrize(
    ("content", "limits", "setting"),
    [
        (INSEE * 40_000, Limits(file_mib=1), "LIMIT_FILE_MIB"),
        (zipped({f"{n}.csv": INSEE for n in range(4)}), Limits(zip_members=3), "LIMIT_ZIP_MEMBERS"),
        (BOMB, Limits(unpacked_mib=3), "LIMIT_UNPACKED_MIB"),
        (BOMB, Limits(), "LIMIT_UNPACKED_RATIO"),
        (INSEE + "2;EVE;1901;5\n", Limits(rows=2), "LIMIT_ROWS"),
        (zipped({"a.csv": INSEE, "b.csv": "sexe;preusuel;annais;nombre\n1;X;1900;3\n"}), Limits(rows=2), "LIMIT_ROWS"),
    ],
    ids=["size", "members", "unpacked size", "ratio", "rows", "rows of an archive"],
)
def test_what_is_over_a_limit_is_refused_and_the_setting_is_named(
    content: bytes | str, limits: Limits, setting: str
) -> None:
    error = refusal(content, "nat", "FR", limits=limits)
    assert error.reason is Reason.TOO_LARGE
    assert setting in str(error)


def test_names_and_lines_that_are_too_long_are_refused() -> None:
    short = Limits(name_chars=3)
    assert "expected a name of 1 to 3 characters" in str(refusal(INSEE, "nat.csv", "FR", limits=short))
    narrow = Limits(cell_chars=200)
    assert "the line is longer than 200 bytes" in str(
        refusal(BC + "A" * 300, "bc-popular-girls-names.csv", "CA", limits=narrow)
    )
    quoted = '"first name";"year";"Born persons"\n'
    endless = f'"10467"\n\n{quoted}"' + "A\n" * 200_000
    assert "the field is too long, or quotes do not match" in str(refusal(endless, "females.csv", "NO"))


# Workbooks


@pytest.mark.parametrize("cut", [40, 400, 900])
def test_a_workbook_that_is_cut_off_is_refused(cut: int) -> None:
    assert "damaged or cut off" in str(refusal(xlsx({"6": ONS_LIST})[:-cut], "boys.xlsx", "GB"))


def test_an_old_workbook_that_is_cut_off_is_refused() -> None:
    assert "damaged or cut off" in str(refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "boys.xls", "GB"))


def test_an_encrypted_workbook_is_refused() -> None:
    stream = "EncryptedPackage".encode("utf-16-le")
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream + bytes(1000)
    assert "the workbook is encrypted" in str(refusal(content, "boys.xlsx", "GB"))


def test_two_cells_at_a_sheets_corners_are_refused() -> None:
    """They do not cost the runner's life."""
    error = refusal(raw_xlsx({"A": CORNERS}), "boys.xlsx", "GB")
    assert error.reason is Reason.TOO_LARGE
    assert "LIMIT_WORKBOOK_MEMORY_MIB" in str(error)


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read() -> None:
    bomb = raw_xlsx({"A": f"<sheetData>{' ' * 3_000_000}</sheetData>"})
    assert "LIMIT_UNPACKED_RATIO" in str(refusal(bomb, "boys.xlsx", "GB"))


def test_a_workbook_that_is_larger_than_it_may_become_is_refused() -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600_000)
    error = refusal(content, "boys.xls", "GB", limits=Limits(workbook_memory_mib=1))
    assert "larger than half of 1 MiB (LIMIT_WORKBOOK_MEMORY_MIB)" in str(error)


def test_a_cell_that_is_too_long_is_refused_by_its_place() -> None:
    content = xlsx({"6": [["Top names"], [None, "x" * 70_000]]})
    assert "sheet '6', cell B2: the text is longer than" in str(refusal(content, "boys.xlsx", "GB"))


def test_dates_in_place_of_names_and_errors_in_place_of_counts_are_problems() -> None:
    bad = raw_xlsx(
        {
            "6": "<sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>Top names for baby boys, 2007</t></is></c></row>"
            "<row r='2'><c r='A2' t='inlineStr'><is><t>Name</t></is></c>"
            "<c r='B2' t='inlineStr'><is><t>Count</t></is></c></row>"
            "<row r='3'><c r='A3' s='1'><v>44000</v></c><c r='B3'><v>7</v></c></row>"
            "<row r='4'><c r='A4' t='inlineStr'><is><t>Noah</t></is></c><c r='B4' t='e'><v>#N/A</v></c></row>"
            "</sheetData>"
        }
    )
    places = [str(problem.place) for problem in refusal(bad, "boys.xlsx", "GB").problems]
    assert places == ["sheet '6', cell A3", "sheet '6', cell B4"]


def test_a_workbook_is_closed_with_its_source() -> None:
    opened = source(xlsx({"6": ONS_LIST}), "boys.xlsx")
    workbook = opened.workbook()
    assert workbook is not None
    process = workbook._reader.process
    opened.close()
    assert process.returncode is not None


def test_the_sizes_in_a_directory_do_not_let_more_out_than_they_say() -> None:
    content = bytearray(zipped({"nat.csv": INSEE * 100}))
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, 40)
    assert "damaged or cut off" in str(refusal(bytes(content), "nat.zip", "FR"))


def test_norwegian_text_needs_its_declared_charset_only_where_it_is_not_utf_8() -> None:
    assert rows(NORWAY.encode(), "females.csv", "NO") == rows(NORWAY.encode("latin-1"), "females.csv", "NO")
