"""The report of a load stands beside its rows, and is the one that `parse --report` gives of the same file."""

import re
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from dataset_jobs.model.report import Report
from parser_runner.parsers.report import report
from parser_runner.parsers.source import Source
from tests.integration.command_line import Run, answer, bare, runner
from tests.integration.world import DATA, World
from tests.unit.sample_contents import INSEE

CONTENT = INSEE + "2;_PRENOMS_RARES;1900;7\n1;ÉMILE;1900;25\n2;ZOÉ;XXXX;3\n"
FILES = [
    ("DK", "dk/*2019*.xlsx"), ("CH", "ch/zuerich/*.csv"), ("AU", "au/tas/*2016*.xlsx"), ("DE", "de/koeln/*2020*"),
    ("IE", "ie/*"), ("GB", "gb-sct/*"), ("US", "us/national/yob2023.txt"),
]  # fmt: skip


@pytest.fixture
def insee(world: World) -> Path:
    return world.file("nat2020.csv", CONTENT)


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    return runner({**world.environment, "LOG_LEVEL": "ERROR", "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


def stored(world: World, dataset_id: UUID) -> Report | None:
    return world.client.datasets.reports([dataset_id]).get(dataset_id)


def read(path: Path, country: str) -> Report:
    with path.open("rb") as file:
        return report(Source(path.name, file), country)


@pytest.mark.every_postgres
async def test_a_load_keeps_the_report_of_its_file(world: World, insee: Path) -> None:
    files = [(country, path) for country, name in FILES for path in sorted(DATA.glob(name))[:1]]
    files.append(("FR", insee))
    loaded = [(world.submit(path, country), path, country) for country, path in files]
    await world.run_until_idle()
    for one, path, country in loaded:
        kept = stored(world, one.dataset_id)
        assert kept is not None
        assert kept.as_dict() == read(path, country).as_dict()
    assert sum(bool(read(path, country).left_out) for _, path, country in loaded) > 2


async def test_reprocessing_replaces_the_report(world: World, insee: Path) -> None:
    one = world.submit(insee, "FR")
    await world.run_until_idle()
    world.query('update datasets set report = \'{"left_out": {"of an older version": 5}}\'')
    old = stored(world, one.dataset_id)
    assert old is not None
    assert dict(old.left_out) == {"of an older version": 5}
    world.client.datasets.reprocess(one.dataset_id)
    await world.run_until_idle()
    new = stored(world, one.dataset_id)
    assert new is not None
    assert new.as_dict() == read(insee, "FR").as_dict()


async def test_a_failed_reload_leaves_the_report(world: World, insee: Path) -> None:
    one = world.submit(insee, "FR")
    await world.run_until_idle()
    world.storage.delete(world.dataset(one.dataset_id)["storage_uri"])
    world.client.datasets.reprocess(one.dataset_id)
    await world.run_until_idle()
    assert world.dataset(one.dataset_id)["error"] is not None
    kept = stored(world, one.dataset_id)
    assert kept is not None
    assert kept.as_dict() == read(insee, "FR").as_dict()


async def test_a_dataset_without_rows_has_no_report(world: World) -> None:
    bad = world.submit(world.file("nat2020.csv", CONTENT + "1;JEAN;1900;5\n"), "FR")
    await world.run_until_idle()
    assert world.job(bad.job_id)["state"] == "failed"
    assert stored(world, bad.dataset_id) is None
    assert world.dataset(bad.dataset_id)["report"] is None


async def test_deleting_the_dataset_deletes_the_report(world: World, insee: Path) -> None:
    one = world.submit(insee, "FR")
    await world.run_until_idle()
    world.client.datasets.delete(one.dataset_id, world.storage)
    assert stored(world, one.dataset_id) is None


def test_people_and_programs_see_the_report_of_a_dataset(run: Run, insee: Path) -> None:
    run("load", insee, "--country", "FR")
    [dataset] = answer(run("datasets", "list", "--json"))
    assert "report" not in dataset
    of_the_file = answer(run("parse", insee, "--country", "FR", "--json"))
    assert answer(run("datasets", "show", dataset["id"], "--json"))["report"] == of_the_file
    shown = run("datasets", "show", dataset["id"]).stdout
    lines = run("parse", insee, "--country", "FR", "--report").stdout.split("\n\n", 1)[1]
    assert shown.endswith("\n\n" + lines)


def test_an_older_version_has_left_no_report(run: Run, world: World, insee: Path) -> None:
    run("load", insee, "--country", "FR")
    world.query("update datasets set report = null")
    [dataset] = answer(run("datasets", "list", "--json"))
    shown = run("datasets", "show", dataset["id"]).stdout
    assert "loaded before reports were kept" in shown
    assert "1900  M             2        14,025" in shown
    assert answer(run("datasets", "show", dataset["id"], "--json"))["report"] is None
    advice = bare(shown.splitlines()[-1]).split()
    assert advice[:2] == ["affirm-worker", "reprocess"]
    run(*advice[1:])
    run("run", "--until-idle", WORKER_LAUNCHER="process")
    assert "records without a year" in run("datasets", "show", dataset["id"]).stdout


@pytest.mark.parametrize(
    "value",
    ["[]", "7", '"x"', '{"left_out": 5, "smallest": "a", "left_out_places": [1]}',
     '{"left_out": {"a": "b"}, "left_out_places": {"a": [{"line": "x"}, {"cell": 1}, 3]}}'],
)  # fmt: skip
def test_a_report_changed_by_hand_is_shown_as_far_as_it_goes(run: Run, world: World, insee: Path, value: str) -> None:
    run("load", insee, "--country", "FR")
    world.query("update datasets set report = %s", value)
    [dataset] = answer(run("datasets", "list", "--json"))
    assert "rows           3" in run("datasets", "show", dataset["id"]).stdout
    run("datasets", "show", dataset["id"], "--json")


def test_a_summary_says_what_was_left_out(run: Run, world: World, insee: Path) -> None:
    one = run("load", insee, "--country", "FR").stdout
    assert "file      nat2020.csv\nformat    fr-insee\n" in one
    assert "left out:\n         1  aggregates of rare names (_PRENOMS_RARES), 7 in all: line 4\n" in one
    run("datasets", "delete", "--status", "failed", "--yes")
    again = partial(run, "load", "--country", "FR")
    other = world.file("nat2021.csv", "sexe;preusuel;annais;nombre\r\n1;LUC;1950;9\n2;_PRENOMS_RARES;1950;8\n")
    third = world.file("nat2022.csv", "sexe;preusuel;annais;nombre\r\n1;LUC;1951;9\n")
    mixed = again(insee, other, third).stdout
    assert mixed.startswith("loaded 2 of 3 files; the other 1 was loaded already\n")
    assert "left out:\n  nat2021.csv: 1 aggregates of rare names (_PRENOMS_RARES)\nwhere and why" in mixed
    [advised] = [line.split() for line in mixed.splitlines() if " datasets show " in line]
    assert "file           nat2021.csv" in run(*advised[-3:]).stdout
    summary = answer(run("load", world.file("nat2023.csv", "sexe;preusuel;annais;nombre\n2;_PRENOMS_RARES;1952;8\n"
                                            "2;EVE;1952;8\n"), "--country", "FR", "--json"))  # fmt: skip
    [found] = summary["reports"]
    assert found["left_out"] == {"aggregates of rare names (_PRENOMS_RARES)": 1}
    assert found["dataset_id"] in {one["id"] for one in answer(run("datasets", "list", "--json"))}


@pytest.mark.parametrize(("country", "name"), FILES)
def test_a_summary_shows_rows_and_a_query_that_finds_them(run: Run, world: World, country: str, name: str) -> None:
    """Of top lists, of populations, of regions, and of lists of the whole country."""
    said = run("load", *sorted(DATA.glob(name))[:1], "--country", country).stdout
    [sql] = re.findall(r'psql -c "(.*)"', said)
    assert " counted_names " in sql
    shown = said.split("year  sex  name")[1].split("\n\n")[0].splitlines()[1:]
    assert len(shown) == 5
    found = [(row["year"], row["gender"], row["count"]) for row in world.query(sql)]
    assert {row["country"] for row in world.query(sql)} == {country}
    assert found[:5] == [(int(line.split()[0]), line.split()[1], int(line.split()[-1])) for line in shown]


def test_nothing_is_suggested_if_nothing_is_loaded(run: Run, world: World) -> None:
    said = run("load", "missing.txt", world.file("yob1999.txt", "Liam,X,3\n"), "--country", "US", code=1).stdout
    assert said.startswith("loaded 0 of 2 files\n")
    assert "psql" not in said and "the rows are in" not in said
