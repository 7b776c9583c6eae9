"""SECURITY.md and docs/security-tests.md: whole, and each test that they name exists."""

import ast
import re
from pathlib import Path

import pytest

from tests.integration.hostile import LEFT_OVER, MUTANTS, REFUSED

ROOT = Path(__file__).parents[2]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ATTEMPTS = (ROOT / "docs" / "security-tests.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ([A-E]\d|P|pod|chart) \| (.*) \|$", ATTEMPTS, re.MULTILINE))
EXPECTED = [
    "A1", "A2", "A3", "B1", "B2", "B3", "B4", "B5", "C1", "C2", "C3", "C4", "D1", "D2", "D3", "D4",
    "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "P", "pod", "chart",
]  # fmt: skip
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
LIST = "test_what_is_not_a_runners_is_refused"


def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_no_part_is_still_to_be_written() -> None:
    for page in (SECURITY, ATTEMPTS):
        assert re.findall(r"<!--.*?-->|TODO|to be written", page, re.DOTALL) == []


def test_each_attempt_has_its_row() -> None:
    assert [*ROWS] == EXPECTED


@pytest.mark.parametrize("row", EXPECTED)
def test_each_row_names_tests_that_exist(row: str) -> None:
    named = TEST.findall(ROWS[row])
    assert named
    for path, name in named:
        assert name in functions_of(path), f"{path} has no {name}"


@pytest.mark.parametrize("row", [row for row in EXPECTED if LIST in ROWS[row]])
def test_each_row_of_the_list_is_tried_in_sql(row: str) -> None:
    """Rows of reading are tried by table."""
    tried = [name for attempts in REFUSED.values() for name in attempts]
    assert [name for name in tried if name.split()[0] in (row, row[0])]


def test_what_is_left_over_is_said_in_its_row() -> None:
    assert {name.split()[0] for name in LEFT_OVER} == {row for row in ROWS if "left over" in ROWS[row]}


def test_each_test_and_folder_of_security_exists() -> None:
    for path in re.findall(r"`(tests/[\w/.]+)`", SECURITY):
        assert (ROOT / path).exists(), path
    for path, name in TEST.findall(SECURITY + ATTEMPTS):
        assert name in functions_of(path), f"{path} has no {name}"


def test_the_number_of_guards_is_that_of_the_tests() -> None:
    numbers = {8: "Eight", 9: "Nine", 10: "Ten", 11: "Eleven", 12: "Twelve"}
    assert f"{numbers[len(MUTANTS)]} guards are taken out" in ATTEMPTS
