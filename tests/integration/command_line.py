"""`affirm-worker`, called as a user calls it: a command with its answer, or a controller as a process."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.settings.config_file import CONFIG_VARIABLE
from tests.integration.world import World
from tests.kit.warm_command import ROOT, affirm_worker

__all__ = ["ROOT", "Run", "affirm_worker", "answer", "bare", "log_of", "log_until", "runner", "running"]

Run = Callable[..., subprocess.CompletedProcess[str]]


def runner(environment: dict[str, str], folder: Path) -> Run:
    """Runs `affirm-worker` with these settings and no others."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", CONFIG_VARIABLE) if name in os.environ}

    def run(*arguments: str | Path, code: int | None = 0, **settings: str) -> subprocess.CompletedProcess[str]:
        done = affirm_worker(*arguments, env={**inherited, **environment, **settings}, cwd=folder)
        assert code in (None, done.returncode), done.stdout + done.stderr
        return done

    return run


def bare(text: str) -> str:
    """A text with its commands as they are without a home of their own."""
    return re.sub(r"AFFIRM_WORKER_HOME=\S+ (?:\S*/)?affirm-worker ", "affirm-worker ", text)


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON that a command printed."""
    return json.loads(done.stdout)


@contextmanager
def running(world: World, *args: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """`affirm-worker run` with the process launcher."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "run", *args],
        env={**os.environ, **world.environment, "LOG_LEVEL": "INFO", "LOG_FORMAT": "json", **settings},
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def log_until(process: subprocess.Popen[str], words: str) -> str:
    """Waits until a process logs a message that begins with these words; the message. `log_of` has the rest only."""
    assert process.stderr is not None
    return next(said for line in process.stderr if (said := str(json.loads(line)["msg"])).startswith(words))


def log_of(process: subprocess.Popen[str]) -> list[dict[str, object]]:
    """What a process that has ended has logged: one JSON object a line."""
    assert process.stderr is not None
    return [json.loads(line) for line in process.stderr.read().splitlines()]
