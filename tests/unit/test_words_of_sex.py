"""A word is looked for as a word, in titles and in the names of files."""

import pytest

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.values import has_words, years_in
from parser_runner.parsers.year_and_sex import detect_sex
from tests.unit.parsing import refusal
from tests.unit.sample_contents import NORWAY


@pytest.mark.parametrize(
    "text",
    [
        "10467-normaleksport.csv", "filled", "fulfilled_2019.csv", "boycott.csv", "Boyd", "Girlan", "Malesia",
        "mademoiselle", "cowboys", "tomboy", "malefic", "femaleness", "boysenberry", "Girlington", "junger", "pigeon",
        "normale", "Maler", "jentendre", "formales 2020", "emale", "boys and girls", "Male, Female", "",
    ],
)  # fmt: skip
def test_no_sex_is_found_inside_other_words(text: str) -> None:
    assert detect_sex(text) is None


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("females2019.csv", "F"), ("males2020.csv", "M"), ("boysnames2022.xlsx", "M"), ("girlsnames2024.xlsx", "F"),
        ("2021boysnamesupdated1.xlsx", "M"), ("1996boys_tcm77-254026.xls", "M"), ("2010girls_tcm77-253930.xls", "F"),
        ("topnames_female_cy2024.csv", "F"), ("femalecy2016top.csv", "F"), ("female_cy1944_top.csv", "F"),
        ("cusersjacksm01desktopfemalecy2017top.csv", "F"), ("cusersjacksm01desktopmalecy2017top.csv", "M"),
        ("nofemales.orig.csv", "F"), ("nomales.orig.csv", "M"), ("bc-popular-girls-names.csv", "F"),
        ("ontario_top_baby_names_male_1917-2022_en_fr.csv", "M"), ("Prénoms_Filles_1995-.xlsx", "F"),
        ("Prenoms_Garc\u0327ons_1995-.xlsx", "M"), ("Drenge 2019 (TOP100) - til udsendelse.xlsx", "M"),
        ("BabyGirls2019", "F"), ("GIRLS", "F"), ("Boys' Names", "M"), ("Name - Male", "M"), ("Pojkar - Boys", "M"),
        ("Flickors tilltalsnamn", "F"), ("Piger født i 2019", "F"), ("M\u00e4dchen 2014", "F"), ("Ma\u0308dchen", "F"),
        ("Top names for baby boys in England and Wales, 20081", "M"), ("babyboys2019", "M"),
    ],
)  # fmt: skip
def test_publishers_words_are_found(text: str, sex: str) -> None:
    assert detect_sex(text) == sex


def test_a_file_whose_name_has_no_word_of_a_sex_is_refused() -> None:
    error = refusal(NORWAY.encode("latin-1"), "10467-normaleksport.csv", "NO")
    assert error.reason is Reason.INVALID_FILENAME
    assert "the sex stands only in the file's name" in str(error)


def test_a_title_is_found_as_words() -> None:
    assert has_words("10467: Born persons", "10467")
    assert has_words("Full List of Names", "list of names")
    assert not has_words("104670: Born persons", "10467")
    assert not has_words("A10467", "10467")
    assert refusal(NORWAY.replace("10467", "104671").encode("latin-1"), "females.csv", "NO")


@pytest.mark.parametrize("text", ["20181", "20180718", "12018", "v120190", "201", "1699", "9999"])
def test_other_figures_are_no_years(text: str) -> None:
    assert years_in(text) == []
