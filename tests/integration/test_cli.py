"""The commands, as a user calls them, on a real Postgres."""

import csv
import json
import re
import shlex
from pathlib import Path

import psycopg
import pytest

from dataset_jobs.migrations import LATEST, MIGRATIONS
from tests.integration.command_line import Run, answer, bare, runner
from tests.integration.world import NATIONAL


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


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
    assert f"(dataset {dataset['id']}); if this file" in " ".join(refused.stdout.split())
    both = run("submit", old, new, "--country", "US", "--replaces", dataset["id"], code=65)
    assert "one file at a time" in both.stderr
    run("submit", new, "--country", "US", "--replaces", dataset["id"][:8])
    run("run", "--until-idle", WORKER_LAUNCHER="process")
    shown = answer(run("datasets", "show", dataset["id"], "--json"))
    assert (shown["status"], shown["superseded"], len(shown["superseded_by"])) == ("completed", True, 1)
    lines = run("datasets", "show", dataset["id"]).stdout.splitlines()
    assert "years          2023" in lines
    assert f"superseded by  {shown['superseded_by'][0]}, wholly" in lines


def test_a_load_takes_the_place_of_a_dataset(run: Run, tmp_path: Path) -> None:
    old, new = write(tmp_path, "yob2023.txt", "Emma,F,15433\n"), write(tmp_path, "yob2023-2.txt", "Emma,F,15434\n")
    assert "\n1 row in " in run("load", old, "--country", "US").stdout
    [dataset] = answer(run("datasets", "list", "--json"))
    assert "one file at a time" in run("load", old, new, "-c", "US", "--replaces", dataset["id"], code=65).stderr
    assert "cafe" in run("load", new, "-c", "US", "--replaces", "cafe", code=65).stderr
    run("load", new, "--country", "US", "--replaces", dataset["id"][:8])
    assert answer(run("datasets", "show", dataset["id"], "--json"))["superseded"] is True


def test_submit_list_show_reprocess_delete(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "yob2023.txt", "Emma,F,15433\n")
    assert answer(run("submit", path, "-c", "us", "--dry-run", "--json"))[0]["result"] == "created"
    assert answer(run("datasets", "list", "--json")) == []
    [submitted] = answer(run("submit", path, "-c", "us", "--priority", "7", "--json"))
    assert {**submitted, "dataset_id": "", "job_id": ""} == {
        "file": str(path), "result": "created", "dataset_id": "", "job_id": "", "loaded": False, "error": None,
        "controller_running": False,
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
    refused = run("datasets", "delete", dataset_id, code=2).stderr
    assert "Invalid value: add --yes: there is no terminal to ask on: Delete dataset" in refused
    for option, result in (("--dry-run", "would be deleted"), ("--yes", "deleted")):
        [deleted] = answer(run("datasets", "delete", dataset_id, option, "--json"))
        assert (deleted["dataset_id"], deleted["result"]) == (dataset_id, result)
    assert [path for path in (tmp_path / "home" / "storage").rglob("*") if path.is_file()] == []
    assert "there is no dataset" in run("datasets", "delete", dataset_id, "--yes", code=65).stderr


def test_a_file_that_is_refused_does_not_keep_the_others_back(run: Run, tmp_path: Path) -> None:
    good = write(tmp_path, "yob2023.txt", "Emma,F,15433\n")
    done = run("submit", "missing.txt", good, "--country", "US", code=65)
    assert bare(done.stderr).splitlines() == [
        "affirm-worker: missing.txt: no such file or directory",
        "affirm-worker: no controller is running: affirm-worker run",
    ]
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["file", "result"], [str(good), "created"]]


def test_migrate_says_what_it_did(empty_database: str, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    run = runner({"DATABASE_URL": empty_database, "AFFIRM_WORKER_HOME": home}, tmp_path)
    assert "it may not be migrated: affirm-worker migrate" in bare(run("jobs", "list", code=78).stderr)
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
    assert " Connection refused. Is the server running " in done.stderr
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


def test_names_like_formulas_are_loaded_as_published_and_printed_as_texts(run: Run, tmp_path: Path) -> None:
    plain = [f"Emma{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    names = [*plain, "-Ida", "@SUM(A1:A9)", "+A1", "'=Anna"]
    path = write(tmp_path, "yob2023.txt", "".join(f"{name},F,{99 - at}\n" for at, name in enumerate(names)))
    shown = csv.DictReader(run("parse", path, "--country", "US").stdout.splitlines())
    assert [row["name"] for row in shown] == [*plain, *(f"'{name}" for name in names[len(plain) :])]
    raw = csv.DictReader(run("parse", path, "--country", "US", "--raw").stdout.splitlines())
    assert [row["name"] for row in raw] == names
    run("load", path, "--country", "US")
    loaded = run("psql", "-At", "-c", "select name from counted_names order by count desc")
    assert loaded.stdout.splitlines() == names


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
    assert re.search(r"/yob1999.txt \(job [0-9a-f]{8}\), line 2: ", done.stdout)
    assert "  missing.txt: no such file or directory\n" in done.stdout
    [advised] = re.findall(r'psql -c "(.*)"', done.stdout)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select count(*) from names").fetchone() == (rows,)
        found = connection.execute(advised).fetchall()
    country, year, sex, name, count = found[0]
    assert (country, year) == ("US", 2021)
    assert re.search(rf"of yob2021.txt, US:\nyear +sex +name +count\n2021 +{sex} +{name} +{count}\n", done.stdout)
    assert "give either ids" in run("datasets", "delete", code=2).stderr
    assert "only failed datasets" in run("datasets", "delete", "--status", "completed", "--yes", code=2).stderr
    [deleted] = answer(run("datasets", "delete", "--status", "failed", "--yes", "--json"))
    assert (deleted["file"], deleted["rows"], deleted["error"]) == ("yob1999.txt", 0, None)
    assert "there is no such dataset" in run("datasets", "delete", "--status", "failed", "--yes").stdout
    assert "2 files: all loaded already" in run("load", *good, "--country", "US").stdout
    summary = answer(run("load", *good, "--country", "US", "--json"))
    assert (summary["files"], summary["loaded"], summary["already_loaded"]) == (2, 0, 2)
    assert (summary["not_loaded"], summary["interrupted"]) == ([], False)


def test_a_controller_that_gave_a_file_up_has_not_succeeded(run: Run, tmp_path: Path) -> None:
    run("submit", write(tmp_path, "yob1999.txt", "Emma,F,12\nLiam,X,3\n"), "--country", "US")
    run("run", "--until-idle", code=1)
    run("run", "--until-idle")


def test_a_folder_of_storage_is_submitted_by_a_schedule_and_by_hand(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "storage" / "in" / "us"
    assert answer(run("schedules", "list", "--json")) == []
    folder.mkdir(parents=True)
    write(folder, "yob2023.txt", "Emma,F,15433\n")
    about = ("--cron", "0 3 * * 1", "--timezone", "Europe/Paris", "--country", "us")
    added = answer(run("schedules", "add", "ssa", *about, "--location", folder, "--json"))
    assert (added["location"], added["country"], added["pool"], added["paused"]) == ("in/us", "US", "default", False)
    assert "already" in run("schedules", "add", "ssa", *about, "--location", "in/us", code=65).stderr
    assert "files of datasets" in run("schedules", "add", "x", *about, "--location", "US", code=65).stderr
    assert "no time zone" in run("schedules", "add", "x", "--cron", "0 3 * * 1", "--timezone", "Nowhere",
                                 "--country", "US", "--location", "in/us", code=65).stderr  # fmt: skip
    [found] = answer(run("schedules", "run", "ssa", "--json"))["submitted"]
    assert found["file"] == "yob2023.txt"
    assert "paused" in run("schedules", "pause", "ssa").stdout
    [listed] = answer(run("schedules", "list", "--json"))
    assert (listed["paused"], listed["files"], listed["submitted"], listed["next_at"]) == (True, 1, 1, added["next_at"])
    assert "in/us" in run("schedules", "list").stdout
    run("schedules", "resume", "ssa")
    assert run("schedules", "run", "ssa").stdout == "nothing new among 1 file\n"
    run("run", "--until-idle")
    [dataset] = answer(run("datasets", "list", "--json"))
    assert (dataset["id"], dataset["status"]) == (found["dataset_id"], "completed")
    run("schedules", "remove", "ssa")
    assert "no schedule ssa" in run("schedules", "remove", "ssa", code=65).stderr


def test_a_job_for_later_waits_and_is_brought_forward(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "yob2023.txt", "Emma,F,15433\n")
    [submitted] = answer(run("submit", path, "--country", "US", "--run-at", "12h", "--priority", 3, "--json"))
    job = submitted["job_id"]
    done = run("run", "--until-idle", code=1)
    assert "still waiting: to be loaded at" in done.stderr
    assert "expected a time such as" in run("jobs", "set", job, "--run-at", "soon", code=2).stderr
    assert "of the years 1 to 9998" in run("jobs", "set", job, "--run-at", "9999-12-31T23:59:59Z", code=2).stderr
    assert "give a --priority" in run("jobs", "set", job, code=2).stderr
    assert "expected a whole number\n" in run("jobs", "set", job, "--priority", "hi", code=2).stderr
    assert "expected at most 32767\n" in run("jobs", "set", job, "--priority", 99999, code=2).stderr
    assert answer(run("jobs", "set", job, "--run-at", "0s", "--json"))["state"] == "queued"
    run("run", "--until-idle")
    assert "is completed: only one" in run("jobs", "set", job, "--priority", 1, code=65).stderr


@pytest.mark.parametrize("country", ["UK", "England", "EN", "gbr", "Great Britain"])
def test_a_wrong_country_is_explained_alike_and_once(run: Run, tmp_path: Path, country: str) -> None:
    files = [write(tmp_path, f"yob{year}.txt", "Emma,F,15433\n") for year in (2021, 2022)]
    (tmp_path / "home" / "storage" / "in").mkdir(parents=True)
    cron = ("schedules", "add", "gb", "--cron", "0 3 * * 1", "--location", "in")
    for command in (
        ("load", *files), ("submit", *files), ("submit", *files, "--split"), ("parse", files[0]), ("datasets", "list"),
        ("parsers", "list"), cron,
    ):  # fmt: skip
        done = run(*command, "--country", country, code=65)
        assert done.stderr.endswith(f"unknown country '{country}': did you mean GB (United Kingdom)?\n"), command
        assert (done.stderr.count("did you mean"), done.stdout) == (1, ""), command
    assert answer(run("datasets", "list", "--json")) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [("--year", "98"), ("--year", "x"), ("--sex", "X"), ("--format", "!"), ("--region", "?"), ("--measure", "x")],
)
def test_a_wrong_value_is_wrong_usage_before_anything_is_done(
    run: Run, tmp_path: Path, option: str, value: str
) -> None:
    file = write(tmp_path, "yob2023.txt", "Emma,F,15433\n")
    for command in ("load", "submit", "parse"):
        done = run(command, file, "--country", "US", option, value, code=2)
        assert f"'{option}'" in done.stderr, done.stderr
        assert done.stdout == ""
    assert answer(run("datasets", "list", "--json")) == []


def test_a_file_of_another_country_is_loaded_by_the_command_that_is_printed(run: Run, tmp_path: Path) -> None:
    content = "sexe;preusuel;annais;nombre\n1;TESTIN;2020;9\n2;TESTINE;2020;7\n"
    files = [write(tmp_path, f"list {number}.csv", content.replace("9", number)) for number in ("8", "9")]
    done = run("load", files[0], "--country", "IE", code=1)
    assert done.stdout.count("list 8.csv") == 2, "the refusal, and the command"
    [line] = [line for line in done.stdout.splitlines() if "--country FR" in line]
    run(*shlex.split(line.partition("affirm-worker ")[2]))
    [dataset] = answer(run("datasets", "list", "--country", "fr", "--json"))
    assert (dataset["status"], dataset["row_count"]) == ("completed", 2)
    again = run("load", *files, "--country", "IE", code=1)
    assert again.stdout.count("--country FR") == 1, "one command for both"
    assert again.stdout.count("jobs explain") == 1


def test_failures_name_the_file_once_and_the_command_once(run: Run, tmp_path: Path) -> None:
    files = [write(tmp_path, f"yob{year}.txt", f"Emma,F,{year}\nLiam,X,3\n") for year in (1998, 1999)]
    done = run("load", *files, "missing.txt", "--country", "US", code=1)
    for file in files:
        [line] = [line for line in done.stdout.splitlines() if file.name in line]
        assert re.fullmatch(rf"  {file} \(job [0-9a-f]{{8}}\), line 2: .*", line)
    assert "  missing.txt: no such file or directory\n" in done.stdout
    [story] = [line for line in done.stdout.splitlines() if "jobs explain" in line]
    told = run(*story[story.index("jobs explain") :].split()).stdout
    assert "Fix the lines or cells that the error names" in told


def test_nothing_is_printed_as_a_table_where_no_file_was_submitted(run: Run) -> None:
    assert run("submit", "missing.txt", "--country", "US", code=65).stdout == ""


@pytest.mark.parametrize("command", ["load", "submit"])
def test_no_database_is_started_for_an_unknown_country(tmp_path: Path, command: str) -> None:
    home = tmp_path / "home"
    path = write(tmp_path, "yob2023.txt", "Emma,F,15433\n")
    refused = runner({"AFFIRM_WORKER_HOME": str(home)}, tmp_path)(command, path, "--country", "Germany", code=65)
    assert "did you mean DE (Germany)?" in refused.stderr
    assert not (home / "postgres").exists()


def test_the_same_refused_bytes_are_named_as_they_were_given(run: Run, tmp_path: Path) -> None:
    paths = [write(tmp_path, name, "Mary;F\n") for name in ("bad.csv", "yob1992.txt")]
    done = run("load", *paths, "--country", "US", "--json", code=1)
    for one, path in zip(json.loads(done.stdout)["not_loaded"], paths, strict=True):
        assert one["error"].startswith(path.name)


def test_the_same_bytes_under_another_name_are_loaded_already(run: Run, tmp_path: Path) -> None:
    content = "Emma,F,15433\nLiam,M,20802\n"
    run("load", write(tmp_path, "renamed.txt", content), "--country", "US", "--year", "1993")
    own = write(tmp_path, "yob1993.txt", content)
    assert "1 file: all loaded already" in run("load", own, "--country", "US").stdout
    assert "already loaded" in run("submit", own, "--country", "US").stdout
    other = run("submit", write(tmp_path, "yob1994.txt", content), "--country", "US", code=65)
    assert "these bytes are loaded already" in other.stderr
    run("submit", own, "--country", "US", "--sex", "F", code=65)
    run("submit", own, "--country", "US", "--year", "1994", code=65)


def test_a_lost_file_is_stored_again_by_submitting_it(run: Run, tmp_path: Path) -> None:
    """Whether the loss was met by a load or not."""
    file = write(tmp_path, "yob2023.txt", "Emma,F,15433\n")
    run("load", file, "--country", "US")
    [dataset] = answer(run("datasets", "list", "--json"))
    [stored] = (tmp_path / "home" / "storage" / "US").iterdir()
    stored.unlink()
    assert answer(run("submit", file, "--country", "US", "--dry-run", "--json"))[0]["result"] == "restored"
    assert list(stored.parent.iterdir()) == []
    assert "stored again" in run("submit", file, "--country", "US").stdout
    assert stored.read_bytes() == file.read_bytes()
    assert "already loaded" in run("submit", file, "--country", "US").stdout
    stored.unlink()
    assert "stored again, since the stored file was lost: 1 file" in run("load", file, "--country", "US").stdout
    stored.write_text("something else")
    run("reprocess", dataset["id"])
    run("run", "--until-idle", code=1)
    [job] = answer(run("jobs", "list", "--state", "failed", "--json"))
    for line in _commands(bare(run("jobs", "explain", job["id"]).stdout)):
        run(*line)
    run("run", "--until-idle")
    assert answer(run("jobs", "list", "--state", "failed", "--json")) == []


def _commands(told: str) -> list[list[str]]:
    """The commands that an explanation names, each on a line of its own."""
    lines = [line.strip() for line in told.splitlines() if line.startswith("    affirm-worker ")]
    return [shlex.split(line)[1:] for line in lines]
