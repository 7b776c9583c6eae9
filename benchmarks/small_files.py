"""A load of small files, in a process of its own: seconds by the clock, and of processor, with all it starts."""

import asyncio
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from parser_runner.apart import parser
from parser_runner.child import run_child
from parser_runner.file_parser import FileParser, FileToParse, Parsing
from parser_runner.run import RunnerContext
from tests.integration.world import World

FIRST_YEAR, MOST_FILES = 1880, 145

AS_IT_IS, EACH_APART, IN_ONE = "as it is", "a parser process for each file", "parsed in the runner"
VARIANTS = (AS_IT_IS, EACH_APART, IN_ONE)

_HERE = "from benchmarks.small_files import load_here; load_here()"
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """What a load took.

    Args:
        clock: seconds from the start of the controller's loop to the last job settled.
        processor: seconds of user and system time of the controller and all that it started.
    """

    clock: float
    processor: float


def load(conninfo: str, files: int, variant: str) -> Cost:
    """Loads files of three rows with two runners; see `Cost`.

    Args:
        conninfo: of a migrated database.
        files: how many, at most MOST_FILES.
        variant: one of VARIANTS.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked = json.dumps([conninfo, folder, files, variant])
        done = subprocess.run([sys.executable, "-c", _HERE], input=asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def load_here() -> None:
    """What the process of `load` does. What its child leaves behind becomes its own, so that it can wait for all."""
    conninfo, folder, files, variant = json.loads(sys.stdin.read())
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    answers, answer = os.pipe()
    if os.fork() == 0:
        os.close(answers)
        os.write(answer, json.dumps(_load(conninfo, Path(folder), files, variant)).encode())
        sys.exit()
    os.close(answer)
    with open(answers) as answered:
        clock, aside = json.loads(answered.read())
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps(asdict(Cost(clock, used.ru_utime + used.ru_stime - aside))))


def _load(conninfo: str, folder: Path, files: int, variant: str) -> tuple[float, float]:
    """Seconds of the load, and of processor before it."""
    world = World(conninfo, folder)
    for number in range(files):
        rows = f"Mary,F,{number + 7}\nAnna,F,{number + 6}\nJohn,M,{number + 5}\n"
        world.submit(world.file(f"yob{FIRST_YEAR + number}.txt", rows), "US")
    world.client.close()
    entry = partial(_run_as, variant, world.environment)
    if variant == IN_ONE:
        world.begin = None
    aside, began = time.process_time(), time.perf_counter()
    asyncio.run(world.run_until_idle(seconds=3600, entry=entry))
    seconds = time.perf_counter() - began
    failed = world.query("select last_error from jobs where state <> 'completed'")
    if failed:
        raise RuntimeError(str(failed[0]))
    return seconds, aside


def _run_as(
    variant: str, environment: Mapping[str, str], job_id: str, epoch: int, message_path: str, secret: str
) -> None:
    """The runner, in one of its variants."""
    if variant == IN_ONE:
        RunnerContext.parsing = _parsing  # type: ignore[method-assign,assignment]
    elif variant == EACH_APART:
        parser.FILES_OF_A_PARSER = 1
    run_child(environment, job_id, epoch, message_path, secret)


@contextmanager
def _parsing(context: RunnerContext, asked: FileToParse, go_on: Callable[[], None]) -> Iterator[Parsing]:
    with closing(FileParser(asked)) as parsing:
        yield parsing
