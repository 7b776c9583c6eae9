"""The warm parent of runners starts without credentials: it forks what parses files, whose memory is a copy of its own.

multiprocessing starts it with this process's environment, and has no option for another one.
"""

import os
from collections.abc import Iterable, Sequence
from multiprocessing import util

from dataset_jobs.host import clean_environment


def keep_children_clean() -> None:
    """From now on the processes that multiprocessing starts as programs get no variable that may be a credential."""
    util.spawnv_passfds = _start  # type: ignore[assignment]


def _start(path: str, args: Sequence[str], passfds: Iterable[int]) -> int:
    """As `multiprocessing.util.spawnv_passfds`: starts a program that inherits only these files; its process id."""
    # To its own number: then it stays open in the new program.
    files = [(os.POSIX_SPAWN_DUP2, int(number), int(number)) for number in passfds]
    return os.posix_spawn(path, [*args], clean_environment(os.environ), file_actions=files)
