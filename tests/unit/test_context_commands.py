"""`affirm-worker context` and `affirm-worker settings`, and how the config file is changed."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.settings.config_edit import add, remove, use
from dataset_jobs.model.errors import Misconfigured, Unavailable
from dataset_jobs.model.requests import InvalidRequest
from tests.kit.warm_command import ROOT, affirm_worker

URL = "postgresql://me:hunter2@db.example/names"
FILE = f"""\
# Ours.
current = 'dev'   # for now

# the laptop
[contexts.dev]
affirm_worker_home = "/srv/dev"  # a large disk

# the office:
# ask Ann
[contexts.prod]
database_url = "{URL}"
# it is slow
pool = "slow"
[contexts.prod.runner_database_url]
command = ["echo", "postgresql://me:hunter2@db.example/runs"]

# the last one
[contexts."far away"]
"""


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    path.chmod(0o600)
    monkeypatch.setenv("AFFIRM_WORKER_CONFIG", str(path))
    return path


def affirm(path: Path, *arguments: str, code: int = 0, **environment: str) -> "subprocess.CompletedProcess[str]":
    done = affirm_worker(*arguments, env={"PATH": os.environ["PATH"], "AFFIRM_WORKER_CONFIG": str(path), **environment})
    assert done.returncode == code, done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    return done


def answer(path: Path, *arguments: str, **environment: str) -> Any:
    return json.loads(affirm(path, *arguments, "--json", code=0, **environment).stdout)


def test_only_the_line_of_the_current_context_changes(path: Path) -> None:
    use("prod")
    assert path.read_text() == FILE.replace("'dev' ", '"prod" ')
    use("far away")
    assert path.read_text() == FILE.replace("'dev' ", '"far away" ')
    use(None)
    assert path.read_text() == FILE.replace("current = 'dev'   # for now\n", "")
    use("dev")
    assert path.read_text() == 'current = "dev"\n' + FILE.replace("current = 'dev'   # for now\n", "")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_context_is_added_at_the_end(path: Path) -> None:
    add("lap_top-2", {"pool": 'a "b" \\ ü', "database_url": {"command": ["pass", "show"]}})
    assert path.read_text() == FILE + (
        '\n[contexts.lap_top-2]\npool = "a \\"b\\" \\\\ ü"\ndatabase_url = {command = ["pass", "show"]}\n'
    )
    for name in ("dev", "far away", "a.b", "", "ü"):
        with pytest.raises(InvalidRequest):
            add(name, {})


def test_a_removed_context_goes_with_its_tables(path: Path) -> None:
    remove("prod")
    there, _, after = FILE.partition("[contexts.prod]")
    assert path.read_text() == there + "\n# the last one" + after.partition("# the last one")[2]
    remove("dev")
    remove("far away")
    text = path.read_text()
    assert "current" not in text
    assert [line for line in text.splitlines() if line] == [
        "# Ours.", "# the laptop", "# the office:", "# ask Ann", "# the last one",
    ]  # fmt: skip
    with pytest.raises(InvalidRequest, match=r"there is no context 'dev': .* has none"):
        remove("dev")


@pytest.mark.parametrize(
    "text", ["contexts = {dev = {pool = 'x'}}\n", "contexts.dev.pool = 'x'\n", 'contexts."d\\u0065v".pool = "x"\n']
)
def test_a_layout_that_only_a_person_can_change_stays(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(Misconfigured, match="edit it"):
        remove("dev")
    assert path.read_text() == text


def test_a_line_of_the_same_look_elsewhere_stays(path: Path) -> None:
    text = '[contexts.dev]\npool = """\n[contexts.dev]\ncurrent = "x"\n"""\n'
    path.write_text(text)
    use("dev")
    assert path.read_text() == 'current = "dev"\n' + text


def test_a_file_that_is_missing_is_made_private(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFFIRM_WORKER_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "new"))
    made = add("dev", {"pool": "x"})
    assert made == tmp_path / "new" / "affirm-worker" / "config.toml"
    assert (made.stat().st_mode & 0o777, made.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    with pytest.raises(InvalidRequest, match=r"there is no context 'deb': did you mean dev\?"):
        use("deb")


def test_a_link_to_the_file_stays_a_link(path: Path, tmp_path: Path) -> None:
    path.rename(tmp_path / "dotfiles.toml")
    path.symlink_to("dotfiles.toml")
    use("prod")
    assert path.is_symlink() and 'current = "prod"' in (tmp_path / "dotfiles.toml").read_text()


def test_what_is_no_file_is_not_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for place in (os.devnull, str(tmp_path)):
        monkeypatch.setenv("AFFIRM_WORKER_CONFIG", place)
        with pytest.raises(Misconfigured, match=f"{place} is no file that could be changed"):
            add("dev", {})


def test_two_commands_that_change_it_at_once_both_do(path: Path) -> None:
    threads = [threading.Thread(target=add, args=(f"n{number}", {"pool": "x"})) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"[contexts.n{number}]\n" in path.read_text() for number in range(20))


@pytest.mark.parametrize("dies_before", ["os.fsync", "pathlib.Path.replace"])
def test_a_command_that_dies_leaves_the_old_file_whole(path: Path, dies_before: str) -> None:
    """The next one finds nothing in its way."""
    code = (
        f"import os, pathlib, signal; {dies_before} = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        "from app.settings.config_edit import use; use('prod')"
    )
    died = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert died.returncode == -9
    assert path.read_text() == FILE
    use("prod")
    assert path.read_text() == FILE.replace("'dev' ", '"prod" ')
    assert {one.name for one in path.parent.iterdir()} == {"config.toml", ".config.toml.lock"}


def test_a_full_disk_leaves_the_old_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr("os.open", lambda *_: full)
    with pytest.raises(Unavailable, match="No space left on device"):
        use("prod")
    assert path.read_text() == FILE


def test_contexts_are_listed_used_shown_added_and_removed(path: Path) -> None:
    listed = answer(path, "context", "list")
    assert [(one["context"], one["in_use"], one["database"]) for one in listed] == [
        ("dev", True, "embedded, /srv/dev/postgres"),
        ("prod", False, "host=db.example dbname=names user=me password=***"),
        ("far away", False, "embedded"),
    ]
    assert "context prod is in use now" in affirm(path, "context", "use", "prod").stdout
    shown = answer(path, "context", "show")
    assert (shown["context"], shown["chosen_by"], shown["line"]) == ("prod", "current", 10)
    assert shown["settings"]["runner_database_url"] == "from the command echo"
    assert "did you mean prod?" in affirm(path, "context", "use", "prd", code=65).stderr
    assert "give either a NAME or --none" in affirm(path, "context", "use", code=2).stderr
    affirm(path, "context", "add", "new", "POOL=x", 'database_url={command = ["true"]}')
    assert 'pool = "x"\ndatabase_url = {command = ["true"]}\n' in path.read_text()
    assert "--yes" in affirm(path, "context", "remove", "new", code=2).stderr
    assert "removed context new" in affirm(path, "context", "remove", "new", "--yes").stdout
    assert "no context is in use now" in affirm(path, "context", "use", "--none").stdout
    assert "no context is in use" in affirm(path, "context", "show", code=65).stderr


@pytest.mark.parametrize(
    ("pair", "code", "said"),
    [
        ("databse_url=x", 2, "databse_url is not a setting; did you mean database_url?"),
        ("pool", 2, "expected KEY=VALUE"),
        ("pool=", 2, "expected KEY=VALUE"),
        ("worker_concurrency=0", 78, "WORKER_CONCURRENCY is '0'; allowed: a whole number from 1 to 1024"),
        ("database_url=postgresql://u:hunter2%@h/x", 78, "DATABASE_URL is postgresql://...; allowed: "),
        ('database_url={comand = ["x"]}', 2, "expected {command = "),
        ('database_url={command = "x"', 2, "expected {command = "),
        ("pool=a\nb", 2, "pool: control characters"),
    ],
)
def test_a_wrong_value_is_not_added(path: Path, pair: str, code: int, said: str) -> None:
    assert said in " ".join(affirm(path, "context", "add", "new", pair, code=code).stderr.split())
    assert path.read_text() == FILE


def test_a_broken_context_does_not_hide_the_others(path: Path) -> None:
    path.write_text(FILE.replace('pool = "slow"', 'pol = "slow"'))
    listed = answer(path, "context", "list")
    assert [one["error"] for one in listed] == [
        None, f"{path}:13: context prod: pol is not a setting; did you mean pool?", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["--context", "prod", "settings"], "prod"),
        (["settings", "--context", "prod"], "prod"),
        (["--context", "dev", "settings", "--context=prod"], "prod"),
        (["settings"], "dev"),
    ],
)
def test_the_option_stands_before_or_after_the_command(path: Path, arguments: list[str], chosen: str) -> None:
    found = {one["name"]: one for one in answer(path, *arguments)}
    assert found["AFFIRM_WORKER_HOME"]["context"] == ("dev" if chosen == "dev" else None)
    assert found["DATABASE_URL"]["context"] == ("prod" if chosen == "prod" else None)


def test_every_setting_is_shown_with_its_value_and_origin(path: Path) -> None:
    found = {one["name"]: one for one in answer(path, "settings", "--context", "prod", LOG_LEVEL="debug")}
    assert [*found] == [name.upper() for name in Settings.model_fields]
    url = found["DATABASE_URL"]
    assert (url["source"], url["file"], url["line"]) == ("context", str(path), 11)
    assert url["value"] == "host=db.example dbname=names user=me password=***"
    assert found["RUNNER_DATABASE_URL"]["from_secret"] == "the command echo"
    assert (found["LOG_LEVEL"]["value"], found["LOG_LEVEL"]["source"]) == ("DEBUG", "environment")
    assert (found["WORKER_RETRY_WAITS"]["value"], found["WORKER_RETRY_WAITS"]["source"]) == ("1m,5m,15m", "default")
    table = affirm(path, "settings", "--context", "prod").stdout
    assert "context prod, line 15, the command echo" in table or "context prod, line 14, the command echo" in table
    docs = affirm(path, "settings", "pool", "limit_rows").stdout
    assert "POOL\n  value    default\n  from     default\n" in docs and "  purpose  Files that give more rows" in docs


def test_all_that_is_wrong_is_listed_at_once(path: Path) -> None:
    wrong = {"WORKER_CONCURRENCY": "x", "LIMIT_ROWS": "0", "DATABASE_URL": URL + "%"}
    done = affirm(path, "settings", "--json", code=78, **wrong)
    errors = {one["name"]: one["error"] for one in json.loads(done.stdout) if one["error"]}
    assert errors.keys() == wrong.keys()
    assert [line for line in done.stderr.splitlines() if " allowed: " in line] == done.stderr.splitlines()
    assert len(done.stderr.splitlines()) == 3
    assert "did you mean DATABASE_URL?" in affirm(path, "settings", "databse_url", code=2).stderr


def test_a_login_where_none_belongs_is_hidden(path: Path) -> None:
    login = "http://u:hunter2@s3.example"
    bucket = "storage_type = 's3'\nstorage_s3_bucket = 'names'"
    path.write_text(f"[contexts.a]\n{bucket}\nstorage_s3_endpoint = '{login}'\n")
    for arguments in ([], ["--json"], ["storage_s3_endpoint"]):
        assert "http://***@s3.example" in affirm(path, "settings", "--context", "a", *arguments, code=78).stdout
    assert answer(path, "context", "show", "a")["settings"]["storage_s3_endpoint"] == "http://***@s3.example"
    assert "POOL is 'http://***@s3.example'" in affirm(path, "settings", code=78, POOL=login).stderr


def test_parse_asks_no_secret_and_names_no_database(path: Path) -> None:
    path.write_text("[contexts.a]\nlimit_rows = 1\ndatabase_url = {command = ['false']}\n")
    state = str(ROOT / "tests" / "data" / "us" / "TR.TXT")
    done = affirm(path, "parse", state, "-c", "US", "--context", "a", code=65, DATABSE_URL="x", LIMIT_ROW="5")
    first, *_ = done.stderr.splitlines()
    assert first == "affirm-worker: LIMIT_ROW is not a setting; did you mean LIMIT_ROWS?"
    assert "DATABSE_URL" not in done.stderr and "embedded" not in done.stderr
    assert "more than 1 row" in done.stderr


def test_pods_read_no_config_file() -> None:
    """The image of the controller names an empty one; the runner's code cannot read any (see `test_floors`)."""
    _, _, controller = (ROOT / "Dockerfile").read_text().partition("\nFROM python AS controller\n")
    assert "\nENV AFFIRM_WORKER_CONFIG=/dev/null\n" in f"\n{controller}"
    assert {one["source"] for one in answer(Path(os.devnull), "settings")} == {"default"}
