"""Everything below the command line names no command of it and no option: an HTTP interface says the same texts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate.command_line import help_texts

ROOT = Path(__file__).parents[2]
BELOW = [
    path
    for folder in ("dataset_jobs", "services", "app", "controller", "parser_runner")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
NAMES = {path.split()[1] for path, _ in help_texts() if " " in path}
COMMAND = re.compile(rf"affirm-worker ({'|'.join(sorted(NAMES))})\b")
OPTION = re.compile(r"(?:^|[\s(])--[a-z]")
OTHER_PROGRAMS = {
    "app/postgres_server.py": "useradd --system",
    "controller/check_cluster.py": "kubectl apply",
    "dataset_jobs/model/kubectl.py": "kubectl patch",
    "parser_runner/__main__.py": "parser-runner --job-id",
}
"""Texts with options of another program than `affirm-worker`."""


def texts(source: str) -> Iterator[str]:
    """Every text of a module that is no docstring and no single word, such as an argument of a program."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(one.value) for node in ast.walk(tree) if isinstance(node, documented) for one in node.body
        if isinstance(one, ast.Expr)
    }  # fmt: skip
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str) and len(node.value.split()) > 1:
            yield node.value


@pytest.mark.parametrize("path", BELOW, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_below_the_command_line_names_a_command(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    other = OTHER_PROGRAMS.get(str(path.relative_to(ROOT)))
    if other is not None:
        assert other.split()[0] in source
        return
    named = [text for text in texts(source) if COMMAND.search(text) or OPTION.search(text)]
    assert named == []


def test_the_check_sees_a_command_and_an_option() -> None:
    found = [*texts('"""--doc here"""\nf"x {y}: affirm-worker migrate"\nf(" --year Y", "--year")')]
    assert any(map(COMMAND.search, found))
    assert any(map(OPTION.search, found))
    assert "--year" not in found
