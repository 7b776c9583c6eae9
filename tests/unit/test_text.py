"""The gate for text from outside: each sink takes its output, for any input."""

import io
import json
import logging
import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.screen import output
from dataset_jobs.logs import PlainFormatter
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.places import Cell, InMember, in_words
from dataset_jobs.model.settlement import Diagnosis, Evidence
from dataset_jobs.model.text import clipped, json_text, lines_of, one_line, storable, storable_values

anything = st.text(st.characters()) | st.text(
    st.sampled_from("a\\'\n\r\t\0\x1b\x07\x9b\u202e\u2066\u2028\u061c\u200e\u200f\u200b\ufeff\ud800\udcff😀é")
)
"""Halves of surrogate pairs included."""

GATES: list[Callable[[str], str]] = [storable, one_line, lines_of, lambda text: clipped(text, 100)]

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(anything, inner, max_size=4),
    max_leaves=12,
)


@given(anything)
def test_every_text_becomes_one_that_can_be_stored(text: str) -> None:
    assert "\0" not in storable(text)
    storable(text).encode()


@given(anything)
def test_every_text_becomes_one_line_that_no_terminal_obeys(text: str) -> None:
    line = one_line(text)
    assert not re.search("[\0-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]", line)
    assert len(line.splitlines()) <= 1
    line.encode()


@given(anything)
def test_lines_stay_lines_and_nothing_else_comes_through(text: str) -> None:
    assert lines_of(text).split("\n") == [one_line(line) for line in text.split("\n")]


@given(anything)
def test_a_text_of_several_lines_is_printed_without_commands(text: str) -> None:
    """Such as a traceback, which ends with a message from anywhere."""
    stream = io.StringIO()
    output.say_all(f"Traceback:\n  {text}", to=stream)
    assert stream.getvalue() == lines_of(f"Traceback:\n  {text}") + "\n"


@given(anything, st.integers(10, 2000))
def test_a_clipped_text_is_within_its_bytes(text: str, limit: int) -> None:
    shown = clipped(text, limit)
    assert len(shown.encode()) <= limit
    assert shown == one_line(text) or shown.endswith("…")


@pytest.mark.parametrize("gate", GATES)
@given(text=anything)
def test_a_gate_may_be_passed_twice(gate: Callable[[str], str], text: str) -> None:
    assert gate(gate(text)) == gate(text)


@given(st.text().filter(str.isprintable))
def test_printable_text_passes_unchanged(text: str) -> None:
    assert storable(text) == one_line(text) == lines_of(text) == clipped(text, 10_000) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (os.fsdecode(b"yob2019\xff.txt"), r"yob2019\xff.txt"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("txt.\u202ecod", r"txt.\u202ecod"),
        ("a\0b\ud800", r"a\x00b\ud800"),
        ("👩‍👧 Zoë\u00a0名", "👩‍👧 Zoë\u00a0名"),
    ],
)
def test_what_is_escaped_is_shown_as_python_writes_it(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize("ascii_only", [False, True])
@given(value=plain)
def test_every_value_becomes_json_that_is_read_back(ascii_only: bool, value: Any) -> None:
    text = json_text(value, ascii_only)
    text.encode("ascii" if ascii_only else "utf-8")
    assert text == one_line(text)
    assert json.loads(text, parse_constant=pytest.fail) == storable_values(value)


@given(plain)
def test_json_with_a_layout_is_the_same_json(value: Any) -> None:
    text = json_text(value, indent=2)
    assert json.loads(text) == json.loads(json_text(value))
    assert text == lines_of(text)


@given(anything)
def test_what_is_kept_of_a_run_can_be_stored(text: str) -> None:
    """Whoever said it: a runner, the cluster, a file system."""
    outcome = Outcome.from_dict({"cause": "crashed", "error": text, "problems": [text]})
    evidence = Evidence(seen_as=text, message=text, conditions={"Ready": text}, pod_name=text, node=text)
    assert outcome is not None
    for values in (outcome.as_dict(), evidence.as_dict(), {"error": Diagnosis(outcome.cause, None, text).error}):
        assert storable_values(values) == values


@given(anything)
def test_names_of_sheets_and_members_are_shown_on_one_line(name: str) -> None:
    shown = in_words(InMember(name, Cell(name, 3, 2)))
    assert shown == one_line(shown)
    assert shown.endswith("cell B3")


def test_a_log_line_for_people_stays_one_line() -> None:
    """The traceback below it has lines of its own, which command nothing either."""
    formatter = PlainFormatter("%(levelname)s %(message)s")
    try:
        raise ValueError("\x1b[2J\nERROR forged")
    except ValueError as error:
        trace = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "got %s", ("a\nERROR b\x1b[2J",), trace)
    shown = formatter.format(record)
    assert shown.split("\n")[0] == r"INFO got a\nERROR b\x1b[2J"
    assert "\x1b" not in shown and r"ValueError: \x1b[2J" in shown
