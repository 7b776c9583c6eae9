"""How long a runner asks for what does not answer."""

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected, Unavailable
from parser_runner import run
from parser_runner.run import LEAST_TRIES, patiently

WAITS = (0.0, 0.0, 0.0, 0.0, 0.0)


def tries_until(error: Exception) -> int:
    tried = 0

    def fails() -> None:
        nonlocal tried
        tried += 1
        raise error

    with pytest.raises(type(error)):
        patiently(fails, WAITS)
    return tried


def test_what_refuses_is_asked_after_every_wait() -> None:
    assert tries_until(Unavailable("connection refused")) == len(WAITS) + 1


def test_what_takes_long_to_fail_is_asked_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ENOUGH_SECONDS", 0.0)
    assert tries_until(Unavailable("no answer within 60 s")) == LEAST_TRIES


def test_an_answer_is_not_asked_for_again() -> None:
    assert tries_until(Rejected(Reason.FILE_NOT_FOUND, "yob2020.txt", "no such file")) == 1
