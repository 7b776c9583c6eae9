"""Lines are read many at a time: the findings do not depend on the ends of the blocks."""

import io
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.limits import Limits
from parser_runner.parsers import Row, parse
from parser_runner.parsers.source import PLAIN_LIMIT, Source

NATIONAL = ["Mary,F,7065", "Anna,F,2604", "John,M,9655", "Zoë,F,5"]
REGIONAL = ["AK,F,1910,Mary,14", "AK,M,2020,Liam,40", "AK,F,1910,Zoë,5", "AK,F,1911,Anna,12"]
OTHERS = [
    "",
    "  ",
    "Mary",
    "Mary,F",
    "Mary,F,0",
    "Mary,X,5",
    "WY,F,1910,Mary,14",
    "AK,F,1492,Mary,14",
    "M" * (PLAIN_LIMIT + 70) + ",F,5",
]

ends = st.sampled_from(["\n", "\r\n", "\n", "\n"])


def files(plain: list[str]) -> st.SearchStrategy[bytes]:
    line = st.tuples(st.sampled_from(plain * 3 + OTHERS), ends).map("".join)
    whole = st.tuples(
        st.sampled_from(["", "\ufeff"]), st.just(plain[0] + "\n"), st.lists(line, max_size=12).map("".join)
    )
    cut = st.sampled_from(["", "\n", "\r\n\r\n", plain[1], "\udcff,F,5\n"])
    return st.tuples(whole.map("".join), cut).map(lambda parts: "".join(parts).encode(errors="surrogateescape"))


def found_in(content: bytes, filename: str, block: int, limit: int = PLAIN_LIMIT) -> tuple[list[Row], list[str]]:
    """The rows, and the problems of the file."""
    rows: list[Row] = []
    with mock.patch("parser_runner.parsers.source._BLOCK_OF_LINES", block):
        try:
            rows.extend(parse(Source(filename, io.BytesIO(content), limits=Limits(cell_chars=limit)), "US").rows)
        except Rejected as error:
            return rows, [str(problem) for problem in error.problems]
    return rows, []


@pytest.mark.parametrize(("filename", "plain"), [("yob2020.txt", NATIONAL), ("AK.TXT", REGIONAL)])
@given(data=st.data(), block=st.integers(1, 80))
def test_a_file_is_the_same_whatever_the_size_of_a_block(
    filename: str, plain: list[str], data: st.DataObject, block: int
) -> None:
    content = data.draw(files(plain))
    rows, problems = found_in(content, filename, block)
    rows_line_by_line, problems_line_by_line = found_in(content, filename, 1)
    assert problems == problems_line_by_line
    if not problems:
        assert rows == rows_line_by_line


@pytest.mark.parametrize("block", [1, 16, 17, 1000])
def test_rows_carry_their_lines_across_blocks(block: int) -> None:
    lines = [*NATIONAL, *NATIONAL[:3]]
    expected = [
        Row(2020, sex, name, int(count), number)
        for number, (name, sex, count) in enumerate((line.split(",") for line in lines), 1)
    ]
    rows, problems = found_in("\n".join(lines).encode(), "yob2020.txt", block)
    assert (rows, problems) == (expected, [])
    assert all(type(row) is Row for row in rows)


@pytest.mark.parametrize("block", [1, 11, 12, 13, 1000, 5000])
@pytest.mark.parametrize("limit", [20, PLAIN_LIMIT], ids=["less than a plain line may have", "more"])
def test_a_line_is_too_long_from_the_limit_on_wherever_a_block_ends(limit: int, block: int) -> None:
    def problems(length: int) -> list[str]:
        return found_in(b"Mary,F,5\n" + b"M" * length + b"\n", "yob2020.txt", block, limit)[1]

    assert problems(limit - 1) == ["line 2: expected 3 fields (name,sex,count), found 1"]
    assert problems(limit) == [f"line 2: the line is longer than {limit} bytes: this is not a text file of lines"]


def test_a_plain_line_over_a_low_limit_is_too_long() -> None:
    assert found_in(b"Mary,F,5\nMaryAnneElizabeth,F,5\n", "yob2020.txt", 1000, limit=20)[1] != []
