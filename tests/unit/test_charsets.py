"""A file has one charset: names never get other letters, and each line in another charset is named."""

import pytest

from dataset_jobs.model.file_hints import FileHints
from tests.unit.parsing import refusal, rows
from tests.unit.workbooks import xlsx

KOELN = "vorname;anzahl;geschlecht\nJörg;5;m\nAndré;3;m\nRené;2;m\nAda;2;w\n"
FILE = "Vornamen_Koeln_2014.csv"


@pytest.mark.parametrize("charset", ["utf-8", "cp1252", "utf-16", "utf-8-sig"])
def test_a_file_of_one_charset_is_read(charset: str) -> None:
    assert [row[2] for row in rows(KOELN.encode(charset), FILE, "DE")] == ["Jörg", "André", "René", "Ada"]


@pytest.mark.parametrize(("of_utf_8", "refused"), [((2,), [3, 4]), ((2, 3), [4]), ((4,), [2, 3]), ((3,), [2, 4])])
def test_each_line_that_is_not_utf_8_is_named_if_others_are(of_utf_8: tuple[int, ...], refused: list[int]) -> None:
    lines = KOELN.splitlines(keepends=True)
    content = b"".join(line.encode("utf-8" if number in of_utf_8 else "cp1252") for number, line in enumerate(lines, 1))
    problems = [str(problem) for problem in refusal(content, FILE, "DE").problems]
    assert [problem.split(":")[0] for problem in problems] == [f"line {number}" for number in refused]
    assert all("is not UTF-8" in problem for problem in problems)


def test_a_line_in_another_charset_is_named_however_far_down_it_is() -> None:
    many = "".join(f"A{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}é;3;m\n" for n in range(9000))
    content = f"vorname;anzahl;geschlecht\n{many}".encode() + "Jörg;5;m\n".encode("cp1252")
    assert [str(one) for one in refusal(content, FILE, "DE").problems] == ["line 9002: byte 2 is not UTF-8"]


TWICE = ["Jörg", "André", "Zoë", "Çağla", "Łukasz", "Šime", "Đorđe", "Ağa", "Şirin", "Åsa", "Ümit", "François", "Ñusta"]


@pytest.mark.parametrize("name", TWICE)
@pytest.mark.parametrize("read_as", ["cp1252", "latin-1"])
def test_a_name_that_was_encoded_twice_is_refused_by_its_line(name: str, read_as: str) -> None:
    try:
        garbled = name.encode().decode(read_as)
    except UnicodeDecodeError:
        pytest.skip("such a name cannot be read so")
    content = f"vorname;anzahl;geschlecht\nAda;5;w\n{garbled};3;w\n".encode()
    (problem,) = refusal(content, FILE, "DE").problems
    assert str(problem).startswith("line 3: ")
    assert rows(f"vorname;anzahl;geschlecht\n{name};3;w\n", FILE, "DE")[0][2] == name


def test_a_garbled_name_of_a_workbook_is_refused_by_its_cell() -> None:
    book = xlsx({"Male": [["Year", "Name", "Number"], [2011, "JÃ¶rg", 80]], "Female": [["Year", "Name", "Number"]]})
    assert "cell B2" in str(refusal(book, "tas.xlsx", "AU", hints=FileHints(format="au-tas-years")))


@pytest.mark.parametrize(
    "name",
    [
        "João",
        "JOÃO",
        "Ægir",
        "ÆGIR",
        "Éanna",
        "ÅSA",
        "D’Angelo",
        "ANDRÉ-LUC",
        "LUKÁŠ",
        "RÓŽA",
        "ÉŽA",
        "Ñandú",
        "Âme",
        "IÑAKI",
    ],
)
def test_a_name_with_rare_letters_is_a_name(name: str) -> None:
    assert rows(f"vorname;anzahl;geschlecht\n{name};3;w\n", FILE, "DE")[0][2] == name


def test_a_lost_letter_is_refused_by_its_line() -> None:
    assert ", line 2: a letter of this name was lost" in str(
        refusal("vorname;anzahl;geschlecht\nJ\ufffdrg;3;m\n", FILE, "DE")
    )


def test_utf_16_that_ends_within_a_letter_is_refused_by_its_line() -> None:
    assert ", line 6: " in str(refusal(KOELN.encode("utf-16") + b"\x41", FILE, "DE"))
    broken = KOELN.encode("utf-16-le").replace("é".encode("utf-16-le"), b"\x00\xdc", 1)
    assert ", line 3: " in str(refusal(b"\xff\xfe" + broken, FILE, "DE"))


@pytest.mark.parametrize("charset", ["utf-32", "utf-16-le", "utf-16-be"])
def test_text_in_a_charset_that_cannot_be_told_is_named(charset: str) -> None:
    assert "save " in str(refusal(KOELN.encode(charset), FILE, "DE"))
