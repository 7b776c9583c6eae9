"""Israel's workbook by population group, and Slovenia's tables of residents and of newborn."""

import pytest

from dataset_jobs.model.causes import Reason
from tests.unit.parsing import opened, refusal, reported, rows
from tests.unit.sample_contents import ISRAEL, SLOVENIA_NEWBORN, israel_list
from tests.unit.workbooks import Value, xlsx

BOYS, GIRLS = "שמות פרטיים של בנים לפי שנת לידה", "שמות פרטיים של בנות לפי שנת לידה"
POPULATION = (
    '"Female first names, Slovenia, annually",,,,\n,,,,\nFIRST NAME,Number 2019,Number 2020,Rank 2019,Rank 2020\n'
    "Testina,5,6,3,3\nŠana,-,9,-,2\nŽana,8,8,1,2\n"
)


def without_figures_of_2019(content: str) -> str:
    title, *lines = content.splitlines(keepends=True)
    return title + "".join(",".join([cells[0], *cells[2:]]) for cells in (line.split(",") for line in lines))


def test_israels_groups_are_added_up_to_the_country() -> None:
    found = reported(xlsx(ISRAEL), "data.xlsx", "IL")
    read = rows(xlsx(ISRAEL), "data.xlsx", "IL")
    assert (2021, "M", "אדם", 100 + 50 + 5) in read
    assert (2021, "F", "מרים", 28) in read
    assert (2020, "M", "משה", 60) in read
    assert found.added == {"population groups of the same name": 4}
    assert found.left_out["suppressed counts (..: fewer than 5)"] == 2
    assert (found.region, found.measure) == (None, "births")


@pytest.mark.parametrize("missing", ISRAEL)
def test_a_workbook_without_all_of_israels_groups_is_refused(missing: str) -> None:
    """One group is not the country."""
    rest = {name: lists for name, lists in ISRAEL.items() if name != missing}
    assert f"found none in a sheet {missing}" in str(refusal(xlsx(rest), "data.xlsx", "IL"))


@pytest.mark.parametrize("sheet", ["יהודים", "אחרות"])
def test_a_sheet_of_israel_without_a_year_is_refused(sheet: str) -> None:
    """The sums of that year would lack the group."""
    lists = [[*row[:3], *row[4:]] for row in ISRAEL[sheet]]
    error = refusal(xlsx({**ISRAEL, sheet: lists}), "data.xlsx", "IL")
    assert "expected a column for each year from 2020 to 2021, found none for 2021" in str(error)


def test_israels_others_have_no_column_of_years_without_such_children() -> None:
    absent = {"אחרים": (1966,), "אחרות": (1965, 1966)}
    sheets = {}
    for name, (_, title, *_) in ISRAEL.items():
        years = absent.get(name, (1964, 1965, 1966))
        sheets[name] = israel_list(str(title[0]), ["שם", 99, *[5] * len(years)], years=years, period="1964-1966")
    found = {(year, sex): count for year, sex, _, count in rows(xlsx(sheets), "data.xlsx", "IL")}
    assert found == {
        (1964, "M"): 20, (1965, "M"): 20, (1966, "M"): 25, (1964, "F"): 20, (1965, "F"): 25, (1966, "F"): 25
    }  # fmt: skip


@pytest.mark.parametrize("word", ["סך הכל", "סך הכול", 'סה"כ', "סה״כ", "שמות אחרים"])
def test_totals_in_hebrew_are_no_names(word: str) -> None:
    line: list[Value] = [word, 900, 400, 500]
    totals = {**ISRAEL, "דרוזים": [*ISRAEL["דרוזים"], line]}
    assert rows(xlsx(totals), "data.xlsx", "IL") == rows(xlsx(ISRAEL), "data.xlsx", "IL")


def test_a_name_twice_in_one_group_is_refused() -> None:
    twice = {**ISRAEL, "יהודים": israel_list(BOYS, ["אדם", 9, ".", 9], ["אדם", 9, ".", 9])}
    assert "the same name, sex and group as in" in str(refusal(xlsx(twice), "data.xlsx", "IL"))


def test_a_swapped_sheet_of_israel_contradicts_its_title() -> None:
    swapped = {**ISRAEL, "יהודים": ISRAEL["יהודיות"], "יהודיות": ISRAEL["יהודים"]}
    error = refusal(xlsx(swapped), "data.xlsx", "IL")
    assert error.reason is Reason.CONTRADICTORY
    assert "the sheet's name speaks of boys, but its title of girls" in str(error)


def test_a_list_of_israel_without_a_title_is_refused() -> None:
    untitled = {**ISRAEL, "אחרות": israel_list("", ["ניקול", 6, ".", 6])}
    assert "expected the title" in str(refusal(xlsx(untitled), "data.xlsx", "IL"))


@pytest.mark.parametrize(
    "sheets",
    [
        {"יהודים": [["שם פרטי", 2020, 2021], ["אדם", 5, 6]]},  # no column of all years
        {"ירושלים": israel_list(BOYS, ["אדם", 9, ".", 9])},  # a city
        {"ذكور": [["الاسم", "المجموع", 2020], ["آدم", 9, 9]]},  # Palestine
    ],
)
def test_other_workbooks_are_not_israels(sheets: dict[str, list[list[str | int]]]) -> None:
    assert refusal(xlsx(sheets), "data.xlsx", "IL").reason is Reason.INVALID_FORMAT


@pytest.mark.parametrize("charset", ["utf-8", "cp1250", "utf-16"])
def test_slovenias_residents_are_population(charset: str) -> None:
    content = POPULATION.encode(charset)
    parsed = opened(content, "any.csv", "SI")
    assert (parsed.parser, parsed.measure) == ("si-surs-population", "population")
    assert [*parsed.rows][2][:4] == (2020, "F", "Šana", 9)
    assert reported(content, "any.csv", "SI").left_out == {"suppressed counts (-: fewer than 5)": 1}


def test_slovenias_newborn_are_births() -> None:
    content = SLOVENIA_NEWBORN.encode("cp1250")
    parsed = opened(content, "any.csv", "SI")
    assert (parsed.parser, parsed.measure) == ("si-surs-newborn", "births")
    assert [row[:4] for row in parsed.rows] == [
        (2018, "M", "Aleš", 7),
        (2018, "M", "Luka", 250),
        (2019, "M", "Luka", 301),
    ]


def test_the_name_of_a_slovenian_file_must_not_contradict_its_title() -> None:
    assert refusal(POPULATION, "male-first-names.csv", "SI").reason is Reason.CONTRADICTORY
    assert refusal(POPULATION, "any.csv", "SI", sex="M").reason is Reason.CONTRADICTORY


def test_a_name_that_lost_a_letter_is_refused_by_the_line() -> None:
    """What were Šana and Žana is one name in such a copy."""
    error = refusal(POPULATION.replace("Š", "\ufffd").replace("Ž", "\ufffd"), "any.csv", "SI")
    assert "line 5: a letter of this name was lost (U+FFFD)" in str(error)
    assert len(error.problems) == 2


@pytest.mark.parametrize(
    "content",
    [
        POPULATION.partition("\n,,,,\n")[2],  # the title was dropped: births or population?
        POPULATION.replace("Slovenia", "Croatia"),
        POPULATION.replace("Slovenia", "Serbia"),
        POPULATION.replace("Female first names", "Family names"),
        POPULATION.replace("Number", "Share"),
        POPULATION.replace("Number 2019", "Number 2020"),
        POPULATION.replace("Rank 2019", "Rank 2018"),
        without_figures_of_2019(POPULATION),
        POPULATION.replace("Rank 2019", "Average age 2019"),
    ],
)
def test_tables_with_another_title_or_other_columns_are_not_slovenias(content: str) -> None:
    assert refusal(content, "females-by-year.csv", "SI").reason is Reason.INVALID_FORMAT
