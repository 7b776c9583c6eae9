"""New York: the city by ethnicity, the state by county. What is added up, what never is, and lists like these."""

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.file_hints import FileHints
from tests.unit.parsing import opened, refusal, reported, rows

CITY = "Year of Birth,Gender,Ethnicity,Child's First Name,Count,Rank\n"
STATE = "Year,First Name,County,Sex,Count\n"
STATE_NAME = "Baby_Names__Beginning_2007.csv"
OF_STATE = FileHints(region="US-NY")


def test_the_city_adds_up_the_figures_of_different_ethnicities() -> None:
    content = CITY + "2013,FEMALE,HISPANIC,Testina,20,1\n2013,FEMALE,WHITE NON HISPANIC,Testina,12,9\n"
    assert rows(content, "any.csv", "US") == [(2013, "F", "Testina", 32)]
    assert opened(content, "any.csv", "US").region == "US-NY-NYC"
    assert reported(content, "any.csv", "US").added == {"ethnicities of the same name": 1}


def test_an_equal_line_of_the_city_is_one_line() -> None:
    line = "2011,MALE,HISPANIC,PROBERT,13,75\n"
    found = reported(CITY + line * 5, "any.csv", "US")
    assert rows(CITY + line * 5, "any.csv", "US") == [(2011, "M", "PROBERT", 13)]
    assert found.left_out == {"lines that the publisher repeats (the same line twice is one line)": 4}


def test_a_file_of_the_city_appended_to_itself_is_refused() -> None:
    """Five times is the most that the publisher repeats a line."""
    lines = "2011,MALE,HISPANIC,PROBERT,13,75\n" * 5
    error = refusal(CITY + lines + lines, "any.csv", "US")
    assert "line 7: the same name, sex and ethnicity as in line 2, for the same year" in str(error)


@pytest.mark.parametrize(
    ("full", "cut"),
    [
        ("WHITE NON HISPANIC", "WHITE NON HISP"),
        ("BLACK NON HISPANIC", "BLACK NON HISP"),
        ("ASIAN AND PACIFIC ISLANDER", "ASIAN AND PACI"),
    ],
)
def test_an_ethnicity_in_another_spelling_is_never_added(full: str, cut: str) -> None:
    """Equal figures are one; different ones are refused, with both places."""
    lines = f"2012,MALE,{full},PROBERT,13,75\n2012,MALE,{cut},PROBERT,13,75\n"
    assert rows(CITY + lines, "any.csv", "US") == [(2012, "M", "PROBERT", 13)]
    other = lines + f"2012,MALE,{cut},PROBERT,14,75\n"
    assert "line 4: the same name, sex and ethnicity as in line 2" in str(refusal(CITY + other, "any.csv", "US"))


def test_names_of_the_city_in_two_cases_are_two_rows() -> None:
    content = CITY + "2016,FEMALE,HISPANIC,McTest,14,39\n2016,FEMALE,HISPANIC,Mctest,11,42\n"
    assert rows(content, "any.csv", "US") == [(2016, "F", "McTest", 14), (2016, "F", "Mctest", 11)]


def test_the_citys_short_headings_are_read() -> None:
    content = "brth_yr,gndr,ethcty,nm,cnt,rnk\n2019,FEMALE,HISPANIC,Testina,131,1\n"
    assert rows(content, "25th-nujf.csv", "US") == [(2019, "F", "Testina", 131)]


def test_ethnicities_of_another_city_are_refused_by_the_line() -> None:
    content = CITY + "2013,FEMALE,HISPANIC,Testina,20,1\n2013,FEMALE,LATINO/A,Testina,12,9\n"
    assert "line 3: expected an ethnicity of this publisher" in str(refusal(content, "any.csv", "US"))


def test_the_state_adds_up_the_figures_of_different_counties() -> None:
    content = STATE + "2007,ZOE,KINGS,F,11\n2007,ZOE,ST LAWRENCE,F,6\n2007,ZOE,ERIE,M,9\n2014,ZOE,St. Lawrence,F,5\n"
    assert rows(content, STATE_NAME, "US") == [(2007, "F", "ZOE", 17), (2007, "M", "ZOE", 9), (2014, "F", "ZOE", 5)]
    assert opened(content, STATE_NAME, "US").region == "US-NY"
    assert rows(content, "names.csv", "US", hints=OF_STATE) == rows(content, STATE_NAME, "US")


@pytest.mark.parametrize("again", ["2007,ZOE,KINGS,F,11", "2007,ZOE,Kings,F,12"])
def test_a_county_is_never_added_twice(again: str) -> None:
    error = refusal(f"{STATE}2007,ZOE,KINGS,F,11\n{again}\n", STATE_NAME, "US")
    assert "line 3: the same name, sex and county as in line 2, for the same year" in str(error)


def test_a_list_of_the_state_appended_to_itself_is_refused() -> None:
    lines = "2007,ZOE,KINGS,F,11\n2007,ZOE,ERIE,F,9\n"
    assert "as in line 2" in str(refusal(STATE + lines + lines, STATE_NAME, "US"))


def test_both_sexes_stand_in_both_lists() -> None:
    for content, name in ((CITY + "2013,FEMALE,HISPANIC,A,20,1\n", "c.csv"), (STATE + "2007,A,ERIE,F,9\n", STATE_NAME)):
        assert refusal(content, name, "US", sex="F").reason is Reason.CONTRADICTORY


PENNSYLVANIA = STATE + "2010,Testina,Montgomery,F,11\n2010,Testina,Franklin,F,7\n"
CALIFORNIA = STATE + "2010,Testina,Los Angeles,F,110\n2010,Testina,Orange,F,70\n"


@pytest.mark.parametrize("content", [PENNSYLVANIA, CALIFORNIA])
def test_counties_of_other_states_are_refused_without_a_hint(content: str) -> None:
    """Headings and some names of counties are the same in many states."""
    error = refusal(content, "counties-2010.csv", "US")
    assert error.reason is Reason.UNDECIDED
    assert "us-nys (US-NY)" in str(error)


def test_a_county_that_the_state_has_not_is_refused_with_a_hint_too() -> None:
    assert "line 2: expected a county of the state of New York" in str(
        refusal(CALIFORNIA, "counties-2010.csv", "US", hints=OF_STATE)
    )


@pytest.mark.parametrize(
    "content",
    [
        "Year,Gender,Ethnicity,Name,Count,Rank\n2013,FEMALE,HISPANIC,Testina,20,1\n",  # Chicago
        "Year of Birth,Gender,Race,Child's First Name,Count\n2013,FEMALE,HISPANIC,Testina,20\n",  # Philadelphia
        "Year of Birth,Gender,Child's First Name,Count,Rank\n2013,FEMALE,Testina,20,1\n",  # the column was dropped
        "Year,Name,County,Sex,Count\n2010,Testina,Hennepin,F,11\n",  # Minnesota
        "County,Year,Sex,Rank,First Name,Births\nErie,2010,F,1,Testina,11\n",  # Pennsylvania
        "Year,First Name,Sex,Count\n2010,Testina,F,11\n",  # the column was dropped
    ],
)
def test_other_publishers_columns_are_of_no_format(content: str) -> None:
    assert refusal(content, STATE_NAME, "US").reason is Reason.INVALID_FORMAT
