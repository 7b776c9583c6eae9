"""Headings, names and counts of cells."""

import time

import pytest

from parser_runner.parsers.values import label_of


@pytest.mark.parametrize(
    "heading", ["Count", "Count3", "Count 3", "Count 3,4", "Count3,12", "Count [note 3]", "COUNT[b]"]
)
def test_a_heading_is_compared_without_marks_of_notes(heading: str) -> None:
    assert label_of(heading) == "count"


@pytest.mark.parametrize("heading", ["2020", "count 123", "count 3,", "12 [note]", "[note]", "", "count, 3", "top 10)"])
def test_what_follows_no_word_is_no_mark_of_a_note(heading: str) -> None:
    assert label_of(heading) == heading


@pytest.mark.parametrize("piece", ["a[", "a1,", "[", "]", "a ", "1,", "a 1"])
def test_a_long_cell_is_compared_at_once(piece: str) -> None:
    began = time.process_time()
    label_of(piece * 30_000 + "]")
    label_of(piece * 30_000 + "1")
    assert time.process_time() - began < 1
