"""`load`, `submit` and `parse` of folders, addresses, buckets and stdin, as a user types them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.jobs import Others
from tests.integration.command_line import ROOT, Run, answer, runner
from tests.integration.world import World
from tests.servers.file_server import Page, serving
from tests.servers.versitygw import VersityGateway


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    (made / "old").mkdir(parents=True)
    for year, where in ((2020, made), (2021, made), (2019, made / "old")):
        (where / f"yob{year}.txt").write_text(f"Mary,F,{year}\n")
    (made / "README.md").write_text("about")
    return made


def files(run: Run) -> list[str]:
    return sorted(one["filename"] for one in answer(run("datasets", "list", "--json")))


def test_a_folder_is_loaded(run: Run, folder: Path) -> None:
    done = run("load", folder, "-c", "US", "--json")
    assert (answer(done)["loaded"], answer(done)["files"]) == (2, 2)
    assert f"2 passed over: {folder}/README.md (about the files), {folder}/old (a folder)" in done.stderr
    assert "--recursive takes what is in folders" in done.stderr
    assert answer(run("load", folder, "-c", "US", "--json", "--recursive"))["already_loaded"] == 2
    assert files(run) == ["yob2019.txt", "yob2020.txt", "yob2021.txt"]


def test_submit_and_load_take_the_same_options(run: Run, folder: Path) -> None:
    [first] = answer(run("submit", folder / "yob2020.txt", "-c", "US", "--json", "--priority", "3"))
    run("load", folder / "yob2020.txt", "-c", "US")
    (folder / "new.txt").write_text("Mary,F,2222\n")
    said = ("-c", "US", "--year", "2020", "--replaces", first["dataset_id"])
    assert answer(run("load", folder / "new.txt", *said, "--dry-run", "--json"))[0]["result"] == "created"
    assert answer(run("load", folder / "new.txt", *said, "--json"))["loaded"] == 1
    [old] = [one for one in answer(run("datasets", "list", "--json")) if one["filename"] == "yob2020.txt"]
    assert old["superseded_by"]
    assert "can be replaced by one file at a time" in run("load", folder, *said, code=65).stderr


def test_load_names_the_other_jobs_that_ran(run: Run, folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "yob1999.txt"
    bad.write_text("Mary,F,many\n")
    run("submit", folder, bad, "-c", "US")
    done = run("load", folder / "old", "-c", "US")
    assert "loaded 1 of 1 file" in done.stdout
    line = next(line for line in done.stdout.splitlines() if "ran too" in line)
    assert line.startswith("3 other queued jobs ran too: ")
    for said in ("yob2020.txt (completed)", "yob2021.txt (completed)", "yob1999.txt (failed)"):
        assert said in line
    assert answer(run("load", folder / "old", "-c", "US", "--json"))["other_jobs"] == 0


@pytest.mark.every_postgres
async def test_jobs_of_others_are_told_from_ones_own(world: World) -> None:
    before = world.client.now()
    own, other = (world.submit_small(year) for year in (2020, 2021))
    assert world.client.jobs.finished_since(before, "default", [own.job_id]) == Others()
    await world.run_until_idle()
    assert world.client.jobs.finished_since(before, "default", [own.job_id]) == Others(
        1, (("yob2021.txt", "completed"),)
    )
    assert world.client.jobs.finished_since(before, "default", [own.job_id, other.job_id]) == Others()
    assert world.client.jobs.finished_since(before, "elsewhere", []) == Others()
    assert world.client.jobs.finished_since(world.client.now(), "default", []) == Others()


def test_an_address_is_loaded_and_a_bad_one_stops_no_other(run: Run) -> None:
    with serving() as server:
        good = server.at("/yob2020.txt", Page(b"Mary,F,10\n"))
        done = run("load", f"{server.url}/gone.txt", good, "-c", "US", "--json", code=1)
    summary = answer(done)
    assert (summary["loaded"], [one["file"] for one in summary["not_loaded"]]) == (1, [f"{server.url}/gone.txt"])
    assert "there is nothing at this address (HTTP 404)" in summary["not_loaded"][0]["error"]
    assert "http:// is not encrypted" in done.stderr
    assert files(run) == ["yob2020.txt"]


NOT_FETCHED = [
    (Page(status=404), 65, "there is nothing at this address"),
    (Page(status=403), 65, "refuses to give it"),
    (Page(b"<html>"), 65, "is it the download's own address?"),
    (Page(b"x" * (2 << 20)), 65, "more than 1 MiB (LIMIT_FILE_MIB)"),
    (Page(status=500), 75, "in trouble"),
    (Page(status=429), 75, "fewer requests"),
    (Page(b"Mary,F,1\n", promised=100, cut=5), 75, "broke off"),
]


def test_what_cannot_be_fetched_has_its_exit_code(run: Run) -> None:
    with serving() as server:
        for page, code, said in NOT_FETCHED:
            url = server.at("/yob2020.txt", page)
            done = run("parse", url, "-c", "US", code=code, LIMIT_FILE_MIB="1")
            [line] = [line for line in done.stderr.splitlines() if line.startswith(f"affirm-worker: {url}: ")]
            assert said in line
            assert done.stdout == ""
        for page, code, said in NOT_FETCHED[::6]:
            url = server.at("/yob2020.txt", page)
            done = run("submit", url, "-c", "US", code=code)
            assert f"{url}: " in done.stderr
            assert said in done.stderr
        both = (f"{server.url}/gone.txt", url)
        assert "HTTP 404" in run("submit", *both, "-c", "US", code=65).stderr
    assert files(run) == []


def test_a_file_is_parsed_from_an_address(run: Run) -> None:
    with serving() as server:
        url = server.at("/yob2020.txt", Page(b"Mary,F,10\n"))
        assert run("parse", url, "-c", "US").stdout == "year,gender,name,count\n2020,F,Mary,10\n"
        bad = server.at("/yob2021.txt", Page(b"Mary,F,many\n"))
        assert f"{bad}, line 1: " in run("parse", bad, "-c", "US", code=65).stderr
    assert "this is a folder" in run("parse", ".", "-c", "US", code=65).stderr


def test_no_password_is_printed_or_kept(run: Run) -> None:
    with serving() as server:
        url = server.at("/yob2020.txt", Page(b"Mary,F,10\n")).replace("//", "//me:hunter2@")
        done = [run("submit", url, "-c", "US"), run("load", url, "-c", "US"), run("datasets", "list", "--json")]
        done.append(run("submit", url + "x", "-c", "US", code=65))
    assert "hunter2" not in "".join(one.stdout + one.stderr for one in done)


@pytest.mark.parametrize("command", ["submit", "load", "parse"])
def test_stdin_is_a_file(database: str, tmp_path: Path, command: str) -> None:
    env = {**os.environ, "DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "cli", command, "-", "--name", "yob2020.txt", "-c", "US"],
        input="Mary,F,10\n", env=env, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert {"submit": "created", "load": "loaded 1 of 1 file", "parse": "2020,F,Mary,10"}[command] in done.stdout


def test_stdin_without_a_name_is_refused(run: Run) -> None:
    for command in ("submit", "load", "parse"):
        assert "stdin has no name: give the publisher's" in run(command, "-", "-c", "US", code=2).stderr


def test_files_of_a_bucket_are_loaded(run: Run, tmp_path: Path) -> None:
    """The bucket need not be that of storage, which is a folder here."""
    with VersityGateway(tmp_path / "s3") as server:
        bucket = tmp_path / "s3" / "buckets" / server.make_bucket("names")
        (bucket / "us" / "old").mkdir(parents=True)
        for name in ("us/yob2020.txt", "us/yob2021.txt", "us/old/yob2019.txt"):
            (bucket / name).write_text(f"Mary,F,{name[-8:-4]}\n")
        for name in ("us/.hidden.txt", "us/README"):
            (bucket / name).write_text("?")
        env = {**server.credentials(), "STORAGE_S3_ENDPOINT": server.endpoint(), "STORAGE_S3_REGION": server.region}
        assert answer(run("load", "s3://names/us/yob2020.txt", "-c", "US", "--json", **env))["loaded"] == 1
        done = run("load", "s3://names/us/", "-c", "US", "--json", **env)
        assert (answer(done)["loaded"], answer(done)["already_loaded"]) == (1, 1)
        for said in ("s3://names/us/.hidden.txt (hidden)", "s3://names/us/README (about the files)",
                     "s3://names/us/old/ (a folder)"):  # fmt: skip
            assert said in done.stderr
        every = answer(run("submit", "s3://names/us/", "-c", "US", "--json", "--recursive", **env))
        assert [one["result"] for one in every] == ["created", "unchanged", "unchanged"]
        assert run("parse", "s3://names/us/yob2020.txt", "-c", "US", **env).stdout.endswith("2020,F,Mary,2020\n")
        assert "there is no file" in run("submit", "s3://names/us/gone.txt", "-c", "US", code=65, **env).stderr
        assert "no file to load in this folder" in run("submit", "s3://names/no/", "-c", "US", code=65, **env).stderr
        assert "LIMIT_FILE_MIB" not in run("submit", "s3://names/", "-c", "US", "-r", **env).stderr
        assert "NoSuchBucket" in run("submit", "s3://other/us/", "-c", "US", code=78, **env).stderr
        wrong = {**env, "AWS_SECRET_ACCESS_KEY": "wrong"}
        assert "HTTP 403" in run("submit", "s3://names/us/yob2020.txt", "-c", "US", code=77, **wrong).stderr
