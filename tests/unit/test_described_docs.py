"""The worked example of docs/adding-a-parser.md, done as it says."""

import re
import shlex
from pathlib import Path

import pytest

from dataset_jobs.model.description import Description
from dataset_jobs.model.description_check import _PLAIN
from tests.unit.command_line import run

PAGE = (Path(__file__).parents[2] / "docs" / "adding-a-parser.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Describe a list by its columns")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"(?s)```(\w+)\n(.*?)```", SECTION)
WIDE = "First name,Number 2019,Number 2020\nAda,5,-\n"
SIDE_BY_SIDE = "Name,Count,Name,Count\nAda,9,Bo,8\n"


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCKS if found == kind]


def commands() -> list[list[str]]:
    text = "\n".join(blocks("sh")).replace("\\\n", " ")
    return [shlex.split(line.partition(" > ")[0])[1:] for line in text.splitlines() if line]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = {
        "names.csv": blocks("csv")[0],
        "zurich.toml": blocks("toml")[0],
        "wide.csv": WIDE,
        "blocks.csv": SIDE_BY_SIDE,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_every_command_but_load_does_what_it_says(folder: Path) -> None:
    done = {" ".join(command[:2]): run(*command) for command in commands() if command[0] != "load"}
    assert [one.output for one in done.values() if one.exit_code] == []
    assert done["parsers check"].stdout.endswith("changed copies: each gives rows or a refusal\n")
    assert done["parse wide.csv"].stdout.splitlines()[1:] == ["2019,F,Ada,5"]
    assert done["parse blocks.csv"].stdout.splitlines()[1:] == ["2020,F,Ada,9", "2020,M,Bo,8"]


def test_the_report_is_the_one_that_is_shown(folder: Path) -> None:
    assert run(*commands()[0]).stdout == blocks("text")[0]


def test_line_and_toml_say_the_same(folder: Path) -> None:
    line = Description.from_columns(commands()[0][commands()[0].index("--columns") + 1])
    toml = Description.from_toml(blocks("toml")[0])
    for key in ("year", "name", "sex", "count", "girls", "boys", "no_names", "no_counts"):
        assert getattr(line, key) == getattr(toml, key)
    assert run("parse", "names.csv", "-c", "CH", "--description", "zurich.toml").exit_code == 0


def test_the_page_has_every_key() -> None:
    documented = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"(?m)^\| (`[^|]*) \|", SECTION))))
    assert documented == set(_PLAIN)


def test_what_is_proposed_for_the_example_reads_it(folder: Path) -> None:
    proposed = run("parse", "names.csv", "--suggest").stdout
    said = Description.from_toml(proposed)
    assert (said.name, said.year, said.girls, said.no_counts) == (("vorname",), ("jahr",), ("weiblich",), ("..",))
