"""A runner's last log lines."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.outcome import KEPT_LINES, LINE_LIMIT, MESSAGE_LIMIT, LogLine, Outcome
from dataset_jobs.model.run_log import LOG_BYTES, LOG_LINES, RunLog, size_of
from parser_runner.log_tail import LogTail

lines = st.builds(LogLine, st.just("2026-03-01T12:00:00.000Z"), st.just("INFO"), st.text(st.characters()))


@pytest.fixture(autouse=True)
def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_the_last_lines_of_our_own_loggers_are_kept_and_no_other_s() -> None:
    kept = LogTail()
    kept.keep()
    try:
        for number in range(KEPT_LINES + 5):
            logging.getLogger("parser_runner.run").info("line %d", number)
            logging.getLogger("somebody.else").info("Mary,F,7")
    finally:
        kept.close()
    logging.getLogger("parser_runner.run").info("too late")
    assert [line.msg for line in kept.lines()] == [f"line {number}" for number in range(5, KEPT_LINES + 5)]
    assert kept.lines()[0].level == "INFO"
    assert kept.lines()[0].time.endswith("Z")


@given(st.lists(st.text(st.characters(), max_size=400), max_size=LOG_LINES + 20))
def test_the_log_of_a_run_is_bounded_and_counts_what_it_drops(texts: list[str]) -> None:
    kept = LogTail()
    for text in texts:
        kept.handle(logging.LogRecord("parser_runner", logging.INFO, "", 0, "%s", (text,), None))
    log = kept.log()
    assert len(log.lines) <= LOG_LINES
    assert sum(map(size_of, log.lines)) <= LOG_BYTES
    assert log.dropped + len(log.lines) == len(texts)
    assert [line.msg for line in log.lines] == [LogLine("", "", text).msg for text in texts[log.dropped :]]
    assert RunLog.from_dict(log.as_dict()) == log


def test_a_long_line_is_cut() -> None:
    assert len(LogLine("t", "INFO", "x" * 5000).msg) == LINE_LIMIT


@given(st.lists(lines, max_size=KEPT_LINES).map(tuple), st.text(max_size=3000))
def test_a_message_has_the_newest_lines_that_there_is_room_for(log: tuple[LogLine, ...], error: str) -> None:
    outcome = Outcome(Cause.CRASHED, error=error, log=log)
    message = outcome.to_message()
    assert len(message) <= MESSAGE_LIMIT
    read = Outcome.from_message(message)
    assert read is not None
    assert read.log == log[len(log) - len(read.log) :]


@given(st.lists(lines, max_size=KEPT_LINES).map(tuple))
def test_what_is_kept_on_the_run_is_read_back_whole(log: tuple[LogLine, ...]) -> None:
    assert Outcome.from_dict(Outcome(Cause.CRASHED, log=log).as_dict()) == Outcome(Cause.CRASHED, log=log)


@pytest.mark.parametrize("log", ["7", '{"a": 1}', "[1]", '[{"time": "t"}]', "null"])
def test_a_log_that_no_runner_of_ours_wrote_makes_the_message_none_of_ours(log: str) -> None:
    assert Outcome.from_message(f'{{"cause": "crashed", "log": {log}}}') is None
