"""Names and messages that others have made: they harm nothing, on their way to the database and to the terminal."""

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Json

from dataset_jobs.storage import StorageConfig, open_storage
from services.client import Client
from services.schedules import How, Schedules
from services.ticks import ScanResult
from tests.integration.command_line import ROOT, Run, answer, runner
from tests.integration.world import World
from tests.servers.versitygw import VersityGateway

HOSTILE = [b"yob2019\xff.txt", b"yob2019\n.txt", b"yob2019\x1b]0;title\x07.txt", "yob2019\u202etxt.exe".encode()]
"""Names that are refused."""

LONG = "yob2020" + "名" * 81 + ".txt"
"""254 bytes in UTF-8, of at most 255."""

WELCOME = [LONG, "yob2021 👩‍👧.txt", "yob2022\u00a0x.txt", "yob2023.txt"]

NAMES: list[str | bytes] = [*HOSTILE, *WELCOME]

OBEYED = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys, or nobody can encode; but line feeds."""


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


def put(folder: Path, name: str | bytes, content: str) -> Path:
    path = folder / os.fsdecode(name)
    path.write_text(content)
    return path


def drop(folder: Path) -> None:
    """Four files with names that are refused, and four with names that are welcome."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(NAMES):
        put(folder, name, f"Emma,F,{100 + number}\n")


@pytest.mark.parametrize("command", ["load", "submit"])
def test_names_that_are_refused_keep_no_other_file_back(run: Run, tmp_path: Path, command: str) -> None:
    drop(tmp_path / "in")
    files = sorted((tmp_path / "in").iterdir())
    done = run(command, *files, "--country", "US", code=1 if command == "load" else 65)
    said = done.stdout + done.stderr
    assert not OBEYED.search(said)
    for shown in (r"yob2019\xff.txt", r"yob2019\n.txt", r"yob2019\x1b]0;title\x07.txt", r"yob2019\u202etxt.exe"):
        assert f"file name '{shown}': " in said
    datasets = answer(run("datasets", "list", "--json"))
    assert sorted(one["filename"] for one in datasets) == sorted(WELCOME)
    assert {one["status"] for one in datasets} == {"completed" if command == "load" else "pending"}
    assert "not UTF-8; rename the file" in said


def test_json_is_utf_8_whatever_the_name(run: Run, tmp_path: Path) -> None:
    drop(tmp_path / "in")
    files = sorted((tmp_path / "in").iterdir())
    for settings in ({"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C.UTF-8"}):
        done = run("submit", *files, "--country", "US", "--json", code=65, **settings)
        shown = {Path(one["file"]).name: one["result"] for one in json.loads(done.stdout)}
        assert shown[r"yob2019\xff.txt"] == "refused"
        assert shown[LONG] in ("created", "unchanged")
        if "PYTHONIOENCODING" in settings:
            done.stdout.encode("ascii")


@pytest.mark.parametrize("settings", [{"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_every_command_speaks_where_only_ascii_is_spoken(run: Run, tmp_path: Path, settings: dict[str, str]) -> None:
    path = put(tmp_path, "nomes-registados-2021 👩‍👧 é.csv", "Zoé,F,12\n")
    run("load", path, "--country", "PT", **settings)
    [job] = answer(run("jobs", "list", "--json", **settings))
    for command in ("jobs list", "datasets list", f"jobs show {job['id']}", f"jobs explain {job['id']}", "status"):
        assert run(*command.split(), **settings).stdout
    assert run("parse", path, "--country", "PT", **settings).stdout.splitlines()[1] == "2021,F,Zoé,12"


def test_wrong_usage_is_shown_escaped(run: Run) -> None:
    for arguments in (
        ["jobs", "list", "--state", "x\x1b[2J\nforged"],
        ["jobs", "list", "--\x1b[2J\u202e"],
        ["submit", "x", "--country", "US", "--run-at", "\u202esoon\x07"],
        ["status", "one\ntoo\x1bmany"],
    ):
        done = run(*arguments, code=2)
        assert not OBEYED.search(done.stderr), done.stderr
        assert "Error: " in done.stderr and "Usage: " in done.stderr
        assert "\nforged" not in done.stderr and "one\n" not in done.stderr


def test_arguments_that_are_not_utf_8_are_refused_and_no_crash(run: Run, tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff")
    path = put(tmp_path, "yob2023.txt", "Emma,F,1\n")
    assert r"unknown country '\udcff'" in run("submit", path, "--country", odd, code=65).stderr
    assert r"unknown country '\udcff'" in run("datasets", "list", "--country", odd, "--json", code=65).stderr
    assert r"no schedule \xff" in run("schedules", "pause", odd, code=65).stderr
    missing = run("load", os.fsdecode(b"missing\xff\n.txt"), "--country", "US", code=1)
    assert r"missing\xff\n.txt: no such file or directory" in missing.stdout
    assert "WORKER_ID is" in run("run", "--until-idle", code=78, WORKER_ID=odd).stderr


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[VersityGateway]:
    with VersityGateway(tmp_path / "s3") as server:
        yield server


@pytest.fixture
def schedules(world: World) -> Iterator[Schedules]:
    with Client.connect(world.conninfo) as store:
        store.schedules.add("us", "0 3 * * 1", "UTC", "in", "US", "default")
        world.query("update schedules set next_at = '2026-01-01 00:00+00'")
        yield store.schedules


def look(store: Schedules, config: StorageConfig) -> ScanResult:
    """One tick of the schedule."""
    begun = store.claim()
    assert begun is not None
    return store.do(begun, How(open_storage(config), min_unchanged_seconds=0.0))


def test_a_schedule_says_which_names_it_cannot_take_and_takes_the_others(world: World, schedules: Schedules) -> None:
    drop(world.folder / "storage" / "in")
    inner = world.folder / "storage" / "in" / os.fsdecode(b"caf\xe9")
    inner.mkdir()
    put(inner, "yob2018.txt", "Emma,F,1\n")
    looked = look(schedules, world.storage_config)
    assert sorted(one.file for one in looked.submitted) == sorted(WELCOME)
    assert len(looked.problems) == 5
    assert any(r"in/caf\xe9/yob2018.txt' is not UTF-8" in one for one in looked.problems)
    assert not OBEYED.search("".join(looked.problems))
    shown = schedules.get("us")
    assert (shown.files, shown.submitted, shown.failures, shown.looking) == (9, 4, 0, False)
    assert shown.error is not None
    assert shown.error.startswith("5 of 9 files not submitted; yob2019")
    assert shown.next_at.year > 2025
    assert schedules.claim() is None, "the tick is done"


def test_names_in_s3_are_treated_alike(
    schedules: Schedules, gateway: VersityGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = gateway.folder / "buckets" / gateway.make_bucket("names") / "in"
    drop(folder)
    for name, value in gateway.credentials().items():
        monkeypatch.setenv(name, value)
    looked = look(schedules, StorageConfig.from_env(gateway.storage_env("names")))
    assert sorted(one.file for one in looked.submitted) == sorted(WELCOME)
    assert len(looked.problems) == len(HOSTILE), looked.problems
    assert not OBEYED.search("".join(looked.problems))
    assert sum("rename" in one for one in looked.problems) == 2, "of two S3 cannot tell the name"
    assert schedules.get("us").failures == 0


@pytest.mark.parametrize("text", ["a\0b", "a\udcffb", "\ud800", "\x1b]0;t\x07\n\u202e", "x" * 10_000])
def test_any_text_can_be_stored_in_columns_and_in_json(world: World, text: str) -> None:
    """Each connection of the store cleans its parameters: no caller can forget it."""
    path = world.file("yob2023.txt", "Emma,F,1\n")
    job = world.submit(path).job_id
    with psycopg.connect(world.conninfo) as connection:
        connection.execute("update jobs set last_error = %s where id = %s", (text, job))
        stored = connection.execute("select %s::jsonb", (Json({text: [text]}),)).fetchone()
    assert stored is not None
    [listed] = world.client.jobs.list()
    assert listed.last_error is not None
    assert "\0" not in listed.last_error
    listed.last_error.encode()


def test_names_of_members_are_shown_escaped(run: Run, tmp_path: Path) -> None:
    """In cp437, in UTF-8 that is none, and with what a terminal obeys."""
    bad = "\x1b]0;t\x07\u202e.txt"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(bad, "Emma,F,1\nbroken\n")
    content = made.getvalue()
    (tmp_path / "a.zip").write_bytes(content)
    (tmp_path / "b.zip").write_bytes(content.replace("\u202e".encode(), b"\xff\xfe\xfd"))
    for name in ("a.zip", "b.zip"):
        for how in ([], ["--report"], ["--json"]):
            done = run("parse", tmp_path / name, "--country", "US", "--year", "2020", *how, code=65)
            assert not OBEYED.search(done.stdout + done.stderr), done.stdout + done.stderr
    assert (
        r"member '\x1b]0;t\x07\u202e.txt', line 2"
        in run("parse", tmp_path / "a.zip", "--country", "US", "--year", "2020", code=65).stderr
    )
    loaded = run("load", tmp_path / "a.zip", tmp_path / "b.zip", "--country", "US", "--year", "2020", code=1)
    assert not OBEYED.search(loaded.stdout)
    jobs = answer(run("jobs", "list", "--json"))
    assert {one["last_cause"] for one in jobs} == {"rejected"}


def on_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """What a command writes to a terminal, on stdout and stderr."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # so a pseudo-terminal says that nobody writes to it any more
                block = b""
            if not block:
                break
            written += block
    os.close(ours)
    assert process.returncode == 0, written
    return written.decode()


def test_a_terminal_gets_no_command_of_a_file(run: Run, database: str, tmp_path: Path) -> None:
    """It gets no escapes but our own colours."""
    run("submit", put(tmp_path, "yob2023.txt", "Emma,F,1\n"), "--country", "US")
    with psycopg.connect(database) as connection:
        connection.execute("update datasets set filename = E'a\\x1b]0;title\\x07\u202e\\nb.txt'")
        connection.execute("update jobs set last_error = E'e\\x1b[2J\\x07\u2066'")
    environment = {**os.environ, "DATABASE_URL": database, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "TERM": "xterm"}
    for command in ("jobs list", "datasets list", "load yob2022.txt --country US"):
        put(tmp_path, "yob2022.txt", "Emma,F,1\n")
        with contextlib.chdir(tmp_path):
            shown = on_a_terminal([sys.executable, "-m", "cli", *command.split()], environment)
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "")
        assert not OBEYED.search(plain), plain
        assert "]0;title" not in shown.replace(r"\x1b]0;title", "")
    assert r"\x1b]0;title\x07\u202e" in plain or command.startswith("load")
