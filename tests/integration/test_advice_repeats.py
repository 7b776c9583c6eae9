"""A command that is advised repeats all that was said of the file: what it leaves out, the next try would lack."""

import re
import shlex
from pathlib import Path

import pytest

from tests.integration.command_line import Run, answer, runner
from tests.integration.world import World

BARE = "vorname;anzahl;geschlecht\nTESTINA;9;w\nPROBERTO;7;m\n"


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    return runner({**world.environment, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


def advised(text: str, first: str) -> list[str]:
    """The words of the one command that begins so."""
    [line] = re.findall(rf"^ +(?:\S+=\S+ )?\S*affirm-worker ({first} .*)$", text, re.MULTILINE)
    return shlex.split(line)


def test_the_year_that_is_missing_is_added(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pankow.csv").write_text(BARE)
    said = ("--country", "DE", "--format", "de-berlin", "--region", "DE-BE-11003")
    told = run("load", "pankow.csv", *said, code=1).stdout
    run(*[word.replace("YYYY", "2012") for word in advised(told, "load")])


def test_the_region_that_is_missing_is_added(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pankow.csv").write_text(BARE)
    told = run("load", "pankow.csv", "--country", "DE", "--format", "de-berlin", "--year", "2012", code=1).stdout
    run(*[word.replace("CODE", "DE-BE-11003") for word in advised(told, "load")])


def test_a_fixed_file_is_loaded_as_was_said(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ninetyone.txt"
    file.write_text("Mary,F,7\nJohn,M,x\n")
    run("load", "ninetyone.txt", "--country", "US", "--year", "1991", code=1)
    told = explained(run)
    file.write_text("Mary,F,7\nJohn,M,6\n")
    run("load", *advised(told, "submit")[1:])


def test_a_described_file_keeps_its_year_and_sex(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "pub.csv"
    file.write_text("Prenom;Nb\nTestina;9\nProberta;x\n")
    said = ("--columns", "name=Prenom count=Nb measure=births", "--year", "2021", "--sex", "F")
    run("load", "pub.csv", "--country", "LU", *said, code=1)
    told = explained(run)
    (tmp_path / "description.toml").write_text(run(*advised(told, "datasets show")[:-2]).stdout)
    file.write_text("Prenom;Nb\nTestina;9\nProberta;7\n")
    run("load", *advised(told, "submit")[1:])


def test_a_description_is_repeated_by_load(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pub.csv").write_text("Prenom;Nb\nTestina;9\nProberta;7\n")
    said = ("--columns", "name=Prenom count=Nb measure=births", "--sex", "F")
    told = run("load", "pub.csv", "--country", "LU", *said, code=1).stdout
    run(*[word.replace("YYYY", "2012") for word in advised(told, "load")])


def test_each_unknown_list_is_a_command(run: Run, tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(f"Foo;Bar\nTestina;{len(name)}\nB{name};9\n")
    told = run("load", "one.csv", "two.csv", "--country", "US", "--year", "2020", code=1).stdout
    for name in ("one.csv", "two.csv"):
        assert advised(told, f"parse {name}")[1:] == [name, "--country", "US", "--year", "2020", "--suggest"]


def test_a_name_that_was_given_is_repeated(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(BARE)
    told = run("load", "a.csv", "--name", "b.csv", "--country", "DE", "--format", "de-koeln", code=1).stdout
    run(*[word.replace("YYYY", "2012") for word in advised(told, "load")])
    [*_, dataset] = answer(run("datasets", "list", "--json"))
    assert dataset["filename"] == "b.csv"


def explained(run: Run) -> str:
    [job] = answer(run("jobs", "list", "--json"))
    return run("jobs", "explain", job["id"]).stdout
