"""A file of no known format is refused with the nearest one and the difference, or with the country that knows it."""

import re

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.hints import Action, Hint
from parser_runner.parsers import parsers_of, refuse_if_refused
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns
from parser_runner.parsers.whose_file import all_recognised, the_one
from tests.unit.parsing import refusal, source
from tests.unit.publisher_files import DATA

NSW = "Rank,Name,Number,Gender,Year\n1,Testina,9,Female,2020\n"
INSEE = "sexe;preusuel;annais;nombre\n1;TESTIN;2020;9\n"
SHARED = "name,sex,count\nTestina,F,9\n"


def _shared(name: str, region: str, word: str | None = None) -> TextList:
    return TextList(
        name=name,
        description="lines of name,sex,count",
        columns=Columns(name=("name",), sex=("sex",), count=("count",)),
        rules=Rules(sexes={"F": "F", "M": "M"}),
        region=region,
        named_year=True,
        shared=True,
        named=re.compile(word) if word else None,
    )


TWO = [_shared("xx-north", "XX-N", "north"), _shared("xx-south", "XX-S", "south")]


def _chosen(name: str, hints: FileHints) -> str | None:
    file = source(SHARED, name, hints=hints)
    one = the_one(file, "XX", all_recognised(file, TWO))
    return None if one is None else one.parser.name


@pytest.mark.parametrize(
    ("name", "hints", "expected"),
    [
        ("list.csv", FileHints(format="xx-south"), "xx-south"),
        ("list.csv", FileHints(region="XX-N"), "xx-north"),
        ("north-2020.csv", FileHints(), "xx-north"),
        ("north-2020.csv", FileHints(region="XX-N"), "xx-north"),
        ("list.csv", FileHints(format="xx-east"), None),
    ],
)
def test_the_uploader_or_the_files_name_says_whose_a_shared_format_is(
    name: str, hints: FileHints, expected: str | None
) -> None:
    assert _chosen(name, hints) == expected


@pytest.mark.parametrize(
    ("name", "hints", "reason"),
    [
        ("list.csv", FileHints(), Reason.UNDECIDED),
        ("north-and-south.csv", FileHints(), Reason.UNDECIDED),
        ("north.csv", FileHints(region="XX-S"), Reason.CONTRADICTORY),
    ],
)
def test_a_shared_format_is_never_guessed(name: str, hints: FileHints, reason: Reason) -> None:
    file = source(SHARED, name, hints=hints)
    found = all_recognised(file, TWO)
    with pytest.raises(Rejected) as caught:
        the_one(file, "XX", found)
    assert caught.value.reason is reason
    if reason is Reason.UNDECIDED:
        assert [hint.format for hint in caught.value.hints] == ["xx-north", "xx-south", None]
        assert caught.value.hints[-1] == Hint(Action.SUGGEST_COLUMNS, country="XX")  # it may be of neither
        assert "xx-north (XX-N) or xx-south (XX-S)" in str(caught.value)


def test_a_region_that_no_format_covers_is_another_publishers() -> None:
    file = source(SHARED, "list.csv", hints=FileHints(region="XX-E"))
    with pytest.raises(Rejected, match="no format with these columns covers XX-E, only xx-north") as caught:
        the_one(file, "XX", all_recognised(file, TWO))
    assert caught.value.reason is Reason.UNDECIDED
    assert caught.value.hints == (Hint(Action.SUGGEST_COLUMNS, country="XX"),)


@pytest.mark.parametrize(
    ("content", "difference"),
    [
        (NSW.replace("Gender,", "Gender,Suburb,"), "the nearest is au-nsw; unknown heading Suburb"),
        (NSW.replace("Gender", "Sex"), "the nearest is au-nsw; no heading gender; unknown heading Sex"),
        (NSW.replace("Number,", ""), "the nearest is au-nsw; no heading number"),
    ],
)
def test_the_nearest_format_is_named_with_the_difference(content: str, difference: str) -> None:
    error = refusal(content, "any.csv", "AU")
    assert str(error) == f"any.csv, line 1: no known format of AU: {difference}"
    assert error.hints[0] == Hint(Action.LIST_FORMATS, country="AU")
    assert len(str(error)) < 200


def test_a_file_of_another_country_is_sent_there() -> None:
    error = refusal(INSEE, "any.csv", "IE")
    assert str(error) == "any.csv: no known format of IE: it looks like fr-insee of FR"
    assert error.hints == (Hint(Action.SUBMIT_AS_FORMAT, country="FR"),)


def test_headings_that_many_publishers_have_send_a_file_to_no_other_country() -> None:
    error = refusal(NSW, "any.csv", "IE")
    assert "no known format of IE: " in str(error)
    assert "AU" not in str(error)


@pytest.mark.parametrize("name", ["au-nsw", "fr-insee"])
def test_a_format_that_was_given_is_the_only_one_that_is_tried(name: str) -> None:
    error = refusal(INSEE, "any.csv", "AU", hints=FileHints(format=name))
    known = name in {parser.name for parser in parsers_of("AU")}
    assert (
        "this is not au-nsw: expected " if known else "there is no format fr-insee of AU: expected au-sa or "
    ) in str(error)


def test_a_format_that_was_given_is_not_called_the_nearest() -> None:
    error = refusal(NSW.replace("Gender,", "Gender,Suburb,"), "any.csv", "AU", hints=FileHints(format="au-nsw"))
    assert str(error) == "any.csv, line 1: this is not au-nsw: unknown heading Suburb"


def test_a_region_that_the_file_does_not_cover_is_refused() -> None:
    error = refusal(INSEE, "any.csv", "FR", hints=FileHints(region="FR-75C"))
    assert error.reason is Reason.CONTRADICTORY
    assert str(error) == "any.csv: the region was given as FR-75C, but the file covers the whole country"


def test_ranks_alone_are_named_only_where_there_are_no_counts() -> None:
    assert "ranks, but no counts" in str(refusal("Rank,Name\n1,Testina\n2,Probert\n", "top-2020.csv", "AU"))
    assert "ranks" not in str(refusal("rank;nom;total\n1;Testina;66\n", "top-2020.csv", "AU"))


@pytest.mark.parametrize("region", [None, "DE-BE-11099"])
def test_the_regions_of_berlin_are_named_where_one_is_needed(region: str | None) -> None:
    berlin = "vorname,anzahl,geschlecht,position\nTestina,9,w,1\n"
    error = refusal(berlin, "list-2018.csv", "DE", hints=FileHints(format="de-berlin", region=region))
    assert "give one of DE-BE, DE-BE-11001 Mitte, DE-BE-11002 Friedrichshain-Kreuzberg, " in str(error)


@pytest.mark.parametrize(
    ("name", "action"), [("females.csv", Action.SUBMIT_WITH_YEAR), ("2019.csv", Action.SUBMIT_WITH_SEX)]
)
def test_what_the_files_name_has_lost_is_asked_for(name: str, action: Action) -> None:
    content = "Given Name,Amount,Position\nTESTINA,9,1\nPROBERTA,7,2\n"
    error = refusal(content, name, "AU")
    assert error.reason is Reason.INVALID_FILENAME
    assert error.hints == (Hint(action),)


def test_a_list_that_cannot_be_loaded_is_not_described() -> None:
    file = source("nombre,cantidad,anio\nMaria,5,1990\nJuan,4,1990\n", "nombres.csv")
    with pytest.raises(Rejected, match="but no sex"):
        refuse_if_refused(file, "AR")
    refuse_if_refused(source(NSW, "any.csv"), "AU")


def test_a_file_that_the_other_country_refuses_is_sent_nowhere() -> None:
    content = (DATA / "gb-eaw" / "historicalnames2024.xlsx").read_bytes()
    error = refusal(content, "historicalnames2024.xlsx", "US")
    assert "it looks like gb-ons-baby-names of GB, which refuses it: expected one sheet" in str(error)
    assert "ranks without counts" in str(error)
    assert error.hints == ()
