"""The log, as machines and as people get it."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from uuid import UUID

import pytest

from app.logs import set_up_logs
from app.settings import Settings

JOB = UUID("0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_line_for_machines_is_one_object_with_the_fields_of_the_old_worker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs(Settings(log_format="json", worker_id="worker-1"))
    extra = {"job_id": str(JOB), "job_type": "parse_dataset", "dataset_id": "d", "attempt": 1}
    logging.getLogger("controller.steps.claim").info("claimed %d", 3, extra=extra)
    [line] = lines(capsys)
    entry = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("time"))
    assert entry == {"level": "INFO", "msg": "claimed 3", "worker_id": "worker-1", **extra}


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Settings(log_format="json", worker_id="worker-1"))
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logging.getLogger().exception("it went wrong")
    [line] = lines(capsys)
    assert json.loads(line)["msg"] == "it went wrong"


def test_auto_is_json_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Settings(log_format="auto"))
    logging.getLogger().warning("hello")
    assert json.loads(lines(capsys)[0])["msg"] == "hello"


def test_auto_is_for_people_where_it_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    set_up_logs(Settings(log_format="auto"))
    logging.getLogger().warning("hello [bold]", extra={"job_id": JOB})
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "".join(lines(capsys)))
    assert re.match(rf"\[?\d\d:\d\d:\d\d\]? WARNING +hello \[bold\]  job_id={JOB}", plain)


@pytest.mark.parametrize(("level", "logged"), [("DEBUG", 3), ("INFO", 2), ("WARNING", 1), ("CRITICAL", 0)])
def test_the_level_is_kept_to(capsys: pytest.CaptureFixture[str], level: str, logged: int) -> None:
    set_up_logs(Settings.model_validate({"log_format": "json", "log_level": level}))
    log = logging.getLogger("controller")
    log.debug("1")
    log.info("2")
    log.warning("3")
    assert len(lines(capsys)) == logged


def test_the_chatter_of_libraries_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Settings(log_format="json"))
    logging.getLogger("kopf.objects").info("chatter")
    assert lines(capsys) == []


@pytest.mark.parametrize("form", ["json", "console"])
def test_whatever_is_quoted_a_line_stays_one_line(
    capsys: pytest.CaptureFixture[str], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    set_up_logs(Settings.model_validate({"log_format": form}))
    hostile = "a\nb\x1b]0;title\x07\u202e\udcff"
    logging.getLogger().warning("got %s", hostile, extra={"job_id": hostile})
    written = capsys.readouterr().err
    written.encode()
    shown = re.sub(r"\x1b\[[0-9;]*m", "", written)
    assert not re.search("[\x1b\x07\u202e\udcff]", shown)
    assert len(shown.splitlines()) == 1
    if form == "json":
        assert json.loads(shown)["msg"] == "got a\nb\x1b]0;title\x07\u202e\\xff"
    else:
        assert r"a\nb\x1b]0;title" in shown


def test_the_pool_of_connections_says_the_same_only_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """It tries again many times a minute, and logs each try."""
    set_up_logs(Settings(log_format="json", worker_id="worker-1"))
    for number in range(50):
        logging.getLogger("psycopg.pool").warning("error connecting in 'pool-%d': connection refused", number)
    logging.getLogger("psycopg.pool").warning("error connecting in 'pool-1': password authentication failed")
    assert len(lines(capsys)) == 2


def test_a_load_hears_nothing_of_the_pool(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Settings(log_format="json", log_level="CRITICAL"))
    logging.getLogger("psycopg.pool").warning("error connecting in 'pool-1': connection refused")
    assert lines(capsys) == []
