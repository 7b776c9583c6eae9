"""The package that docs/adding-a-parser.md gives to copy: made from the page, installed, tested, and used."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-parser.md").read_text(encoding="utf-8")
FILE = "tests/vornamen-2023.csv"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's folder; what pip has made of it is in `installed`."""
    folder = tmp_path_factory.mktemp("package")
    section = PAGE.partition("#### A package to copy")[2].partition("\n#### ")[0]
    for name, text in re.findall(r"(?s)\n`([^`\n]+)`:\n\n```\w+\n(.*?)```", section):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    pip = ["install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    call(folder, "pip", *pip, "--target", "installed", ".")
    return folder


def call(folder: Path, module: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Runs a module of Python's, with what is installed in the folder beside the rest."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "STORAGE"))}
    path = os.pathsep.join([str(folder / "installed"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**inherited, "PYTHONPATH": path, **settings}, cwd=folder, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_package_of_the_page_passes_its_own_test(package: Path) -> None:
    call(package, "pytest", "-q", "-p", "no:cacheprovider", "tests")


def test_the_package_of_the_page_is_listed_and_parses(package: Path) -> None:
    [listed] = json.loads(call(package, "cli", "parsers", "list", "--country", "LI", "--json").stdout)
    assert (listed["format"], listed["package"], listed["built_in"]) == ("li-as", "affirm-parsers-li", False)
    report = json.loads(call(package, "cli", "parse", FILE, "--country", "LI", "--json").stdout)
    assert (report["format"], report["rows"], report["total"]) == ("li-as", 5, 27)
    assert report["left_out"] == {"lines below the list": 1, "other names": 1, "suppressed counts (*)": 1}


def test_the_package_of_the_page_loads(package: Path, database: str, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": database, "STORAGE_PATH": str(tmp_path), "AFFIRM_WORKER_HOME": str(tmp_path)}
    loaded = json.loads(call(package, "cli", "load", FILE, "--country", "LI", "--json", **settings).stdout)
    assert loaded["rows"] == 5
