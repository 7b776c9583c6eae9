"""The contents of the wheel, as hatchling would build it."""

import tomllib
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


def test_every_package_in_the_wheel_is_typed() -> None:
    """Without py.typed a type checker ignores the types of a package: authors of parsers would have none."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {f"{package}/py.typed" for package in packages} <= files
