"""What pip, pipx and uv install, as hatchling would build it."""

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def names(requirements: list[str]) -> set[str]:
    """The packages of requirements, with their extras and without versions."""
    return {re.split(r"[><=;~ ]", requirement)[0] for requirement in requirements}


def locked(file: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / file).read_text(encoding="utf-8"), re.MULTILINE))


def test_every_package_in_the_wheel_is_typed() -> None:
    """Without py.typed a type checker ignores the types of a package: authors of parsers would have none."""
    packages = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {f"{package}/py.typed" for package in packages} <= files


def test_the_wheel_has_no_pictures_of_the_docs() -> None:
    files = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert [one for one in files if one.endswith(".png") or one.startswith("docs/")] == []


def test_the_source_package_is_whole() -> None:
    """Whoever has it can read about it, build it, test it, and knows what may be done with it."""
    files = {file.distribution_path for file in SdistBuilder(str(ROOT)).recurse_included_files()}
    assert {
        "LICENSE", "SECURITY.md", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "Dockerfile",
        "requirements/run.txt",
        "docs/architecture.md", "docs/decisions/0001-postgres-is-the-queue.md", "tests/data/README.md",
        "charts/affirm-worker/Chart.yaml",
    } <= files  # fmt: skip


def test_the_runner_needs_a_part_of_what_the_command_needs() -> None:
    project = pyproject()["project"]
    runner = names(pyproject()["dependency-groups"]["runner"])
    assert runner <= names(project["dependencies"])
    assert {"boto3", "psycopg", "psycopg-binary"} <= locked("runner.txt")
    assert locked("runner.txt") < locked("controller.txt") < locked("run.txt")


def test_the_command_alone_needs_no_extra() -> None:
    """`pipx install .` brings a command that works; only the embedded Postgres is one more."""
    project = pyproject()["project"]
    assert set(project["optional-dependencies"]) == {"embedded"}
    assert {"typer", "pydantic-settings", "kopf", "kubernetes"} <= names(project["dependencies"])
