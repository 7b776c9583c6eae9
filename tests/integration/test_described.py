"""Lists with a description: stored with the dataset, read by runners, corrected and reprocessed."""

import json
from pathlib import Path

import pytest

from dataset_jobs.model.description import Description
from tests.integration.command_line import Run, answer, runner

LIST = "jahr,vorname,geschlecht,Anzahl\n2019,Ada,weiblich,5\n2019,Bo,männlich,4\n"
COLUMNS = "year=jahr name=vorname sex=geschlecht(weiblich=F männlich=M) count=Anzahl"
OPTIONS = ("--country", "CH", "--region", "CH-ZH", "--measure", "births")


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


def rows(run: Run) -> list[str]:
    return run("psql", "-At", "-c", "select year, gender, name, count from names order by name").stdout.splitlines()


def test_a_described_list_is_loaded_shown_and_reprocessed(run: Run, names: Path, tmp_path: Path) -> None:
    run("load", names, *OPTIONS, "--columns", COLUMNS)
    assert rows(run) == ["2019|F|Ada|5", "2019|M|Bo|4"]
    [dataset] = answer(run("datasets", "list", "--json"))
    assert (dataset["parser"], dataset["region"], dataset["measure"]) == ("ch-described", "CH-ZH", "births")
    said = Description.from_json(dataset["description"])
    assert said == Description.from_columns(f"{COLUMNS} measure=births")
    lines = run("datasets", "show", dataset["id"]).stdout.splitlines()
    assert f"described      {said.as_columns()}" in lines
    kept = tmp_path / "zurich.toml"
    kept.write_text(run("datasets", "show", dataset["id"], "--description").stdout, encoding="utf-8")
    assert Description.from_toml(kept.read_text(encoding="utf-8")) == said
    run("reprocess", dataset["id"])
    run("run", "--until-idle", WORKER_LAUNCHER="process")
    assert rows(run) == ["2019|F|Ada|5", "2019|M|Bo|4"]
    # The same in TOML is the same description.
    [again] = answer(run("submit", names, *OPTIONS, "--description", kept, "--json"))
    assert (again["result"], again["loaded"]) == ("unchanged", True)


def test_another_description_corrects_a_list_without_rows_and_no_other(run: Run, names: Path) -> None:
    wrong = COLUMNS.replace("Anzahl", "Anzal")
    failed = run("load", names, *OPTIONS, "--columns", wrong, code=1)
    assert "no heading 'Anzal' for count: did you mean 'Anzahl'?" in " ".join(failed.stdout.split())
    [corrected] = answer(run("submit", names, *OPTIONS, "--columns", COLUMNS, "--json"))
    assert corrected["result"] == "corrected"
    run("run", "--until-idle", WORKER_LAUNCHER="process")
    assert rows(run) == ["2019|F|Ada|5", "2019|M|Bo|4"]
    swapped = COLUMNS.replace("weiblich=F männlich=M", "weiblich=M männlich=F")
    refused = run("submit", names, *OPTIONS, "--columns", swapped, code=65)
    assert "these bytes are loaded already" in refused.stderr
    assert rows(run) == ["2019|F|Ada|5", "2019|M|Bo|4"]


def test_lists_of_the_same_region_and_year_overlap_by_their_measure(run: Run, names: Path, tmp_path: Path) -> None:
    run("load", names, *OPTIONS, "--columns", COLUMNS)
    other = tmp_path / "other.csv"
    other.write_text(LIST.replace("Ada", "Eva"), encoding="utf-8")
    refused = run("load", other, *OPTIONS, "--columns", COLUMNS, code=1)
    assert "if this file is to take the place of that one" in " ".join(refused.stdout.split())
    people = tmp_path / "people.csv"
    people.write_text(LIST.replace("Ada", "Ida"), encoding="utf-8")
    options = [*OPTIONS[:-1], "population"]
    run("load", people, *options, "--columns", COLUMNS)


def test_a_description_that_is_wrong_is_refused_before_it_is_stored(run: Run, names: Path) -> None:
    done = run("submit", names, *OPTIONS, "--columns", "nam=vorname", code=65)
    assert done.stderr == "affirm-worker: --columns, character 1: unknown key 'nam': did you mean name?\n"
    done = run("submit", names, "--country", "CH", "--columns", COLUMNS, code=65)
    assert "the description has no measure" in done.stderr
    assert json.loads(run("datasets", "list", "--json").stdout) == []
