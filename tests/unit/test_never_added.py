"""Nothing is added up by mistake, no total is a name, and no name is a total."""

import pytest

from tests.unit.parsing import refusal, reported, rows
from tests.unit.sample_contents import PX, SCOTLAND, ons, statbel
from tests.unit.workbooks import Rows, xlsx

KOELN = "anzahl;vorname;geschlecht;position\n7;Testina;w;1\n2;Testina;w;2\n5;Probert;m;1\n"
SA = "Given Name,Amount,Position\nTESTINA,70,1\nPROBERTA,50,2\n"
SA_NAME = "female_cy2023_top100.csv"
TWO = "two lists in one file, or one twice; submit each alone"


def test_positions_are_added_up_but_one_position_once() -> None:
    assert rows(KOELN, "Vornamen_2018_Koeln.csv", "DE")[0] == (2018, "F", "Testina", 9)
    error = refusal(f"{KOELN}1;Testina;w;2\n", "Vornamen_2018_Koeln.csv", "DE")
    assert "line 5: the same name, sex and year as in line 3, with the same text" in str(error)


def test_without_a_column_of_positions_a_name_stands_once() -> None:
    content = "vorname;anzahl;geschlecht\nTestina;7;w\nProbert;5;m\nTestina;2;w\n"
    error = refusal(content, "Vornamen_Koeln_2014.csv", "DE")
    assert "line 4: the same name and sex as in line 2, for the same year: expected one line of a name" in str(error)


def test_provinces_are_added_up_but_one_province_once() -> None:
    names = [("Lina", 113), ("Eva", 60), ("Lina", 90), ("Eva", 20)]
    content = xlsx({"F_PROV2017": statbel("filles", 2017, *names)})
    assert rows(content, "any.xlsx", "BE") == [(2017, "F", "Lina", 203), (2017, "F", "Eva", 80)]
    sheet = statbel("filles", 2017, *names)
    error = refusal(xlsx({"F_PROV2017": [*sheet, sheet[-1]]}), "any.xlsx", "BE")
    assert "cell E7: the same name, sex and year as in sheet 'F_PROV2017', cell E6" in str(error)


def test_a_list_that_begins_again_at_rank_one_is_refused() -> None:
    error = refusal(f'{SA}"TESTINA","60","1"\n"PROBERTA","40","2"\n', SA_NAME, "AU")
    assert f"line 4: the list has rank 1 again, as in line 2: these are {TWO}" in str(error)
    other = f"{SA}MARA,60,1\nNILLA,40,2\n"
    assert f"line 4: the list has rank 1 again, as in line 2: these are {TWO}" in str(refusal(other, SA_NAME, "AU"))


def test_names_may_share_the_first_rank() -> None:
    assert len(rows("Given Name,Amount,Position\nTESTINA,70,=1\nPROBERTA,70,=1\nMARA,5,3\n", SA_NAME, "AU")) == 3


def test_a_blank_line_has_no_rank() -> None:
    content = "Given Name,Amount,Position\nTESTINA,70,1\n\n\n ,,\nMARA,5,2\n"
    assert rows(content, SA_NAME, "AU") == [(2023, "F", "TESTINA", 70), (2023, "F", "MARA", 5)]


def test_equal_lines_are_added_up_only_if_the_positions_prove_them() -> None:
    content = "Given Name,Amount,Position\nTESTINA,70,1\nMARA,5,=2\nNILLA,5,=2\nMARA,5,=2\nEVA,1,5\n"
    assert (2023, "F", "MARA", 10) in rows(content, SA_NAME, "AU")
    doubled = "Given Name,Amount,Position\nTESTINA,70,1\nMARA,5,2\nMARA,5,2\nEVA,1,3\n"
    error = refusal(doubled, SA_NAME, "AU")
    assert "line 5: lines come twice, and the rank does not fit the number of lines above" in str(error)


def test_more_lines_of_a_name_than_a_publisher_has_are_refused() -> None:
    content = "Given Name,Amount,Position\nTESTINA,70,1\nMARA,5,2\nMARA,4,3\nMARA,3,4\n"
    assert "line 5: the same name and sex as in line 3" in str(refusal(content, SA_NAME, "AU"))
    portugal = "Ana,F,9\nEva,F,8\nAna,F,3\nEva,F,2\n"
    error = refusal(portugal, "nomes-registados-2016.csv", "PT")
    assert "line 4: the same name and sex as in line 2, for the same year: expected one name with two lines" in str(
        error
    )
    assert rows("Ana,F,9\nEva,F,8\nAna,F,3\n", "nomes-registados-2016.csv", "PT")[0] == (2016, "F", "Ana", 12)


def test_a_doubled_line_of_portugal_is_refused() -> None:
    error = refusal("Ana,F,9\nAna,F,9\nEva,F,8\n", "nomes-registados-2016.csv", "PT")
    assert "line 2: the same line as in line 1" in str(error)


def test_counts_that_rise_again_are_a_second_list() -> None:
    content = "Ana,F,9\nEva,F,8\nIda,F,3\nMia,F,7\n"
    error = refusal(content, "nomes-registados-2016.csv", "PT")
    expected = "line 4: the list rises again, after it fell from the most frequent name on (first in line 1)"
    assert f"{expected}: these are {TWO}" in str(error)


def test_a_small_rise_is_a_correction() -> None:
    assert len(rows("Ana,F,900\nEva,F,800\nIda,F,3\nMia,F,4\n", "nomes-registados-2016.csv", "PT")) == 4


@pytest.mark.parametrize(
    ("content", "name", "country", "place"),
    [
        (KOELN + KOELN, "Vornamen_2018_Koeln.csv", "DE", "line 5"),
        ("Name,1915,1916,Total\nAVA,0,7,7\nName,1915,1916,Total\nZOE,5,0,5\n", "bc-girls.csv", "CA", "line 3"),
        ("Girl Names,Count of Girl Names,Boy Names,Count of Boy Names\nEva,9,Bo,7\n" * 2, "2010.csv", "AU", "line 3"),
        (
            xlsx(
                {"B": [["Flickors tilltalsnamn"], *[["Namn / Name", "1998"], ["Åsa", "13"]], ["Namn / Name", "1998"]]}
            ),
            "any.xlsx",
            "SE",
            "cell A4",
        ),
    ],
    ids=["long", "wide", "blocks", "workbook"],
)
def test_headings_in_the_middle_are_a_second_list(content: str | bytes, name: str, country: str, place: str) -> None:
    error = refusal(content, name, country)
    assert f"{place}: the headings come again: these are {TWO}" in str(error)


def test_a_title_in_the_middle_is_a_second_list() -> None:
    title = ["MOST POPULAR male BABY NAMES FOR 2015 IN DESCENDING ORDER:"]
    content = xlsx({"A": [title, ["jack", 41], title, ["tom", 40]]})
    assert "cell A3: the title of sheet 'A', cell A1 comes again" in str(refusal(content, "tas.xlsx", "AU"))


QLD = "Girl Names,Count of Girl Names,Boy Names,Count of Boy Names\nEva,53,Bo,62\nNilla,52,,\nMara,52,,\n"


def test_queenslands_own_repeated_line_counts_once() -> None:
    content = f"{QLD}Nilla,52,,\n"
    found = reported(content, "top-100-2018.csv", "AU")
    reason = "lines that repeat another one (the same name and count)"
    assert (found.rows, found.total, found.left_out, found.left_out_totals) == (4, 219, {reason: 1}, {reason: 52})
    error = refusal(f"{QLD}Nilla,51,,\n", "top-100-2018.csv", "AU")
    assert "line 5: the same name and sex as in line 3" in str(error)


@pytest.mark.parametrize(
    "word", ["Gesamt", "GESAMT", "Total", "Summe:", "insgesamt", "Ialt", "Yhteensä", "Összesen", "Alle Namen"]
)
def test_a_total_is_left_out_and_counted(word: str) -> None:
    found = reported(f"vorname;anzahl;geschlecht\nTestina;7;w\n{word};7;w\n", "Koeln_2014.csv", "DE")
    assert (found.rows, found.total) == (1, 7)
    assert (found.left_out, found.left_out_places) == ({"totals": 1}, {"totals": [3]})


@pytest.mark.parametrize(
    ("content", "name", "country"),
    [
        ("Mary,F,9\nTotal,F,16\nAnna,F,7\n", "yob1990.txt", "US"),
        ("AK,F,1910,Mary,9\nAK,F,1910,Anna,7\nAK,F,1910,Total,16\n", "AK.TXT", "US"),
        ("Name,1915,Total\nAVA,9,9\nZOE,7,7\nTotal,16,16\n", "bc-girls.csv", "CA"),
        (f"{QLD[:60]}Eva,9,Bo,7\nMia,7,,\nTotal,16,Total,7\n", "2010.csv", "AU"),
        (xlsx({"6": ons("Names for baby boys, 2007", [None, "Name", "Count"], [None, "Jack", 9], [None, "Total", 9])}),
         "any.xlsx", "GB"),
        (SCOTLAND.replace("2=,Rory,12, ", ",Total,366,"), "Boys.csv", "GB"),
        (PX.replace('"Seán"', '"Total"').replace("101 0", "101 900"), "VSA10.px", "IE"),
    ],
    ids=["us", "state", "wide", "blocks", "workbook", "title", "matrix"],
)  # fmt: skip
def test_totals_are_left_out_in_every_shape(content: str | bytes, name: str, country: str) -> None:
    found = reported(content, name, country)
    assert found.rejected is None
    assert found.left_out["totals"] >= 1
    assert found.rows >= 1


def test_a_total_without_a_year_sex_or_count_is_left_out() -> None:
    content = "Rank,Name,Number,Gender,Year\n1,Eva,9,Female,2024\n,Total,9,,\nTotal,,9,,\n"
    found = reported(content, "nsw.csv", "AU")
    assert (found.rows, found.total, found.left_out, found.left_out_totals) == (1, 9, {"totals": 2}, {"totals": 18})


def test_a_total_that_is_less_than_a_name_refuses_the_file() -> None:
    error = refusal("vorname;anzahl;geschlecht\nTestina;7;w\nGesamt;6;w\n", "Koeln_2014.csv", "DE")
    assert "line 3: this is the word for a total, but its count is less than that of a name" in str(error)


def test_aggregates_are_left_out() -> None:
    found = reported("vorname;anzahl;geschlecht\nTestina;7;w\nSonstige;3;w\n", "Koeln_2014.csv", "DE")
    assert (found.rows, found.left_out) == (1, {"aggregates of other names": 1})


@pytest.mark.parametrize("name", ["Suma", "Summa", "Sum", "All", "Alle", "Other", "Andre", "Andere"])
def test_a_name_that_is_also_such_a_word_is_kept(name: str) -> None:
    content = f"Mary,F,90\nAnna,F,80\n{name},F,50\nEva,F,9\nIda,F,9\n"
    assert rows(content, "yob1990.txt", "US")[2] == (1990, "F", name, 50)
    assert (1990, "F", name, 70) in rows(f"{name},F,70\nEva,F,9\n", "yob1990.txt", "US")


@pytest.mark.parametrize("word", ["Suma", "Other", "ALLE"])
def test_such_a_word_with_the_sum_of_all_names_is_a_total(word: str) -> None:
    found = reported(f"Mary,F,90\nAnna,F,80\nEva,F,9\n{word},F,179\n", "yob1990.txt", "US")
    assert (found.rows, found.total, found.left_out) == (3, 179, {"totals": 1})


def test_an_aggregate_beside_a_total_is_left_out_too() -> None:
    content = "Mary,F,90\nAnna,F,80\nEva,F,9\nOther,F,500\nTotal,F,679\n"
    for one in (content, "Total,F,679\nOther,F,500\n" + content[:28]):
        found = reported(one, "yob1990.txt", "US")
        assert (found.rows, found.total, found.left_out) == (3, 179, {"totals": 2})
        assert found.left_out_totals == {"totals": 1179}


def test_such_a_word_is_refused_if_nothing_tells_what_it_is() -> None:
    error = refusal("Mary,F,90\nAnna,F,80\nEva,F,9\nOther,F,100\n", "yob1990.txt", "US")
    assert "line 4: this may be a name or an aggregate" in str(error)
    assert (1990, "F", "Andre", 100) in rows("Andre,F,100\nMary,F,90\nAnna,F,80\nEva,F,9\n", "yob1990.txt", "US")


@pytest.mark.parametrize("signs", ["+", "-", "-------", "0", "*", "–"])
def test_signs_in_place_of_a_name_are_left_out_and_counted(signs: str) -> None:
    found = reported(f"anzahl;vorname;geschlecht;position\n7;Eva;w;1\n4;{signs};w;4\n", "Koeln_2020.csv", "DE")
    reason = "names without a letter"
    assert (found.rows, found.left_out, found.left_out_totals) == (1, {reason: 1}, {reason: 4})


@pytest.mark.parametrize(
    ("content", "name", "country"),
    [
        ("Mary,F,9\n-,F,8\n", "yob1990.txt", "US"),
        ("Name,1915,Total\nAVA,9,9\n---,7,7\n", "bc-girls.csv", "CA"),
        (f"{QLD[:60]}Eva,9,Bo,7\n-,7,,\n", "2010.csv", "AU"),
        (xlsx({"A": [["MOST POPULAR male BABY NAMES FOR 2015"], ["jack", 41], ["-", 4]]}), "tas.xlsx", "AU"),
        (PX.replace('"Seán"', '"-"'), "VSA10.px", "IE"),
    ],
    ids=["us", "wide", "blocks", "titles", "matrix"],
)
def test_signs_are_left_out_in_every_shape(content: str | bytes, name: str, country: str) -> None:
    found = reported(content, name, country)
    assert found.rejected is None
    assert found.left_out["names without a letter"] >= 1


def test_a_figure_in_place_of_a_name_is_a_problem() -> None:
    error = refusal("anzahl;vorname;geschlecht;position\n7;12;w;1\n", "Koeln_2020.csv", "DE")
    assert "line 2: expected a name" in str(error)


def test_figures_beside_a_list_are_notes() -> None:
    title = "Full list of first forenames given to boys, Scotland, 2019"
    content = f"{title},,,,\nRank,Boys' names,Number of babies,NB,\n1,Jack,9,,\n,,,,7\n"
    assert reported(content, "Boys.csv", "GB").left_out["titles and notes"] == 1
    sheet: Rows = [
        ["Rank", "Name - Male", "Count", "Rank", "Name - Female", "Count", None],
        [1, "Bo", 9, 1, "Eva", 7, None],
    ]
    found = reported(xlsx({"Top 100 Baby Names 2024": [*sheet, [*[None] * 6, 12]]}), "any.xlsx", "AU")
    assert (found.rows, found.left_out) == (2, {"titles and notes": 1})


def test_a_rank_without_name_and_count_is_a_problem() -> None:
    content = "Rank,Name,Number,Gender,Year\n1,Eva,9,Female,2024\n{}\n"
    assert "line 3: expected a whole number" in str(refusal(content.format("2,,,Female,2024"), "nsw.csv", "AU"))
    assert "line 3: expected a year" in str(refusal(content.format("2,,,,"), "nsw.csv", "AU"))
    assert len(rows(content.format("as of May,,,,"), "nsw.csv", "AU")) == 1


@pytest.mark.parametrize(
    "word", ["Total girls", "Mädchen gesamt", "Всего", "合計", "Anzahl", "Births", "Celkový počet"]
)
@pytest.mark.parametrize("at", [0, 6, 12])
def test_a_total_in_other_words_shows_by_its_count(word: str, at: int) -> None:
    counts = range(30, 18, -1)
    lines = [f"2019,Test{letter}na,weiblich,{count}\n" for letter, count in zip("abcdefghijkl", counts, strict=True)]
    heading = "jahr,vorname,geschlecht,anzahl\n2019,Probert,männlich,9\n"
    name = "bev_vornamen_baby_seit1993.csv"
    assert len(rows(heading + "".join(lines), name, "CH")) == len(lines) + 1
    content = heading + "".join([*lines[:at], f"2019,{word},weiblich,{sum(counts)}\n", *lines[at:]])
    error = refusal(content, name, "CH")
    assert f"line {at + 3}: this count is as great as all others of its year and sex together" in str(error)


def test_a_short_list_may_have_one_name_above_all_others() -> None:
    content = "anzahl;vorname;geschlecht;position\n70;Testina;w;1\n5;Proberta;w;1\n4;Mara;w;1\n3;Nilla;w;1\n"
    assert len(rows(content, "Vornamen_2018_Koeln.csv", "DE")) == 4
