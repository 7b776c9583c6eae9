"""Whatever texts the database and the file names hold, no command hands a terminal or a log what it would obey.

Each text of each row is hostile here, as if somebody had taken over a runner's login, or written rows by hand. The list
of commands is that of the help texts: a command that is not tried here is an error.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from docs.generate.command_line import help_texts
from tests.integration.command_line import ROOT
from tests.integration.world import World
from tests.kit.warm_command import affirm_worker, affirm_worker_on_terminal

CLIPBOARD = "\x1b]52;c;Zm9yZ2Vk\x07"
LINK = "\x1b]8;;mailto:evil\x1b\\link\x1b]8;;\x1b\\"
TITLE = "\x1b]0;forged\x07"
ASKING = "\x1b[6n\x9b6n\x9d0;forged\x9c"
TURNED = "\u202etxt.exe\u202c\u2066x\u2069\u200f\u061c"
HIDDEN = "a\u200bb\ufeffc\u2060d"
HOSTILE = f"x\nforged\r\nforged\rforged\t\x08\x7f{CLIPBOARD}{LINK}{TITLE}{ASKING}{TURNED}{HIDDEN}\x85forged\u2028forged"
OBEYED = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
OBEYED_OF_PSQL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")
"""psql is a program of its own, which leaves the direction of texts alone."""

OURS = re.compile(r"\x1b\[(?:[0-9]+m|\?25[lh]|[0-9]*[AK]|2K|[0-9;]*m)|\r(?=[\u2800-\u28ff\x1b\n]|$)")
"""What our own colours and bars are made of; nothing of `HOSTILE`."""


@dataclass(frozen=True, slots=True)
class Poisoned:
    """An installation in which every text is hostile."""

    world: World
    jobs: dict[str, str]
    datasets: list[str]
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        mine = {
            "AFFIRM_WORKER_HOME": str(self.folder / "home"),
            "AFFIRM_WORKER_CONFIG": str(self.folder / "config.toml"),
            "PYTHONPATH": str(ROOT),
            "WORKER_RETRY_WAITS": "1h",
            "PAGER": "cat",
        }
        return {**kept, **self.world.environment, **mine, "LOG_LEVEL": "INFO"}


@pytest.fixture
def poisoned(checks: bool, world: World, tmp_path: Path) -> Poisoned:
    """Its jobs: one completed, one failed, one queued, one scheduled, one whose run is at work."""
    names = ("completed", "failed", "queued", "again", "running")
    contents = ["Mary,F,1\n", "broken\n", "Anna,F,3\n", "Emma,F,4\n", "Ida,F,5\n"]
    submitted = [world.submit_small(2001 + at, content) for at, content in enumerate(contents)]
    jobs = {name: str(one.job_id) for name, one in zip(names, submitted, strict=True)}
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "config.toml").write_text("")
    made = Poisoned(world, jobs, [str(one.dataset_id) for one in submitted], folder)
    held = "update jobs set state = 'scheduled', run_at = now() + interval '1 hour' where id::text = any(%s)"
    with psycopg.connect(world.conninfo) as connection:
        connection.execute(held, [[jobs["queued"], jobs["again"], jobs["running"]]])
    call(made, "run", "--until-idle", code={0, 1})
    call(
        made,
        "schedules",
        "add",
        "folder",
        "--cron",
        "0 3 * * 1",
        "--location",
        "in",
        "-c",
        "US",
        "--no-check",
        code={0},
    )
    with psycopg.connect(world.conninfo) as connection:
        connection.execute("update jobs set state = 'queued', run_at = now() where id = %s", [jobs["queued"]])
        connection.execute("update jobs set state = 'running', lease_epoch = 1 where id = %s", [jobs["running"]])
        connection.execute(
            "insert into runs (job_id, epoch, pool, launcher, owner, claimed_at, lease_until, launched_at, launch_name,"
            " started_at, runner_uid) values (%s, 1, 'default', 'kubernetes', 'o', now(), now() + interval '1 minute',"
            " now(), 'l', now(), 'u')",
            [jobs["running"]],
        )
        connection.execute(
            "insert into controllers (owner, launcher, pools, started_at, seen_at, trouble, trouble_since,"
            " trouble_tries, trouble_permanent) values"
            " ('c', 'process', '{default}', now(), now(), 'x', now(), 3, false)"
        )
        connection.execute(
            "update pools set blocked_since = now(), blocked_cause = 'cannot_start', blocked_error = 'x',"
            " probe_at = now()"
        )
    poison(world.conninfo, checks)
    (folder / HOSTILE).write_text("Mary,F,1\nbroken\n")
    (folder / f"{HOSTILE}.zip").write_bytes(b"PK\x03\x04broken")
    return made


def poison(conninfo: str, checks: bool) -> None:
    """Makes each text of each row hostile that can be, in columns, arrays and JSON."""
    with psycopg.connect(conninfo) as connection:
        if not checks:
            for table, name in connection.execute(
                "select conrelid::regclass::text, conname from pg_constraint join pg_namespace n"
                " on n.oid = connamespace where contype = 'c' and nspname = current_schema()"
            ).fetchall():
                connection.execute(
                    sql.SQL("alter table {} drop constraint {}").format(sql.SQL(table), sql.Identifier(name))
                )
        columns = connection.execute(
            "select c.oid::regclass::text, attname, atttypid::regtype::text from pg_attribute"
            " join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace"
            " where nspname = current_schema() and relkind = 'r' and attnum > 0 and attgenerated = ''"
            " and atttypid::regtype::text in ('text', 'text[]', 'jsonb')"
        ).fetchall()
        assert len(columns) > 60
        done = {column for column in columns if any([*_poisoned(connection, *column)])}
    told = {f"{table}.{name}" for table, name, _ in done}
    assert {"datasets.filename", "jobs.last_error", "runs.error", "runs.owner", "runs.node", "runs.evidence"} <= told
    assert {"runs.outcome", "runs.log", "runs.decision", "controllers.trouble", "pools.blocked_error"} <= told
    assert {"schedules.location", "datasets.report", "datasets.error", "pools.reason"} <= told


def _poisoned(connection: "psycopg.Connection[Any]", table: str, column: str, kind: str) -> Iterator[bool]:
    """Whether each row took it. States and the like have a CHECK."""
    names = {"table": sql.SQL(table), "column": sql.Identifier(column)}
    rows = connection.execute(sql.SQL("select ctid::text, {column} from {table}").format(**names)).fetchall()
    update = sql.SQL("update {table} set {column} = %s where ctid = %s::tid").format(**names)
    for number, (place, value) in enumerate(rows):
        bad: Any = f"{HOSTILE}{number}"
        if kind == "text[]":
            bad = [bad]
        if kind == "jsonb":
            bad = Jsonb(_hostile(value) if value is not None else {HOSTILE: HOSTILE})
        try:
            with connection.transaction():
                connection.execute(update, [bad, place])
            yield True
        except psycopg.Error:
            yield False


def _hostile(value: Any) -> Any:
    """JSON of the same shape with hostile texts."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [_hostile(one) for one in value] or [HOSTILE]
    return {name: _hostile(one) for name, one in value.items()} if isinstance(value, dict) else value


def call(installation: Poisoned, *arguments: str, code: set[int] | None = None) -> tuple[int, str]:
    """The exit code, and all that a command says through pipes."""
    done = affirm_worker(*arguments, env=installation.environment, cwd=installation.folder)
    assert code is None or done.returncode in code, done.stderr
    return done.returncode, done.stdout + done.stderr


def commands(it: Poisoned) -> dict[str, list[list[str]]]:
    """The arguments to try each command with: what looks first, then what changes."""
    bad, job = "\x1b[6n\nforged", it.jobs
    file, schedule = HOSTILE, "folder"
    looking: dict[str, list[list[str]]] = {
        "status": [[], ["--json"]],
        "watch": [["--once"], ["--once", "--json"]],
        "jobs list": [[], ["--json"], ["--state", bad], ["--columns", "all"]],
        "jobs show": [[one] for one in job.values()] + [[bad], [job["failed"], "--json"]],
        "jobs explain": [[one] for one in job.values()] + [[bad], [job["failed"], "--json"]],
        "jobs logs": [[], *([one] for one in job.values()), [bad], [job["failed"], "--json"]],
        "datasets list": [[], ["--json"], ["--country", bad]],
        "datasets show": [[one] for one in it.datasets]
        + [[bad], [it.datasets[0], "--json"], [it.datasets[0], "--description"]],
        "pools list": [[], ["--json"]],
        "pools show": [["default"], [bad], ["default", "--json"]],
        "schedules list": [[], ["--json"]],
        "schedules show": [[schedule], [bad]],
        "doctor": [[], ["--json"], [bad]],
        "settings": [[], ["--json"], [bad]],
        "context list": [[], ["--json"]],
        "context show": [[bad], ["prod"]],
        "parse": [[file, "--country", "US"], [file, "--country", "US", "--report"], [bad, "-c", bad]],
        "parsers list": [[], ["--country", bad]],
        "parsers check": [[file, file], [bad]],
        "keys list": [[], ["--all", "--json"]],
        "openapi": [[]],
        "help": [["jobs"], [bad]],
        "completion": [["bash"], [bad]],
        "psql": [["-c", "select filename, error from affirm.datasets"]],
        "db url": [[]],
        "db status": [[]],
    }
    changing: dict[str, list[list[str]]] = {
        "context add": [["prod", f"storage_path={bad}"], [bad, "pool=x"], ["prod", "pool=x"]],
        "context use": [[bad], ["prod"]],
        "context remove": [[bad, "--yes"], ["prod", "--yes"]],
        "jobs set": [[job["again"], "--priority", "3"], [bad, "--priority", "3"]],
        "jobs cancel": [[job["running"]], [job["again"]], [bad]],
        "jobs retry": [[job["failed"]], [bad]],
        "pools pause": [["default", "--reason", bad], [bad]],
        "pools resume": [["default"], [bad]],
        "pools probe": [["default"], [bad]],
        "pools set": [["default", "--max", "3"], [bad, "--max", "3"]],
        "schedules add": [[bad, "--cron", bad, "--location", bad, "-c", "US"]],
        "schedules pause": [[schedule], [bad]],
        "schedules resume": [[schedule], [bad]],
        "schedules run": [[schedule], [bad]],
        "schedules remove": [[schedule], [bad]],
        "reprocess": [[it.datasets[0]], [bad]],
        "submit": [[file, "--country", "US"], [f"{file}.zip", "--country", "US"], [bad, "-c", "US"]],
        "upload": [[file, "--country", "US"], [f"{file}.zip", "--country", "US"], [bad, "-c", "US"]],
        "load": [[file, "--country", "US"], [f"{file}.zip", "--country", "US"], [bad, "-c", "US"]],
        "keys make": [[bad, "--role", "viewer"], ["another", "--role", bad]],
        "keys revoke": [[bad]],
        "serve": [["--listen", bad]],
        "run": [["--until-idle"]],
        "jobs purge": [["--older-than", "1h", "--yes"]],
        "datasets delete": [[it.datasets[0], "--yes"], [bad, "--yes"]],
        "datasets clean": [["--dry-run"], ["--older-than", bad]],
        "migrate": [[]],
        "db start": [[]],
        "db stop": [[]],
    }
    return looking | changing


def test_every_command_is_tried(tmp_path: Path) -> None:
    nobody = Poisoned(World.__new__(World), dict.fromkeys(("failed", "again", "running"), ""), [""], tmp_path)
    groups = {"", "pools", "jobs", "datasets", "parsers", "schedules", "db", "context", "keys"}
    paths = {path.removeprefix("affirm-worker").strip() for path, _ in help_texts()}
    assert {*commands(nobody)} == paths - groups


@pytest.mark.parametrize("checks", [True, False], ids=["as the schema lets it be", "without its checks"])
def test_no_command_pipes_on_what_a_terminal_obeys(poisoned: Poisoned) -> None:
    faults: list[tuple[str, list[str], int, str]] = []
    for path, calls in commands(poisoned).items():
        if path == "run":
            let_go(poisoned.world)
        for arguments in calls:
            faults += faults_in(path, arguments, *call(poisoned, *path.split(), *arguments))
    assert not faults, "\n".join(map(repr, faults))


@pytest.mark.slow
@pytest.mark.parametrize("checks", [False], ids=["without its checks"])
def test_no_command_shows_what_a_terminal_obeys(poisoned: Poisoned) -> None:
    """A sentence goes on in the next line there, so that any word of it may begin one."""
    faults: list[tuple[str, list[str], int, str]] = []
    for path, calls in commands(poisoned).items():
        if path == "run":
            let_go(poisoned.world)
        for arguments in [one for one in calls if "--json" not in one]:
            env, folder = poisoned.environment, poisoned.folder
            code, said = affirm_worker_on_terminal(*path.split(), *arguments, env=env, cwd=folder, columns=120)
            faults += faults_in(path, arguments, code, re.sub("^forged", "…", OURS.sub("", said), flags=re.MULTILINE))
    assert not faults, "\n".join(map(repr, faults))


@pytest.mark.parametrize("checks", [False], ids=["without its checks"])
def test_a_shell_gets_only_names_that_are_one_word(poisoned: Poisoned) -> None:
    """At TAB they come into a line that the shell is about to run."""
    poisoned.world.query(
        "insert into pools (name, max_running) values (%s, 1), ('$(reboot)', 1), ('large', 1)", HOSTILE
    )
    poisoned.world.query("update schedules set name = '; reboot'")
    for kind, names in (("pools", ["default", "large"]), ("schedules", [])):
        asking = {
            "_AFFIRM_WORKER_COMPLETE": "complete_bash",
            "COMP_WORDS": f"affirm-worker {kind} show ",
            "COMP_CWORD": "3",
        }
        done = affirm_worker(env=poisoned.environment | asking, cwd=poisoned.folder)
        assert done.stdout.split() == names


def let_go(world: World) -> None:
    """Ends the run that no launcher knows: a controller would wait for it."""
    world.query("delete from runs where ended_at is null")
    world.query(
        "update jobs set state = 'failed', finished_at = now(), last_error = coalesce(last_error, 'x'),"
        " last_cause = coalesce(last_cause, 'x') where state = 'running'"
    )


def faults_in(path: str, arguments: list[str], code: int, said: str) -> Iterator[tuple[str, list[str], int, str]]:
    """What a command should not have said, with its surroundings; and a crash."""
    found = (OBEYED_OF_PSQL if path == "psql" else OBEYED).search(said) or re.search("^forged", said, re.MULTILINE)
    if found is not None:
        yield path, arguments, code, said[max(0, found.start() - 200) : found.start() + 80]
    elif code == 70:
        yield path, arguments, code, said[-800:]
