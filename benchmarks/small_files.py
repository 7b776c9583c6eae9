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
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks.small_runner import AS_IT_IS, EACH_APART, IN_ONE, run_as
from tests.integration.world import World

FIRST_YEAR, MOST_FILES = 1880, 145

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
    entry = partial(run_as, variant, world.environment)
    if variant == IN_ONE:
        world.begin = None
    aside, began = time.process_time(), time.perf_counter()
    asyncio.run(world.run_until_idle(seconds=3600, entry=entry))
    seconds = time.perf_counter() - began
    failed = world.query("select last_error from jobs where state <> 'completed'")
    if failed:
        raise RuntimeError(str(failed[0]))
    return seconds, aside
