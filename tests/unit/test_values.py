"""Headings, names and counts of cells."""

import time

import pytest

from parser_runner.parsers.values import Malformed, label_of, name_of


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


@pytest.mark.parametrize(
    "name",
    [
        "1-May", "01-Mai", "1. Mai", "1 Mrz.", "May-24", "Mai 24", "Mrz. 2024",
        "Juin-24", "1E+03", "1,00E+05", "#NAME?",
        "#N/A", "#REF!", "#DIV/0!", "#WERT!", '="Emma"', "=A1", "[object Object]", "J&ouml;rg", "J&#246;rg", "1. Emma",
        "12) Emma",
    ],
)  # fmt: skip
def test_what_a_program_made_of_a_name_is_no_name(name: str) -> None:
    with pytest.raises(Malformed, match="a program made a date"):
        name_of(name, 100)


@pytest.mark.parametrize("sign", "\u200b\ufeff\u00ad\u2060\u034f\u115f\u3164\ufe0f\u2800")
def test_a_sign_that_cannot_be_seen_is_named(sign: str) -> None:
    with pytest.raises(Malformed, match=f"U\\+{ord(sign):04X}"):
        name_of(f"Em{sign}ma", 100)


@pytest.mark.parametrize(
    "name",
    [
        "May", "August", "NICH0LE", "7930LUCAS", "RAMO9N", "JO-J0", "0.KARINA", "'Abd", "+ELENA", "R&B", "AM…LIE",
        "JET;AIME",        "JÚLIA/JULIA", "Anna-Lena", "D'Arcy", "J. R.", "1MATIAS", "X Æ A-12", "Louis XIV 14th",
    ],
)  # fmt: skip
def test_names_as_publishers_wrote_them_are_kept(name: str) -> None:
    assert name_of(name, 100) == name


@pytest.mark.parametrize("piece", ["1", "1-", "&", "&a", "a ", "#a", "1.", "E+", "é"])
def test_a_long_name_is_judged_at_once(piece: str) -> None:
    began = time.process_time()
    for text in (piece * 100_000, piece * 100_000 + "é;"):
        try:
            name_of(text, 10**7)
        except Malformed:
            continue
    assert time.process_time() - began < 1
