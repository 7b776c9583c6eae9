"""Files that people saved again: other separators, quotes, charsets, line ends and headings change no row.

Where something is ambiguous, the one line is named.
"""

from collections.abc import Callable

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.file_hints import FileHints
from tests.unit.parsing import refusal, reported, rows

SSA = "Testina,F,700\r\nProbert,M,500\r\n"
SSA_ROWS = [(2017, "F", "Testina", 700), (2017, "M", "Probert", 500)]
STATE = "AK,F,1910,Testina,14\r\nAK,M,1911,Probert,12\r\n"
STATE_ROWS = [(1910, "F", "Testina", 14), (1911, "M", "Probert", 12)]
NSW = "Rank,Name,Number,Gender,Year\r\n1,Testína,7,Female,2024\r\n1,Probert,5,Male,2024\r\n"
NSW_ROWS = [(2024, "F", "Testína", 7), (2024, "M", "Probert", 5)]
FRANCE = "sexe;preusuel;annais;nombre\n1;PROBERT;1900;5\n2;TESTINA;1900;7\n"
PORTUGAL = "Joäo,M,3\nMaria,F,2\n"

OF_ALL = [
    (SSA, "yob2017.txt", "US", SSA_ROWS),
    (STATE, "AK.TXT", "US", STATE_ROWS),
    (NSW, "nsw.csv", "AU", NSW_ROWS),
    (FRANCE.replace(";", ","), "nat.csv", "FR", [(1900, "M", "PROBERT", 5), (1900, "F", "TESTINA", 7)]),
    (PORTUGAL, "nomes-registados-2016.csv", "PT", [(2016, "M", "Joäo", 3), (2016, "F", "Maria", 2)]),
]
SAVED: dict[str, Callable[[str], str | bytes]] = {
    "semicolons": lambda text: text.replace(",", ";"),
    "tabs": lambda text: text.replace(",", "\t"),
    "bars": lambda text: text.replace(",", "|"),
    "quoted": lambda text: "".join(f'"{line}"\n'.replace(",", '","') for line in text.splitlines()),
    "quoted, spaces": lambda text: "".join(f'"{line}"\n'.replace(",", '", "') for line in text.splitlines()),
    "spaces": lambda text: text.replace(",", " , "),
    "byte order mark": lambda text: "\ufeff" + text,
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big-endian": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "carriage returns": lambda text: text.replace("\r\n", "\n").replace("\n", "\r"),
    "blank lines above": lambda text: "\r\n\n" + text,
    "no end of the last line": lambda text: text.rstrip(),
    "empty columns": lambda text: "".join(f"{line},,\n" for line in text.splitlines()),
    "UTF-16 with tabs": lambda text: text.replace(",", "\t").encode("utf-16"),
}


@pytest.mark.parametrize(("text", "name", "country", "expected"), OF_ALL, ids=[name for _, name, _, _ in OF_ALL])
@pytest.mark.parametrize("how", SAVED)
def test_a_file_that_was_saved_again_has_the_same_rows(
    how: str, text: str, name: str, country: str, expected: list[tuple[int, str, str, int]]
) -> None:
    assert rows(SAVED[how](text), name, country) == expected


@pytest.mark.parametrize("separator", ",;\t|")
def test_a_count_with_separators_of_thousands_is_refused_by_its_line(separator: str) -> None:
    for count in ("1.234", "1 234", '"1,234"', "1e3", "2.5", "17.01.2024", "2024-01-17"):
        text = NSW.replace(",", separator).replace(f"{separator}5{separator}", f"{separator}{count}{separator}")
        assert ", line 3: " in str(refusal(text, "nsw.csv", "AU"))


@pytest.mark.parametrize("separator", ",;\t|")
def test_a_figure_that_moved_to_an_empty_column_is_not_lost(separator: str) -> None:
    """Else 1,389 without quotes would be 1."""
    text = "Rank,Name,Number,Gender,Year\n1,Testina,7,Female,2024\n".replace("\n", ",\n") + "1,Ada,5,Male,2024,389\n"
    assert ", line 3: " in str(refusal(text.replace(",", separator), "nsw.csv", "AU"))
    text = "Testina,F,700,\nProbert,M,1,389\n"
    assert ", line 2: expected 3 fields" in str(refusal(text.replace(",", separator), "yob2017.txt", "US"))


@pytest.mark.parametrize("heading", ["name,sex,count", "Name,Gender,Number", "First Name,Sex,Births", "NAME;SEX;COUNT"])
def test_headings_that_somebody_added_are_counted(heading: str) -> None:
    text = f"{heading}\n{SSA}" if "," in heading else f"{heading}\n{SSA.replace(',', ';')}"
    assert rows(text, "yob2017.txt", "US") == SSA_ROWS
    assert reported(text, "yob2017.txt", "US").left_out == {"headings added to the list": 1}
    assert rows(f"\n{text}", "yob2017.txt", "US") == SSA_ROWS


def test_headings_that_somebody_added_to_other_bare_lists_are_counted() -> None:
    assert rows(f"State,Sex,Year,Name,Count\n{STATE}", "AK.TXT", "US") == STATE_ROWS
    text = f"Name,Sex,Count\n{PORTUGAL}"
    assert rows(text, "nomes-registados-2016.csv", "PT") == [(2016, "M", "Joäo", 3), (2016, "F", "Maria", 2)]
    assert reported(text, "nomes-registados-2016.csv", "PT").left_out == {"headings added to the list": 1}
    text = text.replace("Name,Sex,Count", "nome,genero,numero")
    assert reported(text, "nomes-registados-2016.csv", "PT").recognised == "pt-irn"


def test_a_list_with_headings_may_be_anybodys() -> None:
    """Without headings it is like nobody else's: they are what everybody writes."""
    for name in ("names 2017.csv", "list.csv"):
        assert refusal(f"name,sex,count\n{SSA}", name, "US").reason is Reason.INVALID_FORMAT
    hints = FileHints(format="us-ssa-national")
    assert rows(f"name,sex,count\n{SSA}", "names 2017.csv", "US", hints=hints) == SSA_ROWS


@pytest.mark.parametrize("above", ["Source: SSA", "name,count,sex", "name,sex", "Tes7ina,F", "Testina,F,many", "a,b,c"])
def test_another_line_above_the_list_is_refused_by_its_number(above: str) -> None:
    assert str(refusal(f"{above}\n{SSA}", "yob2017.txt", "US")).startswith("yob2017.txt, line 1: expected ")
    assert ", line 1: " in str(refusal(f"{above}\n{PORTUGAL}", "nomes-registados-2016.csv", "PT"))


@pytest.mark.parametrize(
    "name",
    [
        "Copy of yob2017.txt",
        "2017.txt",
        "yob2017 (1).txt",
        "yob2017.txt.txt",
        "YOB2017.TXT",
        "yob2017",
    ],
)
def test_the_year_is_the_one_in_the_files_name(name: str) -> None:
    assert rows(SSA, name, "US") == SSA_ROWS


@pytest.mark.parametrize("name", ["yob2017 (2018).txt", "2016-2017.txt", "yob.txt", "yob20177.txt", "names.txt"])
def test_a_name_with_two_years_or_none_is_refused(name: str) -> None:
    assert refusal(SSA, name, "US").reason is Reason.INVALID_FILENAME


@pytest.mark.parametrize(("f", "m"), [("f", "m"), ("female", "male"), ("Female", "MALE"), ("F", "male")])
def test_sexes_are_known_in_any_letter_case(f: str, m: str) -> None:
    assert rows(SSA.replace(",F,", f",{f},").replace(",M,", f",{m},"), "yob2017.txt", "US") == SSA_ROWS
    text = PORTUGAL.replace(",F,", f",{f},").replace(",M,", f",{m},")
    assert [row[1] for row in rows(text, "nomes-registados-2016.csv", "PT")] == ["M", "F"]
    assert rows(NSW.replace("Female", "FEMALE").replace(",Male", ",male"), "nsw.csv", "AU") == NSW_ROWS


@pytest.mark.parametrize("sex", ["w", "W", "v", "k", "h", "boy", "1", "x", ""])
def test_words_for_a_sex_of_other_formats_are_refused_by_their_line(sex: str) -> None:
    assert ", line 2: expected F or M" in str(refusal(SSA.replace(",M,", f",{sex},"), "yob2017.txt", "US"))
    assert ", line 1: expected F or M" in str(
        refusal(PORTUGAL.replace(",M,", f",{sex},"), "nomes-registados-2016.csv", "PT")
    )


def test_a_field_over_several_lines_is_no_name() -> None:
    """A stray quote would take the next line for a part of the name."""
    text = 'Rank,Name,Number,Gender,Year\n1,"Testina,7,Female,2024\n2,"Ada,5,Female,2024\n'
    assert refusal(text, "nsw.csv", "AU").reason is Reason.INVALID_FORMAT
    text = 'vorname;anzahl;geschlecht\n"Anna;3;w\nBerta";4;w\n'
    assert "line 3: expected a name" in str(refusal(text, "Vornamen_Koeln_2014.csv", "DE"))
