"""Files of the US Social Security Administration that are malformed: refused by file, line and reason."""

import io
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from parser_runner.parsers import parse, parse_file
from parser_runner.parsers.duplicates import without_duplicates
from parser_runner.parsers.source import LINE_LIMIT, PROBLEMS_KEPT, PROBLEMS_LIMIT, Source
from tests.unit.ssa_files import GOOD, GOOD_STATE, THIS_YEAR, refused

# Malformed lines

BAD_FIELDS = [
    ("Emma,F", "expected 3 fields (name,sex,count), found 2"),
    ("Emma,F,5,6", "expected 3 fields (name,sex,count), found 4"),
    ("Emma", "expected 3 fields (name,sex,count), found 1"),
    ("   ", "expected 3 fields (name,sex,count), found 1"),
    ("Emma,X,5", "expected F or M as the sex"),
    ("Emma,w,5", "expected F or M as the sex"),
    ("Emma,,5", "expected F or M as the sex"),
    (",F,5", "expected a name of 1 to 100 characters"),
    ("  ,F,5", "expected a name of 1 to 100 characters"),
    ("12,F,5", "expected a name of 1 to 100 characters"),
    ("Em\0ma,F,5", "the name has a sign that cannot be seen (U+0000)"),
    ("E" + "m" * 100 + ",F,5", "expected a name of 1 to 100 characters"),
    ("E" + "m" * 5000 + ",F,5", "expected a name of 1 to 100 characters"),
    *(
        (f"Emma,F,{count}", "expected a whole number from 1 to 2147483647 as the count")
        for count in (
            *("", "0", "-5", "5.0", "five", "1e3", "1.234", "1 234", "٥", "2147483648", "99999999999"),
            *("00000000001999999999999", "00000000001" + "9" * 5000, "9" * 5000),
        )
    ),
]


@pytest.mark.parametrize(("line", "reason"), BAD_FIELDS, ids=range(len(BAD_FIELDS)))
def test_a_malformed_line_is_refused_by_its_number_and_reason(line: str, reason: str) -> None:
    error = refused(f"{GOOD}{GOOD}{line}\n{GOOD}")
    assert error.reason is Reason.INVALID_FORMAT
    assert str(error) == f"yob2020.txt, line 3: {reason}"


BAD_STATE_FIELDS = [
    ("AK,F,1910,Anna", "expected 5 fields (state,sex,year,name,count), found 4"),
    ("WY,F,1910,Anna,5", "the file is of AK, but this line is of another state"),
    *(
        (f"AK,F,{year},Anna,5", "expected a year from 1880 to now in field 3")
        for year in ("1879", str(THIS_YEAR + 1), "", "191", "01910", "MCMX", "١٩١٠", "1" * 5000)
    ),
    ("AK,X,1910,Anna,5", "expected F or M as the sex"),
    ("AK,F,1910,,5", "expected a name of 1 to 100 characters"),
    ("AK,F,1910,Anna,0", "expected a whole number from 1 to 2147483647 as the count"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_STATE_FIELDS, ids=range(len(BAD_STATE_FIELDS)))
def test_a_malformed_line_of_a_state_is_refused_by_its_number_and_reason(line: str, reason: str) -> None:
    assert str(refused(f"{GOOD_STATE}{line}\n", "AK.TXT")) == f"AK.TXT, line 2: {reason}"


def test_a_states_year_must_not_contradict_the_given_one() -> None:
    """Though others agree."""
    error = refused("AK,F,1910,Mary,14\nAK,F,1911,Mary,12\n", "AK.TXT", 1910)
    assert str(error) == "AK.TXT, line 2: the year was given as 1910, but this is of 1911"


@pytest.mark.parametrize("year", [1850, THIS_YEAR + 1])
def test_a_year_that_was_given_is_no_more_possible_than_another(year: int) -> None:
    error = refused(f"AK,F,{year},Mary,14\n", "AK.TXT", year)
    assert str(error) == "AK.TXT, line 1: expected a year from 1880 to now in field 3"


def test_a_blank_line_in_the_middle_is_a_problem() -> None:
    assert [str(problem) for problem in refused(f"{GOOD}\n\r\n{GOOD}\n").problems] == [
        "line 2: the line is blank",
        "line 3: the line is blank",
    ]


def test_bytes_that_are_not_utf_8_are_a_problem() -> None:
    error = refused(GOOD.encode() + "Chloé,F,5\n".encode("latin-1"))
    assert str(error) == "yob2020.txt, line 2: byte 5 is not UTF-8"


def test_a_line_without_an_end_is_not_read_on() -> None:
    error = refused(GOOD.encode() + b"A" * (LINE_LIMIT + 1))
    assert (
        str(error)
        == f"yob2020.txt, line 2: the line is longer than {LINE_LIMIT} bytes: this is not a text file of lines"
    )


def test_what_else_is_wrong_is_named_too_and_counted_after_twenty() -> None:
    error = refused(GOOD + "Emma\n" * 25)
    assert [problem.place for problem in error.problems] == [*range(2, 2 + PROBLEMS_KEPT)]
    assert error.more == 5
    assert str(error).endswith("found 1 (and 24 more problems)")


def test_a_file_that_is_wrong_all_through_is_not_read_to_its_end() -> None:
    read = io.BytesIO((GOOD + "Emma\n" * 50_000).encode())
    with pytest.raises(Rejected) as caught:
        list(parse(Source("yob2020.txt", read), "US").rows)
    assert caught.value.more == PROBLEMS_LIMIT + 1
    assert read.tell() < 20_000


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (GOOD + "Secret,X,5\nSecret\nSecret,F,none\n,F,Secret\n\nSecret,F,5\n", "yob2020.txt"),
        (GOOD.encode() + b"Secret\xe9,F,5\n", "yob2020.txt"),
        (GOOD.encode() + b"Secret" * LINE_LIMIT, "yob2020.txt"),
        ("Secret;X;5\n", "yob2020.txt"),
        (GOOD_STATE + "Secret,F,1910,Anna,5\nAK,F,Secret,Anna,5\nAK,Secret,1910,Anna,5\n", "AK.TXT"),
    ],
)
def test_no_error_quotes_the_file(content: str | bytes, filename: str) -> None:
    error = refused(content, filename)
    assert "Secret" not in "\n".join([str(error), *map(str, error.problems)])


# What is no such file at all


@pytest.mark.parametrize(
    "content",
    [
        b"\r\n\r\n",
        b"Olivia,F\n",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"A" * (LINE_LIMIT * 2),
    ],
    ids=["blank", "two fields", "image", "one long line"],
)
def test_a_file_that_begins_otherwise_is_of_no_known_format(content: bytes) -> None:
    error = refused(content)
    assert error.reason is Reason.INVALID_FORMAT
    assert "no known format of US: " in str(error)


def test_an_empty_file_is_refused() -> None:
    assert str(refused(b"")) == "yob2020.txt: the file is empty"


def test_a_country_without_a_parser_is_refused() -> None:
    with pytest.raises(Rejected) as caught:
        parse(Source("namen.csv", io.BytesIO(b"a")), "JP")
    assert caught.value.reason is Reason.NO_PARSER
    assert str(caught.value) == "namen.csv: there is no parser for files of JP"


# Duplicates


def test_the_same_name_and_sex_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "yob2020.txt"
    path.write_text(GOOD + "Emma,F,5\nOlivia,M,5\n" + GOOD + "Mary Ann,F,6\nMary  Ann,F,5\n")
    with pytest.raises(Rejected) as caught:
        list(parse_file(path, "US").rows)
    assert [str(problem) for problem in caught.value.problems] == [
        "line 4: the same name and sex as in line 1, for the same year",
        "line 6: the same name and sex as in line 5, for the same year",
    ]


def test_the_same_name_in_two_years_of_a_state_is_no_duplicate() -> None:
    content = GOOD_STATE + "AK,F,1911,Mary,12\n"
    source = Source("AK.TXT", io.BytesIO(content.encode()))
    assert len([*without_duplicates(source, parse(source, "US").rows, list)]) == 2
