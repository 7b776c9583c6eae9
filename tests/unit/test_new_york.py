"""New York: the city by ethnicity, the state by county. What is added up, what never is, and lists like these."""

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers.publishers import us_nys
from tests.unit.parsing import opened, refusal, reported, rows

STATE_NAME = "Baby_Names__Beginning_2007.csv"
OF_STATE = FileHints(region="US-NY")
CITY = "Year of Birth,Gender,Ethnicity,Child's First Name,Count,Rank\n"
STATE = "Year,First Name,County,Sex,Count\n"
GROUPS = ("HISPANIC", "WHITE NON HISPANIC", "BLACK NON HISPANIC", "ASIAN AND PACIFIC ISLANDER")
COUNTIES = sorted(us_nys.COUNTIES)[: len(us_nys.COUNTIES) // 2]


def city(*lines: str) -> str:
    """A list with all groups: the lines, then a name that every year and sex has."""
    lists = dict.fromkeys(tuple(line.split(",")[:2]) for line in lines)
    rest = [f"{year},{sex},{group},Rest,10,9" for year, sex in lists for group in GROUPS]
    return CITY + "".join(f"{line}\n" for line in (*lines, *rest))


def state(*lines: str) -> str:
    """A list with enough counties, as `city`."""
    lists = dict.fromkeys((line.split(",")[0], line.split(",")[3]) for line in lines)
    rest = [f"{year},REST,{county},{sex},5" for year, sex in lists for county in COUNTIES]
    return STATE + "".join(f"{line}\n" for line in (*lines, *rest))


def named(content: str, name: str = "any.csv", hints: FileHints | None = None) -> list[tuple[int, str, str, int]]:
    """The rows of other names than the rest's."""
    return [row for row in rows(content, name, "US", hints=hints) if row[2].title() != "Rest"]


def test_the_city_adds_up_the_figures_of_different_ethnicities() -> None:
    content = city("2013,FEMALE,HISPANIC,Testina,20,1", "2013,FEMALE,WHITE NON HISPANIC,Testina,12,9")
    assert named(content) == [(2013, "F", "Testina", 32)]
    assert opened(content, "any.csv", "US").region == "US-NY-NYC"
    assert reported(content, "any.csv", "US").added == {"ethnicities of the same name": 1 + 3}


def test_an_equal_line_of_the_city_is_one_line() -> None:
    content = city(*["2011,MALE,HISPANIC,PROBERT,13,75"] * 5)
    assert named(content) == [(2011, "M", "PROBERT", 13)]
    assert reported(content, "any.csv", "US").left_out == {
        "lines that the publisher repeats (the same line twice is one line)": 4
    }


def test_a_file_of_the_city_appended_to_itself_is_refused() -> None:
    """Five times is the most that the publisher repeats a line."""
    error = refusal(city(*["2011,MALE,HISPANIC,PROBERT,13,75"] * 10), "any.csv", "US")
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
    lines = [f"2012,MALE,{full},PROBERT,13,75", f"2012,MALE,{cut},PROBERT,13,75"]
    assert named(city(*lines)) == [(2012, "M", "PROBERT", 13)]
    error = refusal(city(*lines, f"2012,MALE,{cut},PROBERT,14,75"), "any.csv", "US")
    assert "line 4: the same name, sex and ethnicity as in line 2" in str(error)


def test_names_of_the_city_in_two_cases_are_two_rows() -> None:
    content = city("2016,FEMALE,HISPANIC,McTest,14,39", "2016,FEMALE,HISPANIC,Mctest,11,42")
    assert named(content) == [(2016, "F", "McTest", 14), (2016, "F", "Mctest", 11)]


def test_the_citys_short_headings_are_read() -> None:
    content = city("2019,FEMALE,HISPANIC,Testina,131,1").replace(CITY, "brth_yr,gndr,ethcty,nm,cnt,rnk\n")
    assert named(content, "25th-nujf.csv") == [(2019, "F", "Testina", 131)]


def test_ethnicities_of_another_city_are_refused_by_the_line() -> None:
    content = city("2013,FEMALE,HISPANIC,Testina,20,1", "2013,FEMALE,LATINO/A,Testina,12,9")
    assert "line 3: expected an ethnicity of this publisher" in str(refusal(content, "any.csv", "US"))


@pytest.mark.parametrize("group", GROUPS)
def test_a_list_without_one_of_the_groups_is_not_the_citys(group: str) -> None:
    lines = city("2013,FEMALE,HISPANIC,Testina,20,1").splitlines(keepends=True)
    error = refusal("".join(line for line in lines if f",{group}," not in line), "any.csv", "US")
    assert "girls of 2013 have figures of 3 parts (ethnicity), expected 4 or more" in str(error)


def test_the_state_adds_up_the_figures_of_different_counties() -> None:
    content = state("2007,ZOE,KINGS,F,11", "2007,ZOE,ST LAWRENCE,F,6", "2007,ZOE,ERIE,M,9", "2014,ZOE,St. Lawrence,F,5")
    expected = [(2007, "F", "ZOE", 17), (2007, "M", "ZOE", 9), (2014, "F", "ZOE", 5)]
    assert named(content, STATE_NAME) == expected
    assert named(content, "names.csv", OF_STATE) == expected
    assert opened(content, STATE_NAME, "US").region == "US-NY"


@pytest.mark.parametrize("again", ["2007,ZOE,KINGS,F,11", "2007,ZOE,Kings,F,12"])
def test_a_county_is_never_added_twice(again: str) -> None:
    error = refusal(state("2007,ZOE,KINGS,F,11", again), STATE_NAME, "US")
    assert "line 3: the same name, sex and county as in line 2, for the same year" in str(error)


def test_a_list_of_the_state_appended_to_itself_is_refused() -> None:
    content = state("2007,ZOE,KINGS,F,11")
    assert "as in line 2" in str(refusal(content + content.removeprefix(STATE), STATE_NAME, "US"))


def test_a_list_of_few_counties_is_not_the_states() -> None:
    """Such as those of New York City."""
    error = refusal(STATE + "2007,ZOE,KINGS,F,11\n2007,ZOE,QUEENS,F,9\n", STATE_NAME, "US")
    assert "girls of 2007 have figures of 2 parts (county), expected 31 or more" in str(error)


def test_both_sexes_stand_in_both_lists() -> None:
    of_city, of_state = city("2013,FEMALE,HISPANIC,A,20,1"), state("2007,A,ERIE,F,9")
    for content, name in ((of_city, "c.csv"), (of_state, STATE_NAME)):
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
