"""What tests share is in helper modules: nothing imports from a module of tests."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("tests", "benchmarks", "docs")
FROM_A_TEST = re.compile(
    r"""^\s*(?:from|import)\s+tests[\w.]*\.test_\w+
      | ^\s*from\s+tests[\w.]*\s+import\s[^\n]*\btest_""",
    re.MULTILINE | re.VERBOSE,
)


def imports_from_tests(text: str) -> list[str]:
    return [found.group().strip() for found in FROM_A_TEST.finditer(text)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_imports_from_a_test_module(folder: str) -> None:
    files = {path: imports_from_tests(path.read_text(encoding="utf-8")) for path in (ROOT / folder).rglob("*.py")}
    assert {path: found for path, found in files.items() if found and path != Path(__file__)} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from tests.unit.test_report import run",
        "import tests.unit.test_report",
        "    from tests.unit.test_report import run",
        "from tests.unit import parsing, test_report",
    ],
)
def test_such_an_import_is_found(line: str) -> None:
    assert imports_from_tests(line)
