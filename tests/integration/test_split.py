"""`--split`: the files of an archive as datasets of their own, exactly once, however often it is done."""

from pathlib import Path

import pytest

from tests.integration.command_line import Run, answer, runner
from tests.unit.parsing import zipped

STATES = {"AK.TXT": "AK,F,1910,Mary,14\n", "AL.TXT": "AL,F,1910,Mary,875\n", "StateReadMe.pdf": "%PDF-1.4"}


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


def write(folder: Path, name: str, members: dict[str, str]) -> Path:
    path = folder / name
    path.write_bytes(zipped(members))
    return path


def counted(run: Run) -> list[dict[str, object]]:
    return sorted(
        (
            {key: one[key] for key in ("filename", "region", "status", "row_count")}
            for one in answer(run("datasets", "list", "--json"))
        ),
        key=lambda one: str(one["filename"]),
    )


def test_each_file_is_loaded_once_however_often(run: Run, tmp_path: Path) -> None:
    archive = write(tmp_path, "namesbystate.zip", STATES)
    first = answer(run("load", archive, "-c", "US", "--split", "--json"))
    assert (first["files"], first["loaded"], first["rows"]) == (2, 2, 2)
    loaded = counted(run)
    assert [(one["filename"], one["region"], one["status"]) for one in loaded] == [
        ("AK.TXT", "US-AK", "completed"),
        ("AL.TXT", "US-AL", "completed"),
    ]
    again = answer(run("load", archive, "-c", "US", "--split", "--json"))
    assert (again["loaded"], again["already_loaded"]) == (0, 2)
    alone = tmp_path / "AK.TXT"
    alone.write_text(STATES["AK.TXT"])
    assert answer(run("submit", alone, "-c", "US", "--json"))[0]["loaded"] is True
    submitted = answer(run("submit", archive, "-c", "US", "--split", "--json"))
    assert [(one["file"], one["result"]) for one in submitted] == [
        (f"{archive}/AK.TXT", "unchanged"), (f"{archive}/AL.TXT", "unchanged"),
    ]  # fmt: skip
    assert counted(run) == loaded


def test_a_bad_file_stops_no_other(run: Run, tmp_path: Path) -> None:
    bad = write(tmp_path, "namesbystate.zip", {**STATES, "AL.TXT": "AL,F,1910,Mary,875\nAL,F,1910,Anna,many\n"})
    summary = answer(run("load", bad, "-c", "US", "--split", "--json", code=1))
    assert (summary["loaded"], len(summary["not_loaded"])) == (1, 1)
    assert summary["not_loaded"][0]["file"] == f"{bad}/AL.TXT"
    assert "AL.TXT, line 2: expected a whole number" in summary["not_loaded"][0]["error"]
    assert [(one["filename"], one["status"]) for one in counted(run)] == [("AK.TXT", "completed"), ("AL.TXT", "failed")]


def test_the_whole_archive_is_refused_and_explained(run: Run, tmp_path: Path) -> None:
    archive = write(tmp_path, "namesbystate.zip", STATES)
    summary = answer(run("load", archive, "-c", "US", "--json", code=1))
    [refused] = summary["not_loaded"]
    assert "submit each of them as a dataset of its own" in refused["error"]
    assert "--split" in " ".join(run("jobs", "explain", refused["job_id"]).stdout.split())
    again = answer(run("load", archive, "-c", "US", "--split", "--json"))
    assert (again["loaded"], again["rows"]) == (2, 2)


def test_a_list_of_departments_is_a_dataset_for_each(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "dpt2021.csv"
    file.write_text("sexe;preusuel;annais;dpt;nombre\r\n1;JEAN;2021;75;100\r\n1;JEAN;2021;69;30\r\n", newline="")
    for already in (0, 2):
        done = answer(run("load", file, "-c", "FR", "--split", "--json"))
        assert (done["files"], done["loaded"], done["already_loaded"]) == (2, 2 - already, already)
    assert [(one["filename"], one["region"], one["row_count"]) for one in counted(run)] == [
        ("dpt2021-FR-69.csv", "FR-69", 1),
        ("dpt2021-FR-75C.csv", "FR-75C", 1),
    ]


def test_a_split_replaces_nothing(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "yob2023.txt"
    other.write_text("Emma,F,15433\n")
    [replaced] = answer(run("submit", other, "-c", "US", "--json"))
    archive = write(tmp_path, "namesbystate.zip", STATES)
    done = run("submit", archive, "-c", "US", "--split", "--replaces", replaced["dataset_id"], code=65)
    assert "a dataset can be replaced by one file at a time" in done.stderr
    assert [one["filename"] for one in answer(run("datasets", "list", "--json"))] == ["yob2023.txt"]
