"""From rows to the text of COPY."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import Faulty, LostLease
from parser_runner.load import BLOCK_LINES, PROGRESS_ROWS, SortedRows, Unloadable, fold, of_dataset, sort_rows
from parser_runner.parsers import Row

# Whatever the parsers let through: printable, with a letter, in one normal form or not.
names = (
    st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \\'-"), min_size=1, max_size=12)
    | st.text("aAbB\\ ", min_size=1, max_size=4)
).filter(str.isprintable)
rows = st.builds(
    Row,
    st.integers(1880, 2025) | st.just(2020),
    st.sampled_from("FM"),
    names,
    st.integers(1, 2**31 - 1),
    st.integers(1, 10**6),
)


def no_progress(rows_done: int) -> None:
    """Nobody asks."""


def lines_of(read: list[Row], dataset_key: int = 7) -> list[str]:
    blocks = sort_rows(read, no_progress).blocks()
    return b"".join(of_dataset(dataset_key, blocks, len(read))).decode().splitlines(keepends=True)


def columns(line: str) -> list[str]:
    """As Postgres reads a line of text COPY: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2"""
    assert line.endswith("\n")
    return [column.replace("\\\\", "\\") for column in line[:-1].split("\t")]


def test_a_line_holds_the_columns_in_the_order_of_the_copy_statement() -> None:
    assert lines_of([Row(2020, "F", "Zoë", 12, 1)]) == ["7\t2020\tZoë\tF\tzoë\t12\n"]


@given(st.lists(rows))
def test_coverage_has_rows_and_sum_by_year_and_sex(read: list[Row]) -> None:
    keys = sorted({(row.year, row.gender) for row in read})
    counts = {key: [row.count for row in read if (row.year, row.gender) == key] for key in keys}
    expected = [Covered(*key, len(counts[key]), sum(counts[key])) for key in keys]
    assert sort_rows(read, no_progress).coverage == expected


@given(st.lists(rows))
def test_every_row_is_there_once_and_reads_as_it_was(read: list[Row]) -> None:
    found = sorted(tuple(columns(line)) for line in lines_of(read))
    assert found == sorted(("7", str(row.year), row.name, row.gender, fold(row.name), str(row.count)) for row in read)


@given(st.lists(rows))
def test_the_lines_are_in_the_order_of_the_primary_key_under_the_c_collation(read: list[Row]) -> None:
    # Which is the order of the bytes in UTF-8.
    keys = []
    for line in lines_of(read):
        _, year, name, gender, *_ = columns(line)
        keys.append((int(year), name.encode(), gender))
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    "ascending",
    [
        ["Ann", "Ann B", "Ann-B", "AnnB", "Anna"],
        ["A\\", "A\\A", "A\\\\", "A\\a", "Aa"],
        ["A[", "A\\", "A]"],
        ["ANNA", "Anna", "anna"],
        ["Z", "z", "É", "é", "名", "\uffdc", "𠀀"],
    ],
    ids=["prefixes", "backslashes", "around a backslash", "letter case", "beyond ASCII"],
)
def test_names_are_in_the_order_of_their_bytes(ascending: list[str]) -> None:
    assert ascending == sorted(ascending, key=str.encode)
    mixed = [Row(2020, "F", name, 5, 1) for name in ascending]
    random.Random(1).shuffle(mixed)
    assert [columns(line)[2] for line in lines_of(mixed)] == ascending


def test_a_backslash_is_escaped() -> None:
    assert lines_of([Row(2020, "F", "a\\nb", 5, 1)]) == ["7\t2020\ta\\\\nb\tF\ta\\\\nb\t5\n"]


@given(st.lists(rows))
def test_blocks_are_the_lines(read: list[Row]) -> None:
    found = sort_rows(read, no_progress)
    assert b"".join(found.blocks()) == "".join(found.lines).encode()


@pytest.mark.parametrize(("lines", "blocks"), [(0, 0), (1, 1), (BLOCK_LINES, 1), (BLOCK_LINES + 1, 2)])
def test_a_block_holds_many_lines_and_none_is_empty(lines: int, blocks: int) -> None:
    found = [*SortedRows(["x\n"] * lines, []).blocks()]
    assert len(found) == blocks
    assert sum(map(len, found)) == 2 * lines


def test_progress_is_told_now_and_then_and_at_the_end() -> None:
    told: list[int] = []
    sort_rows((Row(2020, "F", f"N{n}", 5, n) for n in range(2 * PROGRESS_ROWS + 5)), told.append)
    assert told == [PROGRESS_ROWS, 2 * PROGRESS_ROWS, 2 * PROGRESS_ROWS + 5]


def test_whoever_is_told_may_break_off() -> None:
    def lost(rows_done: int) -> None:
        raise LostLease("over")

    endless = (Row(2020, "F", "A", 5, 1) for _ in iter(int, 1))
    with pytest.raises(LostLease):
        sort_rows(endless, lost)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Row(2020, "F", "A", 2**31, 41), "as the count"),
        (Row(2020, "F", "A", 0, 41), "as the count"),
        (Row(2020, "F", "A", 10**30, 41), "as the count"),
        (Row(40_000, "F", "A", 1, 41), "a year from"),
        (Row(-1, "F", "A", 1, 41), "a year from"),
    ],
)
def test_a_row_that_the_table_cannot_hold_is_named(bad: Row, reason: str) -> None:
    """Built-in parsers give none; one of another package may."""
    good = [Row(2020, "F", "B", 5, number) for number in range(40)]
    with pytest.raises(Unloadable, match=reason) as error:
        sort_rows([*good, bad, *good], no_progress)
    assert error.value.place == 41


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (["Anna", "ANNA", "anna", "aNNa"], "anna"),
        (["Élodie", "ÉLODIE", "élodie", "E\u0301LODIE", "e\u0301lodie"], "élodie"),
        (["Weiß", "WEISS", "weiss", "WEIẞ"], "weiss"),
        (["Ἀθηνᾶς", "ἈΘΗΝΑ͂Σ", "ἀθηνᾶσ"], "ἀθηνᾶσ"),
        (["Ольга", "ОЛЬГА"], "ольга"),
    ],
)
def test_a_name_is_found_whatever_its_letter_case_and_normal_form(spellings: list[str], key: str) -> None:
    assert {fold(spelling) for spelling in spellings} == {key}


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_names_are_folded_in_the_short_way_to_the_same_key(name: str) -> None:
    assert name.lower() == fold(name)


@given(st.text(st.characters(max_codepoint=0x24F, categories=["L"])))
def test_a_key_is_its_own_key(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(st.lists(rows, max_size=3 * PROGRESS_ROWS))
def test_the_smallest_count_is_found(read: list[Row]) -> None:
    assert sort_rows(read, no_progress).smallest == min((row.count for row in read), default=None)


@pytest.mark.parametrize(
    "block",
    [b"2020\tA\tF\ta\t5", b"2020\tA\tF\ta\t5\r9\t2020\tA\tF\ta\t5\n", b"", b"2020\tA\tF\ta\t5\n" * 2],
    ids=["no line end", "another line end", "no line", "more lines than said"],
)
def test_lines_that_may_be_of_another_dataset_are_refused(block: bytes) -> None:
    with pytest.raises(Faulty):
        list(of_dataset(7, [block], 1))


def test_fewer_lines_than_said_are_refused() -> None:
    with pytest.raises(Faulty):
        list(of_dataset(7, [b"2020\tA\tF\ta\t5\n"], 2))


@given(st.lists(st.text(alphabet="ab\\\t\n.", min_size=1)))
def test_every_line_begins_with_the_key_whatever_the_parser_says(texts: list[str]) -> None:
    block = "".join(f"{text}\n" for text in texts).encode()
    blocks = of_dataset(7, [block] if block else [], block.count(b"\n"))
    assert all(line.startswith("7\t") for line in b"".join(blocks).decode().split("\n")[:-1])
