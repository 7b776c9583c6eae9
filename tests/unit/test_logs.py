"""The log, as machines and as people get it."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from _pytest.capture import CaptureIO

from app.logs import set_up_logs
from app.settings import Settings
from dataset_jobs.logs import DETAIL, log_for_people, say_with_every_line

JOB = UUID("0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stderr is one, of 80 columns and without colours."""
    monkeypatch.setattr(CaptureIO, "isatty", lambda _: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")


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


def test_auto_is_for_people_where_it_is_one(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    set_up_logs(Settings(log_format="auto"))
    logging.getLogger().warning("hello [bold]", extra={"job_id": JOB})
    assert re.fullmatch(r"\d\d:\d\d:\d\d \(0f9c5d4e\) hello \[bold\]", lines(capsys)[0])


def test_lines_for_people_are_whole_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Settings(log_format="console"))
    logging.getLogger().warning("word " * 60, extra={"job_id": JOB, "epoch": 3})
    [line] = lines(capsys)
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WARNING +word word", line)
    assert line.endswith(f"word   job_id={JOB} epoch=3")


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
def test_whatever_is_quoted_a_line_stays_one_line(capsys: pytest.CaptureFixture[str], form: str) -> None:
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


def test_errors_that_the_driver_ignores_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Settings(log_format="json"))
    logging.getLogger("psycopg").warning("error ignored terminating <psycopg.Pipeline>: pipeline aborted")
    assert lines(capsys) == []


def test_a_load_hears_nothing_of_the_pool(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Settings(log_format="json", log_level="CRITICAL"))
    logging.getLogger("psycopg.pool").warning("error connecting in 'pool-1': connection refused")
    assert lines(capsys) == []


def seen(capsys: pytest.CaptureFixture[str], message: str, level: int = logging.INFO, **fields: object) -> list[str]:
    """What a terminal shows of one event, without the time."""
    set_up_logs(Settings(log_format="auto"))
    logging.getLogger("controller").log(level, "%s", message, extra=fields)
    first, *more = lines(capsys)
    assert re.match(r"\d\d:\d\d:\d\d ", first)
    assert all(line.startswith(" " * 9) for line in more)
    assert max(map(len, [first, *more])) <= 80
    return [first[9:], *more]


def test_a_terminal_shows_file_and_short_id(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    about: dict[str, Any] = {
        "file": "yob1999.txt",
        "job_id": str(JOB),
        "job_type": "parse_dataset",
        "epoch": 1,
        "attempt": 1,
    }
    assert seen(capsys, "claimed", **about) == ["yob1999.txt (0f9c5d4e) claimed"]
    assert seen(capsys, "pool default: 2 runs") == ["pool default: 2 runs"]


@pytest.mark.parametrize(
    ("file", "message", "shown"),
    [
        ("a.txt", "rejected: a.txt, line 7: expected F or M", "rejected: line 7: expected F or M"),
        ("a.txt", "rejected: a.txt: not a format of US", "rejected: not a format of US"),
        ("a", "data, more", "data, more"),
        ("*.txt", "rejected: a.txt, line 7", "rejected: a.txt, line 7"),
    ],
)
def test_a_terminal_names_the_file_once(
    capsys: pytest.CaptureFixture[str], terminal: None, file: str, message: str, shown: str
) -> None:
    assert seen(capsys, message, file=file, job_id=JOB) == [f"{file} (0f9c5d4e) {shown}"]


def test_only_what_an_operator_must_fix_is_marked(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    assert seen(capsys, "rejected: line 7", logging.WARNING) == ["rejected: line 7"]
    assert seen(capsys, "failed: crashed", logging.ERROR) == ["ERROR failed: crashed"]


def test_a_terminal_breaks_long_lines_between_words(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    words = [f"word{number}" for number in range(40)]
    shown = seen(capsys, " ".join(words), file="a.txt", job_id=JOB)
    assert len(shown) > 3
    assert " ".join(shown).split()[2:] == words


def test_chinese_words_take_two_columns(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    shown = seen(capsys, " ".join(["名字名字名字"] * 12))
    assert max(len(line) for line in shown) < 50


@pytest.mark.parametrize("pad", ["\n", " " * 200, "\r", "\x1b[2K\x1b[G", "\u2028", "\u202e"])
def test_no_name_or_message_begins_an_event(capsys: pytest.CaptureFixture[str], terminal: None, pad: str) -> None:
    false = f"x{pad}12:00:00 yob1999.txt (00000000) completed"
    for shown in (seen(capsys, false), seen(capsys, "claimed", file=false, job_id=JOB), seen(capsys, "x", job_id=pad)):
        assert not re.search("[\x1b\r\u202e]", "".join(shown))
        assert not any(line.startswith("12:00") for line in shown)


def test_details_are_shown_at_debug_only(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    for level, shown in (("INFO", 0), ("DEBUG", 1)):
        set_up_logs(Settings.model_validate({"log_format": "console", "log_level": level}))
        logging.getLogger("controller").info("launched as pid-5", extra=DETAIL)
        assert len(lines(capsys)) == shown
    set_up_logs(Settings(log_format="json"))
    logging.getLogger("controller").info("launched as pid-5", extra=DETAIL)
    assert json.loads(lines(capsys)[0]).keys() == {"time", "level", "msg", "worker_id"}


def test_a_traceback_is_below_its_event(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    set_up_logs(Settings(log_format="auto"))
    try:
        raise ValueError("first\n12:00:00 second\x1b[2K")
    except ValueError:
        logging.getLogger("controller").exception("schedule ssa: unforeseen")
    first, *trace = lines(capsys)
    assert first.endswith(" ERROR schedule ssa: unforeseen")
    assert all(line.startswith(" " * 9) and "\x1b" not in line for line in trace)
    assert any("ValueError" in line for line in trace)


@pytest.mark.parametrize(("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_only_where_they_are_wanted(
    capsys: pytest.CaptureFixture[str], terminal: None, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str],
    coloured: bool,
) -> None:  # fmt: skip
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    set_up_logs(Settings(log_format="auto"))
    logging.getLogger("controller").warning("word " * 30)
    shown = lines(capsys)
    assert all(("\x1b[33m" in line) == coloured for line in shown)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", " ".join(shown))
    assert plain.split()[1:] == ["word"] * 30


def test_later_days_have_a_date(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    log_for_people("INFO", {}, since=datetime(2026, 3, 1, 23, 59))
    logging.getLogger("controller").info("claimed")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d claimed", lines(capsys)[0])


def test_a_runner_says_with_every_line_what_it_works_on(capsys: pytest.CaptureFixture[str], terminal: None) -> None:
    log_for_people("INFO", {"job_id": str(JOB), "epoch": 2})
    say_with_every_line(file="yob1999.txt")
    logging.getLogger("parser_runner.heartbeat").warning("heartbeat missed: no answer")
    assert lines(capsys)[0][9:] == "yob1999.txt (0f9c5d4e) heartbeat missed: no answer"
    log_for_people("INFO", {"job_id": str(JOB), "epoch": 3})
    logging.getLogger("parser_runner.run").warning("retrying in 1 s: no answer")
    assert lines(capsys)[0][9:] == "(0f9c5d4e) retrying in 1 s: no answer"
