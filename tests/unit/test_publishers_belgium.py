"""Belgium's workbooks of the newborn since 1995: the country's list, beside those of its regions."""

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.file_hints import FileHints
from tests.unit.parsing import opened, refusal, reported, rows
from tests.unit.sample_contents import newborn
from tests.unit.workbooks import Rows, Value, xlsx

NAME = "Prénoms_Filles_1995-.xlsx"
OLDER = newborn("Belgique", "Bruxelles", "Flandre", "Wallonie")
NEWER = newborn("Belgique", "Région flamande", "Région wallonne", "Région de Bruxelles-Capitale", mark="#")
DUTCH = newborn("België", "Brussels Hoofdstedelijk Gewest", "Vlaams Gewest", "Waals Gewest")


def test_the_countrys_list_of_each_sheet_is_read() -> None:
    content = xlsx({"1995": OLDER, "2020": NEWER, "1995-2020": NEWER})
    assert rows(content, NAME, "BE") == [
        (1995, "F", "Laura", 1484), (1995, "F", "Sarah", 914), (2020, "F", "Laura", 1484), (2020, "F", "Sarah", 914),
    ]  # fmt: skip
    found = reported(content, NAME, "BE")
    assert found.left_out == {"figures of regions, which those of the country include": 8, "other sheets": 1}
    assert (found.measure, found.region, found.top) == ("births", None, None)
    assert rows(xlsx({"1995": DUTCH}), "Voornamen_meisjes.xlsx", "BE")[0] == (1995, "F", "Laura", 1484)


def test_the_sex_stands_only_in_the_files_name() -> None:
    content = xlsx({"1995": OLDER})
    assert {row[1] for row in rows(content, "Prénoms_Garçons_1995-.xlsx", "BE")} == {"M"}
    assert refusal(content, "statbel.xlsx", "BE").reason is Reason.INVALID_FILENAME
    assert {row[1] for row in rows(content, "statbel.xlsx", "BE", sex="F")} == {"F"}
    assert refusal(content, NAME, "BE", sex="M").reason is Reason.CONTRADICTORY


def test_a_region_cannot_be_given() -> None:
    error = refusal(xlsx({"1995": OLDER}), NAME, "BE", hints=FileHints(region="BE-VLG"))
    assert error.reason is Reason.CONTRADICTORY
    assert "the file covers the whole country" in str(error)


def test_population_is_not_taken_for_births() -> None:
    """Statbel has workbooks of it in the same shape."""
    content = xlsx({"1995": OLDER})
    for name in ("Prénoms_Femmes_1995.xlsx", "Voornamen_Mannen.xlsx", "women.xlsx"):
        assert refusal(content, name, "BE", sex="F").reason is Reason.CONTRADICTORY
    large = [OLDER[0], [1, "Maria", 5001, *OLDER[1][3:]]]
    error = refusal(xlsx({"1995": large}), NAME, "BE")
    assert str(error).startswith(f"{NAME}, sheet '1995', cell C2: more than 5000 children of one name in a year")


def line(*values: Value) -> list[Value]:
    return [*values, *[None] * 9]


def test_one_pair_of_lines_a_year_is_added() -> None:
    twice = [*OLDER, line(1402, "Éloïse", 5), line(1403, "Éloïse", 5)]
    assert rows(xlsx({"2015": twice}), NAME, "BE")[-1] == (2015, "F", "Éloïse", 10)
    assert reported(xlsx({"2015": twice}), NAME, "BE").added == {"lines of the same name": 1}
    for sheet in ([*OLDER, *OLDER[1:]], [OLDER[0], OLDER[1], OLDER[1], OLDER[2]]):
        assert "in sheet '2015', cell B2" in str(refusal(xlsx({"2015": sheet}), NAME, "BE"))
    error = refusal(xlsx({"2015": [*OLDER, line(9, "Éloïse", 5), line(9, "Éloïse", 5)]}), NAME, "BE")
    assert "cell B5: the same line as in sheet '2015', cell B4" in str(error)
    twice += [line(1404, "Zoé", 4), line(1405, "Zoé", 4)]
    assert "cell B7: the same name and sex as in sheet '2015', cell B6" in str(
        refusal(xlsx({"2015": twice}), NAME, "BE")
    )


@pytest.mark.parametrize(
    "sheets",
    [
        {"Feuille1": OLDER},
        {"1995": [["Belgique", None, None], [1, "Laura", 1484]]},
        {"1995": newborn("Belgique", "Bruxelles", "Flandre", "Flandre")},
        {"1995": newborn("Belgique", "Bruxelles", "Flandre", "Hainaut")},
        {"1995": newborn("France", "Bruxelles", "Flandre", "Wallonie")},
    ],
)
def test_other_blocks_are_of_no_known_format(sheets: dict[str, Rows]) -> None:
    assert "no known format of BE" in str(refusal(xlsx(sheets), NAME, "BE"))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (line(3, "Marie", "many"), "cell C4: expected a whole number"),
        (line(3, "Marie", None), "cell C4: expected a whole number"),
        (line(3, None, 7), "cell B4: expected a name"),
        (line(3, "Marie", 7.5), "cell C4: expected a whole number"),
    ],
)
def test_a_malformed_cell_is_named(row: list[Value], said: str) -> None:
    assert said in str(refusal(xlsx({"1995": [*OLDER, row]}), NAME, "BE"))


def test_a_year_given_must_be_the_only_one() -> None:
    content = xlsx({"1995": OLDER, "2020": NEWER})
    assert refusal(content, NAME, "BE", year=1995).reason is Reason.CONTRADICTORY
    assert opened(xlsx({"1995": OLDER}), NAME, "BE", year=1995)
