"""Contexts: settings of a config file, below the environment and above the defaults."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings, read, read_settings
from app.settings.config_file import parse_config
from app.settings.reading import Source
from app.settings.secrets import SecretCommand, SecretFile, SecretUnknown
from dataset_jobs.model.errors import Misconfigured

URL = "postgresql://me:hunter2@db.example/names"
TWO = f"""\
# of the office
current = "dev"

[contexts.dev]
affirm_worker_home = "/srv/dev"

[contexts.prod]
database_url = "{URL}"
database_schema = "names"
storage_type = "s3"
storage_s3_bucket = "names"
worker_concurrency = 8
limit_rows = 5
schedule_allow_loopback = true
"""


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("AFFIRM_WORKER_CONTEXT", "AFFIRM_WORKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def config(folder: Path, text: str = TWO) -> Path:
    path = folder / "affirm-worker" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def refusal(context: str | None = None) -> str:
    with pytest.raises(Misconfigured) as refused:
        read_settings(context)
    assert "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)
    return str(refused.value)


def test_without_a_config_file_the_environment_is_all() -> None:
    assert read_settings() == Settings()
    assert read().context is None


def test_a_context_has_any_setting_by_its_name(tmp_path: Path) -> None:
    config(tmp_path)
    settings = read_settings("prod")
    assert (settings.database_url, settings.worker_concurrency, settings.limits.rows) == (URL, 8, 5)
    assert (settings.storage.bucket, settings.schedule_allow_loopback) == ("names", True)
    assert str(read_settings().home) == "/srv/dev", "the current one"


def test_option_wins_over_variable_and_that_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(tmp_path, TWO + "[contexts.third]\n")
    monkeypatch.setenv("AFFIRM_WORKER_CONTEXT", "third")
    used = [read(name).context for name in (None, "prod", "")]
    assert [one and (one.name, str(one.chosen_by)) for one in used] == [
        ("third", "AFFIRM_WORKER_CONTEXT"), ("prod", "--context"), ("third", "AFFIRM_WORKER_CONTEXT"),
    ]  # fmt: skip


def test_another_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(tmp_path)
    other = tmp_path / "other.toml"
    monkeypatch.setenv("AFFIRM_WORKER_CONFIG", str(other))
    assert refusal() == f"AFFIRM_WORKER_CONFIG {other}: No such file or directory"
    other.write_text("[contexts.x]\npool = 'slow'\n")
    assert read_settings("x").pool == "slow"
    monkeypatch.setenv("AFFIRM_WORKER_CONFIG", "/dev/null")
    assert read_settings() == Settings(), "so a pod has none by accident"


def test_the_environment_wins_setting_by_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(tmp_path)
    monkeypatch.setenv("WORKER_CONCURRENCY", "2")
    monkeypatch.setenv("LIMIT_ROWS", "")
    reading = read("prod")
    assert (reading.settings.worker_concurrency, reading.settings.limit_rows) == (2, 5)
    origins = {name: reading.origins[name] for name in ("worker_concurrency", "limit_rows", "pool")}
    assert [one.source for one in origins.values()] == [Source.ENVIRONMENT, Source.CONTEXT, Source.DEFAULT]
    assert (origins["limit_rows"].line, reading.doubts) == (13, ())


def test_another_database_takes_nothing_of_the_contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runners that connect to the context's database would not find the jobs of this one."""
    config(tmp_path, TWO + f'runner_database_url = "{URL}"\ndatabase_direct_url = "{URL}"\n')
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@other/names")
    settings = read_settings("prod")
    assert (settings.runner_database_url, settings.database_direct_url, settings.database_schema) == (
        None, None, "affirm",
    )  # fmt: skip
    assert settings.storage_s3_bucket == "names"
    monkeypatch.setenv("STORAGE_TYPE", "local")
    assert read_settings("prod").storage_s3_bucket == ""


def test_a_named_context_that_the_environment_overrides_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(tmp_path, TWO.replace('"dev"', '"prod"'))
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@other/names")
    said = "DATABASE_URL of the environment is used, not that of context prod"
    assert [doubt.text for doubt in read("prod").doubts] == [said]
    assert read().doubts == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[contexts.a\n", ":1: this is no TOML: "),
        ("[contexts.a]\npool = 'x'\npool = 'y'\n", ":3: this is no TOML: Cannot overwrite a value"),
        ("a = [", ":1: this is no TOML: "),
        ("database_url = 'x'\n", ":1: unknown key database_url; settings belong into a context"),
        ("curent = 'a'\n", ":1: unknown key curent; did you mean current?"),
        ("[context.a]\n", ":1: unknown key context; did you mean contexts?"),
        ("[something]\n", ":1: unknown key something; allowed: current and [contexts.NAME]"),
        ("current = 5\n", ":1: current must be the name of a context"),
        ("contexts = 5\n", ":1: contexts must be tables"),
        ("[contexts]\na = 'x'\n", ":2: context a must be a table"),
        ("current = 'b'\n[contexts.a]\n", ":1: current: there is no context 'b': did you mean a? "),
        ("current = 'a'\n[contexts.a]\ndatabse_url = 'x'\n", ":3: context a: databse_url is not a setting; did you "),
        ("current = 'a'\n[contexts.a]\nDATABASE_URL = 'x'\n", ":3: context a: DATABASE_URL is not a setting; did you "),
        ("current = 'a'\n[contexts.a]\nnonsense = 'x'\n", ":3: context a: nonsense is not a setting; docs/"),
        ("current = 'a'\n[contexts.a]\npool = {}\n", ":3: context a: pool has no value that a setting can have"),
        ("current = 'a'\n[contexts.a]\npool = ['x']\n", ":3: context a: pool has no value that a setting can have"),
        ("current = 'a'\n[contexts.a]\npool = {command = 'x'}\n", ":3: context a: pool has no value that"),
        ("current = 'a'\n[contexts.a]\npool = {command = []}\n", ":3: context a: pool has no value that"),
        ("current = 'a'\n[contexts.a]\npool = {file = 'x', x = 1}\n", ":3: context a: pool has no value that"),
        ("current = 'a'\n[contexts.a]\nworker_concurrency = 0\n", ":3: context a: worker_concurrency is '0'; allow"),
        ("current = 'a'\n[contexts.a]\nworker_poll_interval = 5\n", ":3: context a: worker_poll_interval is '5'; "),
        (f"current = 'a'\n[contexts.a]\ndatabase_url = '{URL}%'\n", ":3: context a: database_url is postgresql://"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    assert f"{config(tmp_path, text)}{said}" in refusal()


def test_wrong_bytes_are_said_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"/x:2: it is not UTF-8"):
        parse_config(Path("/x"), b"# \n# \xff\n")
    with pytest.raises(Misconfigured, match="more than 1048576 bytes"):
        parse_config(Path("/x"), b"#" * 1_048_577)
    config(tmp_path).unlink()
    config(tmp_path).unlink()
    (tmp_path / "affirm-worker" / "config.toml").mkdir()
    assert refusal() == f"{tmp_path}/affirm-worker/config.toml: Is a directory"


def test_every_wrong_value_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config(tmp_path, "[contexts.a]\nlimit_rows = 0\ndatabase_url = {command = ['false']}\n")
    monkeypatch.setenv("WORKER_MAX_RETRIES", "x")
    said = refusal("a")
    assert f"{path}:2: context a: limit_rows is '0'; allowed: " in said
    assert f"{path}:3: context a: database_url: the command false has failed with exit code 1" in said
    assert "WORKER_MAX_RETRIES is 'x'; allowed: " in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("prd", "there is no context 'prd': did you mean prod? "),
        ("elsewhere", "there is no context 'elsewhere': "),
        ("a\nb", r"there is no context 'a\nb': "),
    ],
)
def test_an_unknown_context_is_named_with_the_nearest(tmp_path: Path, given: str, said: str) -> None:
    path = config(tmp_path)
    assert refusal(given).startswith(said)
    assert refusal(given).endswith(f"{path} has dev, prod")


def test_a_context_without_any_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFIRM_WORKER_CONTEXT", "prod")
    assert refusal() == "there is no context 'prod', since there is no config file"


@pytest.mark.parametrize(
    ("mode", "text", "warned"),
    [
        (0o600, TWO, False),
        (0o640, TWO, True),
        (0o604, TWO, True),
        (0o644, TWO.replace(":hunter2", ""), False),
        (0o644, "[contexts.dev]\ndatabase_url = {command = ['echo', 'postgresql://u:hunter2@h/n']}\n", False),
    ],
)
def test_a_password_that_others_can_read_is_warned_about(tmp_path: Path, mode: int, text: str, warned: bool) -> None:
    path = config(tmp_path, text)
    path.chmod(mode)
    said = f"{path} holds a password, and others can read it: chmod 600 {path}"
    assert [doubt.text for doubt in read("dev").doubts] == ([said] if warned else [])


def test_a_command_or_a_file_has_the_secret(tmp_path: Path) -> None:
    (tmp_path / "affirm-worker").mkdir()
    (tmp_path / "affirm-worker" / "url").write_text(f"{URL}\n")
    text = f'database_url = {{file = "url"}}\nrunner_database_url = {{command = ["printf", "{URL}"]}}\n'
    config(tmp_path, f"[contexts.a]\n{text}database_direct_url.file = '{tmp_path}/affirm-worker/url'\n")
    reading = read("a")
    settings = reading.checked()
    assert [settings.database_url, settings.runner_database_url, settings.database_direct_url] == [URL] * 3
    assert reading.origins["runner_database_url"].from_secret == "the command printf"
    assert "hunter2" not in f"{settings!r} {reading!r}"
    assert read("a", secrets=False).settings.database_url is None


def test_a_secret_that_is_not_needed_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(tmp_path, f"[contexts.a]\ndatabase_url = {{command = ['touch', '{tmp_path}/asked']}}\n")
    monkeypatch.setenv("DATABASE_URL", URL)
    assert read_settings("a").database_url == URL
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["sh", "-c", "echo hunter2; exit 3"], "the command sh has failed with exit code 3: run it by hand"),
        (["sh", "-c", "kill -9 $$"], "the command sh has failed with signal 9"),
        (["sh", "-c", "echo hunter2; echo hunter2"], "the command sh has printed 2 lines; expected one line"),
        (["true"], "the command true has printed nothing; expected one line"),
        (["printf", r"hunter2\377"], "the command printf has printed bytes that are not UTF-8"),
        (["head", "-c", "70000", "/dev/zero"], "the command head has printed more than 65536 bytes"),
        (["no-such-command-here"], "the command no-such-command-here cannot be run: No such file or directory"),
        (["/"], "the command / cannot be run: Permission denied"),
        (["x\0"], "cannot be run: a NUL in its arguments"),
    ],
)
def test_a_failed_command_is_named_without_its_output(
    command: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SecretUnknown) as failed:
        SecretCommand(tuple(command)).read()
    assert said in str(failed.value)
    assert "hunter2" not in str(failed.value) + "".join(capfd.readouterr())


def test_no_command_is_run_that_everybody_could_have_written(tmp_path: Path) -> None:
    path = config(tmp_path, f"[contexts.a]\ndatabase_url = {{command = ['touch', '{tmp_path}/run']}}\n")
    path.chmod(0o602)
    assert refusal("a").endswith(f"touch is not run, since everybody can write the file: chmod o-w {path}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", [["sleep", "60"], ["sh", "-c", "sleep 60; true"], ["sh", "-c", "sleep 60 & wait"]])
def test_a_command_that_hangs_is_given_up(command: list[str]) -> None:
    with pytest.raises(SecretUnknown, match=r"the command s\w+ has not ended after 0.2 s"):
        SecretCommand(tuple(command)).read(seconds=0.2)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file or directory"), ("a\nb\n", "has 2 lines"), ("\n", "has nothing")],
)
def test_a_file_without_one_line_is_said(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "url").write_text(content)
    with pytest.raises(SecretUnknown, match=said):
        SecretFile(tmp_path / "url").read()


def test_a_pipe_that_nobody_writes_into_is_no_secret(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "url")
    assert stat.S_ISFIFO((tmp_path / "url").stat().st_mode)
    with pytest.raises(SecretUnknown, match="has nothing"):
        SecretFile(tmp_path / "url").read()


@pytest.mark.parametrize("url", [None, "postgresql://me@other/names"])
def test_an_empty_value_counts_as_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: Any) -> None:
    config(tmp_path, "[contexts.a]\ndatabase_url = ''\n")
    if url:
        monkeypatch.setenv("DATABASE_URL", url)
    reading = read("a")
    assert (reading.settings.database_url, reading.origins["database_url"].source) == (
        url, Source.ENVIRONMENT if url else Source.DEFAULT,
    )  # fmt: skip
