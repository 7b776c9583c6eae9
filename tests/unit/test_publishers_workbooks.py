"""Workbooks of publishers: the rows of each, in the years and shapes that are not shipped too."""

from datetime import date

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.places import Cell
from tests.unit.parsing import opened, refusal, reported, rows
from tests.unit.sample_contents import FINLAND, ONS_LIST, ONS_TOP, statbel
from tests.unit.workbooks import Rows, Value, xlsx


@pytest.mark.parametrize("sheet", ["Table 3 - Boys names - E&W", "Table 6", "6", "Table_6"])
def test_england_and_wales_is_the_sheet_of_all_names_whatever_it_is_called(sheet: str) -> None:
    content = xlsx({"Contents": [["Baby Names"]], "Table 1": ONS_TOP, sheet: ONS_LIST})
    assert rows(content, "any.xls", "GB") == [(2007, "M", "JACK", 10779), (2007, "M", "TRUE", 3)]
    assert opened(content, "any.xls", "GB").region == "GB-EAW"
    assert reported(content, "any.xls", "GB").left_out == {"blank records": 3, "titles and notes": 2}


@pytest.mark.parametrize(
    ("title", "header"),
    [
        ("Table 6: Top names for baby boys1,2, 2007", ["Rank", "Name", "Count3"]),
        ("Worksheet 6: Top names for baby boys, England and Wales, 2007 [note 1][note 3]", ["Rank", "Name", "Count"]),
        ("Table 6: Top names for baby boys, England and Wales, 2007", ["Rank", "Name", "Count [note 6]"]),
    ],
)
def test_england_and_wales_has_had_marks_of_notes_in_titles_and_headings(title: str, header: list[Value]) -> None:
    content = xlsx({"Table 6": [[title], ["This worksheet contains one table"], header, [1, "Noah", 4525]]})
    assert rows(content, "boysnames.xlsx", "GB") == [(2007, "M", "Noah", 4525)]


@pytest.mark.parametrize(
    "title", ["in England and Wales, 20071", "2007 [note 3]", "20071,2", "2007*", "2007r", "2007¹"]
)
def test_england_and_wales_has_had_a_note_mark_glued_to_the_year(title: str) -> None:
    content = xlsx({"Table 6": [[f"Top names for baby boys, {title}"], ["Rank", "Name", "Count"], [1, "JACK ", 5]]})
    assert rows(content, "boys.xls", "GB") == [(2007, "M", "JACK", 5)]
    assert refusal(content, "boys.xls", "GB", year=2008).reason is Reason.CONTRADICTORY


@pytest.mark.parametrize("title", ["of 20124 children", "England and Wales", "20070", "200712345"])
def test_five_figures_that_end_no_title_are_no_year(title: str) -> None:
    """The refusal names what is missing."""
    content = xlsx({"Table 6": [[f"Names for baby boys, {title}"], ["Rank", "Name", "Count"], [1, "JACK ", 5]]})
    assert "the file has no year" in str(refusal(content, "boys.xls", "GB"))
    assert rows(content, "boys.xls", "GB", year=2012) == [(2012, "M", "JACK", 5)]


def test_two_years_in_the_title_of_a_list_are_refused() -> None:
    content = xlsx({"6": [["Names for baby boys, 2007 and 2008"], ["Rank", "Name", "Count"], [1, "JACK ", 5]]})
    error = refusal(content, "boys.xls", "GB")
    assert error.reason is Reason.CONTRADICTORY
    assert "speaks of 2007 and of 2008" in str(error)


def test_what_stands_beside_or_below_a_list_is_left_out_and_counted() -> None:
    """As figures that somebody left over in the publisher's workbook."""
    content = xlsx({
        "6": [*ONS_LIST[:8], [None, None, None, None, None, 7], [], [None, None, None, 2763], [None, 2763], [],
              [None, None, None, None, 2763, "Rows-(rank-1)"]],
    })  # fmt: skip
    assert rows(content, "b.xls", "GB") == [(2007, "M", "JACK", 10779), (2007, "M", "TRUE", 3)]
    found = reported(content, "b.xls", "GB").left_out
    assert (found["cells beside the list"], found["figures below the list"]) == (3, 2)


@pytest.mark.parametrize("word", ["Total", "TOTAL "])
def test_a_total_below_a_list_needs_no_rank_to_be_left_out(word: str) -> None:
    content = xlsx({"6": [*ONS_LIST[:8], [], [None, None, word, 20000]]})
    assert len(rows(content, "b.xls", "GB")) == 2
    assert reported(content, "b.xls", "GB").left_out["totals"] == 1


def test_a_figure_beside_a_row_of_a_list_does_not_matter() -> None:
    beside = [*ONS_LIST[:6], [None, 1, "JACK ", 10779, None, 99], [None, 2, "ADAM", 3]]
    content = xlsx({"6": beside})
    assert [row[3] for row in rows(content, "b.xls", "GB")] == [10779, 3]


def test_a_text_and_a_figure_beside_a_row_may_be_another_list_and_are_refused() -> None:
    beside = [*ONS_LIST[:6], [None, 1, "JACK ", 10779, None, 2, "ADAM", 3]]
    error = refusal(xlsx({"6": beside}), "b.xls", "GB")
    assert str(error) == "b.xls, sheet '6', cell C7: expected nothing beside the list, found a text and a figure"


@pytest.mark.parametrize("place", ["England", "Wales", "Scotland", "Northern Ireland"])
def test_lists_of_a_part_of_the_country_are_not_those_of_england_and_wales(place: str) -> None:
    cover: Rows = [["Baby names in England and Wales: from 1996"]]
    one_year: Rows = [[f"Top names for baby boys in {place}, 2007"], ["Rank", "Name", "Count"], [1, "JACK", 5]]
    assert "found none" in str(refusal(xlsx({"Cover": cover, "6": one_year}), "b.xls", "GB"))
    all_years: Rows = [[f"Names for baby girls, {place}, 1996 to 2025"], *ALL_YEARS[1:]]
    assert refusal(xlsx({"Cover": cover, "1": all_years}), "b.xlsx", "GB").reason is Reason.INVALID_FORMAT
    assert rows(xlsx({"1": ALL_YEARS, "3": all_years}), "b.xlsx", "GB") == GIRLS


@pytest.mark.parametrize("below", [[None, None, "Rows-(rank-1)", 2763], [None, 3, None, 7]])
def test_a_label_with_a_figure_below_a_list_is_no_name(below: list[Value]) -> None:
    error = refusal(xlsx({"6": [*ONS_LIST[:8], [], below]}), "b.xls", "GB")
    assert [problem.place for problem in error.problems] == [Cell("6", 10, 3)]


ALL_YEARS: Rows = [
    ["Table 1: Names for baby girls, England and Wales, 1996 to 2025"], ["This worksheet contains one table."], [],
    ["Name", "2025 Rank", "2025 Count", "2024 Rank", "2024 Count"],
    ["Amelia", 1, 7, 2, 5], ["Olga", "[x]", "[x]", 3, 3], [], ["Source: Office for National Statistics"],
]  # fmt: skip
GIRLS = [(2025, "F", "Amelia", 7), (2024, "F", "Amelia", 5), (2024, "F", "Olga", 3)]


@pytest.mark.parametrize(
    "header",
    [
        ["Name", "2025 Rank", "2025 Count", "2024 Rank", "2024 Count"],
        ["Name", "2025 Rank [r]", "2025 Count [r]", "2024 Rank", "2024 [note 2] Count"],
        ["Name", "2025p Rank", "2025p Count", "2024¹ Rank", "2024¹ Count"],
    ],
)
def test_england_and_wales_has_all_years_in_one_workbook(header: list[Value]) -> None:
    girls = [*ALL_YEARS[:3], header, *ALL_YEARS[4:]]
    boys = [["Table 2: Names for baby boys, England and Wales, 1996 to 2025"], *ALL_YEARS[1:]]
    content = xlsx({"Cover_sheet": [["Baby names from 1996"]], "Table_1": girls, "Table_2": boys})
    assert rows(content, "any.xlsx", "GB") == [*GIRLS, *((year, "M", name, count) for year, _, name, count in GIRLS)]
    found = opened(content, "any.xlsx", "GB")
    assert (found.parser, found.region, found.top) == ("gb-ons-all-years", "GB-EAW", None)
    assert reported(content, "any.xlsx", "GB").left_out == {
        "other sheets": 1,
        "years without a figure ([x] and :)": 2,
        "blank records": 2,
        "titles and notes": 2,
    }


def test_england_and_wales_had_all_years_above_the_headings_until_2020() -> None:
    sheet: Rows = [
        ["Baby names in England and Wales, 1996 to 2020"], [], [None, 2020, None, 2019, None],
        ["Name", "Rank", "Count", "Rank", "Count"], [], ["AMELIA", 1, 7, 2, 5], ["OLGA", ":", ":", 3, 3],
    ]  # fmt: skip
    assert rows(xlsx({"Boys": sheet}), "any.xls", "GB") == [
        (2020, "M", "AMELIA", 7), (2019, "M", "AMELIA", 5), (2019, "M", "OLGA", 3)
    ]  # fmt: skip
    assert refusal(xlsx({"Boys": sheet}), "any.xls", "GB", year=2020).reason is Reason.CONTRADICTORY
    assert refusal(xlsx({"Boys": sheet}), "any.xls", "GB", sex="M").reason is Reason.CONTRADICTORY


@pytest.mark.parametrize(
    "header",
    [
        ["Name", "2025 Rank", "2025 Count", "2025 Rank", "2025 Count"],
        ["Name", "Rank", "Count", "2024 Rank", "2024 Count"],
        ["Name", "2025 Rank", "2024 2025 Count", "2024 Rank", "2024 Count"],
        ["Name", "2025 Rank", "2025 Count", "Name", "2024 Count"],
    ],
)
def test_columns_that_do_not_say_their_year_once_are_refused(header: list[Value]) -> None:
    content = xlsx({"Table_1": [*ALL_YEARS[:3], header, *ALL_YEARS[4:]]})
    assert refusal(content, "any.xlsx", "GB").reason is Reason.INVALID_FORMAT


def test_all_years_of_another_country_are_not_those_of_england_and_wales() -> None:
    content = xlsx({"Table_1": [["Names for baby girls, Testland"], *ALL_YEARS[1:]]})
    assert refusal(content, "any.xlsx", "GB").reason is Reason.INVALID_FORMAT


def test_england_and_wales_without_its_list_or_with_two_is_refused() -> None:
    assert "found none" in str(refusal(xlsx({"Table 1": ONS_TOP}), "b.xlsx", "GB"))
    assert "found 2" in str(refusal(xlsx({"6": ONS_LIST, "7": ONS_LIST}), "b.xlsx", "GB"))


@pytest.mark.parametrize(
    ("name", "year", "sex"),
    [
        ("2008boysnames.xls", None, None),
        ("2007girlsnames.xls", None, None),
        ("names.xls", 2008, None),
        ("names.xls", None, "F"),
    ],
)
def test_a_workbook_is_refused_whose_name_or_hints_contradict_it(name: str, year: int | None, sex: str | None) -> None:
    error = refusal(xlsx({"6": ONS_LIST}), name, "GB", year, sex)
    assert error.reason is Reason.CONTRADICTORY
    assert "sheet '6', cell A5: " in str(error)
    assert any(word in str(error) for word in ("2008", "girls", "F was given"))
    assert any(word in str(error) for word in ("2007", "boys"))


def test_a_problem_is_named_by_its_cell() -> None:
    bad = [*ONS_LIST[:7], [None, 2, "ADAM", "many"], [None, 3, None, 7], [None, 4, "EVE", None], [None, 5, "ED", 2.5]]
    assert [str(problem.place) for problem in refusal(xlsx({"6": bad}), "b.xls", "GB").problems] == [
        "sheet '6', cell D8",
        "sheet '6', cell C9",
        "sheet '6', cell D10",
        "sheet '6', cell D11",
    ]


def test_northern_ireland_has_the_years_side_by_side_and_ranks_alone_are_left_out() -> None:
    title = "Full List of First Forenames Given to Baby Boys Registered in Northern Ireland"
    header = ["1997 Name", "Number of Babies", "Rank", "1998 Name", "Number of Babies", "Rank"]
    full: Rows = [[title], header, ["Matthew", 410, 1, "Ryan", 346, 2], ["Zyon", "..", "..", None, None, None]]
    ranks: Rows = [["Rank of First Forenames Given to Baby Boys"], ["Name/Year", "1997"], ["Aaban", "-"]]
    content = xlsx({"Table 1": full, "Table 3": ranks})
    assert rows(content, "any.xlsx", "GB") == [(1997, "M", "Matthew", 410), (1998, "M", "Ryan", 346)]
    assert reported(content, "any.xlsx", "GB").left_out == {
        "other sheets": 1,
        "suppressed counts (..: one or two children)": 1,
    }
    assert "cell A2: the year was given as 1998, but this is of 1997" in str(refusal(content, "a", "GB", year=1998))


def test_northern_ireland_had_the_years_above_the_headings() -> None:
    title = "Full List of First Forenames Given to Baby Girls Registered in Northern Ireland, 1997-1998"
    header = ["Name", "Number of Babies", "Rank"] * 2
    sheet: Rows = [
        [title],
        [],
        [1997, None, None, "1998 [note 1]"],
        header,
        ["Chloe", 361, 1, "Emma", 307, 2],
        ["Zyon", ".."],
    ]
    content = xlsx({"Table 2": sheet})
    assert rows(content, "any.xlsx", "GB") == [(1997, "F", "Chloe", 361), (1998, "F", "Emma", 307)]
    assert reported(content, "any.xlsx", "GB").left_out == {"suppressed counts (..: one or two children)": 1}


@pytest.mark.parametrize("years", [[None, None, None, 1998], [1997], [1997, None, None, 1997]])
def test_a_block_of_northern_ireland_without_a_year_of_its_own_is_refused(years: list[Value]) -> None:
    sheet: Rows = [
        ["Full List of First Forenames Given to Baby Girls"], years, ["Name", "Number of Babies", "Rank"] * 2,
        ["Chloe", 361, 1, "Emma", 307, 2],
    ]  # fmt: skip
    assert refusal(xlsx({"Table 2": sheet}), "any.xlsx", "GB").reason is Reason.INVALID_FORMAT


def test_victoria_has_boys_and_girls_side_by_side_in_two_shapes() -> None:
    old: Rows = [
        ["Top 100 Baby Names - 2008 "], ["Male", None, None, None, "Female"],
        ["Position", "Name", "Count", None, "Position", "Name", "Count"], [1, "William", 574, None, 1, "Mia", 489],
    ]  # fmt: skip
    new: Rows = [
        ["Rank", "Name - Male", "Count", "Rank", "Name - Female", "Count"],
        [1, "Oliver", 570, 1, "Isla", 389], [2, "Noah", 78, 2, "Isla", 5], [2, "Nathan", 78, None, None, None],
    ]  # fmt: skip
    assert rows(xlsx({"2008": old}), "any.xlsx", "AU") == [(2008, "M", "William", 574), (2008, "F", "Mia", 489)]
    assert rows(xlsx({"Top 100 Baby Names 2024": new}), "any.xlsx", "AU") == [
        (2024, "M", "Oliver", 570),
        (2024, "F", "Isla", 394),
        (2024, "M", "Noah", 78),
        (2024, "M", "Nathan", 78),
    ]
    assert rows(xlsx({"Sheet1": new}), "Top-100-Baby-Names-Victoria-2020.xlsx", "AU")[0][0] == 2020
    assert opened(xlsx({"Sheet1": new}), "Top-100-Baby-Names-Victoria-2020.xlsx", "AU").top == 100
    assert refusal(xlsx({"Sheet1": new}), "any.xlsx", "AU").reason is Reason.INVALID_FILENAME
    assert refusal(xlsx({"2008": old}), "Top 100 2009.xlsx", "AU").reason is Reason.CONTRADICTORY
    assert refusal(xlsx({"2009": old}), "any.xlsx", "AU").reason is Reason.CONTRADICTORY


def test_victoria_has_had_given_names_and_one_rank_for_both_sexes() -> None:
    own_ranks: Rows = [
        [None, "Male", None, None, "Female"], ["Rank", "Given Name", "Count", "Rank", "Given Name", "Count"],
        [1, "Oliver", 546, 1, "Mia", 413], [2, "Leo", 9, None, None, None],
    ]  # fmt: skip
    assert rows(xlsx({"Top_100_Male_Baby_Na_1": own_ranks}), "Top-100-Baby-Names-Victoria-2020.xlsx", "AU") == [
        (2020, "M", "Oliver", 546), (2020, "F", "Mia", 413), (2020, "M", "Leo", 9)
    ]  # fmt: skip
    content = xlsx({"Top 100 Baby Names 2023": VICTORIA_2023})
    expected = [(2023, "M", "Oliver", 514), (2023, "F", "Amelia", 333), (2023, "M", "Noah", 461)]
    assert rows(content, "any.xlsx", "AU") == expected
    assert rows(xlsx({"Sheet1": VICTORIA_2023}), "victoria.xlsx", "AU") == expected
    with_note = xlsx({"Top 100 Baby Names 2023": [*VICTORIA_2023, [], ["Source: BDM"]]})
    assert rows(with_note, "any.xlsx", "AU") == expected
    assert refusal(content, "Top-100-Baby-Names-Victoria-2022.xlsx", "AU").reason is Reason.CONTRADICTORY
    assert refusal(content, "any.xlsx", "AU", year=2022).reason is Reason.CONTRADICTORY


VICTORIA_2023: Rows = [
    [None, None, "Male", None, "Female"], ["Year", "Rank", "Given Name", "Count", "Given Name", "Count"],
    ["2023", 1, "Oliver", 514, "Amelia", 333], [2023, 2, "Noah", 461, None, None],
]  # fmt: skip


@pytest.mark.parametrize(("year", "said"), [(2022, "this is of another year than 2023"), ("x", "expected a year")])
def test_a_column_of_years_in_victoria_has_one_year(year: Value, said: str) -> None:
    bad: Rows = [*VICTORIA_2023, [year, 3, "Leo", 5, "Mia", 5]]
    error = refusal(xlsx({"Top 100 Baby Names 2023": bad}), "any.xlsx", "AU")
    assert f"cell A5: {said}" in str(error)
    wrong = xlsx({"Top 100 Baby Names 2022": VICTORIA_2023})
    assert "speaks of 2022 and of 2023" in str(refusal(wrong, "any.xlsx", "AU"))


@pytest.mark.parametrize(
    ("sheet", "name"), [("WA Top 100 Baby Names 2023", "any.xlsx"), ("Top 100 Baby Names 2023", "nt-top-100.xlsx")]
)
def test_the_same_shape_with_another_states_name_is_not_victorias(sheet: str, name: str) -> None:
    assert refusal(xlsx({sheet: VICTORIA_2023}), name, "AU").reason in (Reason.UNDECIDED, Reason.CONTRADICTORY)


def test_tasmania_has_sheets_by_sex_or_titles_by_sex() -> None:
    header: list[Value] = ["Year", "Name", "Number"]
    sheets: dict[str, Rows] = {"Female": [header, [2011, "ruby ", 80]], "Male": [header]}
    assert rows(xlsx(sheets), "tasmania.xlsx", "AU") == [(2011, "F", "ruby", 80)]
    renamed: dict[str, Rows] = {"Female": sheets["Female"], "Sheet2": [header, [2011, "jack", 70]]}
    assert "expected a list of each sex" in str(refusal(xlsx(renamed), "tasmania.xlsx", "AU"))
    title = "MOST POPULAR {} BABY NAMES FOR 2015 IN DESCENDING ORDER:"
    stacked: Rows = [[title.format("female")], [], ["ava", 42], [], [title.format("male")], [], ["jack", 41]]
    assert rows(xlsx({"2015": stacked}), "any.xlsx", "AU") == [(2015, "F", "ava", 42), (2015, "M", "jack", 41)]
    assert rows(xlsx({"a": stacked[:4], "b": stacked[4:]}), "any.xlsx", "AU") == rows(xlsx({"c": stacked}), "x", "AU")
    assert refusal(xlsx({"2015": stacked}), "any.xlsx", "AU", year=2016).reason is Reason.CONTRADICTORY


def test_new_zealand_has_headings_that_wander() -> None:
    sheet: Rows = [
        ["Table 2", None, "Top 100 Baby Boys' Names in New Zealand"],
        ["Rank", None, 1954, None, 1955],
        [None, None, "Name", "No.", "Name", "Name", "No"],
        [],
        [None, 1, "John", 1389, None, "John", 1384],
        [None, 2, "Mike", 5, None, "John", 6],
        [],
        [None, None, None, "Note:", None, None, "(a) Based on births"],
    ]
    content = xlsx({"Boys' Names": sheet})
    assert rows(content, "any.xlsx", "NZ") == [
        (1954, "M", "John", 1389),
        (1955, "M", "John", 1390),
        (1954, "M", "Mike", 5),
    ]
    assert opened(content, "any.xlsx", "NZ").top == 100


def test_sweden_stores_figures_as_text_and_says_the_sex_in_the_title() -> None:
    sheet: Rows = [["Flickors tilltalsnamn 1998-1999"], [], ["Namn / Name", "1998", "1999"], ["Åsa", "13", "-"]]
    assert rows(xlsx({"Blad1": sheet}), "be0001.xlsx", "SE") == [(1998, "F", "Åsa", 13)]
    assert refusal(xlsx({"Blad1": sheet}), "boys.xlsx", "SE").reason is Reason.CONTRADICTORY
    both = {"Pojkar": [["Pojkars tilltalsnamn"], *sheet[1:]], "Flickor": sheet}
    assert {row[1] for row in rows(xlsx(both), "be0001.xlsx", "SE")} == {"F", "M"}


def test_finland_is_population_of_the_extraction_date_and_first_names_only() -> None:
    content = xlsx(FINLAND)
    assert rows(content, "any.xlsx", "FI") == [(2022, "M", "Juha", 44293), (2022, "F", "Tuula", 30346)]
    assert opened(content, "any.xlsx", "FI").measure == "population"
    assert reported(content, "any.xlsx", "FI").left_out == {"other sheets": 2}
    assert refusal(content, "etunimet-2021.xlsx", "FI").reason is Reason.CONTRADICTORY
    without = xlsx({**FINLAND, "Saate": [["Poimintapäivä"]]})
    assert "has no extraction date" in str(refusal(without, "any.xlsx", "FI"))
    to_come = xlsx({**FINLAND, "Saate": [["Poimintapäivä", date(9998, 1, 1)]]})
    assert "is of no year from 1700 to now" in str(refusal(to_come, "any.xlsx", "FI"))
    assert rows(without, "any.xlsx", "FI", year=2020)[0][0] == 2020
    del (lost := {**FINLAND})["Naiset ens"]
    assert "expected both sheets" in str(refusal(xlsx(lost), "any.xlsx", "FI"))


def test_belgium_adds_its_provinces_up() -> None:
    content = xlsx({"Contenu": [[2017]], "F_PROV2017": statbel("filles", 2017, ("Lina", 113), ("Eva", 5), ("Lina", 7))})
    assert rows(content, "any.xlsx", "BE") == [(2017, "F", "Lina", 120), (2017, "F", "Eva", 5)]
    assert reported(content, "any.xlsx", "BE").added == {"provinces of the same name": 1}


@pytest.mark.parametrize(
    ("sheet", "said"), [("M_PROV2017", "boys, but its title of girls"), ("F_PROV2018", "2018, but")]
)
def test_belgium_is_refused_where_a_sheets_name_contradicts_its_title(sheet: str, said: str) -> None:
    error = refusal(xlsx({sheet: statbel("filles", 2017, ("Lina", 113))}), "any.xlsx", "BE")
    assert error.reason is Reason.CONTRADICTORY
    assert said in str(error)


def test_denmark_lists_all_names_whatever_the_files_name_says_and_0_is_no_name() -> None:
    ranked: Rows = [["Piger født i 2020"], [], ["Nr.", "Navn", "Antal", "Pr. 1000"], [], [1, "ALMA", 500, 16.1]]
    whole: Rows = [*ranked, [], [None, "AAYA", 1], [None, 0, 106]]
    assert rows(xlsx({"Ark1": whole}), "Piger 2020 (TOP100).xlsx", "DK") == [
        (2020, "F", "ALMA", 500),
        (2020, "F", "AAYA", 1),
    ]
    assert opened(xlsx({"Ark1": whole}), "a.xlsx", "DK").top is None
    assert opened(xlsx({"Ark1": ranked}), "a.xlsx", "DK").top == 100
    assert refusal(xlsx({"Ark1": whole}), "Drenge 2020.xlsx", "DK").reason is Reason.CONTRADICTORY


def test_sheets_that_are_hidden_are_not_read() -> None:
    content = xlsx({"6": ONS_LIST, "old": ONS_LIST}, hidden=["old"])
    assert len(rows(content, "b.xls", "GB")) == 2
