"""The commands, as a user calls them, on a real Postgres."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dataset_jobs.migrations import LATEST, MIGRATIONS

ROOT = Path(__file__).parents[2]
NATIONAL = ROOT / "tests" / "data" / "us" / "national"

Run = Callable[..., subprocess.CompletedProcess[str]]


def runner(environment: dict[str, str], folder: Path) -> Run:
    """Runs `affirm-worker` with these settings and no others."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}

    def run(*arguments: str | Path, code: int = 0, **settings: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "cli", *map(str, arguments)],
            env={**inherited, "PYTHONPATH": str(ROOT), **environment, **settings},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=100,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_a_corrected_file_is_refused_until_it_is_said_to_replace_the_old_one(run: Run, tmp_path: Path) -> None:
    old, new = write(tmp_path, "yob2023.txt", "Emma,F,15433\n"), write(tmp_path, "yob2023-2.txt", "Emma,F,15434\n")
    run("load", old, "--country", "US")
    [dataset] = answer(run("datasets", "list", "--json"))
    assert (dataset["measure"], dataset["years"], dataset["sexes"]) == ("births", [2023], ["F"])
    refused = run("load", new, "--country", "US", code=1)
    assert f"--replaces {dataset['id']}" in " ".join(refused.stdout.split())
    both = run("submit", old, new, "--country", "US", "--replaces", dataset["id"], code=2)
    assert "one file at a time" in both.stderr
    run("submit", new, "--country", "US", "--replaces", dataset["id"][:8])
    run("run", "--until-idle", WORKER_LAUNCHER="process")
    shown = answer(run("datasets", "show", dataset["id"], "--json"))
    assert (shown["status"], shown["superseded"], len(shown["superseded_by"])) == ("completed", True, 1)
    lines = run("datasets", "show", dataset["id"]).stdout.splitlines()
    assert "years          2023" in lines
    assert f"superseded by  {shown['superseded_by'][0]}, wholly" in lines


def test_submit_list_show_reprocess_delete(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "yob2023.txt", "Emma,F,15433\n")
    assert answer(run("submit", path, "-c", "us", "--dry-run", "--json"))[0]["result"] == "created"
    assert answer(run("datasets", "list", "--json")) == []
    [submitted] = answer(run("submit", path, "-c", "us", "--priority", "7", "--json"))
    assert {**submitted, "dataset_id": "", "job_id": ""} == {
        "file": str(path), "result": "created", "dataset_id": "", "job_id": "", "loaded": False, "error": None,
    }  # fmt: skip
    dataset_id, job_id = submitted["dataset_id"], submitted["job_id"]
    [dataset] = answer(run("datasets", "list", "--json"))
    assert (dataset["id"], dataset["status"], dataset["country"]) == (dataset_id, "pending", "US")
    assert answer(run("datasets", "list", "--country", "de", "--json")) == []
    [job] = answer(run("jobs", "list", "--dataset", dataset_id[:8], "--json"))
    assert (job["id"], job["state"], job["priority"]) == (job_id, "queued", 7)
    shown = run("jobs", "show", job_id[:8]).stdout
    assert f"dataset       {dataset_id} (yob2023.txt, US, 13 bytes)" in shown
    assert "it has not run yet" in shown
    assert job_id in run("reprocess", dataset_id, code=65).stderr
    listed = run("datasets", "list").stdout.splitlines()
    assert [line.split()[:4] for line in listed] == [
        ["dataset", "country", "file", "status"], [dataset_id, "US", "yob2023.txt", "pending"],
    ]  # fmt: skip
    assert answer(run("datasets", "delete", dataset_id, "--json"))["dataset_id"] == dataset_id
    assert [path for path in (tmp_path / "home" / "storage").rglob("*") if path.is_file()] == []
    assert "there is no dataset" in run("datasets", "delete", dataset_id, code=65).stderr


def test_a_file_that_is_refused_does_not_keep_the_others_back(run: Run, tmp_path: Path) -> None:
    good = write(tmp_path, "yob2023.txt", "Emma,F,15433\n")
    done = run("submit", "missing.txt", good, "--country", "US", code=65)
    assert done.stderr == "affirm-worker: missing.txt: no such file or directory\n"
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["file", "result"], [str(good), "created"]]


def test_migrate_says_what_it_did(empty_database: str, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    run = runner({"DATABASE_URL": empty_database, "AFFIRM_WORKER_HOME": home}, tmp_path)
    assert "is it migrated? (affirm-worker migrate)" in run("jobs", "list", code=78).stderr
    assert answer(run("migrate", "--json")) == {
        "applied": [migration.name for migration in MIGRATIONS], "version": LATEST,
    }  # fmt: skip
    again = run("migrate")
    assert "nothing to apply" in again.stdout
    password = psycopg.conninfo.conninfo_to_dict(empty_database)["password"]
    assert str(password) not in again.stdout + again.stderr


def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    run = runner({"DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/names"}, tmp_path)
    done = run("jobs", "list", code=75, AFFIRM_WORKER_HOME=str(tmp_path))
    assert done.stderr.startswith("affirm-worker: database: ")
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr


def test_psql_reaches_the_same_database(run: Run) -> None:
    done = run("psql", "-At", "-c", "select count(*) from schema_migrations")
    assert done.stdout == f"{len(MIGRATIONS)}\n"
    assert run("psql", "-c", "select nonsense", code=1).stdout == ""


def test_parse_prints_the_rows_of_a_file_as_csv(run: Run) -> None:
    done = run("parse", NATIONAL / "yob2023.txt", "--country", "us", DATABASE_URL="")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    lines = [line.split(",") for line in (NATIONAL / "yob2023.txt").read_text().split()]
    assert [(row["name"], row["gender"], row["count"]) for row in rows] == [tuple(line) for line in lines]
    assert {row["year"] for row in rows} == {"2023"}


def test_parse_prints_the_errors_of_a_file_and_none_of_its_rows(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "yob2023.txt", "Emma,F,15433\nLiam,X,20802\nNoah,M,many\n")
    done = run("parse", path, "--country", "US", code=65)
    assert done.stdout == ""
    assert f"{path}, line 2: " in done.stderr
    assert "Emma" not in done.stderr and "Liam" not in done.stderr


def test_load_does_it_all_and_says_what_came_of_it(empty_database: str, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    run = runner({"DATABASE_URL": empty_database, "AFFIRM_WORKER_HOME": home}, tmp_path)
    good = sorted(NATIONAL.glob("yob202*.txt"))[:2]
    bad = write(tmp_path, "yob1999.txt", "Emma,F,12\nLiam,X,3\n")
    done = run("load", *good, bad, "missing.txt", "--country", "US", code=1)
    rows = sum(len(path.read_text().split()) for path in good)
    assert f"loaded 2 of 4 files\n{rows:,} rows in " in done.stdout
    assert "yob1999.txt: failed: yob1999.txt, line 2: " in done.stdout
    assert "missing.txt: refused: missing.txt: no such file or directory" in done.stdout
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select count(*) from names").fetchone() == (rows,)
    summary = answer(run("load", *good, "--country", "US", "--json"))
    assert (summary["files"], summary["loaded"], summary["already_loaded"]) == (2, 0, 2)
    assert (summary["not_loaded"], summary["interrupted"]) == ([], False)
